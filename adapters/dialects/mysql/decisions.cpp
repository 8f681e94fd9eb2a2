// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/decisions.hpp"

#include <algorithm>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/own_table.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"
#include "adapters/dialects/row_text.hpp"

namespace assent::mysql_dialect::decisions {

#define ASSENT_MYSQL_COLUMNS                                                                 \
    " (gtrid CHAR(57) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, "          \
    "kind CHAR(1) CHARACTER SET ascii NOT NULL, content TEXT CHARACTER SET ascii NOT NULL, " \
    "made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=InnoDB"

constexpr char table_name[] = "assent_decision";

char const ddl[] = "CREATE TABLE assent_decision" ASSENT_MYSQL_COLUMNS;

namespace {

using dialects::quoted;

std::string insert_into(std::string const& table, decision_row const& row)
{
    char const kind = static_cast<char>(row.kind);
    return "insert into " + table + " (gtrid, kind, content) values (" +
           hexadecimal(row.name.text()) + ", " + hexadecimal({&kind, 1}) + ", " +
           hexadecimal(row.content) + ")";
}

std::optional<decision_row> read(std::string_view name, row const& from, std::size_t kind)
{
    return dialects::row_of(name, text_of(from, kind), text_of(from, kind + 1));
}

own_table table_of_rows()
{
    return {
        table_name,
        "gtrid",
        "commit rows",
        ASSENT_MYSQL_COLUMNS,
        {{"gtrid", kept_as::name, 57, "CHAR(57) CHARACTER SET ascii COLLATE ascii_bin NOT NULL"},
         {"kind", kept_as::text, 1, "CHAR(1) CHARACTER SET ascii NOT NULL"},
         {"content", kept_as::text, 65535, "TEXT CHARACTER SET ascii NOT NULL"}}};
}

[[noreturn]] void fail_missing(question& q, driver_error const& error)
{
    q.fail(std::string("the table assent_decision is missing, and decisions may be lost with it; "
                       "restore the table (") +
           error.what() + ")");
}

}  // namespace

std::string insert(std::string const& database, decision_row const& row)
{
    return insert_into(named_with(database, table_name), row);
}

std::string delete_none(std::string const& database)
{
    // The key is for sql_safe_updates.
    return "delete from " + named_with(database, table_name) + " where gtrid = X'' and false";
}

bool is_fit(question& q)
{
    return mysql_dialect::is_fit(q, table_of_rows());
}

void ensure(question& q)
{
    mysql_dialect::ensure(q, table_of_rows());
}

std::optional<decision_row> fence(question& q, gtrid const& row_name,
                                  std::chrono::milliseconds wait)
{
    auto const seconds = std::max<long long>(1, wait.count() / 1000);
    decision_row abort{row_name, row_kind::abort, {}};
    try {
        q.ask("set session innodb_lock_wait_timeout = " + std::to_string(seconds) +
              ", lock_wait_timeout = " + std::to_string(seconds));
        q.ask(insert_into(table_name, abort));
        return abort;
    } catch (driver_error const& error) {
        if (is_locked(error)) return std::nullopt;
        if (is(error, code::no_such_table)) fail_missing(q, error);
        if (!is(error, code::duplicate_key)) throw;
    }
    // Somebody's row is there, and committed.  A locking read takes no snapshot of before.
    try {
        auto const rows = q.ask("select kind, content from assent_decision where gtrid = " +
                                quoted(row_name.text()) + " lock in share mode");
        // Its transaction was rolled back in between, so nothing is there yet: ask again.
        if (rows.empty()) return std::nullopt;
        if (rows.front().size() < 2) q.fail("the server's answer is not complete");
        return read(row_name.text(), rows.front(), 0);
    } catch (driver_error const& error) {
        if (is_locked(error)) return std::nullopt;
        throw;
    }
}

std::vector<decision_row> list(question& q, std::string_view prefix, std::size_t at_most)
{
    static_cast<void>(quoted(prefix));
    mysql_dialect::table rows;
    try {
        rows = q.ask("select gtrid, kind, content from assent_decision where gtrid like '" +
                     std::string(prefix) + "%' order by gtrid limit " + std::to_string(at_most));
    } catch (driver_error const& error) {
        if (!is(error, code::no_such_table)) throw;
        return {};
    }
    std::vector<decision_row> seen;
    for (row const& each : rows) {
        if (each.size() < 3) q.fail("the server's answer is not complete");
        if (auto one = read(text_of(each, 0), each, 1)) seen.push_back(std::move(*one));
    }
    return seen;
}

void prune(question& q, decision_row const& horizon_row, std::vector<gtrid> const& gone)
{
    std::string erase = "delete from assent_decision where gtrid in (";
    for (gtrid const& name : gone) {
        if (erase.back() != '(') erase += ", ";
        erase += quoted(name.text());
    }
    q.ask("start transaction");
    try {
        q.ask(insert_into(table_name, horizon_row) + " on duplicate key update kind = '" +
              static_cast<char>(horizon_row.kind) + "', content = " + quoted(horizon_row.content));
        if (!gone.empty()) q.ask(erase + ")");
        q.ask("commit");
    } catch (driver_error const& error) {
        // What went wrong first is what is told.  A connection that was lost, or is not rolled
        // back, takes the transaction with it: it is_reusable() no more.
        try {
            if (!is_connection_lost(static_cast<unsigned>(error.native_code()))) q.ask("rollback");
        } catch (driver_error const&) {
        }
        throw;
    }
}

}  // namespace assent::mysql_dialect::decisions
