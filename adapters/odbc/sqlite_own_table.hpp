// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_own_table.hpp -- a table of ours in somebody else's file: whether it keeps what is written
// into it, and how it is made.

#ifndef ASSENT_ADAPTERS_ODBC_SQLITE_OWN_TABLE_HPP
#define ASSENT_ADAPTERS_ODBC_SQLITE_OWN_TABLE_HPP

#include <string>

#include "adapters/odbc/sqlite_question.hpp"

namespace assent::odbc_adapter {

struct own_table
{
    std::string name;    // in the schema main
    std::string key;     // its primary key, of type TEXT
    std::string use;     // what it is to hold, for people
    std::string create;  // CREATE TABLE IF NOT EXISTS ...
    std::string others;  // what its other columns must be, as a condition on pragma_table_info
    int others_count;    // and how many they are
};

/// Whether something of that name is there.
bool is_there(sqlite_question& q, own_table const& which);

/// Makes it where it is missing.
/// @throws driver_error  the table would lose rows, or cannot be made.
void ensure(sqlite_question& q, own_table const& which);

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_SQLITE_OWN_TABLE_HPP
