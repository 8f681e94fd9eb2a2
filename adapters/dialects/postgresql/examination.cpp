// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// examination.cpp -- two queries for facts, and a table of checks over them.
//
// Settings are taken as a leased session will have them (reset_val): the manager's own sessions
// have changed a few for themselves.

#include "adapters/dialects/postgresql/examination.hpp"

#include <cmath>
#include <cstddef>

#include "adapters/dialects/checks.hpp"
#include "adapters/dialects/postgresql/branches.hpp"
#include "adapters/dialects/postgresql/decisions.hpp"
#include "adapters/dialects/postgresql/server.hpp"
#include "adapters/dialects/postgresql/tasks.hpp"

namespace assent::postgresql_dialect {

namespace {

using dialects::fine;
using dialects::risk;
using dialects::tell;
using level = finding_level;

constexpr long minute_ms = 60'000;

constexpr dialects::setting_rule rules[] = {
    {"fsync", dialects::is_on, level::error, risk::vote,
     "ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf(): without it a crash may lose what the "
     "server voted for, and a transaction ends half committed"},
    {"full_page_writes", dialects::is_on, level::error, risk::vote,
     "ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf(): without it a crash may "
     "leave torn pages, and with them a branch that was voted for"},
    {"synchronous_commit", [](std::string_view value) { return value != "off"; }, level::advice,
     risk::none,
     "branches are forced to the disk all the same; what the application commits outside of them "
     "may be lost in a crash: ALTER ROLE ... SET synchronous_commit = on"},
    {"default_transaction_read_only", dialects::is_off, level::warning, risk::none,
     "leased sessions refuse writes: ALTER ROLE ... RESET default_transaction_read_only, or the "
     "same of the database"},
    {"idle_in_transaction_session_timeout", dialects::is_never_or_at_least<minute_ms>,
     level::warning, risk::none,
     "in ms; a branch that waits so long between two statements, for another database perhaps, "
     "loses its session and is rolled back: ALTER ROLE ... SET "
     "idle_in_transaction_session_timeout = 0, or more than a transaction's deadline"},
    {"transaction_timeout", dialects::is_never_or_at_least<minute_ms>, level::warning, risk::none,
     "in ms; a branch that lasts so long loses its session and is rolled back: ALTER ROLE ... SET "
     "transaction_timeout = 0, or more than a transaction's deadline"},
    {"idle_session_timeout", dialects::is_never_or_at_least<minute_ms>, level::advice, risk::none,
     "in ms; sessions that are kept for later leases are ended by the server meanwhile: ALTER ROLE "
     "... SET idle_session_timeout = 0"},
    {"statement_timeout", dialects::is_never_or_at_least<5'000>, level::advice, risk::none,
     "in ms; PREPARE TRANSACTION and COMMIT PREPARED on leased sessions fall under it too, and are "
     "slow where a standby must confirm them: ALTER ROLE ... SET statement_timeout = 0, or more"},
    {"default_transaction_isolation", dialects::is_anything, level::ok, risk::none, ""},
};

/// What one query gathers, in its order; all of it is open to a plain role.
struct facts
{
    std::string version;
    double version_number = 0;
    bool is_standby = false;
    double places = 0;       // max_prepared_transactions
    double taken = 0;        // of them, in the whole cluster
    double oldest_s = 0;     // of what is prepared
    double unreachable = 0;  // branches of ours here that another role prepared
    bool is_superuser = false;
    bool may_end_sessions = false;
    double standbys = 0;
    std::string synchronous_names;
    double connections_max = 0;
    double connections = 0;
    double role_limit = 0;
    bool may_create = false;
    bool is_encrypted = false;
    bool is_local = false;
};

std::string const& facts_sql()
{
    static std::string const sql =
        std::string{
            "SELECT pg_catalog.current_setting('server_version')"
            ", pg_catalog.current_setting('server_version_num')"
            ", CASE WHEN pg_catalog.pg_is_in_recovery() THEN 1 ELSE 0 END"
            ", pg_catalog.current_setting('max_prepared_transactions')"
            ", (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts)"
            ", (SELECT CAST(COALESCE(EXTRACT(epoch FROM pg_catalog.now() OPERATOR(pg_catalog.-)"
            " pg_catalog.min(p.prepared)), 0) AS pg_catalog.int8) FROM "
            "pg_catalog.pg_prepared_xacts p)"
            ", (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts p WHERE p.database"
            " OPERATOR(pg_catalog.=) pg_catalog.current_database() AND "} +
        server::is_our_gid +
        " AND p.owner OPERATOR(pg_catalog.<>) current_user)"
        ", CASE WHEN r.rolsuper THEN 1 ELSE 0 END"
        ", CASE WHEN pg_catalog.pg_has_role(a.usesysid, 'USAGE') OR pg_catalog.pg_has_role("
        "CAST('pg_signal_backend' AS pg_catalog.name), 'USAGE') THEN 1 ELSE 0 END"
        ", (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication)"
        ", pg_catalog.current_setting('synchronous_standby_names')"
        ", pg_catalog.current_setting('max_connections')"
        ", (SELECT pg_catalog.sum(d.numbackends) FROM pg_catalog.pg_stat_database d)"
        ", r.rolconnlimit"
        ", CASE WHEN pg_catalog.has_schema_privilege('public', 'CREATE') THEN 1 ELSE 0 END"
        ", CASE WHEN COALESCE((SELECT s.ssl FROM pg_catalog.pg_stat_ssl s WHERE s.pid"
        " OPERATOR(pg_catalog.=) a.pid), false) THEN 1 ELSE 0 END"
        ", CASE WHEN COALESCE(pg_catalog.host(pg_catalog.inet_client_addr()), '127.0.0.1')"
        " OPERATOR(pg_catalog.=) ANY (ARRAY['127.0.0.1', '::1']) THEN 1 ELSE 0 END"
        " FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a,"
        " pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) current_user";
    return sql;
}
constexpr std::size_t facts_width = 17;

facts read_facts(question& manage)
{
    row const seen = manage.one_row(facts_sql(), facts_width, "examining the server");
    auto const text = [&](std::size_t at) { return seen[at].value_or(std::string{}); };
    auto const number = [&](std::size_t at) { return dialects::number_in(text(at)); };
    auto const flag = [&](std::size_t at) { return text(at) == "1"; };
    return {text(0),    number(1),  flag(2),  number(3), number(4), number(5),
            number(6),  flag(7),    flag(8),  number(9), text(10),  number(11),
            number(12), number(13), flag(14), flag(15),  flag(16)};
}

dialects::settings read_settings(question& manage)
{
    std::string names;
    for (auto const& rule : rules)
        names += (names.empty() ? "'" : ", '") + std::string{rule.name} + "'";
    table const rows = manage.ask(
        "SELECT s.name, s.reset_val FROM pg_catalog.pg_settings s WHERE s.name"
        " OPERATOR(pg_catalog.=) ANY (ARRAY[" +
            names + "])",
        "examining the settings");
    dialects::settings all;
    for (row const& each : rows) {
        if (each.size() != 2 || !each[0]) throw driver_error("examining the settings: no answer");
        all.emplace(*each[0], each[1].value_or(std::string{}));
    }
    return all;
}

std::string whole(double number)
{
    return std::to_string(std::llround(number));
}

constexpr dialects::check<facts> checks[] = {
    {"version", risk::none,
     [](facts const& of) -> finding {
         if (of.version_number < 140'000) {
             return tell(level::error, of.version, "use PostgreSQL 14 or newer");
         }
         if (of.version_number >= 190'000) {
             return tell(level::advice, of.version,
                         "newer than what this version was tested with, PostgreSQL 15 and 18");
         }
         return fine(of.version);
     }},
    {"writable primary", risk::none,
     [](facts const& of) -> finding {
         if (!of.is_standby) return fine("yes");
         return tell(
             level::error, "a hot standby",
             "connect to the primary (for libpq: target_session_attrs=read-write): a standby "
             "shows no prepared branches, although the primary has some");
     }},
    {"max_prepared_transactions", risk::none,
     [](facts const& of) -> finding {
         std::string const seen = whole(of.places) + ", " + whole(of.taken) + " in use";
         if (of.places == 0) {
             return tell(
                 level::error, seen,
                 "ALTER SYSTEM SET max_prepared_transactions = " + whole(of.connections_max) +
                     " and restart the server (its standbys first): with 0 no branch can be "
                     "prepared");
         }
         if (of.taken * 2 > of.places) {
             return tell(
                 level::warning, seen,
                 "more than half is in use, and without a free place a branch votes no: see "
                 "pg_prepared_xacts for what nobody finishes, and raise the setting");
         }
         if (of.places < of.connections_max) {
             return tell(level::advice, seen,
                         "it takes one place for each branch from its vote to its end; as many as "
                         "max_connections (" +
                             whole(of.connections_max) + ") are always enough");
         }
         return fine(seen);
     }},
    {"prepared for long", risk::none,
     [](facts const& of) -> finding {
         if (of.taken == 0) return fine("nothing is prepared");
         std::string const seen = "the oldest for " + whole(of.oldest_s) + " s";
         if (of.oldest_s < 3600) return fine(seen);
         return tell(
             level::warning, seen,
             "it keeps its locks and holds back VACUUM in the whole cluster: assent scan says "
             "whether it is ours; else find its owner in pg_prepared_xacts");
     }},
    {"branches of another role", risk::none,
     [](facts const& of) -> finding {
         if (of.unreachable == 0) return fine("none");
         if (of.is_superuser) return fine(whole(of.unreachable) + ", which a superuser may finish");
         return tell(
             level::error, whole(of.unreachable) + " in this database",
             "only the role that prepared a branch may finish it: let the application and this "
             "configuration log in as the role that pg_prepared_xacts.owner names");
     }},
    {"role", risk::none,
     [](facts const& of) -> finding {
         if (!of.is_superuser) return fine("a plain one");
         return tell(level::advice, "a superuser",
                     "a plain role is enough, and cannot finish the branches of others");
     }},
    {"right to end sessions", risk::none,
     [](facts const& of) -> finding {
         if (of.may_end_sessions) return fine("yes");
         return tell(level::error, "no",
                     "GRANT pg_signal_backend TO that role: it is not the one that logged in, so a "
                     "deadline could not end a session");
     }},
    {"replication", risk::none,
     [](facts const& of) -> finding {
         std::string const seen = whole(of.standbys) + " standbys, synchronous_standby_names '" +
                                  of.synchronous_names + "'";
         if (of.standbys <= 0 || !of.synchronous_names.empty()) return fine(seen);
         return tell(
             level::advice, seen,
             "a standby that takes over may lack branches that this server voted for, and then "
             "transactions are half committed: where one is to take over, set "
             "synchronous_standby_names");
     }},
    {"connections", risk::none,
     [](facts const& of) -> finding {
         std::string seen = whole(of.connections) + " of " + whole(of.connections_max);
         if (of.role_limit >= 0) seen += ", of this role at most " + whole(of.role_limit);
         if (of.role_limit >= 0 && of.role_limit < 4) {
             return tell(
                 level::warning, seen,
                 "ALTER ROLE ... CONNECTION LIMIT -1: the manager keeps two connections beside "
                 "those that it leases, and needs one more to cancel");
         }
         if (of.connections * 10 > of.connections_max * 9) {
             return tell(
                 level::warning, seen,
                 "raise max_connections: without a free one branches cannot be finished after "
                 "a connection was lost");
         }
         return fine(seen);
     }},
    {"transport", risk::none,
     [](facts const& of) -> finding {
         if (of.is_encrypted) return fine("encrypted");
         if (of.is_local) return fine("within this machine");
         return tell(level::advice, "not encrypted",
                     "sslmode=verify-full in the connect string: everybody on the way can read the "
                     "names of branches, and change what is said");
     }},
};

/// A table that is made where it is first needed.
struct optional_table
{
    char const* check;
    char const* name;
    char const* needed_by;
    char const* maker;  // "the first ... makes it"
    char const* ddl;
    bool (*is_fit)(question& manage);
};

finding examine_table(question& manage, facts const& of, session_identity const& asking,
                      optional_table const& which)
{
    finding told{which.check, level::ok, "there, and fit for use", {}};
    std::string const needed_by = which.needed_by;
    try {
        if (which.is_fit(manage)) return told;
        told.seen = "not there; only " + needed_by + " need it";
        if (of.may_create) {
            told.seen += std::string{", and "} + which.maker + " makes it";
        } else {
            told.level = level::advice;
            told.advice = "before " + needed_by +
                          " are used let an administrator run, in this database: " + which.ddl +
                          "; GRANT SELECT, INSERT, UPDATE, DELETE ON public." + which.name +
                          " TO \"" + asking.user + "\"";
        }
    } catch (driver_error const& error) {
        if (error.must_close() || !error.sqlstate().empty()) throw;
        told.level = level::warning;
        told.seen = "there, and not fit for use";
        told.advice = error.what();
    }
    return told;
}

/// Nothing where there are none: only messages need them, and the first one makes them.
void examine_messages(examination& into, question& manage)
{
    constexpr char name[] = "tables of messages";
    try {
        if (tasks::is_fit(manage)) into.add(name, level::ok, "there, and fit for use");
    } catch (driver_error const& error) {
        if (error.must_close() || !error.sqlstate().empty()) throw;
        into.add(name, level::warning, "there, and not fit for use", error.what());
    }
}

/// A transaction that writes nothing but a message into the WAL, which takes a number and a forced
/// commit record, and leaves nothing.  Waiting for standbys is left out: it may be for ever.
void measure_force(examination& into, question& manage)
{
    constexpr char sql[] =
        "SELECT pg_catalog.set_config('synchronous_commit', 'local', true),"
        " pg_catalog.pg_logical_emit_message(true, 'assent', 'doctor')";
    try {
        into.force = dialects::measure(dialects::forces, [&] {
            return dialects::time_of([&] { manage.ask(sql, "measuring a force"); });
        });
    } catch (driver_error const& error) {
        if (error.must_close()) throw;
        into.why_no_force = error.what();
    }
}

}  // namespace

examination examine(question& manage, session_identity const& asking, accepted_risks const& risks,
                    dialects::client_library const& client)
{
    examination told;
    told.kind = "postgresql";
    told.identity = asking.server;
    facts const of = read_facts(manage);
    told.version = of.version;
    dialects::apply(told, checks, of, risks.allow_non_durable);
    dialects::judge(told, rules, read_settings(manage), risks.allow_non_durable);
    told.findings.push_back(examine_table(manage, of, asking,
                                          {"table of commit rows", "assent_decision", "commit rows",
                                           "the first one", decisions::ddl, &decisions::is_fit}));
    told.findings.push_back(
        examine_table(manage, of, asking,
                      {dialects::table_of_reservations, "assent_branch", "reservations",
                       "the first start with them", branches::ddl, &branches::is_fit}));
    examine_messages(told, manage);
    dialects::add_client(told, client);
    row const self = manage.one_row("SELECT CAST(pg_catalog.pg_backend_pid() AS pg_catalog.text)",
                                    1, "examining the session");
    if (asking.is_proxied || self[0] != std::to_string(asking.process)) {
        bool const is_stated = risks.pools_by_session;
        told.add("proxy", is_stated ? level::warning : level::error,
                 "process ids are not the server's own",
                 is_stated ? "sessions are neither cancelled nor ended through a proxy, so "
                             "deadlines come late, and nothing is ever called drained"
                           : "connect past the proxy, since no branch is decided through one whose "
                             "server sessions serve several clients; where it pools by session, "
                             "say so: pools_by_session");
    } else {
        told.add("proxy", level::ok, "none was noticed");
    }
    told.round_trip = dialects::measure(dialects::round_trips, [&] {
        return dialects::time_of([&] { manage.ask("SELECT 1", "measuring a round trip"); });
    });
    if (of.is_standby) {
        told.why_no_force = "a standby commits nothing";
    } else {
        measure_force(told, manage);
    }
    return told;
}

}  // namespace assent::postgresql_dialect
