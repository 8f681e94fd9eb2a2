// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// parting.cpp -- an early return: the caller goes on when the decision is durable.
//
//   caller      COMMIT to every branch, on its own session --> its own ones answer --> answered
//   collector                                    the others answer --> settle, as in leaving.cpp
//
// The caller's own are those on borrowed connections, and those that are bound to its thread.
//
// Nothing is sent by another session than without an early return, and nothing in another order:
// only who waits is another one.
//
// Invariant: what is left behind is outstanding on sessions of the pool that any thread may use,
// and nothing else; a connection of the application's has had its last byte when commit() returns.

#include <algorithm>
#include <new>

#include "engine/collector.hpp"
#include "engine/termination.hpp"
#include "protocol/mutation.hpp"

namespace assent::engine {

using protocol::branch_state;
using protocol::reply_class;

namespace {

/// Given back when commit() returns, or of no use to another thread: the collector's call would be
/// answered as for a branch that this thread never had.
bool is_callers_own(branch const& b) noexcept
{
    return b.is_borrowed || b.rm->driver().capabilities().is_thread_bound;
}

}  // namespace

/// Whether the caller wants it, and there is memory for it: otherwise the caller waits.
bool termination::may_part() noexcept
{
    if (tx_.returns != commit_return::decision_logged) return false;
    auto self = shared_.live.find(tx_.id);
    if (!self) return false;
    try {
        parted_.push_back({std::move(self), stage_end()});
    } catch (std::bad_alloc const&) {
        return false;
    }
    return true;
}

/// @pre  may_part().  @return whether the rest is left behind; otherwise every branch was heard.
bool termination::part()
{
    auto const until = parted_.front().until;
    send_all();
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        bool const is_due = protocol::is_outstanding(tx_.coordinator.state(i));
        if (is_due && is_callers_own(*tx_.branches[i])) hear(i, until);
    }
    if (is_rest_leased()) return true;
    parted_.clear();
    hear_rest(until);
    return false;
}

/// Some are outstanding, and all else has confirmed: what a caller must hear of it, is told.
bool termination::is_rest_leased() const noexcept
{
    bool is_any_due = false;
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        auto const state = tx_.coordinator.state(i);
        bool const is_due = protocol::is_outstanding(state);
        bool const has_confirmed =
            state == branch_state::committed || state == branch_state::read_only;
        if (!is_due && !has_confirmed) return false;
        is_any_due = is_any_due || is_due;
    }
    return is_any_due;
}

void termination::leave_behind() noexcept
{
    release();
    if (process_.is_forked()) return;  // by an on_release: the rest is the parent's
    if (collector_.take(parted_)) return;
    // It was stopped, with all else that could wait for anybody.
    hear_behind(shared_.time.now());
    end_behind();
}

std::size_t termination::hear_behind(deadline until) noexcept
{
    is_behind_ = true;
    std::size_t due = 0;
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        if (!protocol::is_outstanding(tx_.coordinator.state(i))) continue;
        auto const now = shared_.time.now();
        bool const is_over = now >= until;
        try {
            if (listen(i, now)) continue;
            if (is_over && protocol::mutated(protocol::mutation::silence_behind_believed)) {
                tx_.coordinator.on_reply(i, reply_class::ok);
            } else if (is_over) {
                lose_reply(i, now);
            }
        } catch (std::bad_alloc const&) {
            // It may have been heard: what counts comes before the words for it.
            if (is_over && protocol::is_outstanding(tx_.coordinator.state(i))) {
                lose(*tx_.branches[i]);
                tx_.coordinator.on_reply(i, reply_class::silent);
            }
        }
        if (protocol::is_outstanding(tx_.coordinator.state(i))) ++due;
    }
    return due;
}

bool termination::add_sockets(std::vector<pollfd>& to) const
{
    bool have_all_one = true;
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        branch const& b = *tx_.branches[i];
        if (!protocol::is_outstanding(tx_.coordinator.state(i))) continue;
        int const socket = b.session->descriptor();
        have_all_one = have_all_one && socket >= 0;
        if (socket >= 0) to.push_back({socket, POLLIN, 0});
    }
    return have_all_one;
}

void termination::end_behind() noexcept
{
    tx_.coordinator.advance();
    settle();
}

}  // namespace assent::engine
