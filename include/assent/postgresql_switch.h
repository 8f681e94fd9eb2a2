/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * postgresql_switch.h -- a PostgreSQL database as a resource manager of any X/Open transaction
 * monitor (C193), for C and C++ (component postgresql).
 *
 *   assent_postgresql_switch     is what the monitor is given as the name of the xa_switch_t
 *   xa_info                      "host=db1 dbname=accounts user=shop passfile=/etc/shop/pgpass"
 *
 *   PGconn* accounts = assent_postgresql_switch_handle(rmid);   (in a service, within a branch)
 *
 * Nothing of Assent's transaction manager is needed: the monitor decides, and logs.  What fits into
 * a branch's name, what xa_info takes besides libpq's words, and what is answered when, is in
 * docs/adapters/exported_switches.md.
 */

#ifndef ASSENT_POSTGRESQL_SWITCH_H
#define ASSENT_POSTGRESQL_SWITCH_H

struct pg_conn;     /* PGconn, of libpq-fe.h */
struct xa_switch_t; /* of xopen/xa.h */

#ifdef __cplusplus
extern "C" {
#endif

/* The switch.  Its routines may be called from several threads at once; each thread is a thread of
 * control, which opens the rmid for itself, and gets a connection of its own. */
extern struct xa_switch_t assent_postgresql_switch;

/* The connection of the branch that the calling thread is associated with at `rmid`: from xa_start
 * until xa_end.  Null at any other time.  The transaction on it is the monitor's to end. */
extern struct pg_conn* assent_postgresql_switch_handle(int rmid);

/* Why the calling thread's last call of the switch did not return XA_OK, in one line, without
 * secrets; empty where there is nothing to say.  Overwritten by the thread's next such call. */
extern char const* assent_postgresql_switch_message(void);

#ifdef __cplusplus
}
#endif

#endif /* ASSENT_POSTGRESQL_SWITCH_H */
