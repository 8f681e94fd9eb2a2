// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decisions.cpp -- several statements in one message are one transaction, which ends by itself when
// one of them fails; so no session is left inside a transaction here.

#include "adapters/dialects/postgresql/decisions.hpp"

#include "adapters/dialects/postgresql/own_table.hpp"
#include "adapters/dialects/postgresql/statements.hpp"
#include "adapters/dialects/row_text.hpp"

namespace assent::postgresql_dialect::decisions {

#define ASSENT_PG_TABLE "public.assent_decision"

char const* const ddl = "CREATE TABLE " ASSENT_PG_TABLE
                        " (gtrid text COLLATE \"C\" PRIMARY KEY, kind text NOT NULL, content text "
                        "NOT NULL, made timestamptz NOT NULL DEFAULT now())";

char const* const synchronous_column =
    ", pg_catalog.set_config('synchronous_commit', CASE WHEN "
    "pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'remote_apply' "
    "THEN 'remote_apply' ELSE 'on' END, true)";

namespace {

constexpr char const* create =
    "CREATE TABLE IF NOT EXISTS " ASSENT_PG_TABLE
    " (gtrid pg_catalog.text COLLATE pg_catalog.\"C\" PRIMARY KEY, kind pg_catalog.text NOT NULL, "
    "content pg_catalog.text NOT NULL, made pg_catalog.timestamptz NOT NULL DEFAULT "
    "pg_catalog.now())";

// Under READ COMMITTED each statement sees what was committed before it began.
constexpr char const* begin =
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; ";

using dialects::quoted;

std::string values_of(decision_row const& row)
{
    return " (gtrid, kind, content) VALUES " + dialects::values_of(row);
}

std::optional<decision_row> read(std::optional<std::string> const& name,
                                 std::optional<std::string> const& kind,
                                 std::optional<std::string> const& content)
{
    std::string const none;
    return dialects::row_of(name.value_or(none), kind.value_or(none), content.value_or(none));
}

own_table table_of_rows()
{
    return {"assent_decision",
            "gtrid",
            "commit rows",
            create,
            ddl,
            {{"gtrid", "text"}, {"kind", "text"}, {"content", "text"}}};
}

}  // namespace

// A trigger or a rule that came after the table was looked at may keep the row out, and the server
// says nothing: so the statement fails where it has not inserted one row.
std::string insert(decision_row const& row)
{
    return "WITH made AS (INSERT INTO " ASSENT_PG_TABLE + values_of(row) + " RETURNING 1) SELECT " +
           statements::only_where("pg_catalog.count(*) OPERATOR(pg_catalog.=) 1") + " FROM made";
}

bool is_fit(question& manage)
{
    return postgresql_dialect::is_fit(manage, table_of_rows());
}

void ensure(question& manage, session_identity const& asking)
{
    postgresql_dialect::ensure(manage, asking, table_of_rows());
}

std::optional<decision_row> fence(question& manage, gtrid const& row_name,
                                  std::chrono::milliseconds wait)
{
    std::string const name = quoted(row_name.text());
    std::string const sql =
        begin + ("SET LOCAL lock_timeout = " + std::to_string(wait.count()) + "; INSERT INTO ") +
        ASSENT_PG_TABLE + values_of({row_name, row_kind::abort, {}}) +
        " ON CONFLICT (gtrid) DO NOTHING; SELECT kind, content FROM " ASSENT_PG_TABLE
        " WHERE gtrid OPERATOR(pg_catalog.=) " +
        name;
    table rows;
    try {
        rows = manage.ask(sql, "fencing a commit row");
    } catch (driver_error const& error) {
        if (is_locked(error)) return std::nullopt;
        if (!is_missing_table(error)) throw;
        throw driver_error(
            std::string{ASSENT_PG_TABLE
                        " is missing, and decisions may be lost with it; restore the table ("} +
                error.what() + ")",
            error.sqlstate());
    }
    if (rows.empty() || rows.back().size() != 2) {
        throw driver_error("fencing a commit row: the server's answer has no row");
    }
    return read(std::string{row_name.text()}, rows.back()[0], rows.back()[1]);
}

std::vector<decision_row> list(question& manage, std::string_view prefix, std::size_t at_most)
{
    static_cast<void>(quoted(prefix));
    std::string const sql = "SELECT gtrid, kind, content FROM " ASSENT_PG_TABLE
                            " WHERE gtrid OPERATOR(pg_catalog.~~) '" +
                            std::string{prefix} + "%' ORDER BY gtrid LIMIT " +
                            std::to_string(at_most);
    table rows;
    try {
        rows = manage.ask(sql, "listing commit rows");
    } catch (driver_error const& error) {
        if (!is_missing_table(error)) throw;
        return {};
    }
    std::vector<decision_row> seen;
    for (row const& each : rows) {
        if (each.size() != 3) throw driver_error("listing commit rows: an answer is not complete");
        if (auto one = read(each[0], each[1], each[2])) seen.push_back(std::move(*one));
    }
    return seen;
}

void prune(question& manage, decision_row const& horizon_row, std::vector<gtrid> const& gone)
{
    std::string sql = std::string{begin} + "INSERT INTO " ASSENT_PG_TABLE + values_of(horizon_row) +
                      " ON CONFLICT (gtrid) DO UPDATE SET kind = EXCLUDED.kind, content = "
                      "EXCLUDED.content";
    char const* separator =
        "; DELETE FROM " ASSENT_PG_TABLE " WHERE gtrid OPERATOR(pg_catalog.=) ANY (ARRAY[";
    for (gtrid const& name : gone) {
        sql += separator + quoted(name.text());
        separator = ", ";
    }
    if (!gone.empty()) sql += "])";
    manage.ask(sql, "deleting commit rows");
}

#undef ASSENT_PG_TABLE

}  // namespace assent::postgresql_dialect::decisions
