// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/own_table.hpp"

#include <algorithm>

#include "adapters/dialects/mysql/error.hpp"

namespace assent::mysql_dialect {

namespace {

bool ends_with(std::string_view text, std::string_view end)
{
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// @param seen  name, type without its length, how much it holds, collation
bool keeps(row const& seen, own_column const& which)
{
    auto const type = text_of(seen, 1);
    bool const is_bytes = type == "varbinary" || ends_with(type, "blob");
    bool const is_text = type == "char" || type == "varchar" || ends_with(type, "text");
    if (!(which.as == kept_as::bytes ? is_bytes : is_text || is_bytes)) return false;
    if (which.as == kept_as::name && is_text && !ends_with(text_of(seen, 3), "_bin")) return false;
    return number_of(seen, 2) >= which.least;
}

void require_columns(question& q, own_table const& which)
{
    if (which.kept.empty()) return;
    auto const rows = q.ask(
        "select column_name, data_type, character_maximum_length, collation_name from "
        "information_schema.columns where table_schema = database() and table_name = '" +
        which.name + "'");
    for (auto const& each : which.kept) {
        bool const is_kept = std::any_of(rows.begin(), rows.end(), [&each](row const& seen) {
            return seen.size() > 3 && text_of(seen, 0) == each.name && keeps(seen, each);
        });
        if (is_kept) continue;
        q.fail(which.name + " cannot hold " + which.use + ": its column " + each.name +
               " is missing, too short, or of a type or collation that does not keep what is "
               "written; let an administrator run ALTER TABLE " +
               which.name + " MODIFY `" + each.name + "` " + each.definition);
    }
}

}  // namespace

std::string named_with(std::string const& database, std::string const& which)
{
    std::string name = "`";
    for (char const c : database)
        name.append(c == '`' ? 2 : 1, c);
    return name.append("`.").append(which);
}

bool is(driver_error const& error, unsigned number)
{
    return error.native_code() == static_cast<int>(number);
}

bool is_locked(driver_error const& error)
{
    return is(error, code::lock_wait_timeout) || is(error, code::deadlock);
}

void require_row_binlog(question& q, own_table const& which)
{
    auto const seen = q.one_row("select @@global.log_bin, @@global.binlog_format", 2);
    bool const has_binlog = text_of(seen, 0) == "1" || text_of(seen, 0) == "ON";
    if (!has_binlog || text_of(seen, 1) != "STATEMENT") return;
    q.fail("binlog_format is STATEMENT, with which the server refuses what " + which.use +
           " write at READ COMMITTED; set it to ROW");
}

bool is_fit(question& q, own_table const& which)
{
    std::string const of_table = "table_schema = database() and table_name = '" + which.name + "'";
    auto const rows = q.ask(
        "select table_type, engine, (select group_concat(column_name) from "
        "information_schema.statistics where " +
        of_table +
        " and index_name = 'PRIMARY'), (select count(*) from information_schema.triggers where "
        "event_object_schema = database() and event_object_table = '" +
        which.name + "') from information_schema.tables where " + of_table);
    if (rows.empty()) return false;
    row const& seen = rows.front();
    auto const refuse = [&](std::string const& why) {
        q.fail(which.name + " cannot hold " + which.use + ": " + why);
    };
    if (seen.size() < 4) q.fail("the server's answer is not complete");
    if (text_of(seen, 0) != "BASE TABLE") refuse("it is no plain table");
    if (text_of(seen, 1) != "InnoDB") refuse("its engine is not InnoDB");
    if (text_of(seen, 2) != which.key) refuse("its primary key is not " + which.key);
    if (number_of(seen, 3) != 0) refuse("it has triggers");
    require_columns(q, which);
    return true;
}

void ensure(question& q, own_table const& which)
{
    if (is_fit(q, which)) return;
    try {
        q.ask("create table if not exists " + which.name + which.columns);
    } catch (driver_error const& error) {
        auto const number = static_cast<unsigned>(error.native_code());
        bool const is_heard = number != 0 && !is_connection_lost(number);
        if (!is_heard || is_interrupted(number) || is_locked(error)) throw;
        q.fail("cannot make the table of " + which.use + " (" + error.what() +
               "); let an administrator run, in this database: CREATE TABLE " + which.name +
               which.columns + ", and GRANT SELECT, INSERT, UPDATE, DELETE on it");
    }
    if (!is_fit(q, which)) {
        q.fail("the table of " + which.use + " was created, but is not there");
    }
}

}  // namespace assent::mysql_dialect
