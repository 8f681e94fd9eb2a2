/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * tx.h -- the connections of a transaction of X/Open's TX interface, for C (component tx).
 *
 *   void* handle;
 *   if (tx_begin() == TX_OK && assent_tx_lease("accounts", &handle) == TX_OK) {
 *       PGconn* accounts = handle;
 *       ...
 *   }
 *   if (tx_commit() != TX_OK) fprintf(stderr, "%s\n", assent_tx_message());
 *
 * Which names there are is said in C++, by assent/tx.hpp.  Every function acts on the calling
 * thread's own transaction, and may be called from several threads at once.
 */

#ifndef ASSENT_TX_H
#define ASSENT_TX_H

#include <xopen/tx.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Lends a connection to a database for the calling thread's transaction; what is done on it belongs
 * to the transaction.  The same name gives the same connection until the transaction ends.
 * `*handle` is the client's own (PGconn*, MYSQL*), and must not be used after tx_commit() or
 * tx_rollback() was called, nor be closed.  Each of its waits lasts no longer than the transaction
 * may, or than limits::transaction where that has no timeout.
 *
 * TX_OK
 * TX_PROTOCOL_ERROR  the thread is in no transaction; or that database cannot take part beside
 *                    those that do
 * TX_EINVAL          a null pointer, or tx_service was given no database of that name
 * TX_ERROR           no connection could be had, or no branch begun there: it may work later, in
 *                    this transaction or, where tx_info() says rollback-only, in another; not where
 *                    the transaction manager was closed, which tx_begin() tells by TX_FAIL
 * TX_FAIL            the tx_service that the thread had opened is gone, or this is a forked child
 *
 * `*handle` is set only with TX_OK. */
extern int assent_tx_lease(char const* resource_manager, void** handle);

/* Takes back a connection that was enlisted.  It must be closed where `must_close` is not 0. */
typedef void (*assent_tx_release)(void* handle, int must_close, void* argument);

/* Makes a connection of the application's own a part of the calling thread's transaction.  It must
 * be idle, outside any transaction, and must not reconnect by itself.  Until `release` is called
 * with `handle` and `argument`, in tx_commit() or tx_rollback(), it must stay open; a null
 * `release` is not called.  The same handle twice is TX_OK, and changes nothing.
 *
 * Returns as assent_tx_lease().  Where it is not TX_OK `release` is not called, and the connection
 * must be closed if assent_tx_message() says so. */
extern int assent_tx_enlist(char const* resource_manager, void* handle, assent_tx_release release,
                            void* argument);

/* Why the calling thread's last call of this header or of xopen/tx.h did not return TX_OK, in one
 * line; empty where there is nothing to say.  Overwritten by the thread's next such call. */
extern char const* assent_tx_message(void);

#ifdef __cplusplus
}
#endif

#endif /* ASSENT_TX_H */
