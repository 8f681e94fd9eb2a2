// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sessions.cpp -- sessions that come and go, and what they hold.
//
// When a session ends, its active branch is rolled back, its prepared one is kept for others, and
// its guardian locks are free.  A client that has gone is noticed only when the server has read
// what the client had sent: until then the session, and whatever it holds, is still there.

#include <algorithm>
#include <stdexcept>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

std::unique_ptr<memory_connection> server::open(std::uint64_t process, session_purpose purpose)
{
    deadline const present = now();
    lock held(mutex_);
    if (dead_processes_.count(process) != 0) throw driver_error("the process was killed");
    if (!is_up_ || is_frozen_) throw driver_error("the server is down");
    std::uint64_t const id = ++sessions_made_;
    session& s = sessions_[id];
    s.process = process;
    s.purpose = purpose;
    if (purpose == session_purpose::guardian) s.lease_end = present + options_.guardian_lease;
    return std::unique_ptr<memory_connection>(new memory_connection(shared_from_this(), id));
}

void server::close(std::uint64_t id) noexcept
{
    lock held(mutex_);
    drop_client(id);
}

void server::declare_read_only(std::uint64_t id) noexcept
{
    lock held(mutex_);
    auto const at = sessions_.find(id);
    if (at != sessions_.end()) at->second.is_read_only_next = true;
}

std::uint64_t server::new_process()
{
    lock held(mutex_);
    return ++processes_made_;
}

void server::kill_process(std::uint64_t process)
{
    lock held(mutex_);
    dead_processes_.insert(process);
    std::vector<std::uint64_t> of_it;
    for (auto const& [id, s] : sessions_) {
        if (s.process == process) of_it.push_back(id);
    }
    for (auto const id : of_it)
        drop_client(id);
    // The next process knows only what its log and the scans say.
    for (auto& [x, b] : durable_.branches)
        b.is_end_heard = false;
}

bool server::is_connected(std::uint64_t id) const
{
    lock held(mutex_);
    return is_proceeding(id);
}

bool server::is_reusable(std::uint64_t id) const
{
    lock held(mutex_);
    if (!is_proceeding(id)) return false;
    session const& s = sessions_.at(id);
    return !s.attached && !s.is_in_local_transaction && !s.is_cancelled && !s.is_out_of_step &&
           !s.outstanding;
}

void server::drop_client(std::uint64_t id)
{
    auto const at = sessions_.find(id);
    if (at == sessions_.end()) return;
    session& s = at->second;
    if (s.outstanding) lose(*s.outstanding);
    s.outstanding.reset();
    bool const has_unread =
        std::any_of(held_.begin(), held_.end(), [id](held_request const& request) {
            return request.session == id && request.is_before_effect;
        });
    if (has_unread || is_lingering_ || is_frozen_) {
        s.is_client_gone = true;
    } else {
        end_session(id);
    }
}

void server::end_session(std::uint64_t id)
{
    auto const at = sessions_.find(id);
    if (at == sessions_.end()) return;
    session& s = at->second;
    if (s.outstanding) lose(*s.outstanding);
    for (auto const& request : held_) {
        // What waits for a standby is on the disk already.
        if (request.session != id || !request.is_in_commit) continue;
        answer(*request.waiting, carry_out(id, request.waiting->what, request.waiting->branch),
               true);
    }
    if (s.attached) {
        branch& b = durable_.branches[*s.attached];
        if (b.at == phase::active) {
            finish(b, branch_fate::rolled_back);
        } else {
            detach(b);
        }
    }
    for (auto guard = guards_.begin(); guard != guards_.end();) {
        guard = guard->second == id ? guards_.erase(guard) : std::next(guard);
    }
    held_.erase(std::remove_if(held_.begin(), held_.end(),
                               [id](held_request const& request) { return request.session == id; }),
                held_.end());
    sessions_.erase(at);
}

void server::expire_leases(deadline present)
{
    std::vector<std::uint64_t> late;
    for (auto const& [id, s] : sessions_) {
        if (s.lease_end < present) late.push_back(id);
    }
    for (auto const id : late)
        end_session(id);
}

void server::cut(std::uint64_t id)
{
    lock held(mutex_);
    end_session(id);
}

void server::linger(bool on)
{
    lock held(mutex_);
    is_lingering_ = on;
    notice_departures();
}

/// Ends the sessions whose clients have gone, as far as the server is to notice.
void server::notice_departures()
{
    std::vector<std::uint64_t> gone;
    for (auto const& [id, s] : sessions_) {
        if (s.is_client_gone) gone.push_back(id);
    }
    for (auto const id : gone)
        drop_client(id);
}

bool server::try_guard(std::uint64_t id, std::uint64_t node)
{
    lock held(mutex_);
    auto const [at, is_new] = guards_.emplace(node, id);
    return is_new || at->second == id;
}

void server::renew_lease(std::uint64_t id)
{
    deadline const present = now();
    lock held(mutex_);
    auto const at = sessions_.find(id);
    if (at == sessions_.end()) throw driver_error("the guardian's session is gone");
    bool const is_holder = std::any_of(guards_.begin(), guards_.end(),
                                       [id](auto const& guard) { return guard.second == id; });
    if (!is_holder) throw driver_error("the session holds no guardian lock");
    at->second.lease_end = present + options_.guardian_lease;
}

bool server::is_guarded(std::uint64_t node) const
{
    lock held(mutex_);
    return guards_.count(node) != 0;
}

session_presence server::presence(std::uint64_t id) const
{
    lock held(mutex_);
    if (options_.is_proxied) return session_presence::unknown;
    return sessions_.count(id) != 0 ? session_presence::present : session_presence::gone;
}

session_presence server::older_sessions(std::uint64_t id) const
{
    lock held(mutex_);
    if (options_.is_proxied) return session_presence::unknown;
    bool const is_oldest = sessions_.empty() || sessions_.begin()->first >= id;
    return is_oldest ? session_presence::gone : session_presence::present;
}

void server::cancel(std::uint64_t id)
{
    lock held(mutex_);
    if (options_.is_proxied) throw driver_error("behind a proxy no session can be cancelled");
    auto const at = sessions_.find(id);
    if (at != sessions_.end()) at->second.is_cancelled = true;
}

void server::kill(std::uint64_t id)
{
    lock held(mutex_);
    if (options_.is_proxied) throw driver_error("behind a proxy no session can be ended");
    end_session(id);
}

std::string server::adopt(memory_connection const& handle, std::uint64_t process,
                          server_facts const& expected)
{
    server& other = *handle.server_;
    if (&other == this) return adopt(handle.id(), process, expected);
    lock held(other.mutex_);
    std::string const difference = other.difference_to(expected);
    return difference.empty() ? "it is connected to another server" : difference;
}

std::string server::adopt(std::uint64_t id, std::uint64_t process, server_facts const& expected)
{
    lock held(mutex_);
    if (!is_proceeding(id)) return "the connection is lost";
    session& s = sessions_[id];
    if (s.outstanding) return "it is busy: a reply is outstanding";
    if (s.attached) return "a branch is active on it";
    if (s.is_in_local_transaction) return "a transaction is open on it";
    std::string difference = difference_to(expected);
    if (difference.empty()) s.process = process;
    return difference;
}

/// How this server is not the one that is expected; empty when it is.
std::string server::difference_to(server_facts const& expected) const
{
    if (durable_.identity != expected.identity) return "it is connected to another server";
    if (options_.database != expected.database) return "it is connected to another database";
    if (options_.user != expected.user) return "it is connected as another user";
    return {};
}

}  // namespace assent::inline v0::testing::memory
