// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/sqlite_rows.hpp"

#include <cstdlib>
#include <utility>
#include <vector>

#include "adapters/dialects/row_text.hpp"
#include "adapters/odbc/sqlite_own_table.hpp"

namespace assent::odbc_adapter::sqlite_rows {

using dialects::quoted;

namespace {

#define ASSENT_SQLITE_TABLE "main.assent_decision"

constexpr char create[] =
    "CREATE TABLE IF NOT EXISTS " ASSENT_SQLITE_TABLE
    " (gtrid TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, content TEXT NOT NULL, made TEXT NOT "
    "NULL DEFAULT CURRENT_TIMESTAMP)";

own_table const table_of_rows{"assent_decision",
                              "gtrid",
                              "commit rows",
                              create,
                              "name IN ('kind', 'content') AND type = 'TEXT'",
                              2};

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

std::string value_of(execution const& said)
{
    if (said.tables.size() != 1 || said.tables[0].size() != 1 || said.tables[0][0].empty()) {
        return {};
    }
    return said.tables[0][0][0].value_or(std::string{});
}

execution failed(char const* why)
{
    execution said;
    said.text = why;
    return said;
}

// More changes than this are not counted out again: each is a row of a table that goes at once.
constexpr long long counted_max = 100'000;

/// Makes of last_insert_rowid() and changes() what they were.  Nobody can set them; but what was
/// inserted last may be a row of that number in a table of ours, and tables without row numbers
/// count as changes only.
execution remember(link& on, std::string const& last_id, std::string const& changes)
{
    std::vector<std::string> steps = {
        "CREATE TEMP TABLE IF NOT EXISTS assent_last (id INTEGER PRIMARY KEY)",
        "DELETE FROM temp.assent_last",
        "INSERT INTO temp.assent_last VALUES (" + last_id + ")",
    };
    bool const is_countable = std::atoll(changes.c_str()) <= counted_max;
    if (changes == "0") {
        steps.emplace_back("DELETE FROM temp.assent_last WHERE id IS NULL");
    } else if (changes != "1" && is_countable) {
        steps.insert(steps.end(),
                     {"CREATE TEMP TABLE IF NOT EXISTS assent_changes (i INTEGER PRIMARY KEY) "
                      "WITHOUT ROWID",
                      "DELETE FROM temp.assent_changes",
                      "INSERT INTO temp.assent_changes WITH RECURSIVE count(i) AS (SELECT 1 UNION "
                      "ALL SELECT i + 1 FROM count LIMIT " +
                          changes + ") SELECT i FROM count"});
    }
    for (std::string const& each : steps) {
        execution said = on.execute(each);
        if (!said.is_ok) return said;
    }
    // An application that reads a temporary table of its own just now keeps them; they are empty of
    // meaning, and the next commit row takes them.
    for (char const* const each : {"assent_last", "assent_changes"}) {
        execution said = on.execute(std::string{"DROP TABLE IF EXISTS temp."} + each);
        if (said.is_lost) return said;
    }
    execution done;
    done.is_ok = true;
    return done;
}

}  // namespace

char const is_inserted[] = "SELECT count(*) FROM " ASSENT_SQLITE_TABLE
                           " WHERE changes() = 1 AND rowid = last_insert_rowid()";

std::string insert(decision_row const& row)
{
    return "INSERT INTO " ASSENT_SQLITE_TABLE " (gtrid, kind, content) VALUES " +
           dialects::values_of(row);
}

execution insert_unseen(link& on, std::string const& insertion)
{
    execution before = on.execute("SELECT last_insert_rowid(), changes()");
    if (!before.is_ok) return before;
    bool const is_whole = before.tables.size() == 1 && before.tables[0].size() == 1 &&
                          before.tables[0][0].size() == 2;
    if (!is_whole) return failed("SQLite did not say what its connection remembers");
    row const& was = before.tables[0][0];
    execution mode = on.execute("PRAGMA query_only");
    if (!mode.is_ok) return mode;
    bool const was_read_only = value_of(mode) == "1";
    if (was_read_only) {
        execution writable = on.execute("PRAGMA query_only = 0");
        if (!writable.is_ok) return writable;
    }
    execution done = on.execute(insertion);
    if (done.is_ok) done = on.execute(is_inserted);
    if (done.is_ok && value_of(done) != "1") done = failed("a trigger kept the commit row out");
    if (done.is_ok) done = remember(on, was[0].value_or("0"), was[1].value_or("0"));
    if (was_read_only) {
        execution again = on.execute("PRAGMA query_only = 1");
        if (done.is_ok && !again.is_ok) return again;
    }
    return done;
}

void ensure(sqlite_question& q)
{
    odbc_adapter::ensure(q, table_of_rows);
}

std::optional<decision_row> fence(sqlite_question& q, gtrid const& row_name,
                                  std::chrono::milliseconds wait)
{
    q.require_in_place();
    std::string const by_name = "gtrid = " + quoted(row_name.text());
    decision_row const abort{row_name, row_kind::abort, {}};
    std::vector<decision_row> seen;
    bool const is_over = q.within(deadline::clock::now() + wait, [&] {
        if (!is_there(q, table_of_rows)) {
            q.fail(
                "the table assent_decision is missing, and decisions may be lost with it; restore "
                "the table");
        }
        seen = read(q, by_name);
        if (!seen.empty()) return;
        q.write([&] {
            seen = read(q, by_name);
            if (!seen.empty()) return;
            q.ask(insert(abort));
            if (q.ask_value(is_inserted) != "1")
                q.fail("a trigger kept an abort row from being inserted");
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
    if (!is_there(q, table_of_rows)) return {};
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
