// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/point_watch.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <utility>

namespace assent::testing {

void point_watch::strike_at(std::string const& point, int occurrence, std::function<void()> what)
{
    std::lock_guard const held{mutex_};
    strikes_[{point, counts_[point] + occurrence}] = std::move(what);
}

void point_watch::on(event const& what)
{
    std::function<void()> strike;
    {
        std::lock_guard const held{mutex_};
        std::string const name{what.name};
        auto const reached = [&](std::string const& point) {
            auto const found = strikes_.find({point, ++counts_[point]});
            if (found != strikes_.end()) strike = std::move(found->second);
        };
        reached(name);
        if (!what.resource_manager.empty()) {
            reached(name + "@" + std::string{what.resource_manager});
        }
        changed_.notify_all();
    }
    if (strike) strike();
}

bool point_watch::wait_for(std::string const& point, int count, deadline until)
{
    std::unique_lock held{mutex_};
    return changed_.wait_until(held, until, [&] { return counts_[point] >= count; });
}

int point_watch::count(std::string const& point) const
{
    std::lock_guard const held{mutex_};
    auto const found = counts_.find(point);
    return found == counts_.end() ? 0 : found->second;
}

std::map<std::string, int> point_watch::counts() const
{
    std::lock_guard const held{mutex_};
    return counts_;
}

void kill_self()
{
    ::kill(::getpid(), SIGKILL);
    std::abort();  // not reached: a signal to oneself is delivered before kill() returns
}

}  // namespace assent::testing
