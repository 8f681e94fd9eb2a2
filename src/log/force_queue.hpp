// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// force_queue.hpp -- group commit: one thread writes what all others wait for.
//
//   threads -> queue -> carrier: encode, one write, one force -> everybody in it is told
//              queue <- whoever came during that force goes with the next one.  No timer.
//
// A write may hang in the kernel for as long as the disk likes, and no thread can leave it there.
// So the one that writes is the log's own, and nobody's answer depends on it: each of the others
// leaves at its deadline, and what was on its stack is not needed any more, since pages and images
// are the queue's.  The thread that is writing is called the leader.  Without a carrier (for tests)
// whoever finds no leader becomes it, and waits for the disk.
//
// Nobody is woken in vain: the end of a force wakes one of those that were in it, who wakes the
// others, while the carrier is in the next write already.
//
//   queued ----taken by a leader----> submitted ----forced----> durable
//     |                                  |
//     | deadline, poison: not_submitted  | failed, short, hung, deadline: in_doubt
//
// Room for decisions is reserved before they come (reserved_room.hpp); what is not worth a force of
// its own rides along with one (lazy_notes.hpp).
//
// Invariant: once a write or force failed, nothing is ever appended again.

#ifndef ASSENT_LOG_FORCE_QUEUE_HPP
#define ASSENT_LOG_FORCE_QUEUE_HPP

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "log/lazy_notes.hpp"
#include "log/log_image.hpp"
#include "log/log_writer.hpp"
#include "log/page_builder.hpp"
#include "log/reserved_room.hpp"
#include "log/segment_supply.hpp"

namespace assent::log {

/// Requests that may wait at once; each is a thread of the application.
inline constexpr std::size_t queue_max = 4096;

enum class force_status : std::uint8_t {
    durable = 1,
    not_submitted = 2,
    in_doubt = 3,
};

struct force_answer
{
    force_status status = force_status::in_doubt;
    std::string why;
};

/// Words are worth less than the answer: without memory for them they are left out.
force_answer answer_of(force_status status, std::string_view why) noexcept;

/// Thread safety: every member may be called from several threads at once.
class force_queue
{
public:
    /// The defaults are those of file_log_options.
    struct settings
    {
        /// A force that has not ended by then poisons the log.
        std::chrono::milliseconds force_wait{0};
        /// After so long without a force the last one is sealed; 0: only close() seals, and there
        /// is no carrier.
        std::chrono::milliseconds idle_seal_wait{0};
        std::uint32_t segment_pages = 0;
        /// Decisions that may be kept at once; beyond them no transaction begins.
        std::uint64_t decisions_max = 0;
    };

    force_queue(log_writer& writer, segment_supply& supply, log_image image, settings how);
    force_queue(force_queue const&) = delete;
    force_queue& operator=(force_queue const&) = delete;

    /// close().
    ~force_queue();

    /// Keeps room for one more decision.  Does not wait.  @return false when there is none, or the
    /// log is poisoned or closed: see state().
    bool reserve() noexcept;
    void release() noexcept { room_.release(); }

    /// Forces a record and then applies it to the image.  A decision that was handed over before
    /// is not written again: it is durable or in doubt, as it was.
    /// @throws std::bad_alloc  nothing was submitted then.
    force_answer force(record const& what, deadline until);

    // Lazy: in memory at once, on disk with the next force; horizons, with the next seal.
    void note_finished(xid const& branch) noexcept;
    void note_rolled_back(gtrid const& which) noexcept;
    void raise_horizon(horizon_record const& to) noexcept;

    /// Seals the last force, so that damage to it can be told from a torn tail.  Does nothing
    /// when it is sealed, poisoned, or when somebody forces right now.
    void seal() noexcept;

    /// Refuses new forces, waits for those under way, writes the lazy notes and a seal.
    /// @return false when a force hung for longer than the force wait: it may still write.
    bool close() noexcept;
    /// The same after it was in vain, however long that force takes.
    void close_when_quiet() noexcept;

    ports::log_state state() const;
    std::size_t queued() const;

