/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * mysql_switch.h -- a MySQL or MariaDB database as a resource manager of any X/Open transaction
 * monitor (C193), for C and C++ (component mysql).
 *
 *   assent_mysql_switch          is what the monitor is given as the name of the xa_switch_t
 *   xa_info                      "host=db1 database=orders user=shop password_file=/etc/orders"
 *
 *   MYSQL* orders = assent_mysql_switch_handle(rmid);     (in a service, within a branch)
 *
 * Nothing of Assent's transaction manager is needed: the monitor decides, and logs.  What the name
 * of a branch may be, what xa_info takes, and what is answered when, is in
 * docs/adapters/exported_switches.md.
 */

#ifndef ASSENT_MYSQL_SWITCH_H
#define ASSENT_MYSQL_SWITCH_H

struct xa_switch_t; /* of xopen/xa.h */

#ifdef __cplusplus
extern "C" {
#endif

/* The switch.  Its routines may be called from several threads at once; each thread is a thread of
 * control, which opens the rmid for itself, and gets a connection of its own. */
extern struct xa_switch_t assent_mysql_switch;

/* The connection (MYSQL*) of the branch that the calling thread is associated with at `rmid`, from
 * xa_start until xa_end; null at any other time.  The monitor ends the transaction on it. */
extern void* assent_mysql_switch_handle(int rmid);

/* Why the calling thread's last call of the switch did not return XA_OK, in one line, without
 * secrets; empty where there is nothing to say.  Overwritten by the thread's next such call. */
extern char const* assent_mysql_switch_message(void);

#ifdef __cplusplus
}
#endif

#endif /* ASSENT_MYSQL_SWITCH_H */
