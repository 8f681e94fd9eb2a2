// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// backoff.hpp -- doubling waits between attempts, from a first to a last.

#ifndef ASSENT_SHARED_BACKOFF_HPP
#define ASSENT_SHARED_BACKOFF_HPP

#include <algorithm>
#include <chrono>

#include <assent/resource_manager.hpp>

namespace assent::shared {

class backoff
{
public:
    using duration = std::chrono::milliseconds;

    backoff(duration first, duration last) : first_(first), last_(last), next_(first) {}

    /// When to try again, and a longer wait the next time.  `at_most` caps this one.
    deadline after(deadline now, duration at_most)
    {
        auto const wait = std::min(next_, at_most);
        next_ = std::min(next_ * 2, last_);
        return now + wait;
    }
    void reset() noexcept { next_ = first_; }

private:
    duration first_;
    duration last_;
    duration next_;
};

}  // namespace assent::shared

#endif  // ASSENT_SHARED_BACKOFF_HPP
