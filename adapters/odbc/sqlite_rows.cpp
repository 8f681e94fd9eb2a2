// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/sqlite_rows.hpp"

#include "adapters/dialects/row_text.hpp"

namespace assent::odbc_adapter::sqlite_rows {

using dialects::quoted;

namespace {

#define ASSENT_SQLITE_TABLE "main.assent_decision"

constexpr char create[] =
    "CREATE TABLE IF NOT EXISTS " ASSENT_SQLITE_TABLE
    " (gtrid TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, content TEXT NOT NULL, made TEXT NOT "
    "NULL DEFAULT CURRENT_TIMESTAMP)";

bool is_there(sqlite_question& q)
{
    return q.ask_value(
               "SELECT count(*) FROM main.sqlite_master WHERE name = 'assent_decision' AND type IN "
               "('table', 'view')") != "0";
}

/// @throws driver_error  the table would lose rows.
void check(sqlite_question& q)
{
    auto const refuse = [&q](std::string const& why) {
        q.fail("assent_decision cannot hold commit rows: " + why);
    };
    auto const counts = [&q](std::string const& what) {
        return q.ask_value("SELECT count(*) FROM " + what) != "0";
    };
    if (!counts("main.sqlite_master WHERE type = 'table' AND name = 'assent_decision' AND sql NOT "
                "LIKE 'CREATE VIRTUAL%'")) {
        refuse("it is no plain table");
    }
    if (!counts("pragma_table_info('assent_decision', 'main') WHERE name = 'gtrid' AND pk = 1 AND "
                "type = 'TEXT'") ||
        counts("pragma_table_info('assent_decision', 'main') WHERE pk > 1")) {
        refuse("its primary key is not gtrid");
    }
    if (counts("main.sqlite_master WHERE type = 'trigger' AND tbl_name = 'assent_decision'")) {
        refuse("it has triggers");
    }
}

/// Of a SELECT of gtrid, kind, content.
std::vector<decision_row> read(sqlite_question& q, std::string const& condition)
{
    std::vector<decision_row> seen;
    for (row const& each :
         q.ask("SELECT gtrid, kind, content FROM " ASSENT_SQLITE_TABLE " WHERE " + condition)) {
        if (each.size() < 3) q.fail("SQLite's answer is not complete");
        std::string const none;
        auto one = dialects::row_of(each[0].value_or(none), each[1].value_or(none),
                                    each[2].value_or(none));
        if (one) seen.push_back(std::move(*one));
    }
    return seen;
}

}  // namespace

char const is_inserted[] = "SELECT count(*) FROM " ASSENT_SQLITE_TABLE
                           " WHERE changes() = 1 AND rowid = last_insert_rowid()";

std::string insert(decision_row const& what)
{
    return "INSERT INTO " ASSENT_SQLITE_TABLE " (gtrid, kind, content) VALUES " +
           dialects::values_of(what);
}

void ensure(sqlite_question& q)
{
    if (!is_there(q)) {
        try {
            q.ask(create);
        } catch (driver_error const& error) {
            if (error.must_close()) throw;
            q.fail(std::string{"cannot make the table of commit rows ("} + error.what() +
                   "); let who may write the file run: " + create);
        }
    }
    check(q);
}

std::optional<decision_row> fence(sqlite_question& q, gtrid const& which,
                                  std::chrono::milliseconds wait)
{
    q.require_in_place();
    std::string const by_name = "gtrid = " + quoted(which.text());
    decision_row const abort{which, row_kind::abort, {}};
    std::vector<decision_row> seen;
    bool const is_over = q.within(deadline::clock::now() + wait, [&] {
        if (!is_there(q)) {
            q.fail(
                "the table assent_decision is missing, and with it decisions may be; restore it");
        }
        seen = read(q, by_name);
        if (!seen.empty()) return;
        q.write([&] {
            seen = read(q, by_name);
            if (!seen.empty()) return;
            q.ask(insert(abort));
            if (q.ask_value(is_inserted) != "1") q.fail("a trigger kept an abort row out");
        });
    });
    if (!is_over) return std::nullopt;
    if (seen.empty()) return abort;  // our commit has synced it
    force_committed(q.path());
    return seen.front();
}

std::vector<decision_row> list(sqlite_question& q, std::string const& prefix, std::size_t at_most)
{
    q.require_in_place();
    static_cast<void>(quoted(prefix));
    if (!is_there(q)) return {};
    auto seen =
        read(q, "gtrid GLOB '" + prefix + "*' ORDER BY gtrid LIMIT " + std::to_string(at_most));
    if (!seen.empty()) force_committed(q.path());
    return seen;
}

void prune(sqlite_question& q, decision_row const& horizon_row, std::vector<gtrid> const& gone)
{
    q.require_in_place();
    q.write([&] {
        q.ask("INSERT OR REPLACE INTO " ASSENT_SQLITE_TABLE " (gtrid, kind, content) VALUES " +
              dialects::values_of(horizon_row));
        for (gtrid const& name : gone)
            q.ask("DELETE FROM " ASSENT_SQLITE_TABLE " WHERE gtrid = " + quoted(name.text()));
    });
}

#undef ASSENT_SQLITE_TABLE

}  // namespace assent::odbc_adapter::sqlite_rows
