/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * transfer.c -- money moved from PostgreSQL to MariaDB in C, by X/Open's TX interface: the code of
 * docs/guide/xopen-tx.md, compiled and run by a test against private servers.
 */

#include <libpq-fe.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

#include <assent/tx.h>
#include <xopen/tx.h>

#include "databases.h"

/* [work] */
static int on_accounts(char const* sql)
{
    void* connection;
    PGresult* result;
    int is_done;
    if (assent_tx_lease("accounts", &connection) != TX_OK) {
        fprintf(stderr, "accounts: %s\n", assent_tx_message());
        return 0;
    }
    result = PQexec((PGconn*)connection, sql);
    is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!is_done) fprintf(stderr, "accounts: %s", PQresultErrorMessage(result));
    PQclear(result);
    return is_done;
}
/* [work] */

static int on_orders(char const* sql)
{
    void* connection;
    if (assent_tx_lease("orders", &connection) != TX_OK) {
        fprintf(stderr, "orders: %s\n", assent_tx_message());
        return 0;
    }
    if (mysql_query((MYSQL*)connection, sql) == 0) return 1;
    fprintf(stderr, "orders: %s\n", mysql_error((MYSQL*)connection));
    return 0;
}

/* [commit] */
static int transfer(void)
{
    if (!on_accounts("UPDATE balance SET amount = amount - 5 WHERE id = 1") ||
        !on_orders("UPDATE balance SET amount = amount + 5 WHERE id = 1")) {
        tx_rollback();
        return 0;
    }
    switch (tx_commit()) {
        case TX_OK:
            return 1;
        case TX_ROLLBACK: /* nothing remains; run it again only if you know why
                             (docs/reference/tx.md) */
            fprintf(stderr, "rolled back: %s\n", assent_tx_message());
            return 0;
        default: /* mixed, hazard, or not known: never run it again, page a person */
            fprintf(stderr, "look at it: %s\n", assent_tx_message());
            return 0;
    }
}
/* [commit] */

/* [open] */
int main(void)
{
    int is_done = 0;
    if (!open_databases()) return EXIT_FAILURE;
    if (tx_open() == TX_OK && tx_set_transaction_timeout(30) == TX_OK && tx_begin() == TX_OK) {
        is_done = transfer();
    } else {
        fprintf(stderr, "%s\n", assent_tx_message());
    }
    /* [open] */
    if (is_done) {
        /* A chain: what is done in it after a commit or rollback is of the next transaction. */
        is_done = tx_set_transaction_control(TX_CHAINED) == TX_OK && tx_begin() == TX_OK &&
                  on_orders("UPDATE balance SET amount = 0 WHERE id = 1") &&
                  tx_rollback() == TX_OK && tx_info(NULL) == 1 &&
                  tx_set_transaction_control(TX_UNCHAINED) == TX_OK && tx_commit() == TX_OK;
    }
    /* [close] */
    if (tx_close() != TX_OK) is_done = 0;
    close_databases();
    return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
/* [close] */
