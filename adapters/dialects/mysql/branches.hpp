// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branches.hpp -- the table of reservations, assent_branch, in SQL.
//
//   xid VARCHAR(82), the key | manager VARCHAR(64) | payload MEDIUMBLOB | made TIMESTAMP
//
// A session that works may have chosen another database, so there the table is named with its own.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_BRANCHES_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_BRANCHES_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/mysql/question.hpp"

namespace assent::mysql_dialect::branches {

extern char const ddl[];

/// Also refuses a server that would refuse to write at READ COMMITTED, and an account that could
/// make reservations and not end them.
void ensure(question& q);
/// Whether the table is there; nothing is made.  @throws driver_error  it is, and will not do.
bool is_fit(question& q);
void insert(question& q, std::string const& database, branch_row const& row);
std::optional<branch_row> take(question& q, std::string const& database, xid const& name);
bool contains(question& q, std::string const& database, xid const& name);

// The same as statements, for whoever sends them with others.
std::string insertion(std::string const& database, branch_row const& row);
/// The first of them shows the row.
std::vector<std::string> taking(question const& q, std::string const& database, xid const& name);
/// @param seen  what the first of taking() showed.
std::optional<branch_row> taken(question const& q, table const& seen, xid const& name);
std::string looking(std::string const& database, xid const& name);
std::vector<xid> list(question& q, std::string_view manager);

}  // namespace assent::mysql_dialect::branches

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_BRANCHES_HPP
