// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// closing.cpp -- the end of a manager.
//
//   drain   what can be finished is finished, what is still active can never prepare any more
//   stop    nothing runs: the reaper, the desk, the keepers, then the log, whose lock is released
//   last
//
// Invariant: the caller waits until its deadline and a moment, whatever hangs.  What hangs
// in a call to a server, or in a write of the log, ends by itself, and the engine with it.

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "engine/engine.hpp"
#include "ports/undisturbed.hpp"

namespace assent::engine {

close_report engine::close(deadline until)
{
    if (!drain_once(until)) {
        close_report left;
        left.is_drained = false;
        left.unfinished = shared_.live.names();
        left.notes.push_back(
            "another close() is at work, which waits longer, and stops everything");
        return left;
    }
    // What only has to be told is not left behind for want of a moment.
    bool const is_over = stop(std::max(until, shared_.time.now() + shared_.bounds.retry_min));
    close_report left;
    {
        std::lock_guard const held{closing_};
        if (closed_as_) left = *closed_as_;
    }
    if (!is_over) {
        left.notes.push_back(
            "a call to a database is not answered yet; the log is released when it ends");
    } else if (is_log_held_) {
        left.notes.push_back(
            "a write of the log hangs in the system; once this manager is destroyed, the log is "
            "released when that write ends");
    }
    return left;
}

/// One close() drains; a later one says what the first did.  @return whether that is known.
bool engine::drain_once(deadline until)
{
    std::unique_lock held{closing_};
    while (is_draining_ && shared_.time.now() < until)
        shared_.time.wait(held, drained_, until);
    if (is_draining_) return false;
    if (closed_as_) return true;
    is_draining_ = true;
    held.unlock();
    std::optional<close_report> left;
    try {
        left = drain(until);
    } catch (...) {
        held.lock();
        is_draining_ = false;
        drained_.notify_all();
        throw;
    }
    held.lock();
    closed_as_ = std::move(left);
    is_draining_ = false;
    drained_.notify_all();
    return true;
}

close_report engine::drain(deadline until)
{
    close_report left;
    {
        std::lock_guard const held{mutex_};
        shared_.is_closing = true;
    }
    // What is still active cannot be ended here: its handles are in other hands.  Its sessions
    // are ended at their servers instead, so that it can never be prepared.
    for (auto const& tx : shared_.live.all()) {
        reaper_.expire(*tx, "the transaction manager was closed", limits::duration{0});
    }
    // Whoever waits for a lease is told now.
    for (auto const& each : keepers())
        each->pool().close();
    while (shared_.time.now() < until && !is_quiet()) {
        shared_.live.wait_for_size(shared_.live.size() - 1, shared_.time,
                                   std::min(until, shared_.time.now() + shared_.bounds.retry_min));
    }
    left.unfinished = shared_.live.names();
    left.is_drained = left.unfinished.empty();
    // Resource managers that the log knows but nobody added count too: no scan has looked there.
    for (auto const& each : state().resource_managers) {
        if (each.is_drained) continue;
        left.is_drained = false;
        left.notes.push_back("\"" + each.name +
                             "\": " + (each.why.empty() ? each.undrained : each.why));
    }
    return left;
}

/// In a thread of its own, which keeps the engine: a keeper that waits for a server is not waited
/// for longer than the caller wants.
bool engine::stop(deadline until) noexcept
{
    shared_.is_closing = true;
    shared_.rows.end_waiting();
    std::unique_lock held{stopping_};
    if (running_ == running::yes) {
        running_ = running::stopping;
        held.unlock();
        bool is_under_way = false;
        auto self = weak_from_this().lock();
        if (self && has_threads_) {
            try {
                ports::undisturbed const here;  // the thread inherits it
                std::thread{[kept = std::move(self), until] { kept->stop_all(until); }}.detach();
                is_under_way = true;
            } catch (std::exception const&) {
                // No thread, or no memory for one: here, then.
            }
        }
        if (!is_under_way) stop_all(until);
        held.lock();
    }
    while (running_ != running::no && shared_.time.now() < until)
        shared_.time.wait(held, stopped_, until);
    return running_ == running::no;
}

/// Nobody may change the keepers' map any more, so it is read without its lock, and in place.
void engine::stop_all(deadline until) noexcept
{
    {
        std::lock_guard const held{mutex_};  // an add() that is under way ends first
    }
    reaper_.stop();
    collector_.stop();  // before the keepers, to which it leaves what was not answered
    desk_.stop(until);
    for (auto const& [name, keeper] : keepers_)
        keeper->stop(until);
    bool const is_released = shared_.log->close();
    std::lock_guard const held{stopping_};
    is_log_held_ = !is_released;
    running_ = running::no;
    stopped_.notify_all();
}

/// Whether every live transaction was severed at its servers: its owner may still hold the object.
bool engine::is_quiet() const
{
    auto const live = shared_.live.all();
    return std::all_of(live.begin(), live.end(), [](auto const& tx) {
        std::lock_guard const held{tx->mutex};
        if (tx->is_ending) return static_cast<bool>(tx->is_undecided);
        return std::all_of(tx->branches.begin(), tx->branches.end(), [](auto const& b) {
            std::lock_guard const branch_held{b->lock};
            return b->is_session_ended;
        });
    });
}

}  // namespace assent::engine