    /// Calls `look` with the image, under the lock.
    template <typename Look>
    auto with_image(Look&& look) const
    {
        std::lock_guard const held(mutex_);
        return look(image_);
    }

private:
    /// On the stack of the thread that waits for it.
    struct request
    {
        record const& what;
        log_image fresh;  // what it adds, until it is submitted
        bool is_submitted = false;
        bool is_done = false;
        force_answer answer;
    };
    using held_lock = std::unique_lock<std::mutex>;
    static constexpr auto never = std::numeric_limits<std::chrono::steady_clock::rep>::max();

    // force_queue.cpp
    bool close_by(held_lock& lock, std::chrono::steady_clock::time_point give_up) noexcept;
    force_answer wait(held_lock& lock, request& mine, deadline until) noexcept;
    force_answer leave(request& mine) noexcept;
    void expect_end() noexcept;
    bool is_hung() const noexcept;
    void poison_if_hung() noexcept;
    bool is_at_maximum() const noexcept;
    void forget_some(held_lock& lock) noexcept;
    std::condition_variable& turn(bool is_submitted) noexcept
    {
        return turns_[parity(is_submitted)];
    }
    std::size_t parity(bool is_submitted) const noexcept
    {
        return (batches_ + (is_submitted ? 0 : 1)) % 2;
    }
    bool is_answered(log_image const& fresh, force_answer& answer) const;
    std::int64_t free_pages() const noexcept;
    bool is_room_for_others() const noexcept;
    std::uint32_t wanted_pages() const noexcept;
    std::string why_no_room() const;
    void update_room() noexcept;
    void poison(std::string_view what, std::string_view why) noexcept;
    void refuse_queued(std::string_view why) noexcept;

    // force_leader.cpp
    void lead(held_lock& lock, bool is_seal) noexcept;
    bool fill_pages(bool is_seal) noexcept;
    void take_requests() noexcept;
    void force_pages(held_lock& lock, bool is_seal) noexcept;
    void finish_force(long result, std::chrono::steady_clock::duration took) noexcept;
    bool roll(held_lock& lock) noexcept;
    void hand_over(held_lock& lock) noexcept;
    void note_done() noexcept;
    void tell_one() noexcept;
    void carry() noexcept;
    bool is_seal_owed() const noexcept;

    log_writer& writer_;
    segment_supply& supply_;
    settings const how_;
    mutable std::mutex mutex_;
    // Who is in the nth batch, or will be, waits for the one of n's parity; turn() says which.
    std::array<std::condition_variable, 2> turns_;
    std::array<bool, 2> is_relay_due_{};  // whoever wakes there next wakes all the others
    int untold_ = -1;  // of the leader: the one whose waiters are done and do not know it yet
    std::condition_variable quiet_;  // a leader has gone
    log_image image_;
    log_image batch_;     // what the requests in flight add
    log_image doubtful_;  // what was submitted and whose force failed
    page_builder builder_{force_pages_max};
    std::deque<request*> queue_;
    std::vector<request*> in_flight_;  // but for those that left
    std::uint64_t batches_ = 0;        // taken from the queue
    lazy_notes notes_;
    reserved_room room_;
    bool has_leader_ = false;
    bool is_forgetting_ = false;  // somebody drops decisions
    bool is_packing_ = false;     // nobody may
    std::chrono::steady_clock::time_point forget_again_;
    /// When what the leader does counts as hung; the largest number while nobody leads.
    std::atomic<std::chrono::steady_clock::rep> hung_at_{never};
    std::uint32_t pages_left_ = 0;  // here; the writer itself belongs to whoever leads
    bool is_protected_ = true;      // something says that the last force is durable
    bool ends_with_seal_ = false;
    bool is_poisoned_ = false;
    bool is_closed_ = false;
    bool is_released_ = false;  // close() has ended; nothing is written any more
    std::string why_poisoned_;
    std::uint64_t decisions_ = 0;
    std::uint64_t forces_ = 0;
    std::chrono::steady_clock::duration force_time_{0};
    std::uint64_t other_forces_ = 1;  // of the segment that the opening began
    std::chrono::steady_clock::time_point last_force_;
    std::condition_variable work_came_;
    std::thread carrier_;
    bool has_carrier_ = false;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_FORCE_QUEUE_HPP
