// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/own_table.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace assent::postgresql_dialect {

namespace {

struct requirement
{
    char const* is_met;  // SQL, of c, a row of pg_class
    char const* why;
};

constexpr std::array requirements = {
    requirement{"c.relkind OPERATOR(pg_catalog.=) 'r'", "it is no plain table"},
    requirement{"c.relpersistence OPERATOR(pg_catalog.=) 'p'",
                "it is unlogged, so its rows do not survive a crash"},
    // Not relhasrules and relhastriggers, which stay true until VACUUM when there is none any more.
    requirement{"NOT (c.relrowsecurity"
                " OR EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite w"
                " WHERE w.ev_class OPERATOR(pg_catalog.=) c.oid)"
                " OR EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t"
                " WHERE t.tgrelid OPERATOR(pg_catalog.=) c.oid))",
                "it has rules, triggers, foreign keys or row security"},
    requirement{
        "EXISTS (SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a"
        " ON a.attrelid OPERATOR(pg_catalog.=) c.oid"
        " AND a.attnum OPERATOR(pg_catalog.=) i.indkey[0]"
        " WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND i.indisunique AND i.indisvalid"
        " AND i.indimmediate AND i.indnkeyatts OPERATOR(pg_catalog.=) 1 AND i.indpred IS NULL"
        " AND a.attname OPERATOR(pg_catalog.=) '{key}')",
        "its column {key} is not unique"},
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

/// Another transaction has made it meanwhile: the key of a catalog, the table, or its type was
/// there.
bool is_made_by_another(driver_error const& error)
{
    auto const& state = error.sqlstate();
    return state == "23505" || state == "42P07" || state == "42710";
}

/// The length of a type counts, too, and so does a collation that takes two texts for one.
std::string keeps(own_column const& which)
{
    std::string const type = std::string{"'pg_catalog."} + which.type + "'";
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_collation l"
           " ON l.oid OPERATOR(pg_catalog.=) a.attcollation"
           " WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND NOT a.attisdropped"
           " AND a.attname OPERATOR(pg_catalog.=) '" +
           std::string{which.name} + "' AND a.atttypid OPERATOR(pg_catalog.=) CAST(CAST(" + type +
           " AS pg_catalog.regtype) AS pg_catalog.oid)"
           " AND a.atttypmod OPERATOR(pg_catalog.=) -1"
           " AND (l.oid IS NULL OR l.collisdeterministic))";
}

std::string why_not(own_table const& in, own_column const& which)
{
    bool const is_text = std::string_view{which.type} == "text";
    std::string const name = std::string{'"'} + which.name + '"';
    return std::string{"its column "} + which.name + " is not of the type " + which.type +
           (is_text ? " with an order that tells all texts apart" : "") +
           ": let an administrator run ALTER TABLE public." + in.name + " ALTER COLUMN " + name +
           " TYPE " + which.type + (is_text ? " COLLATE \"C\"" : "") + " USING " + name +
           "::" + which.type;
}

/// `text` with the key's name in its places.
std::string with_key(std::string text, std::string const& key)
{
    std::string const place = "{key}";
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at))
        text.replace(at, place.size(), key);
    return text;
}

}  // namespace

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

bool is_fit(question& manage, own_table const& which)
{
    std::vector<std::pair<std::string, std::string>> all;  // what is to hold, and what is said else
    all.reserve(requirements.size() + which.columns.size());
    for (auto const& each : requirements)
        all.emplace_back(with_key(each.is_met, which.key), with_key(each.why, which.key));
    for (auto const& each : which.columns)
        all.emplace_back(keeps(each), why_not(which, each));
    std::string sql = "SELECT 1";
    for (auto const& [is_met, why] : all)
        sql += ", CASE WHEN " + is_met + " THEN 1 ELSE 0 END";
    sql +=
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
        " ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE n.nspname OPERATOR(pg_catalog.=) 'public'"
        " AND c.relname OPERATOR(pg_catalog.=) '" +
        which.name + "'";
    table const rows = manage.ask(sql, "looking at public." + which.name);
    if (rows.empty()) return false;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (rows.front().size() <= i + 1 || rows.front()[i + 1] == "1") continue;
        throw driver_error("public." + which.name + " cannot hold " + which.use + ": " +
                           all[i].second);
    }
    return true;
}

void ensure(question& manage, session_identity const& asking, own_table const& which)
{
    if (is_fit(manage, which)) return;
    try {
        manage.ask(which.create, "making the table of " + which.use);
    } catch (driver_error const& error) {
        if (error.must_close() || is_locked(error)) throw;
        // Two that make it at once: the later one fails where it met the earlier, which has
        // committed, or the table would not have been in its way.
        if (is_made_by_another(error) && is_fit(manage, which)) return;
        throw driver_error(std::string{error.what()} +
                               "; let an administrator run, in this database: " + which.ddl +
                               "; GRANT SELECT, INSERT, UPDATE, DELETE ON public." + which.name +
                               " TO \"" + asking.user + "\"",
                           error.sqlstate());
    }
    if (is_fit(manage, which)) return;
    throw driver_error("public." + which.name + " was created, but is not there");
}

}  // namespace assent::postgresql_dialect
