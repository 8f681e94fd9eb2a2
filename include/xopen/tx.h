/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * tx.h -- the TX (Transaction Demarcation) interface, as X/Open's specification C504 gives it, for
 * C and C++: how an application begins and ends global transactions.
 *
 * Each thread of control has a transaction, and characteristics, of its own.  What every function
 * answers in which state is one table in docs/reference/tx.md.  Which databases take part, and how
 * a C program gets at their connections, is in assent/tx.hpp and assent/tx.h.
 */

#ifndef TX_H
#define TX_H

#define TX_H_VERSION 0 /* of this header file */

#include <xopen/xid.h>

/* When tx_commit() returns (tx_set_commit_return). */
typedef long COMMIT_RETURN;
#define TX_COMMIT_COMPLETED 0       /* when every branch has committed; initially so */
#define TX_COMMIT_DECISION_LOGGED 1 /* when the decision to commit is durable */

/* What follows the end of a transaction (tx_set_transaction_control). */
typedef long TRANSACTION_CONTROL;
#define TX_UNCHAINED 0 /* nothing; initially so */
#define TX_CHAINED 1   /* a new transaction, at once */

/* How long a transaction may last, in seconds (tx_set_transaction_timeout); 0, as initially: for
 * ever. */
typedef long TRANSACTION_TIMEOUT;

/* What can become of a transaction (tx_info). */
typedef long TRANSACTION_STATE;
#define TX_ACTIVE 0                /* it can be committed */
#define TX_TIMEOUT_ROLLBACK_ONLY 1 /* it can only be rolled back: it has lasted too long */
#define TX_ROLLBACK_ONLY 2         /* it can only be rolled back */

/* What tx_info() tells of the calling thread. */
struct tx_info_t
{
    XID xid; /* of its transaction; formatID is -1 where it has none */
    COMMIT_RETURN when_return;
    TRANSACTION_CONTROL transaction_control;
    TRANSACTION_TIMEOUT transaction_timeout; /* of the next transaction that it begins */
    TRANSACTION_STATE transaction_state;
};
typedef struct tx_info_t TXINFO;

/* What the functions return. */
#define TX_NOT_SUPPORTED 1   /* this option is not supported; nothing was changed */
#define TX_OK 0              /* done */
#define TX_OUTSIDE -1        /* the thread does work outside any global transaction */
#define TX_ROLLBACK -2       /* the transaction was rolled back */
#define TX_MIXED -3          /* it was partially committed and partially rolled back */
#define TX_HAZARD -4         /* it may have been partially committed and partially rolled back */
#define TX_PROTOCOL_ERROR -5 /* the function may not be called in this state; nothing was done */
#define TX_ERROR -6          /* a failure that may pass */
#define TX_FAIL -7           /* a failure that does not pass */
#define TX_EINVAL -8         /* an argument that means nothing; nothing was changed */
#define TX_COMMITTED -9      /* tx_rollback: the transaction was heuristically committed */

/* Likewise, and that the next transaction of a chain could not be begun. */
#define TX_NO_BEGIN -100
#define TX_ROLLBACK_NO_BEGIN (TX_ROLLBACK + TX_NO_BEGIN)
#define TX_MIXED_NO_BEGIN (TX_MIXED + TX_NO_BEGIN)
#define TX_HAZARD_NO_BEGIN (TX_HAZARD + TX_NO_BEGIN)
#define TX_COMMITTED_NO_BEGIN (TX_COMMITTED + TX_NO_BEGIN)

#ifdef __cplusplus
extern "C" {
#endif

extern int tx_begin(void);
extern int tx_close(void);
extern int tx_commit(void);
extern int tx_info(TXINFO*);
extern int tx_open(void);
extern int tx_rollback(void);
extern int tx_set_commit_return(COMMIT_RETURN);
extern int tx_set_transaction_control(TRANSACTION_CONTROL);
extern int tx_set_transaction_timeout(TRANSACTION_TIMEOUT);

#ifdef __cplusplus
}
#endif

#endif /* TX_H */
