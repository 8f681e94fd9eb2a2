// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/live_table.hpp"

#include <algorithm>

namespace assent::engine {

std::shared_ptr<global_transaction> live_table::enter(maker const& make)
{
    std::lock_guard const held{mutex_};
    auto made = make(last_sequence_ + 1);
    live_.emplace(made->id, made);
    ++last_sequence_;
    return made;
}

void live_table::leave(global_transaction const& which) noexcept
{
    std::shared_ptr<global_transaction> last;  // destroyed outside the lock
    std::lock_guard const held{mutex_};
    auto const found = live_.find(which.id);
    if (found == live_.end()) return;
    last = std::move(found->second);
    live_.erase(found);
    left_.notify_all();
}

std::shared_ptr<global_transaction> live_table::find(gtrid const& which) const
{
    std::lock_guard const held{mutex_};
    auto const found = live_.find(which);
    return found == live_.end() ? nullptr : found->second;
}

std::size_t live_table::size() const
{
    std::lock_guard const held{mutex_};
    return live_.size();
}

std::vector<std::shared_ptr<global_transaction>> live_table::all() const
{
    std::lock_guard const held{mutex_};
    std::vector<std::shared_ptr<global_transaction>> copy;
    copy.reserve(live_.size());
    for (auto const& [id, tx] : live_)
        copy.push_back(tx);
    return copy;
}

std::uint64_t live_table::finished_up_to() const
{
    std::lock_guard const held{mutex_};
    std::uint64_t lowest = last_sequence_ + 1;
    for (auto const& [id, tx] : live_)
        lowest = std::min(lowest, id.parts().sequence);
    return lowest - 1;
}

bool live_table::wait_for_size(std::size_t at_most, ports::clock& time, deadline until)
{
    std::unique_lock held{mutex_};
    while (live_.size() > at_most && time.now() < until)
        time.wait(held, left_, until);
    return live_.size() <= at_most;
}

}  // namespace assent::engine
