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
    std::uint64_t const id = key_of(++sessions_made_);
    session& s = sessions_[id];
    s.process = process;
    s.purpose = purpose;
    if (purpose == session_purpose::guardian) lease(s, present);
    return std::unique_ptr<memory_connection>(new memory_connection(shared_from_this(), id));
}

void server::close(std::uint64_t id) noexcept
{
    lock held(mutex_);
    drop_client(id);
}

void server::declare(std::uint64_t id, branch_modes const& next) noexcept
{
    lock held(mutex_);
    auto const at = sessions_.find(id);
    if (at != sessions_.end()) at->second.next = next;
}

void server::announce(std::uint64_t id) noexcept
{
    lock held(mutex_);
    auto const at = sessions_.find(id);
    if (at != sessions_.end()) at->second.announces_row = true;
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
    ++deaths_;
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
           !s.outstanding && !s.looks_for;
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
        if (request.session != id) continue;
        if (request.is_in_xa_commit) {
            branch& b = durable_.branches[request.waiting->branch];
            if (b.at == phase::prepared) finish(b, branch_fate::rolled_back);
        }
        // What waits for a standby is on the disk already.
        if (!request.is_in_commit) continue;
        answer(*request.waiting, carry_out(id, request.waiting->what, request.waiting->branch),
               true);
    }
    if (s.attached) {
        branch& b = durable_.branches[*s.attached];
        if (b.at == phase::active) {
            finish(b, branch_fate::rolled_back);
        } else {
            detach(b);
            if (detach_takes_.count() != 0) b.kept_until = now() + detach_takes_;
        }
    }
    for (auto guard = guards_.begin(); guard != guards_.end();) {
        guard = guard->second == id ? guards_.erase(guard) : std::next(guard);
    }
    release_lanes(id);
    held_.erase(std::remove_if(held_.begin(), held_.end(),
                               [id](held_request const& request) { return request.session == id; }),
                held_.end());
    sessions_.erase(at);
}

void server::lease(session& to, deadline present)
{
    to.lease_end = present + options_.guardian_lease;
    quiet_until_ = std::min(quiet_until_, to.lease_end);
}

void server::expire_leases(deadline present)
{
    if (present < quiet_until_) return;
    quiet_until_ = deadline::max();
    std::vector<std::uint64_t> late;
    for (auto const& [id, s] : sessions_) {
        if (s.lease_end < present) {
            late.push_back(id);
        } else {
            quiet_until_ = std::min(quiet_until_, s.lease_end);
        }
    }
    for (auto const& [at, id] : late_kills_) {
        if (at <= present) {
            late.push_back(id);
        } else {
            quiet_until_ = std::min(quiet_until_, at);
        }
    }
    late_kills_.erase(std::remove_if(late_kills_.begin(), late_kills_.end(),
                                     [&](auto const& each) { return each.first <= present; }),
                      late_kills_.end());
    for (auto const id : late)
        end_session(id);
}

void server::cut(std::uint64_t number)
{
    lock held(mutex_);
    end_session(key_of(number));
}

void server::linger(bool on)
{
    lock held(mutex_);
    is_lingering_ = on;
    notice_departures();
}

void server::detach_slowly(std::chrono::milliseconds takes)
{
    lock held(mutex_);
    if (options_.acts_as == personality::mariadb) detach_takes_ = takes;
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
    lease(at->second, present);
}

std::optional<std::uint64_t> server::guard_holder(std::uint64_t node) const
{
    lock held(mutex_);
    auto const at = guards_.find(node);
    return at == guards_.end() ? std::nullopt : std::optional{at->second};
}

bool server::is_guarded(std::uint64_t node) const
{
    lock held(mutex_);
    return guards_.count(node) != 0;
}

session_presence server::presence(std::uint64_t number) const
{
    lock held(mutex_);
    if (options_.is_proxied) return session_presence::unknown;
    return sessions_.count(key_of(number)) != 0 ? session_presence::present
                                                : session_presence::gone;
}

session_presence server::sessions_before(std::uint64_t number) const
{
    lock held(mutex_);
    if (options_.is_proxied) return session_presence::unknown;
    bool const is_oldest = sessions_.empty() || sessions_.begin()->first >= key_of(number);
    return is_oldest ? session_presence::gone : session_presence::present;
}

/// What ends work of the application's own: whoever asks has taken one session for another.
void server::object_to_end_of(std::uint64_t id, char const* what)
{
    auto const at = sessions_.find(id);
    if (at == sessions_.end() || at->second.process != 0) return;
    violations_.push_back(std::string{what} + " session " + std::to_string(number_of(id)) +
                          ", which is a stranger's");
}

void server::cancel(std::uint64_t number)
{
    lock held(mutex_);
    if (options_.is_proxied) throw driver_error("behind a proxy no session can be cancelled");
    auto const id = key_of(number);
    object_to_end_of(id, "cancel");
    auto const at = sessions_.find(id);
    if (at != sessions_.end()) at->second.is_cancelled = true;
}

void server::kill(std::uint64_t number, entered const& how)
{
    deadline const present = now();
    lock held(mutex_);
    if (options_.is_proxied) throw driver_error("behind a proxy no session can be ended");
    auto const id = key_of(number);
    object_to_end_of(id, "end");
    if (how.is_without_effect) return;
    if (how.late_by.count() != 0) {
        late_kills_.emplace_back(present + how.late_by, id);
        quiet_until_ = std::min(quiet_until_, late_kills_.back().first);
    } else {
        end_session(id);
    }
}

bool server::kill_idle(std::uint64_t number, entered const& how)
{
    lock held(mutex_);
    if (options_.is_proxied) throw driver_error("behind a proxy no session can be ended");
    auto const id = key_of(number);
    bool const is_busy = std::any_of(held_.begin(), held_.end(),
                                     [id](auto const& each) { return each.session == id; });
    if (is_busy || sessions_.count(id) == 0) return false;
    if (how.is_without_effect) return true;
    // The server looks and ends in one step, so that this one cannot arrive late.
    end_session(id);
    return true;
}

std::string server::adopt(memory_connection const& handle, std::uint64_t process,
                          server_facts const& expected)
{
    server& other = *handle.server_;
    if (&other == this) return adopt(key_of(handle), process, expected);
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
