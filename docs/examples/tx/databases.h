/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * databases.h -- the one page of C++ that a program in C needs, as C sees it.
 */

#ifndef ASSENT_DOCS_EXAMPLES_TX_DATABASES_H
#define ASSENT_DOCS_EXAMPLES_TX_DATABASES_H

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the log and makes both databases known.  Says what is wrong, and returns 0, where it
 * fails. */
extern int open_databases(void);

extern void close_databases(void);

#ifdef __cplusplus
}
#endif

#endif /* ASSENT_DOCS_EXAMPLES_TX_DATABASES_H */
