// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_branches.hpp -- the table of reservations, main.assent_branch, in SQL.
//
//   xid TEXT, the key | manager TEXT | payload BLOB | made TEXT

#ifndef ASSENT_ADAPTERS_ODBC_SQLITE_BRANCHES_HPP
#define ASSENT_ADAPTERS_ODBC_SQLITE_BRANCHES_HPP

#include <optional>
#include <string>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/odbc/sqlite_question.hpp"

namespace assent::odbc_adapter::sqlite_branches {

void ensure(sqlite_question& q);
void insert(sqlite_question& q, branch_row const& row);
std::optional<branch_row> take(sqlite_question& q, xid const& name);
bool contains(sqlite_question& q, xid const& name);
std::vector<xid> list(sqlite_question& q, std::string const& manager);

}  // namespace assent::odbc_adapter::sqlite_branches

#endif  // ASSENT_ADAPTERS_ODBC_SQLITE_BRANCHES_HPP
