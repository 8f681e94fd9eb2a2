// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decisions.hpp -- the table of commit rows, assent_decision, in SQL.
//
//   gtrid char(57) ascii_bin primary key | kind char(1): c, a, h | content text | made timestamp
//
// A session that works may have chosen another database, where nobody looks for the row: so there
// the table is named with its database.  The manager's own sessions stay where they are.
//
// Invariant: nothing is inserted into a table whose engine is not InnoDB: its rows would be
// there at once, whatever became of the transaction.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_DECISIONS_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_DECISIONS_HPP

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/mysql/question.hpp"

namespace assent::mysql_dialect::decisions {

/// For an administrator.
extern char const ddl[];

/// The statement that a branch runs before its end.
/// @param database  server_facts::database
std::string insert(std::string const& database, decision_row const& row);

/// Deletes no row, and is refused where the transaction is read only.  Unlike an INSERT of none it
/// leaves FOUND_ROWS() alone, and unlike SELECT it opens no read view.
std::string delete_none(std::string const& database);

/// Whether the table is there; nothing is made.
/// @throws driver_error  it is, and it will not do; without an error number.
bool is_fit(question& q);

void ensure(question& q);
/// @param wait  for a row that is not committed yet; the server counts in seconds.
std::optional<decision_row> fence(question& q, gtrid const& row_name,
                                  std::chrono::milliseconds wait);
std::vector<decision_row> list(question& q, std::string_view prefix, std::size_t at_most);
void prune(question& q, decision_row const& horizon_row, std::vector<gtrid> const& gone);

}  // namespace assent::mysql_dialect::decisions

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_DECISIONS_HPP
