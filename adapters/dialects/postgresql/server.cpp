// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.cpp -- one query for each question, so that its parts are of the same moment and server.

#include "adapters/dialects/postgresql/server.hpp"

#include <utility>

#include "adapters/dialects/postgresql/gid.hpp"

namespace assent::postgresql_dialect::server {

server_facts preflight(question& manage, session_identity const& asking, bool allow_non_durable)
{
    std::string const sql =
        "SELECT " + who_columns() +
        ", pg_catalog.current_setting('server_version')"
        ", pg_catalog.pg_is_in_recovery()"
        ", pg_catalog.current_setting('max_prepared_transactions')"
        ", pg_catalog.current_setting('fsync'), pg_catalog.current_setting('full_page_writes')"
        ", (SELECT pg_catalog.pg_has_role(s.usesysid, 'USAGE') OR pg_catalog.pg_has_role("
        "CAST('pg_signal_backend' AS pg_catalog.name), 'USAGE') FROM "
        "pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) s)";
    row const seen = manage.one_row(sql, who_width + 6, "preflight");
    session_identity const who = read_who(seen);

    if (!is_false(seen, who_width + 1)) {
        throw driver_error(on_a_standby);
    }
    if (number_of(seen, who_width + 2) == 0) {
        throw driver_error(
            "max_prepared_transactions is 0, so no branch can be prepared: set it to at least the "
            "number of transactions that commit at the same time, and restart the server");
    }
    for (auto const& [name, index] :
         {std::pair{"fsync", who_width + 3}, std::pair{"full_page_writes", who_width + 4}}) {
        if (value_of(seen, index) == "on") continue;
        if (allow_non_durable) continue;
        throw driver_error(std::string{name} +
                           " is off, so a vote may be lost in a crash: set it to on and reload "
                           "the server (or allow_non_durable, for data that may be lost)");
    }
    if (!is_true(seen, who_width + 5)) {
        throw driver_error("the role '" + who.user + "' may not end sessions of the login '" +
                           who.login +
                           "', so a deadline could not: GRANT pg_signal_backend TO that role");
    }
    server_facts facts;
    facts.kind = "postgresql";
    facts.identity = who.server;
    facts.instance = who.life_of_server().instance;
    facts.server_start = who.start;
    facts.history = who.timeline;
    facts.version = value_of(seen, who_width);
    facts.user = who.user;
    facts.database = who.database;
    facts.is_proxied = asking.is_proxied || who.process != asking.process;
    return facts;
}

scan_result scan(question& manage)
{
    // One row even when nothing is prepared: an empty answer would not say whose it is.  A foreign
    // name is counted and not fetched: its bytes are nobody's business and may be unreadable.
    std::string const sql =
        std::string{"SELECT "} + identity_column + ", pg_catalog.pg_is_in_recovery(), (SELECT " +
        timeline_column + "), " + start_column +
        ", p.prepared IS NOT NULL"
        ", CASE WHEN " +
        is_our_gid +
        " THEN p.gid ELSE '' END"
        // Only its owner and a superuser can finish a branch.
        ", CASE WHEN p.owner OPERATOR(pg_catalog.<>) current_user AND NOT (SELECT r.rolsuper FROM"
        " pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) current_user)"
        " THEN " +
        as_bytes("p.owner") +
        " END"
        " FROM (SELECT 1) AS one LEFT JOIN pg_catalog.pg_prepared_xacts p"
        " ON p.database OPERATOR(pg_catalog.=) pg_catalog.current_database()";
    table const rows = manage.ask(sql, "scan");
    if (rows.empty() || rows.front().size() != 7) {
        throw driver_error("scan: the server's answer has no row");
    }
    scan_result seen;
    seen.identity = value_of(rows.front(), 0);
    seen.is_writable_primary = is_false(rows.front(), 1);
    seen.history = value_of(rows.front(), 2);
    seen.life = {instance_of(seen.identity, seen.history), value_of(rows.front(), 3)};
    for (row const& listed : rows) {
        if (!is_true(listed, 4)) continue;
        if (auto const x = xid::parse(value_of(listed, 5))) {
            seen.ours.push_back(*x);
            if (listed[6]) seen.of_strangers.push_back({*x, shown(bytes_of(*listed[6]))});
        } else {
            ++seen.foreign_count;
        }
    }
    return seen;
}

dialects::any_branch_list list_any(question& manage)
{
    // As bytes: a name of somebody else's may be unreadable in the client's encoding.
    table const rows = manage.ask(
        std::string{"SELECT "} + identity_column + ", pg_catalog.pg_is_in_recovery(), (SELECT " +
            timeline_column + "), " + start_column + ", " + as_bytes("p.gid") +
            " FROM (SELECT 1) AS one LEFT JOIN pg_catalog.pg_prepared_xacts p"
            " ON p.database OPERATOR(pg_catalog.=) pg_catalog.current_database()",
        "listing the prepared branches");
    if (rows.empty() || rows.front().size() != 5) {
        throw driver_error("listing the prepared branches: the server's answer has no row");
    }
    dialects::any_branch_list seen;
    seen.identity = value_of(rows.front(), 0);
    seen.is_writable_primary = is_false(rows.front(), 1);
    seen.history = value_of(rows.front(), 2);
    seen.life = {instance_of(seen.identity, seen.history), value_of(rows.front(), 3)};
    for (row const& listed : rows) {
        auto const name = branch_of(bytes_of(value_of(listed, 4)));
        if (name) seen.branches.push_back(*name);
    }
    return seen;
}

witness_state ask_witness(question& manage, session_identity const& asking,
                          std::string const& witness)
{
    auto const number = witness.substr(0, witness.find('@'));
    bool const is_number = !number.empty() && number.size() <= 20 && number != witness &&
                           number.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number) return witness_state::unknown;
    bool const is_same_life = witness.substr(number.size() + 1) == asking.life;
    std::string status;
    try {
        status = value_of(manage.one_row("SELECT pg_catalog.pg_xact_status(CAST('" + number +
                                             "' AS pg_catalog.xid8))",
                                         1, "asking for a transaction's fate"),
                          0);
    } catch (driver_error const& error) {
        // "in the future": this server never gave that number away, so it is not the same server.
        if (error.sqlstate() == "22023") return witness_state::unknown;
        throw;
    }
    // A number whose writes were not on the disk is given away again after a crash, so a commit
    // that is seen then may be somebody else's.  Had ours been durable, its number would be taken:
    // an abort that is seen is as good as ours.
    if (status == "committed") {
        return is_same_life ? witness_state::committed : witness_state::unknown;
    }
    if (status == "aborted") return witness_state::rolled_back;
    if (status == "in progress") {
        return is_same_life ? witness_state::in_progress : witness_state::unknown;
    }
    return witness_state::unknown;  // so long ago that the server has forgotten
}

}  // namespace assent::postgresql_dialect::server
