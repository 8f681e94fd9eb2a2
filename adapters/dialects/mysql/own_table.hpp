// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// own_table.hpp -- a table of ours in somebody else's database: whether it keeps what is written
// into it, and how it is made.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_OWN_TABLE_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_OWN_TABLE_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/dialects/mysql/question.hpp"

namespace assent::mysql_dialect {

enum class kept_as : std::uint8_t {
    name,   // text that is the same only where each byte is
    text,   // which nothing is compared with
    bytes,  // whatever they are
};

/// A column that must keep what is written into it: where sql_mode is not strict, the server cuts
/// what is too long for it, and says nothing.
struct own_column
{
    char const* name;
    kept_as as;
    std::uint64_t least;     // how many characters, or bytes, it must hold
    char const* definition;  // as an administrator may give it
};

struct own_table
{
    std::string name;
    std::string key;      // its primary key, one column
    std::string use;      // what it is to hold, for people
    std::string columns;  // with the engine
    std::vector<own_column> kept{};
};

/// The table's name with its database's.
std::string named_with(std::string const& database, std::string const& which);

/// Whether the table is there; nothing is made.
/// @throws driver_error  it is, and it will not do.
bool is_fit(question& q, own_table const& which);

/// Makes it where it is missing.
/// @throws driver_error  what() has the statement for an administrator.
void ensure(question& q, own_table const& which);

/// @throws driver_error  the server would refuse to write into it at READ COMMITTED.
void require_row_binlog(question& q, own_table const& which);

bool is(driver_error const& error, unsigned number);

/// Another transaction keeps the row, and was waited for in vain.
bool is_locked(driver_error const& error);

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_OWN_TABLE_HPP
