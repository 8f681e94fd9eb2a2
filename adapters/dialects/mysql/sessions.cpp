// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sessions.cpp -- the guardian's lock, and the sessions of our account.
//
// An account sees its own sessions without any right, so "not listed" means gone for them; what
// other accounts do is none of our business, and none of their sessions is ever touched.

#include <array>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/server.hpp"
#include "adapters/dialects/session_numbers.hpp"

namespace assent::mysql_dialect {

namespace {

// Locks belong to the whole server, and one server may hold several of our databases, each with a
// guardian of the same node: so the database is part of the name, by its digest, because a name
// has at most 64 characters.  7 + 16 + 1 + 32 = 56.  (MySQL 9.7 has neither MD5 nor SHA1 any more.)
std::string lock_name(std::uint64_t node)
{
    std::array<char, 16> hex{};
    for (std::size_t i = hex.size(); i-- > 0; node >>= 4)
        hex[i] = "0123456789abcdef"[node & 15];
    return "concat('assent:" + std::string(hex.data(), hex.size()) + ":', left(sha2(" +
           database_column + ", 256), 32))";
}

// Whoever runs nothing for so long has no COMMIT of its last owner in its socket any more.
constexpr int idle_before_ending_s = 2;

// What the process list shows of one session.
struct listed_session
{
    bool is_there = false;
    bool is_of_our_account = false;
    bool is_running = false;  ///< a statement, and not one of XA's
    bool is_idle = false;     ///< it has run nothing for idle_before_ending_s
    std::string query_id;     ///< MariaDB
};

listed_session look_up(question& q, std::uint64_t id)
{
    std::string const query_id = q.is_mariadb() ? "p.query_id" : "0";
    row const seen = q.one_row(
        std::string("select connection_id(), ") + user_column + ", p.id is not null, p.user, " +
            "p.command, " + query_id +
            ", ltrim(ifnull(p.info, '')) like 'xa %', p.command = 'Sleep' and p.time >= " +
            std::to_string(idle_before_ending_s) +
            " from (select 1) as one left join information_schema.processlist p "
            "on p.id = " +
            std::to_string(id),
        8);
    if (!is_same_session(q.session_id(), number_of(seen, 0))) {
        q.fail("the connection is proxied, so a session cannot be ended by its number");
    }
    listed_session found;
    if (number_of(seen, 2) == 0) return found;
    found.is_there = true;
    found.is_of_our_account = text_of(seen, 3) == text_of(seen, 1);
    bool const executes = text_of(seen, 4) == "Query" || text_of(seen, 4) == "Execute";
    found.is_running = executes && number_of(seen, 6) == 0;
    found.query_id = text_of(seen, 5);
    found.is_idle = number_of(seen, 7) == 1;
    return found;
}

// A session that has just ended by itself needs no killing.
void kill(question& q, std::string const& what)
{
    try {
        q.ask("kill " + what);
    } catch (driver_error const& error) {
        int const said = error.native_code();
        if (said != static_cast<int>(code::no_such_thread) &&
            said != static_cast<int>(code::no_such_query)) {
            throw;
        }
    }
}

bool is_older(std::uint64_t other, std::uint64_t ours, bool mariadb) noexcept
{
    return mariadb ? dialects::is_older_of_32_bits(other, ours) : other < ours;
}

}  // namespace

std::optional<std::string> take_guard(question& q, std::uint64_t node)
{
    std::string name = lock_name(node);
    row const said = q.one_row("select get_lock(" + name + ", 0)", 1);
    if (!said[0]) q.fail("the server could not say whether the guardian's lock is free");
    if (text_of(said, 0) != "1") return std::nullopt;
    return name;
}

void renew_guard(question& q, std::string const& lock)
{
    if (lock.empty()) q.fail("this session holds no guardian's lock");
    row const said = q.one_row("select is_used_lock(" + lock + ") = connection_id()", 1);
    if (text_of(said, 0) != "1") q.fail("the guardian's lock was lost");
}

std::string guard_holder(question& q, std::uint64_t node)
{
    row const said = q.one_row("select is_used_lock(" + lock_name(node) + ")", 1);
    return said[0] ? "session " + std::string{text_of(said, 0)} : std::string{};
}

session_presence find_session(question& q, std::uint64_t id)
{
    if (id == 0) return session_presence::unknown;
    row const said = q.one_row(
        "select connection_id(), (select count(*) from information_schema.processlist where id = " +
            std::to_string(id) + ")",
        2);
    if (!is_same_session(q.session_id(), number_of(said, 0))) return session_presence::unknown;
    return number_of(said, 1) == 0 ? session_presence::gone : session_presence::present;
}

session_presence find_sessions_before(question& q, std::uint64_t first)
{
    auto const all =
        q.ask(std::string(
                  "select connection_id(), id from information_schema.processlist where user = ") +
              user_column);
    if (all.empty()) q.fail("the server's answer is not complete");
    bool const mariadb = q.is_mariadb();
    session_presence found = session_presence::gone;
    for (row const& one : all) {
        if (one.size() < 2) q.fail("the server's answer is not complete");
        std::uint64_t const self = number_of(one, 0);
        if (!is_same_session(q.session_id(), self)) return session_presence::unknown;
        // Ids are compared whole, or not at all: the client library may know 32 bits of `first`.
        bool const is_before = first != 0 && self <= 0xffffffffU && is_older(first, self, mariadb);
        std::uint64_t const bound = is_before ? first : self;
        if (is_older(number_of(one, 1), bound, mariadb)) found = session_presence::present;
    }
    return found;
}

std::vector<std::uint64_t> other_sessions(question& q)
{
    auto const all =
        q.ask(std::string(
                  "select connection_id(), id from information_schema.processlist where user = ") +
              user_column);
    if (all.empty()) q.fail("the server's answer is not complete");
    std::vector<std::uint64_t> others;
    for (row const& one : all) {
        if (one.size() < 2) q.fail("the server's answer is not complete");
        if (!is_same_session(q.session_id(), number_of(one, 0))) {
            q.fail("sessions cannot be told apart behind a proxy that gives out its own numbers");
        }
        if (number_of(one, 1) != number_of(one, 0)) others.push_back(number_of(one, 1));
    }
    return others;
}

bool cancel_running(question& q, std::uint64_t id, dialects::cancelled_sessions& cancelled)
{
    listed_session const found = look_up(q, id);
    if (!found.is_there) return false;
    if (!found.is_of_our_account) q.fail("the session to cancel belongs to another account");
    if (!found.is_running) return false;
    cancelled.add(id);
    // MariaDB can be told which statement is meant, so a late cancel hits nothing else.
    kill(q, q.is_mariadb() ? "query id " + found.query_id : "query " + std::to_string(id));
    return true;
}

void kill_session(question& q, std::uint64_t id)
{
    listed_session const found = look_up(q, id);
    if (!found.is_there) return;
    if (!found.is_of_our_account) q.fail("the session to end belongs to another account");
    kill(q, "connection " + std::to_string(id));
}

bool kill_idle_session(question& q, std::uint64_t id)
{
    listed_session const found = look_up(q, id);
    if (!found.is_there || !found.is_idle) return false;
    if (!found.is_of_our_account) q.fail("the session to end belongs to another account");
    kill(q, "connection " + std::to_string(id));
    return true;
}

}  // namespace assent::mysql_dialect
