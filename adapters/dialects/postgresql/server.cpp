// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.cpp -- one query for each question, so that its parts are of the same moment and server.

#include "adapters/dialects/postgresql/server.hpp"

#include <charconv>
#include <utility>

namespace assent::postgresql_dialect {

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

// Of the WAL that is written now: pg_control learns of a promotion later.
#define ASSENT_PG_TIMELINE                                   \
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN '' ELSE " \
    "pg_catalog.substr(pg_catalog.pg_walfile_name("          \
    "pg_catalog.pg_current_wal_lsn()), 1, 8) END"

char const* const who_columns =
    "current_user, pg_catalog.current_database(), " ASSENT_PG_IDENTITY
    ", pg_catalog.pg_backend_pid(), " ASSENT_PG_LIFE ", " ASSENT_PG_TIMELINE
    // Neither SET ROLE nor SET SESSION AUTHORIZATION changes this one.
    ", (SELECT pg_catalog.pg_get_userbyid(s.usesysid) FROM "
    "pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) s)";

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

// libpq gives a boolean as the server writes it; psqlODBC makes a number of it.
bool is_true(row const& from, std::size_t index)
{
    return from[index] == "t" || from[index] == "1";
}

bool is_false(row const& from, std::size_t index)
{
    return from[index] == "f" || from[index] == "0";
}

constexpr char const* on_a_standby =
    "the server is a hot standby: connect to the primary (for libpq: "
    "target_session_attrs=read-write)";

/// The accounts under which our sessions appear: the one that logged in, and the current role.
constexpr char const* is_ours =
    "a.usename OPERATOR(pg_catalog.=) current_user OR "
    "a.usename OPERATOR(pg_catalog.=) session_user";

std::string setting(char const* name, char const* value)
{
    return std::string{", pg_catalog.set_config('"} + name + "', '" + value + "', false)";
}

}  // namespace

row question::one_row(std::string const& sql, std::size_t width, std::string const& doing)
{
    table rows = ask(sql, doing);
    if (rows.empty() || rows.front().size() < width) {
        throw driver_error(doing + ": the server's answer has no such row");
    }
    return std::move(rows.front());
}

session_identity read_who(row const& columns)
{
    session_identity who;
    who.user = value_of(columns, 0);
    who.database = value_of(columns, 1);
    who.server = value_of(columns, 2);
    who.life = value_of(columns, 4);
    who.timeline = value_of(columns, 5);
    who.login = value_of(columns, 6);
    who.process = static_cast<std::uint64_t>(number_of(columns, 3));
    return who;
}

std::string difference(session_identity const& who, server_facts const& expected)
{
    if (who.database != expected.database) {
        return "it is connected to the database '" + who.database + "', not '" + expected.database +
               "'";
    }
    if (who.server != expected.identity) {
        return "it is connected to another server (identity " + who.server + ", expected " +
               expected.identity + ")";
    }
    if (who.user != expected.user) {
        return "its role is '" + who.user + "', and that of the manager's own connections is '" +
               expected.user + "': only the role that prepares a branch may finish it";
    }
    if (who.timeline != expected.history) {
        // The same cluster, so the same identity; but a branch there is not listed here.
        return who.timeline.empty() ? on_a_standby
                                    : "it is on timeline " + who.timeline + " of the server, not " +
                                          expected.history +
                                          ": a standby was promoted meanwhile, or a former "
                                          "primary still runs";
    }
    return {};
}

std::string login_difference(session_identity const& who, session_identity const& manager)
{
    if (who.login == manager.login) return {};
    return "it logged in as '" + who.login + "', and the manager's own connections as '" +
           manager.login +
           "': whatever role it took since, the manager could not tell that the session is its own";
}

std::string settings_for(session_purpose purpose)
{
    if (purpose == session_purpose::work) return {};
    std::string list =
        setting("statement_timeout", "0") + setting("idle_in_transaction_session_timeout", "0") +
        setting("lock_timeout", "5s") + setting("default_transaction_read_only", "off") +
        setting("client_min_messages", "warning") +
        // PostgreSQL 17 and newer have it.
        ", (SELECT pg_catalog.set_config(s.name, '0', false) FROM pg_catalog.pg_settings s"
        " WHERE s.name OPERATOR(pg_catalog.=) 'transaction_timeout')";
    // The guardian's lock must not outlive a manager that is gone without a word.
    bool const is_guardian = purpose == session_purpose::guardian;
    return list + setting("idle_session_timeout", is_guardian ? "10s" : "0");
}

