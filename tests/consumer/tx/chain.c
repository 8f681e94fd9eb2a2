/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * chain.c -- a chain of two transactions, in C, by what is installed.
 */

#include <assent/tx.h>
#include <stdio.h>
#include <xopen/tx.h>
#include <xopen/xa.h>

extern void set(void* connection, char const* key, long value);
int run_chain(void);

int run_chain(void)
{
    void* accounts = NULL;
    TXINFO info;
    if (tx_open() != TX_OK || tx_set_transaction_control(TX_CHAINED) != TX_OK ||
        tx_begin() != TX_OK || assent_tx_lease("accounts", &accounts) != TX_OK) {
        fprintf(stderr, "%s\n", assent_tx_message());
        return 1;
    }
    set(accounts, "committed", 1);
    if (tx_commit() != TX_OK || tx_info(&info) != 1 || info.xid.gtrid_length > MAXGTRIDSIZE) {
        return 1;
    }
    if (assent_tx_lease("accounts", &accounts) != TX_OK) return 1;
    set(accounts, "undone", 1);
    if (tx_set_transaction_control(TX_UNCHAINED) != TX_OK || tx_rollback() != TX_OK) return 1;
    return tx_close() == TX_OK ? 0 : 1;
}
