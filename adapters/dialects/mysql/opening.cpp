// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/opening.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/server.hpp"
#include "adapters/dialects/row_wait.hpp"

namespace assent::mysql_dialect {

namespace {

using variables = std::map<std::string, std::string, std::less<>>;

// A wait_timeout of 0 would become one second.  A chained commit begins a transaction that nobody
// ends: what follows is never committed.
std::string settings_of_manager(question const& q, session_purpose purpose)
{
    std::string sql = "set session autocommit = 1, lc_messages = 'en_US', wait_timeout = ";
    sql += purpose == session_purpose::guardian ? "10" : "31536000";
    std::string const wait = std::to_string(dialects::lock_wait.count());
    sql += ", innodb_lock_wait_timeout = " + wait + ", lock_wait_timeout = " + wait;
    sql +=
        ", completion_type = 'NO_CHAIN', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
        "sql_select_limit = "
        "18446744073709551615"
        ", group_concat_max_len = 1048576, sql_big_selects = 1, sql_safe_updates = 0";
    return sql + (q.is_mariadb() ? ", max_statement_time = 0, tx_read_only = 0"
                                 : ", max_execution_time = 0, transaction_read_only = 0");
}

// What is different in any two moments of one session, or is the server's and not the session's.
bool is_moving(std::string_view name)
{
    constexpr std::array<std::string_view, 12> moving = {
        "error_count", "identity",         "in_transaction", "insert_id",
        "last_gtid",   "last_insert_id",   "rand_seed1",     "rand_seed2",
        "timestamp",   "pseudo_thread_id", "statement_id",   "warning_count"};
    return std::find(moving.begin(), moving.end(), name) != moving.end() ||
           name.substr(0, 5) == "gtid_";
}

variables read_variables(question& q)
{
    variables all;
    for (row const& one : q.ask("show session variables")) {
        if (one.size() < 2) q.fail("the server does not show its variables whole");
        if (!is_moving(text_of(one, 0))) all.emplace(text_of(one, 0), text_of(one, 1));
    }
    return all;
}

bool is_number(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isdigit(c) != 0 || c == '.';
    });
}

// The statement that makes `now` what it was; nothing where it cannot be said for certain.
std::optional<std::string> difference(variables const& before, variables const& now)
{
    std::string sql;
    for (auto const& [name, value] : before) {
        auto const other = now.find(name);
        if (other != now.end() && other->second == value) continue;
        if (value.find_first_of("'\\") != value.npos) return std::nullopt;
        sql += (sql.empty() ? "set session " : ", session ") + name + " = ";
        sql += is_number(value) ? value : "'" + value + "'";
    }
    return sql;
}

std::string lower(std::string_view text)
{
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return made;
}

std::string_view trimmed(std::string_view text)
{
    constexpr char blanks[] = " \t\r\n";
    auto const from = text.find_first_not_of(blanks);
    if (from == text.npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

}  // namespace

bool only_sets_variables(std::string_view statements)
{
    std::string const all = lower(statements);
    // Functions, comments; what outlives the session, or is chosen for one transaction.
    for (char const* const doubtful : {"(", "/*", "#", "--", "global", "persist", "password",
                                       "role", "resource", "statement", "set transaction"}) {
        if (all.find(doubtful) != all.npos) return false;
    }
    for (std::size_t at = all.find('@'); at != all.npos; at = all.find('@', at + 2)) {
        if (all.compare(at, 2, "@@") != 0) return false;  // a variable of the user's
    }
    std::string_view left = all;
    while (!left.empty()) {
        auto const end = std::min(left.find(';'), left.size());
        std::string_view const one = trimmed(left.substr(0, end));
        if (!one.empty() && one.substr(0, 4) != "set ") return false;
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    return true;
}

void prepare_session(question& q, session_purpose purpose)
{
    q.ask(purpose == session_purpose::work ? std::string("set session autocommit = 1")
                                           : settings_of_manager(q, purpose));
    if (q.is_mariadb() || q.server_version() < 80029) return;
    // Only asked for where it is off: changing it needs a right that few accounts have.
    row const detach = q.one_row("select @@session.xa_detach_on_prepare", 1);
    if (number_of(detach, 0) != 0) return;
    try {
        q.ask("set session xa_detach_on_prepare = 1");
    } catch (driver_error const& error) {
        if (error.native_code() != static_cast<int>(code::access_denied)) throw;
        q.fail(detach_is_off);
    }
}

std::optional<std::vector<std::string>> told_after_reset(question& q,
                                                         std::function<void()> const& reset)
{
    bool const can_detach = !q.is_mariadb() && q.server_version() >= 80029;
    row const now = q.one_row(
        std::string("select @@global.init_connect, @@global.autocommit + 0, ") +
            (can_detach ? "@@global.xa_detach_on_prepare + 0" : "1") +
            ", concat('use `', replace(database(), '`', '``'), '`'), " +
            // A reset leaves the role as it is.  MySQL lists its roles as SET ROLE takes them.
            (q.is_mariadb() ? "ifnull(concat('`', replace(current_role(), '`', '``'), '`'), 'none')"
                            : "current_role()") +
            ", @@session.collation_connection",
        6);
    std::vector<std::string> told{"set role " + std::string(text_of(now, 4)),
                                  std::string(text_of(now, 3))};
    // A reset gives MariaDB's sessions the collation of their login back, MySQL's the default one.
    if (!q.is_mariadb()) {
        told.push_back("set session collation_connection = " + std::string(text_of(now, 5)));
    }
    if (number_of(now, 1) == 0) told.emplace_back("set session autocommit = 1");
    if (number_of(now, 2) == 0) told.emplace_back("set session xa_detach_on_prepare = 1");
    std::string_view const at_login = trimmed(text_of(now, 0));
    if (at_login.empty()) return told;
    if (!only_sets_variables(at_login)) return std::nullopt;
    variables const before = read_variables(q);
    reset();
    for (std::string const& each : told)
        q.ask(each);
    auto const more = difference(before, read_variables(q));
    if (!more) return std::nullopt;
    if (!more->empty()) {
        q.ask(*more);
        told.push_back(*more);
    }
    if (read_variables(q) != before) return std::nullopt;
    return told;
}

}  // namespace assent::mysql_dialect
