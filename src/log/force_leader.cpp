// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// force_leader.cpp -- what the leader of the force queue does: the thread that writes, for all that
// wait.  It is the log's own thread, the carrier, or without one a thread that waits itself (see
// force_queue.hpp).
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
#include <functional>
#include <thread>
#include <utility>
#include <variant>

#include "log/force_queue.hpp"
#include "log/log_error.hpp"
#include "ports/undisturbed.hpp"

namespace assent::log {

/// Forces what waits.  @pre  nobody leads.  The caller hands over next.
void force_queue::lead(held_lock& lock, bool is_seal) noexcept
{
    has_leader_ = true;
    expect_end();
    // The last page of a segment is kept for a seal.
    bool const can_write =
        is_seal ? writer_.pages_left() > 0 : writer_.pages_left() >= 2 || roll(lock);
    poison_if_hung();
    if (can_write && !is_poisoned_ && fill_pages(is_seal)) force_pages(lock, is_seal);
    poison_if_hung();
    has_leader_ = false;
    hung_at_ = never;
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
    expect_end();
    lock.unlock();
    tell_one();
    auto const begun = std::chrono::steady_clock::now();
    long const result = writer_.force(builder_);
    auto const ended = std::chrono::steady_clock::now();
    if (result == 0) supply_.want(next, pages);  // a larger one, when the load has grown
    lock.lock();
    finish_force(result, ended - begun);
    is_protected_ = is_seal;
    ends_with_seal_ = is_seal;
    last_force_ = ended;
}

/// The carrier goes on at once: were it to wake all that are done, they would come before the next
/// write.
void force_queue::note_done() noexcept
{
    if (untold_ >= 0) turns_[static_cast<std::size_t>(untold_)].notify_all();  // it wrote nothing
    auto const done = parity(true);
    is_relay_due_[done] = true;
    untold_ = static_cast<int>(done);
}

/// By the leader, without the lock: woken under it, whoever is done would only wait again.
void force_queue::tell_one() noexcept
{
    int const done = std::exchange(untold_, -1);
    if (done >= 0) turns_[static_cast<std::size_t>(done)].notify_one();
}

/// Gives up the lock and wakes whoever is done, and one that leads next, or the carrier after
/// somebody else has led.
void force_queue::hand_over(held_lock& lock) noexcept
{
    bool const is_somebody_next = !queue_.empty() && !has_carrier_;
    auto& next = turn(false);
    auto& done = turn(true);
    lock.unlock();
    if (is_somebody_next) next.notify_one();
    if (has_carrier_) work_came_.notify_one();
    done.notify_all();
    quiet_.notify_all();
}

void force_queue::take_requests() noexcept
{
    ++batches_;
    while (!queue_.empty()) {
        request& one = *queue_.front();
        // In one force, and before it: a binding without its epoch counts as one of the oldest.
        auto const* const bound = std::get_if<ports::binding>(&one.what);
        if (bound != nullptr && bound->epoch > 1) {
            builder_.add(binding_epoch_record{bound->id, bound->epoch});
        }
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

void force_queue::finish_force(long result, std::chrono::steady_clock::duration took) noexcept
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
        // After a failed force the kernel may have dropped the pages, and call the next force good:
        // from here on no success could be believed, so nothing is appended again.
        std::string why;
        try {
            why = words_for(result);
        } catch (std::bad_alloc const&) {
            why = "no memory";  // short enough to need none
        }
        poison("a force of the log failed", why);
    } else {
        decisions_ += decisions;
        ++(decisions != 0 ? forces_ : other_forces_);
        if (decisions != 0) force_time_ += took;
    }
}

bool force_queue::roll(held_lock& lock) noexcept
try {
    older_segment const full{writer_.at().number, segment_end::rolled};
    std::uint32_t const pages = wanted_pages();
    std::uint32_t const least = image_.snapshot_pages_max() + segment_pages_min;
    lock.unlock();
    tell_one();
    supply_.want(full.number + 1, pages);
    auto const spare = supply_.take(least, std::chrono::steady_clock::now() + how_.force_wait / 2);
    lock.lock();
    if (!spare) {
        refuse_queued(why_no_room());
        return false;
    }
    // What has taken too long already stays so; and a processor that is slow is no disk that hangs.
    bool const was_hung = is_hung();
    // A log that keeps a million decisions is not packed in one go: what ends meanwhile only has to
    // be noted.  Such a note comes after the snapshot, whether that has it or not.
    std::function<void()> const let_others = [&] {
        lock.unlock();
        std::this_thread::yield();
        lock.lock();
        if (!was_hung) expect_end();
    };
    notes_.clear();
    is_packing_ = true;
    auto packed = writer_.pack(image_, segment_end::rolled, *spare, let_others);
    is_packing_ = false;
    if (!was_hung) expect_end();
    lock.unlock();
    writer_.begin_segment(packed, *spare, [this] {
        if (!is_hung()) expect_end();
    });
    supply_.retire(full);
    supply_.want(full.number + 2, pages);
    lock.lock();
    ++other_forces_;
    is_protected_ = true;  // the header says that the snapshot is durable
    ends_with_seal_ = false;
    image_.drop_forgettable(let_others);
    return true;
} catch (std::exception const& failed) {
    if (!lock.owns_lock()) lock.lock();
    is_packing_ = false;
    poison("a new segment could not be begun", failed.what());
    return false;
}

void force_queue::seal() noexcept
{
    ports::undisturbed const here;
    held_lock lock(mutex_);
    if (has_leader_ || is_protected_ || is_poisoned_ || is_closed_) return;
    lead(lock, true);
    hand_over(lock);
}

/// The carrier's life: forces what waits, seals the last force after a pause, and writes the end of
/// the log when it is closed.
void force_queue::carry() noexcept
{
    ports::undisturbed const here;
    held_lock lock(mutex_);
    while (!is_closed_ || !queue_.empty() || has_leader_) {
        bool const has_to_seal = !is_protected_ && !is_poisoned_ && !is_closed_;
        auto const due = last_force_ + how_.idle_seal_wait;
        if (has_leader_ || (queue_.empty() && !has_to_seal)) {
            work_came_.wait(lock);
        } else if (!queue_.empty()) {
            lead(lock, false);
            note_done();
            if (!queue_.empty()) continue;
            auto& done = turns_[static_cast<std::size_t>(std::exchange(untold_, -1))];
            lock.unlock();
            done.notify_one();
            lock.lock();
        } else if (std::chrono::steady_clock::now() >= due) {
            lead(lock, true);
            hand_over(lock);
            lock.lock();
        } else {
            work_came_.wait_until(lock, due);
        }
    }
    if (is_seal_owed()) lead(lock, true);
    is_released_ = true;
    hand_over(lock);
}

}  // namespace assent::log
