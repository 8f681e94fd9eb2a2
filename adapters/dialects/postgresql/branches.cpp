// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/branches.hpp"

#include <string>

#include "adapters/dialects/hexadecimal.hpp"
#include "adapters/dialects/postgresql/decisions.hpp"
#include "adapters/dialects/postgresql/own_table.hpp"
#include "adapters/dialects/postgresql/statements.hpp"
#include "adapters/dialects/row_wait.hpp"

namespace assent::postgresql_dialect::branches {

#define ASSENT_PG_TABLE "public.assent_branch"

char const ddl[] = "CREATE TABLE " ASSENT_PG_TABLE
                   " (xid text COLLATE \"C\" PRIMARY KEY, manager text NOT NULL, payload bytea NOT "
                   "NULL, made timestamptz NOT NULL DEFAULT now())";

namespace {

own_table table_of_reservations()
{
    return {"assent_branch",
            "xid",
            "reservations",
            "CREATE TABLE IF NOT EXISTS " ASSENT_PG_TABLE
            " (xid pg_catalog.text COLLATE pg_catalog.\"C\" PRIMARY KEY, manager pg_catalog.text "
            "NOT NULL, payload pg_catalog.bytea NOT NULL, made pg_catalog.timestamptz NOT NULL "
            "DEFAULT pg_catalog.now())",
            ddl,
            {{"xid", "text"}, {"manager", "text"}, {"payload", "bytea"}}};
}

std::string bytes_of(std::string_view bytes)
{
    return "pg_catalog.decode('" + dialects::to_digits(bytes) + "', 'hex')";
}

std::string text_of(std::string_view text)
{
    return "pg_catalog.convert_from(" + bytes_of(text) + ", 'UTF8')";
}

/// An xid holds digits, letters and a dot: nothing to quote.
std::string where_named(xid const& name)
{
    return " WHERE xid OPERATOR(pg_catalog.=) '" + name.text() + "'";
}

/// The name is ASCII.  Escapes mean the same whatever the application set.
std::string escaped(std::string_view text)
{
    std::string literal = "E'";
    for (std::size_t i = 0; i < text.size(); ++i)
        literal.append("\\x").append(dialects::to_digits(text.substr(i, 1)));
    return literal + '\'';
}

}  // namespace

void ensure(question& manage, session_identity const& asking)
{
    postgresql_dialect::ensure(manage, asking, table_of_reservations());
}

bool is_fit(question& manage)
{
    return postgresql_dialect::is_fit(manage, table_of_reservations());
}

// Literals, where the server would have to work out what a function gives.
std::string insertion(branch_row const& row)
{
    return "INSERT INTO " ASSENT_PG_TABLE " (xid, manager, payload) VALUES ('" + row.name.text() +
           "', " + escaped(row.manager) + ", E'\\\\x" + dialects::to_digits(row.payload) + "')";
}

// As the commit row's: it fails where it has not inserted one row, whatever a trigger does.
void insert(question& working, branch_row const& row)
{
    working.ask("WITH made AS (" + insertion(row) + " RETURNING 1) SELECT " +
                    statements::only_where("pg_catalog.count(*) OPERATOR(pg_catalog.=) 1") +
                    decisions::synchronous_column + " FROM made",
                "writing the reservation");
}

std::string taking(xid const& name)
{
    return "DELETE FROM " ASSENT_PG_TABLE + where_named(name) +
           " RETURNING manager, pg_catalog.encode(payload, 'hex')";
}

// Whoever gives up closes its connection, and the server's process would wait on, for ever.
std::string taking_in_time(xid const& name)
{
    return "SET LOCAL lock_timeout = '" + std::to_string(dialects::lock_wait.count()) + "s'; " +
           taking(name) + "; SET LOCAL lock_timeout TO DEFAULT";
}

std::optional<branch_row> taken(std::vector<std::string> const& seen, xid const& name)
{
    if (seen.empty()) return std::nullopt;
    auto const payload = seen.size() < 2 ? std::nullopt : dialects::from_digits(seen[1]);
    if (!payload) throw driver_error("taking the reservation: its row cannot be read");
    return branch_row{name, seen[0], *payload};
}

std::optional<branch_row> take(question& working, xid const& name)
{
    // By way of a query: ODBC has no answer for a DELETE that finds nothing.
    table const rows =
        working.ask("WITH gone (manager, payload) AS (" + taking(name) +
                        ") SELECT manager, payload" + decisions::synchronous_column + " FROM gone",
                    "taking the reservation");
    std::vector<std::string> seen;
    if (!rows.empty()) {
        for (std::size_t i = 0; i < rows.front().size(); ++i)
            seen.push_back(value_of(rows.front(), i));
    }
    return taken(seen, name);
}

std::string looking(xid const& name)
{
    return std::string{statements::become_login} + "; " + statements::without_waiting +
           statements::seeing_all + ("SELECT 1 FROM " ASSENT_PG_TABLE + where_named(name));
}

bool contains(question& asked, xid const& name)
{
    return !asked.ask(looking(name), looking_for).empty();
}

std::vector<xid> list(question& manage, std::string_view manager)
{
    std::vector<xid> all;
    for (row const& each : manage.ask(std::string{statements::seeing_all} +
                                          "SELECT xid FROM " ASSENT_PG_TABLE
                                          " WHERE manager OPERATOR(pg_catalog.=) " +
                                          text_of(manager),
                                      "listing reservations")) {
        auto const name = each.empty() ? std::nullopt : xid::parse(value_of(each, 0));
        // Whoever wrote it is not Assent: it is nobody's, and stays.
        if (name) all.push_back(*name);
    }
    return all;
}

#undef ASSENT_PG_TABLE

}  // namespace assent::postgresql_dialect::branches
