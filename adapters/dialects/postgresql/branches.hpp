// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branches.hpp -- the table of reservations, public.assent_branch, in SQL.
//
//   xid text COLLATE "C" PRIMARY KEY | manager text | payload bytea | made timestamptz
//
// Invariant: what inserts or deletes a row is committed with synchronous_commit at least on.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_BRANCHES_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_BRANCHES_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/postgresql/server.hpp"

namespace assent::postgresql_dialect::branches {

extern char const ddl[];

void ensure(question& manage, session_identity const& asking);
/// Whether the table is there; nothing is made.  @throws driver_error  it is, and will not do.
bool is_fit(question& manage);
void insert(question& working, branch_row const& row);
std::optional<branch_row> take(question& working, xid const& name);
bool contains(question& asked, xid const& name);

// The same as statements, for whoever sends them with others, sees their tags, and commits with
// decisions::synchronous_column.
std::string insertion(branch_row const& row);
inline constexpr char const* inserted = "INSERT 0 1";  ///< the tag, whatever a trigger does
std::string taking(xid const& name);
/// ... which waits for the row's lock no longer than the others that are no application's, and
/// leaves the wait of what follows as it was.
std::string taking_in_time(xid const& name);
inline constexpr char const* taken_in_time = "SET";  ///< the tag
/// @param seen  the first row of taking()'s answer; empty where there was none.
std::optional<branch_row> taken(std::vector<std::string> const& seen, xid const& name);
std::string looking(xid const& name);
inline constexpr char const* looking_for = "looking for the reservation";
std::vector<xid> list(question& manage, std::string_view manager);

}  // namespace assent::postgresql_dialect::branches

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_BRANCHES_HPP
