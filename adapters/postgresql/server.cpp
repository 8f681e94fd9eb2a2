// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.cpp -- one query for each question, so that its parts are of the same moment and server.

#include "adapters/postgresql/server.hpp"

#include <charconv>
#include <utility>

namespace assent::pg {

// A plain role may read all of these.
#define ASSENT_PG_IDENTITY                                                  \
    "(SELECT c.system_identifier FROM pg_catalog.pg_control_system() c) "   \
    "OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) "                  \
    "(SELECT CAST(d.oid AS pg_catalog.text) FROM pg_catalog.pg_database d " \
    "WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"

// A crash that the server's parent process survives leaves its start time as it was, and throws
// the statistics away; an operator who resets those only makes a witness worth nothing.
#define ASSENT_PG_LIFE                                                                   \
    "pg_catalog.concat(EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time()), '/', " \
    "EXTRACT(epoch FROM pg_catalog.pg_stat_get_bgwriter_stat_reset_time()))"

char const* const who_columns = "current_user, pg_catalog.current_database(), " ASSENT_PG_IDENTITY
                                ", pg_catalog.pg_backend_pid(), " ASSENT_PG_LIFE;

namespace {

std::string value_of(row const& from, std::size_t index)
{
    return from[index].value_or(std::string{});
}

std::int64_t number_of(row const& from, std::size_t index)
{
    std::string const text = value_of(from, index);
    std::int64_t number = 0;
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc{} || end != text.data() + text.size()) {
        throw driver_error("the server answered '" + text + "' where a number belongs");
    }
    return number;
}

/// The accounts under which our sessions appear: the one that logged in, and the current role.
constexpr char const* is_ours =
    "a.usename OPERATOR(pg_catalog.=) current_user OR "
    "a.usename OPERATOR(pg_catalog.=) session_user";

}  // namespace

session_identity read_who(wire const& connection, row const& columns)
{
    session_identity who;
    who.user = value_of(columns, 0);
    who.database = value_of(columns, 1);
    who.server = value_of(columns, 2);
    who.life = value_of(columns, 4);
    who.is_proxied = number_of(columns, 3) != PQbackendPID(connection.get());
    return who;
}

