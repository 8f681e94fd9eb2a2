// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/half_messages/seat.hpp"

#include <iterator>
#include <utility>

namespace assent::half_messages {

seat::number seat::share() const noexcept
{
    std::lock_guard const held{mutex_};
    return number_;
}

void seat::give_up() noexcept
{
    number last;  // ended outside the lock
    std::lock_guard const held{mutex_};
    last.swap(number_);
}

std::shared_ptr<seat> seats::take(ports::session_numbers& from, bool can_prepare)
{
    auto made = std::make_shared<seat>(from.take(can_prepare));
    std::lock_guard const held{mutex_};
    for (auto at = all_.begin(); at != all_.end();)
        at = at->second.expired() ? all_.erase(at) : std::next(at);
    all_.emplace(made->id(), made);
    return made;
}

void seats::end(std::uint64_t id) noexcept
{
    std::shared_ptr<seat> found;
    {
        std::lock_guard const held{mutex_};
        auto const at = all_.find(id);
        if (at != all_.end()) found = at->second.lock();
    }
    if (found) found->give_up();
}

}  // namespace assent::half_messages
