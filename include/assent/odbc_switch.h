/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * odbc_switch.h -- a PostgreSQL, MariaDB or MySQL database behind ODBC as a resource manager of any
 * X/Open transaction monitor (C193), for C and C++ (component odbc).
 *
 *   assent_odbc_switch           is what the monitor is given as the name of the xa_switch_t
 *   xa_info                      "DSN=accounts;PASSWORD_FILE=/etc/shop/accounts"
 *
 *   SQLHDBC accounts = assent_odbc_switch_handle(rmid);   (in a service, within a branch)
 *
 * Where there is a switch of the database's own (postgresql_switch.h, mysql_switch.h), take that.
 * SQLite is refused, since it cannot prepare.  What a branch's name may be, what xa_info takes, and
 * what is answered when, is in docs/adapters/exported_switches.md.
 */

#ifndef ASSENT_ODBC_SWITCH_H
#define ASSENT_ODBC_SWITCH_H

struct xa_switch_t; /* of xopen/xa.h */

#ifdef __cplusplus
extern "C" {
#endif

/* The switch.  Its routines may be called from several threads at once; each thread is a thread of
 * control, which opens the rmid for itself, and gets a connection of its own. */
extern struct xa_switch_t assent_odbc_switch;

/* The connection (SQLHDBC) of the branch that the calling thread is associated with at `rmid`: from
 * xa_start until xa_end.  Null at any other time.  The transaction on it is the monitor's to end:
 * no SQLEndTran, and no change of SQL_ATTR_AUTOCOMMIT. */
extern void* assent_odbc_switch_handle(int rmid);

/* Why the calling thread's last call of the switch did not return XA_OK, in one line, without
 * secrets; empty where there is nothing to say.  Overwritten by the thread's next such call. */
extern char const* assent_odbc_switch_message(void);

#ifdef __cplusplus
}
#endif

#endif /* ASSENT_ODBC_SWITCH_H */
