// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// force_leader.cpp -- what whoever leads the force queue does (see force_queue.hpp).
//
//   lead:  room here? --no--> roll: a new segment, which begins with a snapshot of the image
//            +--> fill_pages: decisions, then notes where they take no room of decisions
//                   +--> force_pages: one write, without the lock --> finish_force: the answers
//   seal:  the same, with nothing but notes, when nobody has forced for a while
//
// Everything that must not fail between the write and the answer is allocated before the write:
// the pages, the list of those in flight, and the nodes that absorb() moves into the batch and from
// there into the image.

#include <algorithm>
#include <system_error>
#include <utility>

#include "log/force_queue.hpp"
#include "log/undisturbed.hpp"

namespace assent::log {

/// Forces what waits.  @pre  nobody leads.  The caller hands over next.
void force_queue::lead(held_lock& lock, bool is_seal) noexcept
{
    has_leader_ = true;
    // The last page of a segment is kept for a seal.
    bool const can_write =
        is_seal ? writer_.pages_left() > 0 : writer_.pages_left() >= 2 || roll(lock);
    if (can_write && !is_poisoned_ && fill_pages(is_seal)) force_pages(lock, is_seal);
    has_leader_ = false;
    pages_left_ = writer_.pages_left();
    update_room();
}

/// What waits, and what may ride along.  @return whether there is something to force.
bool force_queue::fill_pages(bool is_seal) noexcept
{
    std::uint32_t const kept = is_seal ? 0 : 1;
    writer_.begin_force(builder_, std::min(force_pages_max, writer_.pages_left() - kept));
    if (!is_seal) {
        take_requests();
        if (in_flight_.empty()) return false;
    }
    // Notes ride along where they take no page that a decision has reserved.
    auto const unreserved = free_pages() - room_.reserved_pages();
    auto const more = std::clamp<std::int64_t>(unreserved, 0, force_pages_max);
    builder_.limit(std::max<std::uint32_t>(1, builder_.pages() + static_cast<std::uint32_t>(more)));
    notes_.write_to(builder_);
    if (is_seal) {
        // Horizons, too: a log that is never filled, only closed and opened, would otherwise keep
        // every decision.
        notes_.write_horizons_to(builder_, image_);
        builder_.seal();
    }
    return true;
}

/// The one write, without the lock, and then everybody in it is answered.
void force_queue::force_pages(held_lock& lock, bool is_seal) noexcept
{
    std::uint64_t const next = writer_.at().number + 1;
    std::uint32_t const pages = wanted_pages();
    lock.unlock();
    long const result = writer_.force(builder_);
    if (result == 0) supply_.want(next, pages);  // a larger one, when the load has grown
    lock.lock();
    finish_force(result);
    bool const was_protected = std::exchange(is_protected_, is_seal);
    ends_with_seal_ = is_seal;
    last_force_ = std::chrono::steady_clock::now();
    if (was_protected && !is_seal) idle_changed_.notify_one();
}

/// Gives up the lock and wakes one that leads next, and whoever is done.  Woken under the lock,
/// they would only wait again, for it.
void force_queue::hand_over(held_lock& lock) noexcept
{
    bool const is_somebody_next = !queue_.empty();
    auto& next = turn(false);
    auto& done = turn(true);
    lock.unlock();
    if (is_somebody_next) next.notify_one();
    done.notify_all();
    quiet_.notify_all();
}

void force_queue::take_requests() noexcept
{
    ++batches_;
    while (!queue_.empty()) {
        request& one = *queue_.front();
        auto const added = builder_.add(one.what);
        if (added == add_result::full) return;
        queue_.pop_front();
        if (added == add_result::over_limit) {
            one.answer =
                answer_of(force_status::not_submitted, "a part of the record is over its limit");
            one.is_done = true;
            continue;
        }
        one.is_submitted = true;
        in_flight_.push_back(&one);
        batch_.absorb(one.fresh);
    }
}

void force_queue::finish_force(long result) noexcept
{
    auto const decisions = batch_.decisions().size();
    (result == 0 ? image_ : doubtful_).absorb(batch_);
    for (request* const one : in_flight_) {
        one->answer = result == 0
                          ? answer_of(force_status::durable, {})
                          : answer_of(force_status::in_doubt, "the force of the log failed");
        one->is_done = true;
    }
    in_flight_.clear();
    if (result < 0) {
        poison("a force of the log failed",
               std::generic_category().message(static_cast<int>(-result)));
    } else {
        decisions_ += decisions;
        ++(decisions != 0 ? forces_ : other_forces_);
    }
}

bool force_queue::roll(held_lock& lock) noexcept
try {
    older_segment const full{writer_.at().number, segment_end::rolled};
    std::uint32_t const pages = wanted_pages();
    std::uint32_t const least = image_.snapshot_pages_max() + segment_pages_min;
    lock.unlock();
    supply_.want(full.number + 1, pages);
    auto const spare = supply_.take(least, std::chrono::steady_clock::now() + how_.force_wait / 2);
    lock.lock();
    if (!spare) {
        refuse_queued(why_no_room());
        return false;
    }
    auto packed = writer_.pack(image_, segment_end::rolled, *spare);
    notes_.clear();
    lock.unlock();
    writer_.begin_segment(packed, *spare);
    supply_.retire(full);
    supply_.want(full.number + 2, pages);
    lock.lock();
    image_.drop_forgettable();
    ++other_forces_;
    is_protected_ = true;  // the header says that the snapshot is durable
    ends_with_seal_ = false;
    return true;
} catch (std::exception const& failed) {
    if (!lock.owns_lock()) lock.lock();
    poison("a new segment could not be begun", failed.what());
    return false;
}

void force_queue::seal() noexcept
{
    undisturbed const here;
    held_lock lock(mutex_);
    if (has_leader_ || is_protected_ || is_poisoned_ || is_closed_) return;
    lead(lock, true);
    hand_over(lock);
}

void force_queue::run_idle_seal() noexcept
{
    undisturbed const here;
    held_lock lock(mutex_);
    while (!is_closed_) {
        if (is_protected_ || is_poisoned_) {
            idle_changed_.wait(lock);
            continue;
        }
        auto const due = last_force_ + how_.idle_seal_wait;
        auto const now = std::chrono::steady_clock::now();
        if (now >= due && !has_leader_) {
            lead(lock, true);
            hand_over(lock);
            lock.lock();
        } else {
            idle_changed_.wait_until(lock, std::max(due, now + how_.idle_seal_wait));
        }
    }
}

}  // namespace assent::log