std::string advice_for_opening(driver_error const& failure)
{
    if (failure.sqlstate() != "42501") return {};
    return " (every role may call it unless that was taken away: GRANT EXECUTE ON FUNCTION "
           "pg_catalog.pg_control_system() TO the role, in this database)";
}

namespace server {

server_facts preflight(question& manage, session_identity const& asking, bool allow_non_durable)
{
    std::string const sql =
        std::string{"SELECT "} + who_columns +
        ", pg_catalog.current_setting('server_version')"
        ", pg_catalog.pg_is_in_recovery()"
        ", pg_catalog.current_setting('max_prepared_transactions')"
        ", pg_catalog.current_setting('fsync'), pg_catalog.current_setting('full_page_writes')"
        ", CAST(EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())"
        " OPERATOR(pg_catalog.*) 1000000 AS pg_catalog.int8)"
        ", (SELECT pg_catalog.pg_has_role(s.usesysid, 'USAGE') OR pg_catalog.pg_has_role("
        "CAST('pg_signal_backend' AS pg_catalog.name), 'USAGE') FROM "
        "pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) s)";
    row const seen = manage.one_row(sql, who_width + 7, "preflight");
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
    if (!is_true(seen, who_width + 6)) {
        throw driver_error("the role '" + who.user + "' may not end sessions of the login '" +
                           who.login +
                           "', so a deadline could not: GRANT pg_signal_backend TO that role");
    }
    server_facts facts;
    facts.kind = "postgresql";
    facts.identity = who.server;
    facts.server_start = value_of(seen, who_width + 5);
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
        std::string{"SELECT "} + ASSENT_PG_IDENTITY +
        ", pg_catalog.pg_is_in_recovery(), p.prepared IS NOT NULL"
        ", CASE WHEN p.gid OPERATOR(pg_catalog.~) '^asn1[.0-9a-z]{78}$' THEN p.gid ELSE '' END"
        " FROM (SELECT 1) AS one LEFT JOIN pg_catalog.pg_prepared_xacts p"
        " ON p.database OPERATOR(pg_catalog.=) pg_catalog.current_database()";
    table const rows = manage.ask(sql, "scan");
    if (rows.empty() || rows.front().size() != 4) {
        throw driver_error("scan: the server's answer has no row");
    }
    scan_result seen;
    seen.identity = value_of(rows.front(), 0);
    seen.is_writable_primary = is_false(rows.front(), 1);
    for (row const& listed : rows) {
        if (!is_true(listed, 2)) continue;
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

std::optional<std::int64_t> try_guard(question& guardian, std::uint64_t node)
{
    auto const key = static_cast<std::int64_t>(node ^ guard_class);
    row const seen = guardian.one_row("SELECT pg_catalog.pg_try_advisory_lock(CAST('" +
                                          std::to_string(key) + "' AS pg_catalog.int8))",
                                      1, "guardian lock");
    if (!is_true(seen, 0)) return std::nullopt;
    return key;
}

void heartbeat(question& guardian, std::optional<std::int64_t> held)
{
    if (!held) throw driver_error("heartbeat: this session never held the lock");
    auto const key = static_cast<std::uint64_t>(*held);
    // Looks for the lock itself: behind a proxy the next statement may run in another session.
    std::string const sql =
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l"
        " WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted"
        " AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
        " AND CAST(l.classid AS pg_catalog.int8) OPERATOR(pg_catalog.=) " +
        std::to_string(key >> 32) +
        " AND CAST(l.objid AS pg_catalog.int8) OPERATOR(pg_catalog.=) " +
        std::to_string(key & 0xffffffff) + " AND l.objsubid OPERATOR(pg_catalog.=) 1";
    row const seen = guardian.one_row(sql, 1, "heartbeat");
    if (number_of(seen, 0) != 1) throw driver_error("heartbeat: the guardian lock is lost");
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
    throw driver_error(doing + (is_foreign ? ": that session is not of our account"
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

}  // namespace server

}  // namespace assent::postgresql_dialect
