// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// examination.cpp -- a table of settings, a table of checks over what was read, and the few that
// ask by themselves.
//
// Settings are the server's (global): the sessions of ours change a few for themselves.

#include "adapters/dialects/mysql/examination.hpp"

#include <cstddef>
#include <optional>

#include "adapters/dialects/checks.hpp"
#include "adapters/dialects/mysql/branches.hpp"
#include "adapters/dialects/mysql/decisions.hpp"
#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/server.hpp"
#include "adapters/dialects/mysql/tasks.hpp"

namespace assent::mysql_dialect {

namespace {

using dialects::fine;
using dialects::risk;
using dialects::tell;
using level = finding_level;

constexpr char rolled_back_idle[] =
    "in seconds; a branch that waits so long between two statements, for another database perhaps, "
    "loses its session and is rolled back: set it to 0, or to more than a transaction's deadline";

// A server has only those of them that it knows.
constexpr dialects::setting_rule rules[] = {
    {"innodb_flush_log_at_trx_commit", dialects::is_one, level::error, risk::vote,
     "SET GLOBAL innodb_flush_log_at_trx_commit = 1, and the same in the server's configuration: "
     "else a vote can be lost at power loss, and a transaction ends half committed"},
    {"innodb_doublewrite",
     [](std::string_view value) { return !dialects::is_off(value) && value != "DETECT_ONLY"; },
     level::warning, risk::vote,
     "innodb_doublewrite = ON in the server's configuration: else power loss may leave torn pages, "
     "unless the file system writes pages whole"},
    {"innodb_flush_method",
     [](std::string_view value) { return value != "nosync" && value != "littlesync"; },
     level::error, risk::vote,
     "remove innodb_flush_method from the server's configuration: this one forces nothing to the "
     "disk"},
    {"innodb_force_recovery", [](std::string_view value) { return value == "0"; }, level::error,
     risk::none,
     "the server is being repaired, and may refuse writes or skip what crash recovery owes to "
     "prepared branches: finish that, and remove the setting"},
    {"xa_detach_on_prepare", dialects::is_on, level::error, risk::none,
     "let an administrator run SET PERSIST xa_detach_on_prepare = ON: without it a reset "
     "connection loses a commit"},
    {"legacy_xa_rollback_at_disconnect", dialects::is_off, level::error, risk::none,
     "SET GLOBAL legacy_xa_rollback_at_disconnect = OFF: it rolls back what the server voted for "
     "as soon as a connection is lost"},
    {"wsrep_on", dialects::is_off, level::error, risk::none,
     "use a server outside of the cluster: Galera does not support XA"},
    {"wsrep_provider", [](std::string_view value) { return value.empty() || value == "none"; },
     level::error, risk::none,
     "use a server outside of the cluster: Galera does not support XA, and while wsrep_on is off "
     "a vote is this node's alone, until the next state transfer"},
    {"group_replication_group_name", dialects::is_empty, level::warning, risk::none,
     "Assent was never tested on Group Replication: test a failover with prepared branches first"},
    {"autocommit", dialects::is_on, level::warning, risk::none,
     "SET GLOBAL autocommit = ON: connections that the application lends begin with it off, and "
     "are refused; leased ones switch it on"},
    {"init_connect", dialects::is_empty, level::advice, risk::none,
     "the server runs this at each connect: see that it neither begins a transaction nor switches "
     "autocommit off"},
    {"wait_timeout", [](std::string_view value) { return dialects::number_in(value) >= 60; },
     level::warning, risk::none,
     "in seconds; a connection that the application lends is closed when it is idle for so long, "
     "and its branch rolled back: SET GLOBAL wait_timeout = 28800; leased connections keep their "
     "own"},
    {"idle_transaction_timeout", dialects::is_never_or_at_least<60>, level::warning, risk::none,
     rolled_back_idle},
    {"idle_write_transaction_timeout", dialects::is_never_or_at_least<60>, level::warning,
     risk::none, rolled_back_idle},
    {"idle_readonly_transaction_timeout", dialects::is_never_or_at_least<60>, level::warning,
     risk::none, rolled_back_idle},
    {"default_storage_engine", [](std::string_view value) { return value == "InnoDB"; },
     level::warning, risk::none,
     "SET GLOBAL default_storage_engine = InnoDB: tables of other engines are not rolled back with "
     "their branch"},
    {"transaction_isolation", [](std::string_view value) { return value != "READ-UNCOMMITTED"; },
     level::advice, risk::none,
     "it shows the work of branches that may yet be rolled back: SET GLOBAL transaction_isolation "
     "= 'READ-COMMITTED'"},
    {"tx_isolation", [](std::string_view value) { return value != "READ-UNCOMMITTED"; },
     level::advice, risk::none,
     "it shows the work of branches that may yet be rolled back: SET GLOBAL tx_isolation = "
     "'READ-COMMITTED'"},
};

/// What the table of rules does not judge by itself.
constexpr char const* further_settings[] = {"log_bin", "sync_binlog", "max_connections"};

dialects::settings read_settings(question& q)
{
    std::string names;
    auto const name = [&](char const* each) {
        names += (names.empty() ? "'" : ", '") + std::string{each} + "'";
    };
    for (auto const& rule : rules)
        name(rule.name);
    for (char const* each : further_settings)
        name(each);
    dialects::settings all;
    for (row const& one : q.ask("show global variables where variable_name in (" + names + ")")) {
        if (one.size() < 2) q.fail("the server's answer is not complete");
        all.emplace(text_of(one, 0), text_of(one, 1));
    }
    return all;
}

struct facts
{
    bool is_mariadb = false;
    std::string version;
    std::string database;
    bool is_writable = true;
    bool has_binlog = false;
    std::string sync_binlog;
    std::uint64_t connections_max = 0;
    std::uint64_t connections = 0;
    std::string cipher;
    bool is_local = false;
    bool is_proxied = false;
    std::string other_engines;  // tables of this database, a few
};

std::string value_of(dialects::settings const& all, char const* name)
{
    auto const found = all.find(name);
    return found == all.end() ? std::string{} : found->second;
}

facts read_facts(question& q, dialects::settings const& all, server_answer const& who)
{
    facts of;
    of.is_mariadb = q.is_mariadb();
    std::string const schema = of.is_mariadb ? "information_schema" : "performance_schema";
    row const seen = q.one_row(
        "select version(), database(), connection_id(), substring_index(user(), _utf8mb4'@', -1), "
        "(select variable_value from " +
            schema +
            ".global_status where variable_name = 'Threads_connected'), (select variable_value "
            "from " +
            schema + ".session_status where variable_name = 'Ssl_cipher')",
        6);
    of.version = text_of(seen, 0);
    of.database = text_of(seen, 1);
    of.is_proxied = !is_same_session(q.session_id(), number_of(seen, 2));
    auto const host = text_of(seen, 3);
    of.is_local = host == "localhost" || host == "127.0.0.1" || host == "::1";
    of.connections = number_of(seen, 4);
    of.cipher = text_of(seen, 5);
    of.is_writable = who.is_writable;
    of.has_binlog = dialects::is_on(value_of(all, "log_bin"));
    of.sync_binlog = value_of(all, "sync_binlog");
    of.connections_max = static_cast<std::uint64_t>(
        std::max(0.0, dialects::number_in(value_of(all, "max_connections"))));
    for (row const& one : q.ask(
             "select table_name from information_schema.tables where table_schema = database() "
             "and table_type = 'BASE TABLE' and engine <> 'InnoDB' order by table_name limit 4")) {
        if (one.empty()) q.fail("the server's answer is not complete");
        of.other_engines += (of.other_engines.empty() ? "" : ", ") + std::string(text_of(one, 0));
    }
    return of;
}

constexpr dialects::check<facts> checks[] = {
    {"version", risk::none,
     [](facts const& of) -> finding {
         if (auto const why = why_unsafe(of.is_mariadb, of.version); !why.empty()) {
             return tell(level::error, of.version, why);
         }
         unsigned const newest = of.is_mariadb ? 110900 : 100000;
         if (version_number(of.version) >= newest) {
             return tell(level::advice, of.version,
                         "newer than what this version was tested with, MariaDB 10.11 and 11.8 and "
                         "MySQL 9.7");
         }
         return fine(of.version);
     }},
    {"writable primary", risk::none,
     [](facts const& of) -> finding {
         if (of.is_writable) return fine("yes");
         return tell(level::error, "read_only is on",
                     "connect to the primary; or, if this is it, SET GLOBAL read_only = OFF (and "
                     "super_read_only on MySQL)");
     }},
    {"binary log", risk::vote,
     [](facts const& of) -> finding {
         if (!of.has_binlog) return fine("off");
         std::string const seen = "on, sync_binlog " + of.sync_binlog;
         if (of.sync_binlog != "1") {
             return tell(
                 level::error, seen,
                 "SET GLOBAL sync_binlog = 1, and the same in the server's configuration: else "
                 "a vote can be lost at power loss, and a transaction ends half committed");
         }
         if (!of.is_mariadb) return fine(seen);
         return tell(level::advice, seen,
                     "after a crash of this server a replica may lack, or have, branches that this "
                     "server decides otherwise: make replicas anew then, and let none take over "
                     "unseen; and no commit row, nor reservation, can live here");
     }},
    {"database", risk::none,
     [](facts const& of) -> finding {
         if (!of.database.empty()) return fine(of.database);
         return tell(level::error, "none is chosen", "name it in the connect string");
     }},
    {"connections", risk::none,
     [](facts const& of) -> finding {
         std::string const seen =
             std::to_string(of.connections) + " of " + std::to_string(of.connections_max);
         if (of.connections * 10 <= of.connections_max * 9) return fine(seen);
         return tell(
             level::warning, seen,
             "raise max_connections: without a free one branches cannot be finished after a "
             "connection was lost");
     }},
    {"tables of other engines", risk::none,
     [](facts const& of) -> finding {
         if (of.other_engines.empty()) return fine("none");
         return tell(
             level::warning, of.other_engines,
             "ALTER TABLE ... ENGINE=InnoDB: what is written to them stays when the branch is "
             "rolled back");
     }},
    {"transport", risk::none,
     [](facts const& of) -> finding {
         if (!of.cipher.empty()) return fine("encrypted");
         if (of.is_local) return fine("within this machine");
         return tell(level::advice, "not encrypted",
                     "ssl_ca=... in the connect string: everybody on the way can read the names of "
                     "branches, and change what is said");
     }},
    {"proxy", risk::none,
     [](facts const& of) -> finding {
         if (!of.is_proxied) return fine("none was noticed");
         return tell(
             level::warning, "connection ids are not the server's own",
             "connect past the proxy: sessions are neither cancelled nor ended through one, "
             "and one that resets connections loses commits");
     }},
};

/// XA RECOVER, which is what recovery lives on.
void examine_listing(examination& into, question& q, bool may_list)
{
    if (!may_list) {
        into.add("list of branches", level::advice, "not asked for",
                 "the procedure assent_recover is not there yet; it is made when the application "
                 "starts, and the account needs CREATE ROUTINE for that once");
        return;
    }
    try {
        auto const seen = read_branches(q);
        into.add("list of branches", level::ok,
                 std::to_string(seen.ours.size() + seen.foreign_count) + " prepared, " +
                     std::to_string(seen.foreign_count) +
                     " of them by others; the server sets no limit");
        std::string all;
        for (auto const& warning : seen.warnings)
            all += (all.empty() ? "" : "; ") + warning;
        if (!all.empty()) into.add("format ids", level::warning, "mixed", all);
    } catch (driver_error const& error) {
        // What the server refuses has a number; q.fail() gives it words and takes the number off.
        if (is_connection_lost(static_cast<unsigned>(error.native_code()))) throw;
        into.add("list of branches", level::error, "refused", error.what());
    }
}

/// As far as grants to the account itself show: what comes by a role is not seen.
bool may_create(question& q)
{
    constexpr char sql[] =
        "select (select count(*) from information_schema.user_privileges where privilege_type = "
        "'CREATE' and grantee = me.name) + (select count(*) from "
        "information_schema.schema_privileges where privilege_type = 'CREATE' and grantee = "
        "me.name and database() like table_schema) from (select concat('''', "
        "left(current_user(), char_length(current_user()) - "
        "char_length(substring_index(current_user(), _utf8mb4'@', -1)) - 1), _utf8mb4'''@''', "
        "substring_index(current_user(), _utf8mb4'@', -1), '''') as name) as me";
    return number_of(q.one_row(sql, 1), 0) > 0;
}

void examine_identity(examination& into, bool may_make)
{
    if (!into.identity.empty()) {
        into.add("identity", level::ok, into.identity);
        return;
    }
    std::string const advice = std::string("let an administrator run, in this database: ") +
                               identity_ddl() + "; and GRANT SELECT on it";
    if (may_make) {
        into.add("identity", level::ok, "none yet: the first start of the application makes it");
    } else {
        into.add("identity", level::error, "none, and the account may not make the table", advice);
    }
}

/// By which a restore is noticed; its absence stops nothing.
void examine_past(examination& into, question& q, bool may_make)
{
    constexpr char name[] = "record of the past";
    row const there = q.one_row(
        "select count(*) from information_schema.tables where table_schema = database() and "
        "table_name = 'assent_past'",
        1);
    if (number_of(there, 0) != 0) {
        into.add(name, level::ok, "there");
    } else if (may_make) {
        into.add(name, level::ok, "not there yet: the first start of the application makes it");
    } else {
        into.add(
            name, level::warning, "not there, and the account may not make the table",
            std::string("without it a restore of older data is not noticed, and what it took "
                        "away is told finished: let an administrator run, in this database: ") +
                past_ddl() + "; and GRANT SELECT, INSERT, UPDATE on it");
    }
}

/// A table that is made where it is first needed.
struct optional_table
{
    char const* check;
    char const* needed_by;
    char const* maker;  // "the first ... makes it"
    char const* ddl;
    bool (*is_fit)(question& q);
};

/// @return whether it is there, and fit for use.
bool examine_table(examination& into, question& q, bool may_make, optional_table const& which)
{
    std::string const needed_by = which.needed_by;
    try {
        if (which.is_fit(q)) {
            into.add(which.check, level::ok, "there, and fit for use");
            return true;
        }
        std::string const seen = "not there; only " + needed_by + " need it";
        if (may_make) {
            into.add(which.check, level::ok, seen + ", and " + which.maker + " makes it");
        } else {
            into.add(which.check, level::advice, seen,
                     "before " + needed_by +
                         " are used let an administrator run, in this database: " + which.ddl +
                         "; and GRANT SELECT, INSERT, UPDATE, DELETE on it");
        }
    } catch (driver_error const& error) {
        if (error.native_code() != 0) throw;
        into.add(which.check, level::warning, "there, and not fit for use", error.what());
    }
    return false;
}

void examine_reservations(examination& into, question& q, bool may_make, bool has_binlog)
{
    auto const* const name = dialects::table_of_reservations;
    if (q.is_mariadb() && has_binlog) {
        into.add(name, level::ok, "none can be here",
                 "use a server without a binary log for reservations: a crash of this one may undo "
                 "an attempt, a confirm or a cancel that it acknowledged");
        return;
    }
    examine_table(
        into, q, may_make,
        {name, "reservations", "the first start with them", branches::ddl, &branches::is_fit});
}

/// Nothing where there are none: only messages need them, and the first one makes them.
void examine_messages(examination& into, question& q)
{
    constexpr char name[] = "tables of messages";
    try {
        if (tasks::is_fit(q)) into.add(name, level::ok, "there, and fit for use");
    } catch (driver_error const& error) {
        if (error.native_code() != 0) throw;
        into.add(name, level::warning, "there, and not fit for use", error.what());
    }
}

/// @return the table that a force can be measured with; empty when there is none.
std::string examine_rows(examination& into, question& q, bool may_make)
{
    bool const is_fit = examine_table(into, q, may_make,
                                      {"table of commit rows", "commit rows", "the first one",
                                       decisions::ddl, &decisions::is_fit});
    if (is_fit) return "assent_decision (gtrid, kind, content) values ('doctor', 'a', '')";
    if (!q.is_mariadb() || into.identity.empty()) return {};
    return "assent_identity (id, value) values (2, '')";
}

/// A row that comes and goes within one transaction: its commit is forced like any other, also in
/// the binary log, and nobody ever sees the row.
void measure_force(examination& into, question& q, std::string const& probe)
{
    if (probe.empty()) {
        into.why_no_force =
            "there is no table of ours that could be written to without leaving something behind";
        return;
    }
    std::string const table = probe.substr(0, probe.find(' '));
    std::string const key = table == "assent_decision" ? "gtrid = 'doctor'" : "id = 2";
    try {
        into.force = dialects::measure(dialects::forces, [&] {
            q.ask("start transaction");
            q.ask("insert into " + probe);
            q.ask("delete from " + table + " where " + key);
            return dialects::time_of([&] { q.ask("commit and no chain no release"); });
        });
    } catch (driver_error const& error) {
        if (is_connection_lost(static_cast<unsigned>(error.native_code()))) throw;
        q.ask("rollback and no chain no release");
        into.why_no_force = error.what();
    }
}

}  // namespace

examination examine(question& q, examination_settings const& chosen)
{
    examination told;
    told.kind = q.is_mariadb() ? "mariadb" : "mysql";
    auto const who = read_answer(q);
    told.identity = who.identity;
    auto const all = read_settings(q);
    facts const of = read_facts(q, all, who);
    told.version = of.version;
    dialects::apply(told, checks, of, chosen.allow_non_durable);
    dialects::judge(told, rules, all, chosen.allow_non_durable);
    bool const may_make = may_create(q);
    examine_listing(told, q, chosen.may_list);
    examine_identity(told, may_make);
    examine_past(told, q, may_make);
    std::string const probe = examine_rows(told, q, may_make);
    examine_reservations(told, q, may_make, of.has_binlog && !chosen.allow_non_durable);
    examine_messages(told, q);
    dialects::add_client(told, chosen.client);
    told.round_trip = dialects::measure(
        dialects::round_trips, [&] { return dialects::time_of([&] { q.ask("select 1"); }); });
    measure_force(told, q, of.is_writable ? probe : std::string{});
    return told;
}

}  // namespace assent::mysql_dialect
