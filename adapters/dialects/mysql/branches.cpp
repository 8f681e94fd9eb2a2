// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/branches.hpp"

#include <assent/tcc.hpp>

#include "adapters/dialects/hexadecimal.hpp"
#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/own_table.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"

namespace assent::mysql_dialect::branches {

#define ASSENT_MYSQL_COLUMNS                                                           \
    " (xid VARCHAR(82) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, "   \
    "manager VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "             \
    "payload MEDIUMBLOB NOT NULL, made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) " \
    "ENGINE=InnoDB"

char const ddl[] = "CREATE TABLE assent_branch" ASSENT_MYSQL_COLUMNS;

namespace {

constexpr char table_name[] = "assent_branch";

// Each as it is sent, but of no row; explained, it wants the same rights and does nothing.
constexpr char const* explained[] = {
    "explain select xid from assent_branch where xid = ''",
    "explain insert into assent_branch (xid, manager, payload) values ('', '', '')",
    "explain delete from assent_branch where xid = ''",
};

own_table table_of_reservations()
{
    return {
        table_name,
        "xid",
        "reservations",
        ASSENT_MYSQL_COLUMNS,
        {{"xid", kept_as::name, 82, "VARCHAR(82) CHARACTER SET ascii COLLATE ascii_bin NOT NULL"},
         {"manager", kept_as::name, 64,
          "VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL"},
         {"payload", kept_as::bytes, tcc::payload_max, "MEDIUMBLOB NOT NULL"}}};
}

/// Without DELETE attempts take effect, and nothing ends them.
void require_rights(question& q)
{
    for (char const* sql : explained) {
        try {
            q.ask(sql);
        } catch (driver_error const& error) {
            if (!is(error, code::no_right_to_table)) throw;
            q.fail("assent_branch cannot hold reservations: rights on it are missing (" +
                   std::string{error.what()} +
                   "); let an administrator run, in this database: GRANT SELECT, INSERT, UPDATE, "
                   "DELETE ON assent_branch TO the account");
        }
    }
}

std::string where_named(xid const& name)
{
    return " where xid = " + hexadecimal(name.text());
}

}  // namespace

void ensure(question& q)
{
    require_row_binlog(q, table_of_reservations());
    mysql_dialect::ensure(q, table_of_reservations());
    require_rights(q);
}

bool is_fit(question& q)
{
    if (!mysql_dialect::is_fit(q, table_of_reservations())) return false;
    require_row_binlog(q, table_of_reservations());
    require_rights(q);
    return true;
}

std::string insertion(std::string const& database, branch_row const& row)
{
    return "insert into " + named_with(database, table_name) + " (xid, manager, payload) values (" +
           hexadecimal(row.name.text()) + ", " + hexadecimal(row.manager) + ", " +
           hexadecimal(row.payload) + ")";
}

void insert(question& q, std::string const& database, branch_row const& row)
{
    q.ask(insertion(database, row));
}

std::vector<std::string> taking(question const& q, std::string const& database, xid const& name)
{
    std::string const columns = "manager, hex(payload)";
    auto const where = named_with(database, table_name) + where_named(name);
    std::string const gone = "delete from " + where;
    if (q.is_mariadb()) return {gone + " returning " + columns};
    return {"select " + columns + " from " + where + " for update", gone};
}

std::optional<branch_row> taken(question const& q, table const& seen, xid const& name)
{
    if (seen.empty()) return std::nullopt;
    auto const& first = seen.front();
    auto const payload =
        first.size() < 2 || !first[1] ? std::nullopt : dialects::from_digits(text_of(first, 1));
    if (!payload) q.fail("the row of a reservation cannot be read");
    return branch_row{name, std::string{text_of(first, 0)}, *payload};
}

std::optional<branch_row> take(question& q, std::string const& database, xid const& name)
{
    auto const steps = taking(q, database, name);
    auto row = taken(q, q.ask(steps.front()), name);
    if (row && steps.size() > 1) q.ask(steps.back());
    return row;
}

std::string looking(std::string const& database, xid const& name)
{
    return "select 1 from " + named_with(database, table_name) + where_named(name);
}

bool contains(question& q, std::string const& database, xid const& name)
{
    return !q.ask(looking(database, name)).empty();
}

std::vector<xid> list(question& q, std::string_view manager)
{
    std::vector<xid> all;
    auto const rows =
        q.ask("select xid from assent_branch where manager = " + hexadecimal(manager));
    for (row const& each : rows) {
        auto const name = each.empty() ? std::nullopt : xid::parse(text_of(each, 0));
        // Whoever wrote it is not Assent: it is nobody's, and stays.
        if (name) all.push_back(*name);
    }
    return all;
}

#undef ASSENT_MYSQL_COLUMNS

}  // namespace assent::mysql_dialect::branches
