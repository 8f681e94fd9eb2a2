// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// phase_times.hpp -- how often the phases of ending a transaction were gone through, and how long
// that took together: for whoever watches, and nothing is decided by it.

#ifndef ASSENT_SHARED_PHASE_TIMES_HPP
#define ASSENT_SHARED_PHASE_TIMES_HPP

#include <atomic>
#include <chrono>
#include <cstdint>

namespace assent::shared {

/// Thread safety: every member may be called from several threads at once.
class phase_time
{
public:
    using duration = std::chrono::steady_clock::duration;

    void add(duration took) noexcept
    {
        time_.fetch_add(took.count(), std::memory_order_relaxed);
        count_.fetch_add(1, std::memory_order_relaxed);
    }
    std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
    duration time() const noexcept { return duration{time_.load(std::memory_order_relaxed)}; }

private:
    std::atomic<std::uint64_t> count_{0};
    std::atomic<duration::rep> time_{0};
};

struct phase_times
{
    phase_time preparing;
    phase_time deciding;
    phase_time committing;
    phase_time rolling_back;
};

}  // namespace assent::shared

#endif  // ASSENT_SHARED_PHASE_TIMES_HPP
