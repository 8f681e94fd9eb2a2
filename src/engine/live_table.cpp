// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/live_table.hpp"

#include <algorithm>

namespace assent::engine {

std::shared_ptr<global_transaction> live_table::enter(maker const& make)
{
    std::lock_guard const held{mutex_};
    auto made = make(last_sequence_ + 1);
    live_.emplace(made->id, entry{made, std::nullopt});
    ++last_sequence_;
    return made;
}

void live_table::rename(global_transaction& which, gtrid const& name)
{
    std::lock_guard const held{mutex_};
    std::lock_guard const reader_waits{which.mutex};
    auto renamed = live_.extract(which.id);
    renamed.key() = which.id = name;
    live_.insert(std::move(renamed));
}

void live_table::leave(global_transaction const& which) noexcept
{
    std::shared_ptr<global_transaction> last;  // destroyed outside the lock
    std::lock_guard const held{mutex_};
    auto const found = live_.find(which.id);
    if (found == live_.end()) return;
    last = std::move(found->second.tx);
    live_.erase(found);
    left_.notify_all();
}

std::shared_ptr<global_transaction> live_table::find(gtrid const& which) const
{
    std::lock_guard const held{mutex_};
    auto const found = live_.find(which);
    return found == live_.end() ? nullptr : found->second.tx;
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
    for (auto const& [id, one] : live_)
        copy.push_back(one.tx);
    return copy;
}

std::vector<gtrid> live_table::names() const
{
    std::lock_guard const held{mutex_};
    std::vector<gtrid> names;
    for (auto const& [id, one] : live_)
        names.push_back(id);
    return names;
}

void live_table::await(global_transaction const& which, std::vector<std::uint16_t> left_at) noexcept
{
    std::lock_guard const held{mutex_};
    auto const found = live_.find(which.id);
    if (found != live_.end()) found->second.left_at = std::move(left_at);
}

std::uint64_t live_table::finished_up_to(std::uint16_t id) const
{
    std::lock_guard const held{mutex_};
    std::uint64_t lowest = last_sequence_ + 1;
    for (auto const& [global, one] : live_) {
        bool const is_past = one.left_at && std::find(one.left_at->begin(), one.left_at->end(),
                                                      id) == one.left_at->end();
        if (!is_past) lowest = std::min(lowest, global.parts().sequence);
    }
    return lowest - 1;
}

std::optional<gtrid> live_table::oldest_left_at(std::uint16_t id) const
{
    std::lock_guard const held{mutex_};
    std::optional<gtrid> oldest;
    for (auto const& [global, one] : live_) {
        bool const is_left = one.left_at && std::find(one.left_at->begin(), one.left_at->end(),
                                                      id) != one.left_at->end();
        if (!is_left) continue;
        if (!oldest || global.parts().sequence < oldest->parts().sequence) oldest = global;
    }
    return oldest;
}

bool live_table::wait_for_size(std::size_t at_most, ports::clock& time, deadline until)
{
    std::unique_lock held{mutex_};
    while (live_.size() > at_most && time.now() < until)
        time.wait(held, left_, until);
    return live_.size() <= at_most;
}

}  // namespace assent::engine