namespace server {

server_facts preflight(session& manage, postgresql::safety_options const& safety, deadline until)
{
    std::string const sql =
        std::string{"SELECT "} + who_columns +
        ", pg_catalog.current_setting('server_version')"
        ", pg_catalog.pg_is_in_recovery()"
        ", pg_catalog.current_setting('max_prepared_transactions')"
        ", pg_catalog.current_setting('fsync'), pg_catalog.current_setting('full_page_writes')"
        ", CAST(EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())"
        " OPERATOR(pg_catalog.*) 1000000 AS pg_catalog.int8)"
        // The timeline that is written now: pg_control learns of a promotion later.
        ", CASE WHEN pg_catalog.pg_is_in_recovery() THEN '' ELSE pg_catalog.substr("
        "pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END";
    row const seen = query_row(manage.connection(), sql, who_width + 7, until, "preflight");
    session_identity const who = read_who(manage.connection(), seen);

    if (value_of(seen, who_width + 1) != "f") {
        throw driver_error(
            "the server is a hot standby: connect to the primary (for libpq: "
            "target_session_attrs=read-write)");
    }
    if (number_of(seen, who_width + 2) == 0) {
        throw driver_error(
            "max_prepared_transactions is 0, so no branch can be prepared: set it to at least the "
            "number of transactions that commit at the same time, and restart the server");
    }
    for (auto const& [name, index] :
         {std::pair{"fsync", who_width + 3}, std::pair{"full_page_writes", who_width + 4}}) {
        if (value_of(seen, index) == "on") continue;
        if (safety.allow_non_durable) continue;
        throw driver_error(std::string{name} +
                           " is off, so a vote may be lost in a crash: set it to on and reload "
                           "the server (or allow_non_durable, for data that may be lost)");
    }
    server_facts facts;
    facts.kind = "postgresql";
    facts.identity = who.server;
    facts.server_start = value_of(seen, who_width + 5);
    facts.history = value_of(seen, who_width + 6);
    facts.version = value_of(seen, who_width);
    facts.user = who.user;
    facts.database = who.database;
    facts.is_proxied = who.is_proxied;
    return facts;
}

scan_result scan(session& manage, deadline until)
{
    // One row even when nothing is prepared: an empty answer would not say whose it is.  A foreign
    // name is counted and not fetched: its bytes are nobody's business and may be unreadable.
    std::string const sql =
        std::string{"SELECT "} + ASSENT_PG_IDENTITY +
        ", pg_catalog.pg_is_in_recovery(), p.prepared IS NOT NULL"
        ", CASE WHEN p.gid OPERATOR(pg_catalog.~) '^asn1[.0-9a-z]{78}$' THEN p.gid ELSE '' END"
        " FROM (SELECT 1) AS one LEFT JOIN pg_catalog.pg_prepared_xacts p"
        " ON p.database OPERATOR(pg_catalog.=) pg_catalog.current_database()";
    table const rows = query(manage.connection(), sql, until, "scan");
    if (rows.empty() || rows.front().size() != 4) {
        throw driver_error("scan: the server's answer has no row");
    }
    scan_result seen;
    seen.identity = value_of(rows.front(), 0);
    seen.is_writable_primary = value_of(rows.front(), 1) == "f";
    for (row const& listed : rows) {
        if (value_of(listed, 2) != "t") continue;
        if (auto const x = xid::parse(value_of(listed, 3))) {
            seen.ours.push_back(*x);
        } else {
            ++seen.foreign_count;
        }
    }
    return seen;
}

// "Assent" and a class number, so that a node's lock does not meet the application's own advisory
// locks, which are small numbers or hashes.  Exclusive or keeps distinct nodes distinct.
constexpr std::uint64_t guard_class = 0x417373656e740001;

bool try_guard(session& guardian, std::uint64_t node, deadline until)
{
    auto const key = static_cast<std::int64_t>(node ^ guard_class);
    row const seen = query_row(guardian.connection(),
                               "SELECT pg_catalog.pg_try_advisory_lock(CAST('" +
                                   std::to_string(key) + "' AS pg_catalog.int8))",
                               1, until, "guardian lock");
    bool const is_ours = value_of(seen, 0) == "t";
    if (is_ours) guardian.guard_key = key;
    return is_ours;
}

void heartbeat(session& guardian, deadline until)
{
    if (!guardian.guard_key) throw driver_error("heartbeat: this session never held the lock");
    auto const key = static_cast<std::uint64_t>(*guardian.guard_key);
    // Looks for the lock itself: behind a proxy the next statement may run in another session.
    std::string const sql =
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l"
        " WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted"
        " AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
        " AND CAST(l.classid AS pg_catalog.int8) OPERATOR(pg_catalog.=) " +
        std::to_string(key >> 32) +
        " AND CAST(l.objid AS pg_catalog.int8) OPERATOR(pg_catalog.=) " +
        std::to_string(key & 0xffffffff) + " AND l.objsubid OPERATOR(pg_catalog.=) 1";
    row const seen = query_row(guardian.connection(), sql, 1, until, "heartbeat");
    if (number_of(seen, 0) != 1) throw driver_error("heartbeat: the guardian lock is lost");
}

session_presence presence(session& manage, std::uint64_t id, deadline until)
{
    if (manage.who().is_proxied || id == 0) return session_presence::unknown;
    // Any session of that process id counts, whoever's it is now: that is late, never wrong.
    row const seen = query_row(manage.connection(),
                               "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a "
                               "WHERE a.pid OPERATOR(pg_catalog.=) " +
                                   std::to_string(id),
                               1, until, "looking for a session");
    return number_of(seen, 0) == 0 ? session_presence::gone : session_presence::present;
}

session_presence older_sessions(session& ours, deadline until)
{
    if (ours.who().is_proxied) return session_presence::unknown;
    // A session whose start the server does not show counts as older.  Were our own not shown,
    // there would be no row at all, which is an error.
    std::string const sql =
        std::string{
            "SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a"
            " WHERE a.pid OPERATOR(pg_catalog.<>) me.pid"
            " AND a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND ("} +
        is_ours +
        ") AND (a.backend_start IS NULL OR me.backend_start IS NULL"
        " OR a.backend_start OPERATOR(pg_catalog.<=) me.backend_start))"
        " FROM pg_catalog.pg_stat_activity me"
        " WHERE me.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()";
    row const seen = query_row(ours.connection(), sql, 1, until, "looking for older sessions");
    return number_of(seen, 0) == 0 ? session_presence::gone : session_presence::present;
}

namespace {

/// Calls `function` on process `id` where it is a session of ours.
void signal_session(session& manage, char const* function, std::uint64_t id, deadline until,
                    std::string const& doing)
{
    if (manage.who().is_proxied) {
        throw driver_error(doing +
                           ": the connection goes through a proxy, so process ids are not "
                           "the server's");
    }
    // The check and the call are one statement; a row that is not ours is reported, not touched.
    std::string const sql = std::string{"SELECT CASE WHEN "} + is_ours + " THEN pg_catalog." +
                            function +
                            "(a.pid) END FROM pg_catalog.pg_stat_activity a WHERE a.pid"
                            " OPERATOR(pg_catalog.=) " +
                            std::to_string(id);
    table const rows = query(manage.connection(), sql, until, doing);
    if (rows.empty()) return;  // it is gone already
    if (!rows.front().empty() && rows.front().front() == "t") return;
    bool const is_foreign = !rows.front().empty() && !rows.front().front();
    throw driver_error(doing + (is_foreign ? ": that session is not of our account"
                                           : ": the server could not signal the session"));
}

}  // namespace

void cancel_statement(session& manage, std::uint64_t id, deadline until)
{
    signal_session(manage, "pg_cancel_backend", id, until, "cancelling a statement");
}

void end_session(session& manage, std::uint64_t id, deadline until)
{
    signal_session(manage, "pg_terminate_backend", id, until, "ending a session");
}

witness_state ask_witness(session& manage, std::string const& witness, deadline until)
{
    auto const number = witness.substr(0, witness.find('@'));
    bool const is_number = !number.empty() && number.size() <= 20 && number != witness &&
                           number.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number) return witness_state::unknown;
    bool const is_same_life = witness.substr(number.size() + 1) == manage.who().life;
    std::string status;
    try {
        status = value_of(
            query_row(manage.connection(),
                      "SELECT pg_catalog.pg_xact_status(CAST('" + number + "' AS pg_catalog.xid8))",
                      1, until, "asking for a transaction's fate"),
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

}  // namespace server

}  // namespace assent::pg
