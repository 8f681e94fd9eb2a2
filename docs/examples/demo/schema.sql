-- The same tables in every database of the demonstration, whichever server it is on.
--
-- Money moves between an account here and an account there.  Every transfer leaves one row in the
-- ledger of BOTH databases, so that afterwards each transfer can be looked up: it is in both, or
-- in none.  A sum alone would not show two mistakes that cancel each other.

CREATE TABLE accounts (
    id      INTEGER PRIMARY KEY,
    balance BIGINT  NOT NULL CHECK (balance >= 0)
);

CREATE TABLE ledger (
    transfer_id VARCHAR(64) PRIMARY KEY,
    account     INTEGER     NOT NULL,
    amount      BIGINT      NOT NULL
);

INSERT INTO accounts (id, balance)
VALUES (1, 10000), (2, 10000), (3, 10000), (4, 10000), (5, 10000),
       (6, 10000), (7, 10000), (8, 10000), (9, 10000), (10, 10000);
