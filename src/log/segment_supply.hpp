// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_supply.hpp -- the next segment, made before it is needed; the old ones, taken away after.
//
//   force_queue --want--> [supply: remove what was replaced, then zero and force NNNN.seg.tmp]
//               <--take-- spare            --begin_segment--> NNNN.seg (log_writer)
//               --retire--> the segment that the new one replaced
//
// Zeroing 16 MiB takes longer than a hundred forces, and the disk may be full: both happen here,
// beside the commits.  What could not be made is made again later, with pauses; meanwhile nobody
// begins a transaction whose decision might not fit.
//
// Invariant: a spare lies on the disk with all its bytes written and forced, so that no
// force into it can find the disk full.

#ifndef ASSENT_LOG_SEGMENT_SUPPLY_HPP
#define ASSENT_LOG_SEGMENT_SUPPLY_HPP

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <assent/options.hpp>

#include "log/file_layer.hpp"
#include "log/log_reader.hpp"

namespace assent::log {

/// A zeroed file that waits for its header.
struct spare_segment
{
    std::uint64_t number = 0;
    std::string name;  // of the file, until it gets the segment's
    std::uint32_t page_count = 0;
    file_layer::handle file = -1;
    bool is_write_through = false;
};

/// The pages of a segment whose snapshot may take `snapshot` of them: it never fills up with its
/// own snapshot, however many decisions are live.
std::uint32_t pages_for(std::uint32_t segment_pages, std::uint32_t snapshot) noexcept;

/// Makes `NNNN.seg.tmp`, or, beside a smaller one of that name, `NNNN.seg.larger.tmp`.
/// Durability: every byte of the file, but not yet its name.  @throws log_error
spare_segment make_spare(file_layer& files, std::uint64_t number, std::uint32_t page_count,
                         bool is_larger = false);

/// Removes a segment that a durable one replaced; a torn one is kept under another name.
/// Durability: the removal is forced.  @throws log_error
void remove_segment(file_layer& files, older_segment const& which,
                    std::function<std::int64_t()> const& unix_ms);

/// Thread safety: every member may be called from several threads at once.
class segment_supply
{
public:
    struct settings
    {
        /// False: no thread; want() and retire() do the work before they return, or leave it to the
        /// caller that is at it.
        bool has_thread = true;
        std::chrono::milliseconds retry_min = limits{}.retry_min;
        std::chrono::milliseconds retry_max = limits{}.retry_max;
        std::function<std::int64_t()> unix_ms;
    };

    segment_supply(file_layer& files, settings how);
    segment_supply(segment_supply const&) = delete;
    segment_supply& operator=(segment_supply const&) = delete;
    ~segment_supply();

    /// Called, with nothing held, whenever a spare got ready or could not be made.  Set once,
    /// before anything is wanted.
    void on_change(std::function<void()> told);

    /// Asks for segment `number` with at least `page_count` pages.  A smaller spare stays until the
    /// larger one is there: on a full disk it is all that keeps the promises made.
    void want(std::uint64_t number, std::uint32_t page_count);

    /// Without a thread: makes now what could not be made before, so that the next one finds it.
    void try_again() noexcept;

    /// Takes a spare of at least `page_count` pages; waits for one, by `until`, but not when it
    /// cannot be made now.
    std::optional<spare_segment> take(std::uint32_t page_count,
                                      std::chrono::steady_clock::time_point until);

    /// Removes a segment when there is time; no spare is made before that succeeded, so that the
    /// log's files stay few.
    void retire(older_segment const& which);

    /// Pages of the spare that is ready; 0 when none is.
    std::uint32_t ready_pages() const;
    /// Why none is: the last failure, or empty.
    std::string why_not() const;

    /// Stops, and removes the spare.  @return false when a call of its thread hangs until `until`.
    bool close(std::chrono::steady_clock::time_point until) noexcept;
    /// The same, however long that call takes.
    void close_when_quiet() noexcept;

private:
    using held_lock = std::unique_lock<std::mutex>;

    bool is_work() const noexcept;
    void work(held_lock& lock) noexcept;
    void attempt(held_lock& lock) noexcept;
    void work_once(held_lock& lock);
    void discard(spare_segment const& which) noexcept;
    void run() noexcept;

    file_layer& files_;
    settings const how_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> on_change_;
    std::uint64_t wanted_number_ = 0;
    std::uint32_t wanted_pages_ = 0;
    std::optional<spare_segment> spare_;
    std::vector<older_segment> retired_;  // oldest first
    std::string why_;
    std::chrono::milliseconds pause_{0};  // after a failure
    bool is_busy_ = false;
    bool is_closed_ = false;
    std::thread thread_;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_SEGMENT_SUPPLY_HPP
