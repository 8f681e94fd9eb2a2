-- The same tables in both databases; each uses what is its own.
--
-- PostgreSQL has the orders and the points of customers, MariaDB the stock and the delivery slips.

CREATE TABLE orders (id INTEGER PRIMARY KEY, state VARCHAR(10) NOT NULL);
CREATE TABLE points (customer VARCHAR(20) PRIMARY KEY, balance INTEGER NOT NULL,
                     promised INTEGER NOT NULL);
CREATE TABLE stock (item VARCHAR(20) PRIMARY KEY, available INTEGER NOT NULL CHECK (available >= 0),
                    reserved INTEGER NOT NULL, sold INTEGER NOT NULL);
CREATE TABLE slip (order_id INTEGER PRIMARY KEY, item VARCHAR(20) NOT NULL);

INSERT INTO points VALUES ('alice', 0, 0);
INSERT INTO stock VALUES ('book', 1000, 0, 0);
