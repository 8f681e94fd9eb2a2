// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decisions.hpp -- the table of commit rows, public.assent_decision, in SQL.
//
//   gtrid text COLLATE "C" PRIMARY KEY | kind text: c, a, h | content text | made timestamptz
//
// Its schema is fixed: the search path of a session that works is the application's, and a row in
// another table of the same name would be no row at all.
//
// Invariant: whatever is read or written here has been, or is, committed with
// synchronous_commit at least on: a row that a crash or a failover may take back decides nothing.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_DECISIONS_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_DECISIONS_HPP

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/postgresql/server.hpp"

namespace assent::postgresql_dialect::decisions {

/// For an administrator.
extern char const* const ddl;

/// A further column for the query that checks the mark: from there on the transaction's commit
/// waits for the disk, and for a synchronous standby where the server has one.
extern char const* const synchronous_column;

/// The statement that a branch's transaction runs before its COMMIT.
std::string insert(decision_row const& row);

/// Whether the table is there; nothing is made.
/// @throws driver_error  it is, and it will not do; without an SQLSTATE.
bool is_fit(question& manage);

void ensure(question& manage, session_identity const& asking);
/// @param wait  for a row that is not committed yet.
std::optional<decision_row> fence(question& manage, gtrid const& row_name,
                                  std::chrono::milliseconds wait);
std::vector<decision_row> list(question& manage, std::string_view prefix, std::size_t at_most);
void prune(question& manage, decision_row const& horizon_row, std::vector<gtrid> const& gone);

}  // namespace assent::postgresql_dialect::decisions

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_DECISIONS_HPP
