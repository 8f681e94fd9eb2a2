// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decisions.cpp -- several statements in one message are one transaction, which ends by itself when
// one of them fails; so no session is left inside a transaction here.

#include "adapters/dialects/postgresql/decisions.hpp"

#include <array>

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

bool is_missing_table(driver_error const& error)
{
    return error.sqlstate() == "42P01";
}

/// Another transaction keeps the row: a lock that was waited for in vain, a serialization failure.
bool is_locked(driver_error const& error)
{
    auto const& state = error.sqlstate();
    return state == "55P03" || state == "40001" || state == "40P01";
}

struct requirement
{
    char const* is_met;  // SQL, of c, a row of pg_class
    char const* why;
};

constexpr std::array requirements = {
    requirement{"c.relkind OPERATOR(pg_catalog.=) 'r'", "it is no plain table"},
    requirement{"c.relpersistence OPERATOR(pg_catalog.=) 'p'",
                "it is unlogged, so its rows do not survive a crash"},
    requirement{"NOT (c.relrowsecurity OR c.relhasrules OR c.relhastriggers)",
                "it has rules, triggers or row security"},
    requirement{
        "EXISTS (SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a"
        " ON a.attrelid OPERATOR(pg_catalog.=) c.oid"
        " AND a.attnum OPERATOR(pg_catalog.=) i.indkey[0]"
        " WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND i.indisunique AND i.indisvalid"
        " AND i.indimmediate AND i.indnkeyatts OPERATOR(pg_catalog.=) 1 AND i.indpred IS NULL"
        " AND a.attname OPERATOR(pg_catalog.=) 'gtrid')",
        "its column gtrid is not unique"},
    requirement{
        "(pg_catalog.pg_has_role(current_user, c.relowner, 'MEMBER')"
        " OR (SELECT r.rolsuper FROM pg_catalog.pg_roles r"
        " WHERE r.oid OPERATOR(pg_catalog.=) c.relowner)"
        " OR c.relowner OPERATOR(pg_catalog.=) (SELECT d.datdba FROM pg_catalog.pg_database d"
        " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))",
        "it belongs to a role that is neither ours, nor a superuser, nor the database's owner"},
    requirement{"(pg_catalog.has_table_privilege(c.oid, 'SELECT')"
                " AND pg_catalog.has_table_privilege(c.oid, 'INSERT')"
                " AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')"
                " AND pg_catalog.has_table_privilege(c.oid, 'DELETE'))",
                "rights on it are missing: GRANT SELECT, INSERT, UPDATE, DELETE"},
};

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
    std::string sql = "SELECT 1";
    for (auto const& each : requirements)
        sql += std::string{", CASE WHEN "} + each.is_met + " THEN 1 ELSE 0 END";
    sql +=
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
        " ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE n.nspname OPERATOR(pg_catalog.=) 'public'"
        " AND c.relname OPERATOR(pg_catalog.=) 'assent_decision'";
    table const rows = manage.ask(sql, "looking at " ASSENT_PG_TABLE);
    if (rows.empty()) return false;
    for (std::size_t i = 0; i < requirements.size(); ++i) {
        if (rows.front().size() <= i + 1 || rows.front()[i + 1] == "1") continue;
        throw driver_error(std::string{ASSENT_PG_TABLE " cannot hold commit rows: "} +
                           requirements[i].why);
    }
    return true;
}

void ensure(question& manage, session_identity const& asking)
{
    if (is_fit(manage)) return;
    try {
        manage.ask(create, "making the table of commit rows");
    } catch (driver_error const& error) {
        if (error.must_close() || is_locked(error)) throw;
        throw driver_error(
            std::string{error.what()} + "; let an administrator run, in this database: " + ddl +
                "; GRANT SELECT, INSERT, UPDATE, DELETE ON " ASSENT_PG_TABLE " TO \"" +
                asking.user + "\"",
            error.sqlstate());
    }
    if (!is_fit(manage)) throw driver_error(ASSENT_PG_TABLE " was created, but is not there");
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
