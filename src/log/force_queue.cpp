// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// force_queue.cpp -- see force_queue.hpp.
//
// Everything that must not fail between the write and the answer is allocated before the write:
// the pages, the list of those in flight, and the nodes that absorb() moves into the batch and from
// there into the image.

#include "log/force_queue.hpp"

#include <csignal>

#include <algorithm>
#include <system_error>
#include <utility>

#include "log/undisturbed.hpp"
#include "protocol/assert.hpp"

namespace assent::log {

namespace {

/// Words are worth less than the answer: without memory for them they are left out.
force_answer answer_of(force_status status, std::string_view why) noexcept
{
    try {
        return {status, std::string(why)};
    } catch (std::bad_alloc const&) {
        return {status, {}};
    }
}

}  // namespace

force_queue::force_queue(log_writer& writer, segment_supply& supply, log_image image, settings how)
    : writer_(writer), supply_(supply), how_(how), image_(std::move(image))
{
    pages_left_ = writer_.pages_left();
    in_flight_.reserve(queue_max);
    update_room();
    supply_.on_change([this] {
        held_lock const lock(mutex_);
        update_room();
    });
    supply_.want(writer_.at().number + 1, wanted_pages());
    if (how_.idle_seal_wait.count() > 0) {
        idle_ = std::thread([this] { run_idle_seal(); });
    }
}

force_queue::~force_queue()
{
    // Nobody can be inside any more but the thread that seals, and it must not outlive its queue.
    while (!close()) {
    }
}

/// A decision that was handed over before is answered by what became of it.
bool force_queue::is_answered(log_image const& fresh, force_answer& answer) const
{
    if (fresh.decisions().empty()) return false;
    auto const& [global, asked] = *fresh.decisions().begin();
    auto const known = image_.decisions().find(global);
    if (known != image_.decisions().end()) {
        bool const is_same = known->second.branches == asked.branches;
        answer = is_same ? answer_of(force_status::durable, {})
                         : answer_of(force_status::in_doubt,
                                     "the log holds another decision for this transaction");
        return true;
    }
    auto const has_it = [&which = global](log_image const& other) {
        return other.decisions().count(which) != 0;
    };
    bool const is_under_way = has_it(doubtful_) || has_it(batch_) ||
                              std::any_of(queue_.begin(), queue_.end(), [&](request const* other) {
                                  return has_it(other->fresh);
                              });
    if (is_under_way) {
        answer = answer_of(force_status::in_doubt, "this decision was handed to the log before");
    }
    return is_under_way;
}

bool force_queue::reserve() noexcept
{
    auto const with_mine = reserved_.fetch_add(1) + 1;
    if (with_mine * pages_reserved <= room_.load()) return true;
    --reserved_;
    supply_.try_again();
    return false;
}

/// Pages that decisions can still take, in this segment and in the spare.
std::int64_t force_queue::free_pages() const noexcept
{
    std::int64_t const here = pages_left_;
    std::int64_t const spare = supply_.ready_pages();
    // Its header and its snapshot; the last page of each segment is kept for a seal.
    std::int64_t const taken = 1 + std::int64_t{image_.snapshot_pages_max()};
    return std::max<std::int64_t>(here - 1, 0) + std::max<std::int64_t>(spare - taken - 1, 0);
}

void force_queue::update_room() noexcept
{
    bool const is_shut =
        is_poisoned_ || is_closed_ || image_.decisions().size() >= how_.decisions_max;
    room_ = is_shut ? 0 : free_pages();
}

/// Of the next segment: it has room for its snapshot, and for twice what is reserved now.  Sizes
/// double, so that a growing load makes few spares in vain.
std::uint32_t force_queue::wanted_pages() const noexcept
{
    auto const reserved = static_cast<std::uint32_t>(reserved_.load() * pages_reserved);
    std::uint32_t const least =
        pages_for(how_.segment_pages, image_.snapshot_pages_max() + reserved);
    std::uint32_t pages = std::max(how_.segment_pages, segment_pages_min);
    while (pages < least && pages < segment_pages_max / 2) {
        pages *= 2;
    }
    return pages;
}

/// Whether one more record that reserved nothing, beside those under way, leaves what was reserved.
bool force_queue::is_room_for_others() const noexcept
{
    auto const is_other = [](request const* one) {
        return !std::holds_alternative<decision_record>(one->what);
    };
    std::int64_t const others = 1 + std::count_if(queue_.begin(), queue_.end(), is_other) +
                                std::count_if(in_flight_.begin(), in_flight_.end(), is_other);
    return reserved_ == 0 || free_pages() >= (reserved_ + others) * pages_reserved;
}

force_answer force_queue::force(record const& what, deadline until)
{
    request mine{what, {}, false, false, {}};
    mine.fresh.apply(what);
    bool const is_decision = std::holds_alternative<decision_record>(what);
    held_lock lock(mutex_);
    force_answer known;
    if (is_answered(mine.fresh, known)) return known;
    if (is_poisoned_) {
        return answer_of(force_status::not_submitted, "the log is poisoned: " + why_poisoned_);
    }
    if (is_closed_) return answer_of(force_status::not_submitted, "the log is closed");
    if (queue_.size() >= queue_max) {
        return answer_of(force_status::not_submitted, "too many forces wait already");
    }
    if (!is_decision && !is_room_for_others()) {
        return answer_of(force_status::not_submitted, why_no_room());
    }
    queue_.push_back(&mine);
    return wait(lock, mine, until);
}

force_answer force_queue::wait(held_lock& lock, request& mine, deadline until) noexcept
{
    auto const hung_at = std::chrono::steady_clock::now() + how_.force_wait;
    while (!mine.is_done) {
        if (!has_leader_) {
            lead(lock, false);
            bool const is_done = mine.is_done;
            hand_over(lock);
            if (is_done) break;
            lock.lock();
        } else if (turn(mine.is_submitted).wait_until(lock, std::min(until, hung_at)) ==
                       std::cv_status::timeout &&
                   !mine.is_done && has_leader_) {
            return leave(mine, std::chrono::steady_clock::now() >= hung_at);
        }
    }
    return std::move(mine.answer);
}

/// Nobody knows of the request afterwards.  What it adds stays in the batch that it is in.
force_answer force_queue::leave(request& mine, bool is_hung) noexcept
{
    if (mine.is_submitted) {
        in_flight_.erase(std::find(in_flight_.begin(), in_flight_.end(), &mine));
    } else {
        queue_.erase(std::find(queue_.begin(), queue_.end(), &mine));
    }
    if (is_hung) poison("a force of the log hangs", "nobody was answered within the force wait");
    if (mine.is_submitted) {
        return answer_of(force_status::in_doubt, "the force did not end in time");
    }
    return answer_of(force_status::not_submitted, "the log was busy until the deadline");
}

/// Forces what waits.  @pre  nobody leads.  The caller hands over next.
void force_queue::lead(held_lock& lock, bool is_seal) noexcept
{
    has_leader_ = true;
    // The last page of a segment is kept for a seal.
    bool const can_write =
        is_seal ? writer_.pages_left() > 0 : writer_.pages_left() >= 2 || roll(lock);
    if (can_write && !is_poisoned_) {
        std::uint32_t const kept = is_seal ? 0 : 1;
        writer_.begin_force(builder_, std::min(force_pages_max, writer_.pages_left() - kept));
        if (!is_seal) take_requests();
        if (is_seal || !in_flight_.empty()) {
            // Notes ride along where they take no page that a decision has reserved.
            auto const unreserved = free_pages() - reserved_.load() * pages_reserved;
            auto const more = std::clamp<std::int64_t>(unreserved, 0, force_pages_max);
            builder_.limit(
                std::max<std::uint32_t>(1, builder_.pages() + static_cast<std::uint32_t>(more)));
            take_lazy_notes();
            if (is_seal) {
                take_horizons();
                builder_.seal();
            }
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
    }
    has_leader_ = false;
    pages_left_ = writer_.pages_left();
    update_room();
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

void force_queue::take_lazy_notes()
{
    while (!lazy_ends_.empty()) {
        auto const first = lazy_ends_.begin();
        if (builder_.add(end_record{first->first, first->second}) != add_result::added) return;
        lazy_ends_.erase(first);
    }
    while (!lazy_rollbacks_.empty()) {
        if (builder_.add(rollback_record{lazy_rollbacks_.front()}) != add_result::added) return;
        lazy_rollbacks_.pop_front();
    }
}

void force_queue::take_horizons()
{
    // Without them a log that is never filled, only closed and opened, would keep every decision.
    if (!has_raised_) return;
    bool const are_all_added = image_.for_each_horizon(
        [this](horizon_record const& one) { return builder_.add(one) == add_result::added; });
    has_raised_ = !are_all_added;
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
    lazy_ends_.clear();  // the snapshot says what they say
    lazy_rollbacks_.clear();
    has_raised_ = false;
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

std::string force_queue::why_no_room() const
{
    if (image_.decisions().size() >= how_.decisions_max) {
        return "the log keeps " + std::to_string(image_.decisions().size()) +
               " decisions, and more are not allowed: a branch is not finished in a database "
               "that takes part in them (its state says why), or one transaction is open for very "
               "long";
    }
    if (std::string const why = supply_.why_not(); !why.empty()) {
        return "the log has no room: " + why;
    }
    return "the log has no room for another transaction at this moment: more are open at once than "
           "its segments hold; raise limits::segment_bytes";
}

void force_queue::poison(std::string_view what, std::string_view why) noexcept
{
    if (!is_poisoned_) {
        is_poisoned_ = true;
        room_ = 0;
        try {
            why_poisoned_ = std::string(what) + ": " + std::string(why);
        } catch (std::bad_alloc const&) {
            why_poisoned_.clear();
        }
    }
    refuse_queued(why_poisoned_);
}

void force_queue::refuse_queued(std::string_view why) noexcept
{
    for (request* const one : queue_) {
        one->answer = answer_of(force_status::not_submitted, why);
        one->is_done = true;
    }
    queue_.clear();
    for (auto& turn : turns_) {
        turn.notify_all();
    }
    quiet_.notify_all();
}

void force_queue::note_finished(xid const& branch) noexcept
{
    std::lock_guard const held(mutex_);
    std::uint64_t const bit = image_.finish(branch);
    if (bit == 0 || lazy_ends_.size() >= lazy_notes_max) return;
    try {
        lazy_ends_[branch.global] |= bit;
    } catch (std::bad_alloc const&) {
        // The note stays in memory, and the next segment's snapshot carries it.
        return;
    }
}

void force_queue::note_rolled_back(gtrid const& which) noexcept
try {
    std::lock_guard const held(mutex_);
    if (image_.was_rolled_back(which)) return;
    image_.add_rollback(which);
    lazy_rollbacks_.push_back(which);
    if (lazy_rollbacks_.size() > rollback_notes_max) lazy_rollbacks_.pop_front();
} catch (std::bad_alloc const&) {
    // Absence is "not known", never "rolled back": a lost note makes no answer untrue.
    return;
}

void force_queue::raise_horizon(horizon_record const& to) noexcept
try {
    std::lock_guard const held(mutex_);
    has_raised_ = image_.raise(to) || has_raised_;
} catch (std::bad_alloc const&) {
    // A horizon that stays low keeps decisions longer than needed, and nothing else.
    return;
}

void force_queue::seal() noexcept
{
    undisturbed const here;
    held_lock lock(mutex_);
    if (has_leader_ || is_protected_ || is_poisoned_ || is_closed_) return;
    lead(lock, true);
    hand_over(lock);
}

bool force_queue::close() noexcept
{
    undisturbed const here;
    held_lock lock(mutex_);
    if (is_released_) return true;  // the log may have another owner by now: nothing is written
    is_closed_ = true;  // whoever waits already is still served; nobody comes after them
    room_ = 0;
    auto const give_up = std::chrono::steady_clock::now() + how_.force_wait;
    bool const is_quiet = quiet_.wait_until(
        lock, give_up, [this] { return !has_leader_ && (queue_.empty() || is_poisoned_); });
    if (!is_quiet) {
        poison("a force of the log hangs", "the log could not be closed");
        return false;
    }
    bool const is_owed =
        !ends_with_seal_ || has_raised_ || !lazy_ends_.empty() || !lazy_rollbacks_.empty();
    if (is_owed && !is_poisoned_) lead(lock, true);
    is_released_ = true;
    idle_changed_.notify_all();
    hand_over(lock);
    if (idle_.joinable()) idle_.join();
    return true;
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

ports::log_state force_queue::state() const
{
    std::lock_guard const held(mutex_);
    ports::log_state now;
    now.is_poisoned = is_poisoned_;
    now.why = why_poisoned_;
    now.decisions = decisions_;
    now.forces = forces_;
    now.other_forces = other_forces_;
    now.live_decisions = image_.live_decisions();
    now.kept_decisions = image_.decisions().size();
    now.room = std::max<std::int64_t>(room_ / pages_reserved - reserved_, 0);
    if (now.room == 0 && !is_poisoned_) now.why = is_closed_ ? "it was closed" : why_no_room();
    return now;
}

std::size_t force_queue::queued() const
{
    std::lock_guard const held(mutex_);
    return queue_.size();
}

}  // namespace assent::log
