// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// clock.hpp -- time and waiting, so that tests and the simulation can own both.

#ifndef ASSENT_PORTS_CLOCK_HPP
#define ASSENT_PORTS_CLOCK_HPP

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <assent/resource_manager.hpp>

namespace assent::ports {

/// No duration may be longer: milliseconds::max(), for one, overflows the clock when it is added to
/// now, and every wait would end at once.
inline constexpr std::chrono::milliseconds longest_duration = std::chrono::hours{24 * 365 * 10};

class clock
{
public:
    virtual ~clock() = default;

    virtual deadline now() const noexcept = 0;

    /// Milliseconds since 1970, for records that people read.  Decides nothing.
    virtual std::int64_t unix_ms() const noexcept = 0;

    /// Waits until notified, spuriously woken, or `until`.
    virtual void wait(std::unique_lock<std::mutex>& held, std::condition_variable& changed,
                      deadline until) = 0;
};

/// The machine's own clock.
class steady_clock final : public clock
{
public:
    deadline now() const noexcept override { return std::chrono::steady_clock::now(); }

    std::int64_t unix_ms() const noexcept override
    {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    }

    void wait(std::unique_lock<std::mutex>& held, std::condition_variable& changed,
              deadline until) override
    {
        changed.wait_until(held, until);
    }
};

}  // namespace assent::ports

#endif  // ASSENT_PORTS_CLOCK_HPP
