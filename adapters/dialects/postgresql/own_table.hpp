// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// own_table.hpp -- a table of ours in somebody else's database: whether it keeps what is written
// into it, and how it is made.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_OWN_TABLE_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_OWN_TABLE_HPP

#include <string>
#include <vector>

#include "adapters/dialects/postgresql/server.hpp"

namespace assent::postgresql_dialect {

/// A column that must keep what is written into it, and give it back the same.
struct own_column
{
    char const* name;
    char const* type;  // of pg_catalog, as SQL has it
};

struct own_table
{
    std::string name;    // in the schema public
    std::string key;     // its column that is unique
    std::string use;     // what it is to hold, for people
    std::string create;  // CREATE TABLE IF NOT EXISTS ..., every name qualified
    std::string ddl;     // for an administrator
    std::vector<own_column> columns{};
};

/// Whether the table is there; nothing is made.
/// @throws driver_error  it is, and it will not do; without an SQLSTATE.
bool is_fit(question& manage, own_table const& which);

/// Makes it where it is missing.
/// @throws driver_error  what() has the statement for an administrator.
void ensure(question& manage, session_identity const& asking, own_table const& which);

bool is_missing_table(driver_error const& error);

/// Another transaction keeps the row: a lock that was waited for in vain, a serialization failure.
bool is_locked(driver_error const& error);

}  // namespace assent::postgresql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_OWN_TABLE_HPP
