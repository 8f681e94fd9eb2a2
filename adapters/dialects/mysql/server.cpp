// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/server.hpp"

#include <array>
#include <map>
#include <random>
#include <set>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"

namespace assent::mysql_dialect {

// A user name may hold an @, a host may not.  The session's own characters may have none (swe7).
char const user_column[] =
    "left(user(), char_length(user()) - char_length(substring_index(user(), _utf8mb4'@', -1)) - 1)";

// Where names are compared without regard to case, ORDERS and orders are one database.
char const database_column[] = "if(@@lower_case_table_names = 0, database(), lower(database()))";

char const detach_is_off[] =
    "xa_detach_on_prepare is OFF, so that a reset connection loses a commit: let an administrator "
    "run SET PERSIST xa_detach_on_prepare = ON";

std::string as_bytes(std::string const& column)
{
    return "cast(convert(" + column + " using utf8mb4) as binary)";
}

namespace {

constexpr char make_identity[] =
    "CREATE TABLE assent_identity (id TINYINT NOT NULL PRIMARY KEY, value CHAR(32) CHARACTER SET "
    "ascii NOT NULL) ENGINE=InnoDB; INSERT INTO assent_identity VALUES (1, lower(hex("
    "random_bytes(16))))";

constexpr char select_identity[] = "select value from assent_identity where id = 1";

// The longest database name is 64 characters, of up to four bytes; identities have 120 bytes.
std::string identity_of(std::string const& kind, std::string_view server, std::string_view database)
{
    std::string identity = kind;
    identity.append(":").append(server).append("/");
    constexpr std::size_t bytes_max = 120;
    if (identity.size() + database.size() <= bytes_max) return identity.append(database);
    // FNV-1a tells long names with the same beginning apart.
    std::uint64_t digest = 14695981039346656037U;
    for (unsigned char c : database)
        digest = (digest ^ c) * 1099511628211U;
    std::array<char, 16> hex{};
    for (std::size_t i = hex.size(); i-- > 0; digest >>= 4)
        hex[i] = "0123456789abcdef"[digest & 15];
    std::size_t const kept = bytes_max - identity.size() - hex.size() - 1;
    return identity.append(database.substr(0, kept)).append("#").append(hex.data(), hex.size());
}

std::string random_identity()
{
    std::random_device random;
    std::string text;
    for (int i = 0; i < 8; ++i) {
        std::uint32_t bits = random();
        for (int digit = 0; digit < 4; ++digit, bits >>= 4)
            text += "0123456789abcdef"[bits & 15];
    }
    return text;
}

// The driver cannot know whether the resource manager was bound before, and need not: a table that
// is missing on a bound server gets a *new* random value, so its identity has changed, and with a
// changed identity nothing is decided there.  Of several creators the primary key lets one win,
// and each reads back what stands there.
void ensure_identity(question& q)
{
    try {
        auto const found = q.ask(select_identity);
        if (!found.empty()) return;
    } catch (driver_error const& error) {
        if (error.native_code() != static_cast<int>(code::no_such_table)) throw;
    }
    try {
        q.ask(
            "create table if not exists assent_identity (id tinyint not null primary key, "
            "value char(32) character set ascii not null) engine=InnoDB");
        q.ask("insert ignore into assent_identity values (1, '" + random_identity() + "')");
    } catch (driver_error const& error) {
        q.fail(std::string("cannot create the table that gives this MariaDB an identity (") +
               error.what() + "); let an administrator run, in this database: " + make_identity);
    }
}

// Tells a server from others without a look into any table.
std::string instance_column(bool mariadb)
{
    return as_bytes(mariadb ? "concat_ws('/', @@server_id, @@hostname, @@port, @@datadir)"
                            : "@@server_uuid");
}

std::string start_column(bool mariadb)
{
    return as_bytes(std::string("(select cast(unix_timestamp() - variable_value as signed) from ") +
                    (mariadb ? "information_schema" : "performance_schema") +
                    ".global_status where variable_name = 'Uptime')");
}

constexpr std::size_t whoami_columns = 8;

// One statement, so that identity and state are of one server, behind whatever proxy.
// `who`, `start`: SQL expressions.
std::string whoami_query(std::string const& who, bool mariadb, std::string const& start)
{
    return "select " + as_bytes(who) + ", " + as_bytes(database_column) + ", " +
           as_bytes("@@read_only + 0") + ", " + as_bytes(mariadb ? "0" : "@@super_read_only + 0") +
           ", " + as_bytes("@@log_bin + 0") + ", " + instance_column(mariadb) + ", " + start +
           ", " + as_bytes(mariadb ? "@@server_id" : "''");
}

std::string whoami_query(bool mariadb)
{
    return whoami_query(
        mariadb ? "(select value from assent_identity where id = 1)" : "@@server_uuid", mariadb,
        start_column(mariadb));
}

// Of a server without its table: this equals nothing that a table ever gave.
std::string nobody_query(bool mariadb)
{
    return whoami_query("'none'", mariadb, start_column(mariadb));
}

// Nothing but variables is read; MariaDB's identity is none of them.
std::string lent_query(bool mariadb)
{
    return whoami_query(mariadb ? "'none'" : "@@server_uuid", mariadb, "''");
}

server_answer read_whoami(question& q, row const& from)
{
    std::string const kind = q.is_mariadb() ? "mariadb" : "mysql";
    if (text_of(from, 0).empty())
        q.fail("the table assent_identity is empty, so the server has lost its identity");
    return {identity_of(kind, text_of(from, 0), text_of(from, 1)),
            number_of(from, 2) == 0 && number_of(from, 3) == 0, number_of(from, 4) != 0,
            server_life{std::string(text_of(from, 5)), std::string(text_of(from, 6))},
            std::string(text_of(from, 7))};
}

using settings = std::map<std::string, std::string, std::less<>>;

bool is_on(settings const& all, std::string_view name)
{
    auto const found = all.find(name);
    return found != all.end() && (found->second == "ON" || found->second == "1");
}

bool differs(settings const& all, std::string_view name, std::string_view wanted)
{
    auto const found = all.find(name);
    return found != all.end() && found->second != wanted;
}

void check_settings(question& q, settings const& all, std::string const& version,
                    bool allow_non_durable)
{
    if (auto const why = why_unsafe(q.is_mariadb(), version); !why.empty()) q.fail(why);
    if (is_on(all, "wsrep_on")) {
        q.fail("wsrep_on is ON: Galera does not support XA; use a server outside of the cluster");
    }
    // With wsrep_on off for a while, XA works on this node alone, and the next state transfer
    // replaces what it voted for.
    if (differs(all, "wsrep_provider", "none") && differs(all, "wsrep_provider", "")) {
        q.fail(
            "wsrep_provider is set: this is a node of a Galera cluster, which does not support XA; "
            "use a server outside of the cluster");
    }
    if (!q.is_mariadb() && !is_on(all, "xa_detach_on_prepare")) {
        q.fail(detach_is_off);
    }
    if (allow_non_durable) return;
    if (differs(all, "innodb_flush_log_at_trx_commit", "1")) {
        q.fail(
            "innodb_flush_log_at_trx_commit is not 1, so a vote can be lost at power loss: set "
            "it to 1, or accept that with allow_non_durable");
    }
    if (is_on(all, "log_bin") && differs(all, "sync_binlog", "1")) {
        q.fail(
            "log_bin is ON and sync_binlog is not 1, so a vote can be lost at power loss: set "
            "it to 1, or accept that with allow_non_durable");
    }
}

// 'shop'@'127.0.0.1', as GRANT wants it.
std::string account_of(question& q)
{
    constexpr char sql[] =
        "select concat(quote(left(current_user(), char_length(current_user()) - "
        "char_length(substring_index(current_user(), _utf8mb4'@', -1)) - 1)), _utf8mb4'@', "
        "quote(substring_index(current_user(), _utf8mb4'@', -1)))";
    return std::string(text_of(q.one_row(sql, 1), 0));
}

// Who answers, and what is prepared there: one message, so no other server can stand behind the
// connection in between.
std::vector<table> list_branches(question& q, std::string const& who)
{
    std::vector<table> all;
    try {
        all = q.ask_branches(who);
    } catch (driver_error const& error) {
        if (error.native_code() != static_cast<int>(code::xaer_rmerr)) throw;
        // MySQL calls the missing right a fatal error in the branch.
        q.fail(
            "the account may not list prepared branches: let an administrator run "
            "GRANT XA_RECOVER_ADMIN ON *.* TO " +
            account_of(q));
    }
    if (all.size() != 2 || all[0].size() != 1 || all[0][0].size() < whoami_columns) {
        q.fail("the server's answer is not complete");
    }
    return all;
}

// The binary log is MariaDB's record of what was committed, and its own recovery looks there for
// names of its own only: a branch of ours is prepared again.  Of 15,429 that four sessions had
// acknowledged within eight kills, six were.
constexpr char undone_one_phase[] =
    "it is a MariaDB with a binary log, whose crash may undo an XA COMMIT ... ONE PHASE that was "
    "acknowledged";

// MySQL orders xids so that after a crash it does not find some of those with different format ids
// in the last binary log file, and rolls back what it had acknowledged as prepared.
std::string mixed_format_ids(std::set<std::string> const& seen)
{
    std::string all;
    for (auto const& id : seen)
        all += (all.empty() ? "" : ", ") + id;
    return "another transaction manager prepares branches with format id " + all +
           " on this server, those of this manager have " + std::to_string(mysql_format_id) +
           ": with a binary log, MySQL may then lose acknowledged branches of both when it "
           "crashes; "
           "let that manager use " +
           std::to_string(mysql_format_id) +
           " too, or another server, or switch the binary log off";
}

}  // namespace

bool is_same_session(std::uint64_t client_side, std::uint64_t server_side) noexcept
{
    return (client_side & 0xffffffffU) == (server_side & 0xffffffffU);
}

std::string why_unsafe(bool mariadb, std::string_view version)
{
    unsigned const number = version_number(version);
    if (mariadb ? number >= 100500 : number >= 80030) return {};
    return "the server is version " + std::string(version) +
           ", which loses prepared branches; use " +
           (mariadb ? "MariaDB 10.5 or later" : "MySQL 8.0.30 or later");
}

server_facts read_facts(question& q, bool allow_non_durable)
{
    settings all;
    auto const shown = q.ask(
        "show global variables where variable_name in ('innodb_flush_log_at_trx_commit', "
        "'log_bin', 'sync_binlog', 'wsrep_on', 'wsrep_provider', 'xa_detach_on_prepare')");
    for (row const& one : shown) {
        all.emplace(text_of(one, 0), text_of(one, 1));
    }
    bool const mariadb = q.is_mariadb();
    row const seen = q.one_row("select version(), " + as_bytes(user_column) + ", " +
                                   as_bytes(database_column) + ", connection_id()",
                               4);
    server_facts facts;
    facts.kind = mariadb ? "mariadb" : "mysql";
    facts.version = text_of(seen, 0);
    facts.user = text_of(seen, 1);
    facts.database = text_of(seen, 2);
    facts.is_proxied = !is_same_session(q.session_id(), number_of(seen, 3));
    if (facts.database.empty()) q.fail("no database is chosen: name it in the connect options");
    check_settings(q, all, facts.version, allow_non_durable);
    if (mariadb) ensure_identity(q);
    // Recovery without the right to list branches would be found out too late.
    server_answer who = read_whoami(q, list_branches(q, whoami_query(mariadb))[0][0]);
    facts.identity = std::move(who.identity);
    facts.instance = std::move(who.life.instance);
    facts.server_start = std::move(who.life.start);
    facts.history = std::move(who.history);
    if (mariadb && who.has_binlog && !allow_non_durable) facts.one_phase_hazard = undone_one_phase;
    if (facts.server_start.empty()) q.fail("the server does not say when it started");
    return facts;
}

char const* identity_ddl() noexcept
{
    return make_identity;
}

server_answer read_answer(question& q)
{
    try {
        return read_whoami(q, q.one_row(whoami_query(q.is_mariadb()), whoami_columns));
    } catch (driver_error const& error) {
        if (error.native_code() != static_cast<int>(code::no_such_table)) throw;
    }
    server_answer who = read_whoami(q, q.one_row(nobody_query(q.is_mariadb()), whoami_columns));
    who.identity.clear();
    return who;
}

scan_result read_branches(question& q)
{
    std::vector<table> all;
    try {
        all = list_branches(q, whoami_query(q.is_mariadb()));
    } catch (driver_error const& error) {
        if (error.native_code() != static_cast<int>(code::no_such_table)) throw;
        // A server without its table is another one than the one that was bound.
        all = list_branches(q, nobody_query(q.is_mariadb()));
    }
    server_answer const who = read_whoami(q, all[0][0]);
    scan_result seen;
    seen.identity = who.identity;
    seen.life = who.life;
    seen.history = who.history;
    seen.is_writable_primary = who.is_writable;
    std::set<std::string> format_ids;
    for (row const& one : all[1]) {
        if (one.size() < 4) q.fail("the server's answer is not complete");
        auto const ours =
            read_listed(text_of(one, 0), text_of(one, 1), text_of(one, 2), text_of(one, 3));
        if (ours) {
            seen.ours.push_back(*ours);
            continue;
        }
        ++seen.foreign_count;
        if (number_of(one, 0) != mysql_format_id) format_ids.emplace(text_of(one, 0));
    }
    if (!q.is_mariadb() && who.has_binlog && !format_ids.empty()) {
        seen.warnings.push_back(mixed_format_ids(format_ids));
    }
    return seen;
}

dialects::any_branch_list list_any(question& q)
{
    auto const all = list_branches(q, whoami_query(q.is_mariadb()));
    server_answer const who = read_whoami(q, all[0][0]);
    dialects::any_branch_list seen;
    seen.identity = who.identity;
    seen.life = who.life;
    seen.history = who.history;
    seen.is_writable_primary = who.is_writable;
    for (row const& one : all[1]) {
        if (one.size() < 4) q.fail("the server's answer is not complete");
        auto const name =
            read_foreign(text_of(one, 0), text_of(one, 1), text_of(one, 2), text_of(one, 3));
        if (name) seen.branches.push_back(*name);
    }
    return seen;
}

server_life read_life(question& q)
{
    bool const mariadb = q.is_mariadb();
    row const seen =
        q.one_row("select " + instance_column(mariadb) + ", " + start_column(mariadb), 2);
    return {std::string(text_of(seen, 0)), std::string(text_of(seen, 1))};
}

// A lent session may have a transaction before it for which its owner chose something, or warnings
// behind it: nothing but variables is read there.  A table of a transactional engine would make the
// query a transaction, which takes such a choice with it; one of information_schema the warnings.
bool check_work_session(question& q, server_facts const& expected, whose_session whose,
                        server_life& life)
{
    bool const mariadb = q.is_mariadb();
    if (mariadb != (expected.kind == "mariadb")) {
        q.fail("the connection leads to another kind of server");
    }
    bool const is_by_instance = mariadb && whose == whose_session::lent;
    std::string sql = whose == whose_session::lent ? lent_query(mariadb) : whoami_query(mariadb);
    sql += ", " + as_bytes(user_column) + ", " + as_bytes("@@autocommit + 0") + ", " +
           as_bytes(mariadb ? "1" : "@@session.xa_detach_on_prepare + 0") + ", " +
           as_bytes("connection_id()");
    row seen;
    try {
        seen = q.one_row(sql, whoami_columns + 4);
    } catch (driver_error const& error) {
        if (error.native_code() != static_cast<int>(code::no_such_table)) throw;
        q.fail(
            "the connection leads to another server or database: it has no table assent_identity");
    }
    if (text_of(seen, 1).empty()) q.fail("the connection has chosen no database");
    if (text_of(seen, 1) != expected.database) {
        q.fail("the connection uses the database " + std::string(text_of(seen, 1)) + ", not " +
               expected.database);
    }
    server_answer who = read_whoami(q, seen);
    life = std::move(who.life);
    if (is_by_instance && life.instance != expected.instance) {
        q.fail("the connection leads to another server: " + life.instance);
    }
    if (!is_by_instance && who.identity != expected.identity) {
        q.fail("the connection leads to another server: its identity is " + who.identity);
    }
    if (!who.is_writable) q.fail("the connection leads to a read-only server");
    if (text_of(seen, whoami_columns) != expected.user) {
        q.fail("the connection is of the account " + std::string(text_of(seen, whoami_columns)) +
               ", not " + expected.user + ": the manager could not end its session");
    }
    if (number_of(seen, whoami_columns + 1) == 0)
        q.fail("the connection has autocommit off, and may be in a transaction: switch it on");
    if (number_of(seen, whoami_columns + 2) == 0) {
        q.fail("the connection has xa_detach_on_prepare off: switch it on");
    }
    return is_same_session(q.session_id(), number_of(seen, whoami_columns + 3));
}

}  // namespace assent::mysql_dialect
