// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// restored_switch.hpp -- Berkeley DB's switch, with what it lacks before and after a crash.
//
// Its xa_commit answers before its record is on the disk: here its log is forced first.
//
// Version 5.3 restores a prepared branch, with its locks, and lists it; but it forgets the branch's
// format id and lengths, and answers XAER_PROTO to xa_commit and xa_rollback.  Its native interface
// has a handle to such a branch: with the first xa_open of a process these are taken, and the two
// verbs end them by it.  All else is Berkeley DB's own.

#ifndef ASSENT_DOCS_EXAMPLES_BERKELEY_DB_RESTORED_SWITCH_HPP
#define ASSENT_DOCS_EXAMPLES_BERKELEY_DB_RESTORED_SWITCH_HPP

struct xa_switch_t;

/// For one home, which no other process has open.
xa_switch_t const& restored_switch();

#endif  // ASSENT_DOCS_EXAMPLES_BERKELEY_DB_RESTORED_SWITCH_HPP
