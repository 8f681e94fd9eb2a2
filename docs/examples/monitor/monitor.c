/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * monitor.c -- the smallest transaction monitor there can be, in C, over a PostgreSQL and a MariaDB
 * database by Assent's switches: the code of docs/adapters/exported_switches.md, compiled and run
 * by a test against private servers.
 *
 * It is no monitor to use: it has no log, so that a crash between the two votes and the two commits
 * leaves branches to be ended by hand.
 */

#include <libpq-fe.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <assent/mysql_switch.h>
#include <assent/postgresql_switch.h>
#include <xopen/xa.h>

enum { accounts_rmid = 1, orders_rmid = 2 };

/* Services: each works on the connection of the branch that the monitor began on this thread. */
static int debit(int rmid)
{
    PGconn* accounts = assent_postgresql_switch_handle(rmid);
    PGresult* result = PQexec(accounts, "UPDATE balance SET amount = amount - 5 WHERE id = 1");
    int is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return is_done;
}

static int credit(int rmid)
{
    MYSQL* orders = (MYSQL*)assent_mysql_switch_handle(rmid);
    return mysql_query(orders, "UPDATE balance SET amount = amount + 5 WHERE id = 1") == 0;
}

static XID name_of(char const* transaction, char const* branch)
{
    XID name;
    memset(&name, 0, sizeof name);
    name.formatID = 42;
    name.gtrid_length = (long)strlen(transaction);
    name.bqual_length = (long)strlen(branch);
    memcpy(name.data, transaction, (size_t)name.gtrid_length);
    memcpy(name.data + name.gtrid_length, branch, (size_t)name.bqual_length);
    return name;
}

/* A branch with one service in it, up to its vote. */
static int votes_yes(struct xa_switch_t* rm, int rmid, XID* branch, int (*service)(int))
{
    int is_done;
    if (rm->xa_start_entry(branch, rmid, TMNOFLAGS) != XA_OK) return 0;
    is_done = service(rmid);
    if (rm->xa_end_entry(branch, rmid, is_done ? TMSUCCESS : TMFAIL) != XA_OK) is_done = 0;
    return rm->xa_prepare_entry(branch, rmid, TMNOFLAGS) == XA_OK && is_done;
}

int main(void)
{
    struct xa_switch_t* accounts = &assent_postgresql_switch;
    struct xa_switch_t* orders = &assent_mysql_switch;
    XID debited = name_of("transfer", "accounts");
    XID credited = name_of("transfer", "orders");
    int is_done = 0;

    if (accounts->xa_open_entry(getenv("SHOP_ACCOUNTS"), accounts_rmid, TMNOFLAGS) != XA_OK) {
        fprintf(stderr, "accounts: %s\n", assent_postgresql_switch_message());
        return EXIT_FAILURE;
    }
    if (orders->xa_open_entry(getenv("SHOP_ORDERS"), orders_rmid, TMNOFLAGS) != XA_OK) {
        fprintf(stderr, "orders: %s\n", assent_mysql_switch_message());
        return EXIT_FAILURE;
    }
    if (votes_yes(accounts, accounts_rmid, &debited, debit) &&
        votes_yes(orders, orders_rmid, &credited, credit)) {
        /* Here a monitor forces its decision to disk. */
        is_done = accounts->xa_commit_entry(&debited, accounts_rmid, TMNOFLAGS) == XA_OK &&
                  orders->xa_commit_entry(&credited, orders_rmid, TMNOFLAGS) == XA_OK;
    } else {
        accounts->xa_rollback_entry(&debited, accounts_rmid, TMNOFLAGS);
        orders->xa_rollback_entry(&credited, orders_rmid, TMNOFLAGS);
    }
    if (accounts->xa_close_entry("", accounts_rmid, TMNOFLAGS) != XA_OK) is_done = 0;
    if (orders->xa_close_entry("", orders_rmid, TMNOFLAGS) != XA_OK) is_done = 0;
    return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
