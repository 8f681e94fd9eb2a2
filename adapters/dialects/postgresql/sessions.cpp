// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sessions.cpp -- the guardian's lock, and the sessions of our account.

#include "adapters/dialects/postgresql/server.hpp"

namespace assent::postgresql_dialect::server {

namespace {

// "Assent" and a class number, so that a node's lock does not meet the application's own advisory
// locks, which are small numbers or hashes.  Exclusive or keeps distinct nodes distinct.
constexpr std::uint64_t guard_class = 0x417373656e740001;

/// The accounts under which our sessions appear: the one that logged in, and the current role.
constexpr char const* is_ours =
    "a.usename OPERATOR(pg_catalog.=) current_user OR "
    "a.usename OPERATOR(pg_catalog.=) session_user";

std::int64_t guard_key(std::uint64_t node)
{
    return static_cast<std::int64_t>(node ^ guard_class);
}

/// A condition on l, a row of pg_locks.
std::string is_guard(std::int64_t which)
{
    auto const key = static_cast<std::uint64_t>(which);
    return "l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted"
           " AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d"
           " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"
           " AND CAST(l.classid AS pg_catalog.int8) OPERATOR(pg_catalog.=) " +
           std::to_string(key >> 32) +
           " AND CAST(l.objid AS pg_catalog.int8) OPERATOR(pg_catalog.=) " +
           std::to_string(key & 0xffffffff) + " AND l.objsubid OPERATOR(pg_catalog.=) 1";
}

std::string holds_guard(std::int64_t which)
{
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_locks l WHERE " + is_guard(which) +
           " AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())";
}

/// The session of the server that answers: numbers are given again.
constexpr char const* this_session =
    "(SELECT pg_catalog.concat(s.pid, '/', EXTRACT(epoch FROM s.backend_start)) FROM "
    "pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) s)";

}  // namespace

std::optional<guard> try_guard(question& guardian, std::uint64_t node)
{
    guard taken;
    taken.key = guard_key(node);
    // A session may take its lock twice; where a proxy gives one session to several clients, it may
    // be somebody else's.
    row const seen = guardian.one_row(
        "SELECT CASE WHEN " + holds_guard(taken.key) +
            " THEN false ELSE pg_catalog.pg_try_advisory_lock(CAST('" + std::to_string(taken.key) +
            "' AS pg_catalog.int8)) END, " + this_session,
        2, "guardian lock");
    if (!is_true(seen, 0)) return std::nullopt;
    taken.session = value_of(seen, 1);
    return taken;
}

void heartbeat(question& guardian, std::optional<guard> const& held)
{
    if (!held) throw driver_error("heartbeat: this session never held the lock");
    row const seen = guardian.one_row(
        "SELECT " + holds_guard(held->key) + ", " + std::string{this_session}, 2, "heartbeat");
    if (!is_true(seen, 0)) throw driver_error("heartbeat: the guardian lock is lost");
    if (value_of(seen, 1) != held->session) {
        throw driver_error(
            "heartbeat: the session that answers is not the one that took the lock: a proxy in "
            "between pools transactions or statements");
    }
}

std::string guard_holder(question& any, std::uint64_t node)
{
    table const rows =
        any.ask("SELECT l.pid, " + as_bytes("a.usename") + ", " + as_bytes("a.application_name") +
                    ", pg_catalog.host(a.client_addr) FROM pg_catalog.pg_locks l"
                    " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid"
                    " WHERE " +
                    is_guard(guard_key(node)),
                "looking for the guardian lock's holder");
    if (rows.empty() || rows.front().size() < 4) return {};
    row const& seen = rows.front();
    std::string who = "session " + value_of(seen, 0);
    if (seen[1]) who += " of the role '" + shown(bytes_of(*seen[1])) + "'";
    if (seen[2] && !seen[2]->empty()) {
        who += ", which calls itself '" + shown(bytes_of(*seen[2])) + "'";
    }
    // Another role's address is shown to superusers and pg_read_all_stats only.
    if (seen[3]) who += ", from " + value_of(seen, 3);
    return who;
}

session_presence presence(question& manage, session_identity const& asking, std::uint64_t id)
{
    if (asking.is_proxied || id == 0) return session_presence::unknown;
    // Any session of that process id counts, whoever's it is now: that is late, never wrong.
    row const seen = manage.one_row(
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a "
        "WHERE a.pid OPERATOR(pg_catalog.=) " +
            std::to_string(id),
        1, "looking for a session");
    return number_of(seen, 0) == 0 ? session_presence::gone : session_presence::present;
}

session_presence older_sessions(question& ours, session_identity const& asking)
{
    if (asking.is_proxied) return session_presence::unknown;
    // A branch is prepared only after its start was answered, and from then on the server shows its
    // transaction.  So a session that is in none, or in one that began later than this session, has
    // no older branch.  What the server does not show counts as older.  Were our own session not
    // shown, there would be no row at all, which is an error.
    std::string const sql =
        std::string{
            "SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a"
            " WHERE a.pid OPERATOR(pg_catalog.<>) me.pid"
            " AND a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND ("} +
        is_ours +
        ") AND (a.backend_start IS NULL OR me.backend_start IS NULL"
        " OR a.backend_start OPERATOR(pg_catalog.<=) me.backend_start)"
        " AND CASE WHEN a.xact_start IS NULL THEN a.state IS DISTINCT FROM 'idle'"
        " ELSE (a.xact_start OPERATOR(pg_catalog.<=) me.backend_start) IS NOT FALSE END)"
        " FROM pg_catalog.pg_stat_activity me"
        " WHERE me.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()";
    row const seen = ours.one_row(sql, 1, "looking for older sessions");
    return number_of(seen, 0) == 0 ? session_presence::gone : session_presence::present;
}

namespace {

/// Calls `function` on process `id` where it is a session of ours.
void signal_session(question& manage, session_identity const& asking, char const* function,
                    std::uint64_t id, std::string const& doing)
{
    if (asking.is_proxied) {
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
    table const rows = manage.ask(sql, doing);
    if (rows.empty()) return;  // it is gone already
    if (!rows.front().empty() && is_true(rows.front(), 0)) return;
    bool const is_foreign = !rows.front().empty() && !rows.front().front();
    throw driver_error(doing + (is_foreign ? ": that session belongs to another account"
                                           : ": the server could not signal the session"));
}

}  // namespace

void cancel_statement(question& manage, session_identity const& asking, std::uint64_t id)
{
    signal_session(manage, asking, "pg_cancel_backend", id, "cancelling a statement");
}

void end_session(question& manage, session_identity const& asking, std::uint64_t id)
{
    signal_session(manage, asking, "pg_terminate_backend", id, "ending a session");
}

}  // namespace assent::postgresql_dialect::server
