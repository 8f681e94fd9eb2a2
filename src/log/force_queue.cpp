// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// force_queue.cpp -- see force_queue.hpp.
//
// Here: who asks, who waits, what there is room for, and how the queue closes.

#include "log/force_queue.hpp"

#include <algorithm>
#include <utility>

#include "ports/undisturbed.hpp"

namespace assent::log {

force_answer answer_of(force_status status, std::string_view why) noexcept
{
    try {
        return {status, std::string(why)};
    } catch (std::bad_alloc const&) {
        return {status, {}};
    }
}

force_queue::force_queue(log_writer& writer, segment_supply& supply, log_image image, settings how)
    : writer_(writer), supply_(supply), how_(how), image_(std::move(image))
{
    pages_left_ = writer_.pages_left();
    in_flight_.reserve(queue_max);
    update_room();
    // First, as it may fail: once the supply knows this queue, it may call it at any moment.
    has_carrier_ = how_.idle_seal_wait.count() > 0;
    if (has_carrier_) carrier_ = std::thread([this] { carry(); });
    supply_.on_change([this] {
        held_lock const lock(mutex_);
        update_room();
    });
    supply_.want(writer_.at().number + 1, wanted_pages());
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
    if (is_hung()) {
        held_lock const lock(mutex_);
        poison_if_hung();
    }
    if (room_.reserve()) return true;
    supply_.try_again();
    held_lock lock(mutex_);
    // What was finished since may have made room, though nobody raised a horizon again.
    if (!is_at_maximum() || std::chrono::steady_clock::now() < forget_again_) return false;
    forget_some(lock);
    lock.unlock();
    return room_.reserve();
}

bool force_queue::is_at_maximum() const noexcept
{
    return image_.decisions().size() >= how_.decisions_max;
}

/// At the maximum no transaction begins, so none decides, and no new segment is begun, which is
/// when decisions are dropped.  So they are dropped from memory here; on disk they stay until the
/// next segment.  Commits that are under way wait for a part of this at most.
void force_queue::forget_some(held_lock& lock) noexcept
{
    if (is_forgetting_ || is_packing_ || !is_at_maximum()) return;
    is_forgetting_ = true;
    for (auto next = image_.drop_decisions({}, decisions_at_once); next;) {
        lock.unlock();
        std::this_thread::yield();
        lock.lock();
        if (is_packing_) break;  // a horizon that has risen since is not in that snapshot
        next = image_.drop_decisions(*next, decisions_at_once);
    }
    is_forgetting_ = false;
    forget_again_ = std::chrono::steady_clock::now() + std::chrono::seconds{1};
    update_room();
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
    bool const is_shut = is_poisoned_ || is_closed_ || is_at_maximum();
    room_.set_free_pages(is_shut ? 0 : free_pages());
}

/// Of the next segment: it has room for its snapshot, and for twice what is reserved now.  Sizes
/// double, so that a growing load makes few spares in vain.
std::uint32_t force_queue::wanted_pages() const noexcept
{
    auto const reserved = static_cast<std::uint32_t>(room_.reserved_pages());
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
    return room_.is_left_beside(others, free_pages());
}

force_answer force_queue::force(record const& what, deadline until)
{
    request mine{what, {}, false, false, {}};
    mine.fresh.apply(what);
    bool const is_decision = std::holds_alternative<decision_record>(what);
    held_lock lock(mutex_);
    poison_if_hung();
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
    if (has_carrier_ && !has_leader_) {
        lock.unlock();  // woken under it, the carrier would only wait again
        work_came_.notify_one();
        lock.lock();
    }
    while (!mine.is_done) {
        if (!has_carrier_ && !has_leader_) {
            lead(lock, false);
            bool const is_done = mine.is_done;
            hand_over(lock);
            if (is_done) break;
            lock.lock();
            continue;
        }
        auto const now = std::chrono::steady_clock::now();
        if (now >= until || is_hung()) return leave(mine);
        // Somebody who leads only later cannot hang before that.
        auto const hung_at = hung_at_.load();
        auto const look_again = hung_at == never
                                    ? now + how_.force_wait
                                    : std::chrono::steady_clock::time_point{
                                          std::chrono::steady_clock::duration{hung_at}};
        auto const where = parity(mine.is_submitted);
        turns_[where].wait_until(lock, std::min(until, look_again));
        if (!std::exchange(is_relay_due_[where], false)) continue;
        lock.unlock();
        turns_[where].notify_all();
        lock.lock();
    }
    return std::move(mine.answer);
}

/// Nobody knows of the request afterwards.  What it adds stays in the batch that it is in.  What
/// was submitted may reach the disk even now, and the next opening would act on it; only what was
/// not may be answered so that its caller rolls back.
force_answer force_queue::leave(request& mine) noexcept
{
    if (mine.is_submitted) {
        in_flight_.erase(std::find(in_flight_.begin(), in_flight_.end(), &mine));
    } else {
        queue_.erase(std::find(queue_.begin(), queue_.end(), &mine));
    }
    poison_if_hung();
    if (mine.is_submitted) {
        return answer_of(force_status::in_doubt, "the force did not end in time");
    }
    return answer_of(force_status::not_submitted, "the log was busy until the deadline");
}

/// What the leader is about to do hangs when it has not ended by then.
void force_queue::expect_end() noexcept
{
    auto const now = std::chrono::steady_clock::now().time_since_epoch();
    auto const wait = std::chrono::steady_clock::duration(how_.force_wait);
    hung_at_ = (now + wait).count();
}

bool force_queue::is_hung() const noexcept
{
    auto const hung_at = hung_at_.load(std::memory_order_relaxed);
    return hung_at != never &&
           std::chrono::steady_clock::now().time_since_epoch().count() >= hung_at;
}

void force_queue::poison_if_hung() noexcept
{
    if (is_hung()) poison("a force of the log hangs", "it did not end within limits::log_hang");
}

std::string force_queue::why_no_room() const
{
    if (is_at_maximum()) {
        return "the log keeps " + std::to_string(image_.decisions().size()) +
               " decisions, and more are not allowed: a branch is not finished in a database "
               "that takes part in them (its state says why), or one transaction is open for very "
               "long";
    }
    if (std::string const why = supply_.why_not(); !why.empty()) {
        return "the log has no room: " + why;
    }
    if (supply_.ready_pages() == 0) {
        return "the log has no room for another transaction at this moment: its next segment is "
               "still being made; the disk is slow, or limits::segment_bytes small for this load";
    }
    return "the log has no room for another transaction at this moment: more are open at once than "
           "its segments hold; raise limits::segment_bytes";
}

void force_queue::poison(std::string_view what, std::string_view why) noexcept
{
    if (!is_poisoned_) {
        is_poisoned_ = true;
        room_.set_free_pages(0);
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
    if (bit != 0) notes_.add_end(branch.global, bit);
}

void force_queue::note_rolled_back(gtrid const& which) noexcept
try {
    std::lock_guard const held(mutex_);
    if (image_.was_rolled_back(which)) return;
    image_.add_rollback(which);
    notes_.add_rollback(which);
} catch (std::bad_alloc const&) {
    // Absence is "not known", never "rolled back": a lost note makes no answer untrue.
    return;
}

void force_queue::raise_horizon(horizon_record const& to) noexcept
try {
    held_lock lock(mutex_);
    if (!image_.raise(to)) return;
    notes_.add_horizon();
    forget_some(lock);
} catch (std::bad_alloc const&) {
    // A horizon that stays low keeps decisions longer than needed, and nothing else.
    return;
}

bool force_queue::close() noexcept
{
    ports::undisturbed const here;
    held_lock lock(mutex_);
    is_closed_ = true;  // whoever waits already is still served; nobody comes after them
    room_.set_free_pages(0);
    auto const now = std::chrono::steady_clock::now();
    if (close_by(lock, is_hung() ? now : now + how_.force_wait)) return true;
    poison("a force of the log hangs", "the log could not be closed");
    return false;
}

void force_queue::close_when_quiet() noexcept
{
    ports::undisturbed const here;
    held_lock lock(mutex_);
    // An hour at a time: some libraries overflow on time_point::max().
    while (!close_by(lock, std::chrono::steady_clock::now() + std::chrono::hours{1})) {
    }
}

/// @return false, and still holding the lock: something may still write.
bool force_queue::close_by(held_lock& lock, std::chrono::steady_clock::time_point give_up) noexcept
{
    work_came_.notify_all();
    bool const is_quiet = quiet_.wait_until(lock, give_up, [this] {
        if (has_carrier_) return is_released_;
        return !has_leader_ && (queue_.empty() || is_poisoned_);
    });
    if (!is_quiet) return false;
    if (!is_released_) {  // once it is, the log may have another owner: nothing is written
        if (is_seal_owed()) lead(lock, true);
        is_released_ = true;
        hand_over(lock);
    } else {
        lock.unlock();
    }
    if (carrier_.joinable()) carrier_.join();
    return true;
}

bool force_queue::is_seal_owed() const noexcept
{
    return !is_poisoned_ && (!ends_with_seal_ || !notes_.is_empty());
}

ports::log_state force_queue::state() const
{
    std::lock_guard const held(mutex_);
    ports::log_state now;
    now.is_poisoned = is_poisoned_ || is_hung();
    now.why = is_poisoned_ || !is_hung() ? why_poisoned_ : "a force of the log hangs";
    now.decisions = decisions_;
    now.forces = forces_;
    now.force_time = force_time_;
    now.waiting = queue_.size() + in_flight_.size();
    now.other_forces = other_forces_;
    now.live_decisions = image_.live_decisions();
    now.kept_decisions = image_.decisions().size();
    now.heuristics = image_.heuristics().size();
    now.room = room_.transactions_left();
    if (now.room == 0 && !now.is_poisoned) now.why = is_closed_ ? "it was closed" : why_no_room();
    return now;
}

std::size_t force_queue::queued() const
{
    std::lock_guard const held(mutex_);
    return queue_.size();
}

}  // namespace assent::log
