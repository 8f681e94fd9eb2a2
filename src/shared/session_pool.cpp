// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "shared/session_pool.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include <assent/error.hpp>

#include "shared/context.hpp"

namespace assent::shared {

namespace {

constexpr std::size_t holders_named_max = 8;
/// How far below the top a session is looked for whose reset is answered already.
constexpr std::size_t looked_at_max = 4;

/// Whether something can be read: an answer, or the end of the connection.  A session without a
/// socket of its own cannot tell.
bool is_readable(driver_session const& session) noexcept
{
    pollfd one{session.descriptor(), POLLIN | POLLRDHUP, 0};
    return one.fd >= 0 && ::poll(&one, 1, 0) != 0;
}

std::string seconds(deadline::duration time)
{
    auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    std::string const rest = std::to_string(1000 + ms % 1000);
    return std::to_string(ms / 1000) + '.' + rest.substr(1) + " s";
}

}  // namespace

// ---- seats -----------------------------------------------------------------------------------

pool_seat& pool_seat::operator=(pool_seat&& other) noexcept
{
    if (this != &other) {
        leave();
        pool_ = std::exchange(other.pool_, nullptr);
        where_ = other.where_;
    }
    return *this;
}

void pool_seat::leave() noexcept
{
    if (pool_ != nullptr) std::exchange(pool_, nullptr)->leave(where_);
}

session_pool::session_pool(context& shared, std::string resource_manager, bool always_resets)
    : shared_(shared), name_(std::move(resource_manager)), always_resets_(always_resets)
{
}

bool session_pool::has_room() const
{
    return holders_.size() < std::max(1U, shared_.bounds.pooled_sessions_max);
}

/// One seat is one call: whoever was called calls the next one while there is room.
void session_pool::call_next()
{
    if (!waiting_.empty() && (has_room() || is_closed_)) waiting_.front()->called.notify_one();
}

pool_seat session_pool::enter(gtrid const& who, deadline until)
{
    auto const asked = shared_.time.now();
    std::string refused;
    bool has_waited = false;
    std::list<seat_holder> entry(1);  // memory is asked for before anything depends on it
    entry.front().of = who;
    entry.front().thread = ::gettid();
    auto const where = entry.begin();  // stays valid in the other list
    {
        std::unique_lock held{mutex_};
        if (!is_closed_ && (!has_room() || !waiting_.empty())) {
            has_waited = true;
            waiter me;
            waiting_.push_back(&me);
            while (!is_closed_ && !(has_room() && waiting_.front() == &me) &&
                   shared_.time.now() < until) {
                shared_.time.wait(held, me.called, until);
            }
            bool const is_my_turn = has_room() && waiting_.front() == &me;
            waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &me));
            if (!is_my_turn && !is_closed_) {
                refused = exhausted(shared_.time.now());
                call_next();
            }
        }
        if (is_closed_) throw error{errc::closed, "the transaction manager was closed", who};
        if (refused.empty()) {
            entry.front().since = shared_.time.now();
            holders_.splice(holders_.end(), entry);
            call_next();
        }
    }
    if (!refused.empty()) {
        shared_.tell(severity::warning, "pool.exhausted", name_, who.text(), refused);
        throw error{errc::exhausted, refused, who};
    }
    pool_seat mine{*this, where};
    if (has_waited) {
        shared_.tell(severity::debug, "pool.waited", name_, who.text(),
                     seconds(shared_.time.now() - asked));
    }
    return mine;
}

void session_pool::leave(std::list<seat_holder>::iterator where) noexcept
{
    std::lock_guard const held{mutex_};
    holders_.erase(where);
    call_next();
}

