// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_rows.hpp -- the table of commit rows, main.assent_decision, in SQLite.
//
//   gtrid TEXT PRIMARY KEY | kind TEXT: c, a, h | content TEXT | made TEXT
//
// SQLite has one writer at a time, from BEGIN IMMEDIATE to its end.  So a fence that has begun to
// write waits for every branch that may still commit a row, and whatever it then reads is final.
// The schema is named, because a session that works may have a temporary table of that name.
//
// Invariant: a row that is given out as committed is on the disk.

#ifndef ASSENT_ADAPTERS_ODBC_SQLITE_ROWS_HPP
#define ASSENT_ADAPTERS_ODBC_SQLITE_ROWS_HPP

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/odbc/link.hpp"
#include "adapters/odbc/sqlite_question.hpp"

namespace assent::odbc_adapter::sqlite_rows {

/// The statement that a branch's transaction runs before its COMMIT.
std::string insert(decision_row const& row);

/// Right behind it: 1 where the row is there.  A trigger, also a temporary one of the application's
/// session, may keep it out or take it away without an error.
extern char const is_inserted[];

/// Runs `insertion` so that the application notices nothing: last_insert_rowid() and changes() are
/// its own afterwards, and a session that may only read since it wrote stays so.
/// @return the statement that failed; of an insertion that went well, its answer.
execution insert_unseen(link& on, std::string const& insertion);

void ensure(sqlite_question& q);
/// @param wait  for a row that is not committed yet.
std::optional<decision_row> fence(sqlite_question& q, gtrid const& row_name,
                                  std::chrono::milliseconds wait);
std::vector<decision_row> list(sqlite_question& q, std::string const& prefix, std::size_t at_most);
void prune(sqlite_question& q, decision_row const& horizon_row, std::vector<gtrid> const& gone);

}  // namespace assent::odbc_adapter::sqlite_rows

#endif  // ASSENT_ADAPTERS_ODBC_SQLITE_ROWS_HPP
