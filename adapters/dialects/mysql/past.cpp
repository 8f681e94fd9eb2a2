// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// past.cpp -- the table assent_past: a row for each node, with a count that the node raises.  A
// copy of the data, a dump or a replica that lags has the count of its own time.
//
// Neither server tells a restore by itself: MySQL's server_uuid stands in a file that is copied
// with the data, GTIDs and binary logs may be off, or be reset, and InnoDB's log sequence number is
// overtaken again by whatever is written after the restore.

#include <string>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/server.hpp"

namespace assent::mysql_dialect {

namespace {

constexpr char make_past[] =
    "CREATE TABLE assent_past (node CHAR(16) CHARACTER SET ascii NOT NULL PRIMARY KEY, kept BIGINT "
    "UNSIGNED NOT NULL, history BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB";

std::string literal(std::uint64_t node)
{
    std::string text(16, '0');
    for (std::size_t i = text.size(); i-- > 0; node >>= 4)
        text[i] = "0123456789abcdef"[node & 15];
    return "'" + text + "'";
}

bool has_failed_by(driver_error const& error, unsigned number)
{
    return error.native_code() == static_cast<int>(number);
}

}  // namespace

char const* past_ddl() noexcept
{
    return make_past;
}

std::optional<kept_past> read_past(question& q, std::uint64_t node)
{
    try {
        auto const found =
            q.ask("select kept, history from assent_past where node = " + literal(node));
        if (found.empty()) return kept_past{};
        return kept_past{number_of(found[0], 0), number_of(found[0], 1)};
    } catch (driver_error const& error) {
        if (has_failed_by(error, code::no_such_table)) return kept_past{};
        if (!has_failed_by(error, code::no_right_to_table)) throw;
        return std::nullopt;
    }
}

bool keep_past(question& q, std::uint64_t node, kept_past const& past)
{
    std::string const kept = std::to_string(past.count);
    std::string const history = std::to_string(past.history);
    std::string const insert = "insert into assent_past (node, kept, history) values (" +
                               literal(node) + ", " + kept + ", " + history +
                               ") on duplicate key update kept = greatest(kept, " + kept +
                               "), history = " + history;
    try {
        try {
            q.ask(insert);
            return true;
        } catch (driver_error const& error) {
            if (!has_failed_by(error, code::no_such_table)) throw;
        }
        q.ask("create table if not exists " +
              std::string(make_past).substr(sizeof "CREATE TABLE " - 1));
        q.ask(insert);
        return true;
    } catch (driver_error const& error) {
        // Read-only, no right, a lock that a backup holds: none of it keeps the database from work.
        auto const number = static_cast<unsigned>(error.native_code());
        if (number == 0 || is_connection_lost(number) || is_interrupted(number)) throw;
        return false;
    }
}

}  // namespace assent::mysql_dialect