/// Who holds the seats, longest first, in words.
std::string session_pool::exhausted(deadline now) const
{
    std::string text = "\"" + name_ + "\": all " + std::to_string(holders_.size()) +
                       " sessions of its pool (limits::pooled_sessions_max) were leased until "
                       "this transaction's deadline, by";
    std::size_t named = 0;
    for (auto const& each : holders_) {
        if (named == holders_named_max) {
            text += " and " + std::to_string(holders_.size() - named) + " more";
            break;
        }
        text += named++ == 0 ? " " : ", ";
        text += std::string{each.of.text()} + " for " + seconds(now - each.since) +
                (each.thread == ::gettid() ? " on this very thread"
                                           : " on thread " + std::to_string(each.thread));
    }
    return text;
}

// ---- sessions --------------------------------------------------------------------------------

pooled_session session_pool::take(deadline until)
{
    for (;;) {
        pooled_session one = pop();
        if (!one.session) return one;
        auto const why = why_unfit(one, until);
        if (why.empty()) return one;
        shared_.tell(severity::debug, "pool.session_replaced", name_, {}, why);
    }
}

/// The last one in whose reset is answered; else the last one in, and it is waited for.
pooled_session session_pool::pop()
{
    std::lock_guard const held{mutex_};
    if (idle_.empty() || is_closed_) {
        pooled_session none;
        none.origin = {shared_.time.now(), era_};
        return none;
    }
    auto at = std::prev(idle_.end());
    for (std::size_t i = 0; i < std::min(looked_at_max, idle_.size()); ++i) {
        auto const other = std::prev(idle_.end(), static_cast<std::ptrdiff_t>(i) + 1);
        if (other->is_resetting && !is_readable(*other->session)) continue;
        at = other;
        break;
    }
    pooled_session taken = std::move(*at);
    idle_.erase(at);
    return taken;
}

std::string session_pool::why_unfit(pooled_session& one, deadline until)
{
    auto const now = shared_.time.now();
    auto const& bounds = shared_.bounds;
    if (now - one.origin.opened >= bounds.session_age_max) return "it was too old";
    if (now - one.idle_since >= bounds.session_idle_max) return "it was idle for too long";
    if (std::exchange(one.is_resetting, false) &&
        !one.session->collect_reset(std::min(until, now + bounds.server_call))) {
        return "it could not be reset";
    }
    if (is_readable(*one.session)) return "its connection was closed, or out of step";
    return {};
}

void session_pool::give(pooled_session idle) noexcept
{
    auto const now = shared_.time.now();
    bool is_kept = now - idle.origin.opened < shared_.bounds.session_age_max;
    if (is_kept && (always_resets_ || shared_.bounds.reset_leases)) {
        idle.session->submit_reset();
        idle.is_resetting = true;
    }
    idle.idle_since = now;
    std::lock_guard const held{mutex_};
    is_kept = is_kept && !is_closed_ && idle.origin.era == era_;
    // What is not kept, if only for want of memory, is closed after the lock was let go.
    try {
        if (is_kept) idle_.push_back(std::move(idle));
    } catch (std::bad_alloc const&) {
        return;
    }
}

void session_pool::drop_all()
{
    std::vector<pooled_session> gone;
    std::lock_guard const held{mutex_};
    ++era_;
    gone.swap(idle_);
}

void session_pool::tend()
{
    std::vector<pooled_session> gone;
    auto const before = shared_.time.now() - shared_.bounds.session_idle_max;
    std::lock_guard const held{mutex_};
    auto const kept = std::find_if(idle_.begin(), idle_.end(),
                                   [before](auto const& each) { return each.idle_since > before; });
    gone.assign(std::make_move_iterator(idle_.begin()), std::make_move_iterator(kept));
    idle_.erase(idle_.begin(), kept);
}

void session_pool::close()
{
    std::vector<pooled_session> gone;
    std::lock_guard const held{mutex_};
    is_closed_ = true;
    gone.swap(idle_);
    for (auto* each : waiting_)
        each->called.notify_one();
}

session_pool::counts session_pool::now() const
{
    std::lock_guard const held{mutex_};
    return {holders_.size(), idle_.size(), waiting_.size()};
}

}  // namespace assent::shared
