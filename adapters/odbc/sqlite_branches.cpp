// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/sqlite_branches.hpp"

#include "adapters/dialects/hexadecimal.hpp"
#include "adapters/odbc/sqlite_own_table.hpp"

namespace assent::odbc_adapter::sqlite_branches {

namespace {

#define ASSENT_SQLITE_TABLE "main.assent_branch"

own_table const table_of_reservations{
    "assent_branch",
    "xid",
    "reservations",
    "CREATE TABLE IF NOT EXISTS " ASSENT_SQLITE_TABLE
    " (xid TEXT NOT NULL PRIMARY KEY, manager TEXT NOT NULL, payload BLOB NOT NULL, made TEXT NOT "
    "NULL DEFAULT CURRENT_TIMESTAMP)",
    "(name = 'manager' AND type = 'TEXT') OR (name = 'payload' AND type = 'BLOB')",
    2};

std::string bytes_of(std::string const& bytes)
{
    return "X'" + dialects::to_digits(bytes) + "'";
}

std::string text_of(std::string const& text)
{
    return "CAST(" + bytes_of(text) + " AS TEXT)";
}

/// An xid holds digits, letters and a dot: nothing to quote.
std::string where_named(xid const& name)
{
    return " WHERE xid = '" + name.text() + "'";
}

}  // namespace

void ensure(sqlite_question& q)
{
    odbc_adapter::ensure(q, table_of_reservations);
}

void insert(sqlite_question& q, branch_row const& row)
{
    q.ask("INSERT INTO " ASSENT_SQLITE_TABLE " (xid, manager, payload) VALUES ('" +
          row.name.text() + "', " + text_of(row.manager) + ", " + bytes_of(row.payload) + ")");
}

std::optional<branch_row> take(sqlite_question& q, xid const& name)
{
    auto const rows =
        q.ask("SELECT manager, hex(payload) FROM " ASSENT_SQLITE_TABLE + where_named(name));
    if (rows.empty()) return std::nullopt;
    auto const& seen = rows.front();
    bool const is_whole = seen.size() == 2 && seen[0] && seen[1];
    auto const payload = is_whole ? dialects::from_digits(*seen[1]) : std::nullopt;
    if (!payload) q.fail("the row of a reservation cannot be read");
    q.ask("DELETE FROM " ASSENT_SQLITE_TABLE + where_named(name));
    return branch_row{name, *seen[0], *payload};
}

bool contains(sqlite_question& q, xid const& name)
{
    return q.ask_value("SELECT count(*) FROM " ASSENT_SQLITE_TABLE + where_named(name)) != "0";
}

/// In a transaction that writes: whoever attempts holds that lock from the start, so that what is
/// not on this list cannot come of an attempt that had begun.
std::vector<xid> list(sqlite_question& q, std::string const& manager)
{
    q.require_in_place();
    std::vector<xid> all;
    q.write([&] {
        all.clear();
        for (row const& each :
             q.ask("SELECT xid FROM " ASSENT_SQLITE_TABLE " WHERE manager = " + text_of(manager))) {
            auto const name = each.empty() || !each[0] ? std::nullopt : xid::parse(*each[0]);
            // Whoever wrote it is not Assent: it is nobody's, and stays.
            if (name) all.push_back(*name);
        }
    });
    return all;
}

#undef ASSENT_SQLITE_TABLE

}  // namespace assent::odbc_adapter::sqlite_branches
