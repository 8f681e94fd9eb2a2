// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// point_watch.hpp -- an observer that counts the library's steps and strikes at one of them.
//
//   point              an event's name: branch.prepare.sent
//   point@resource     the same, of one resource manager only: branch.prepare.sent@orders
//
// Invariant: what was set to strike strikes once, on the thread that takes the step, before
// that thread takes the next one.

#ifndef ASSENT_TESTS_CRASH_POINT_WATCH_HPP
#define ASSENT_TESTS_CRASH_POINT_WATCH_HPP

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <assent/driver.hpp>
#include <assent/observer.hpp>

namespace assent::testing {

/// Thread safety: every member may be called from several threads at once.
class point_watch : public observer
{
public:
    /// Runs `what` when `point` is reached for the `occurrence`-th time, counted from now.  Several
    /// may be set.
    void strike_at(std::string const& point, int occurrence, std::function<void()> what);

    void on(event const& what) override;

    /// @return whether `point` was reached `count` times in all by `until`.
    bool wait_for(std::string const& point, int count, deadline until);

    int count(std::string const& point) const;
    std::map<std::string, int> counts() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, int> counts_;
    std::map<std::pair<std::string, int>, std::function<void()>> strikes_;
};

/// kill -9 of this process: nothing is flushed, no destructor runs.
[[noreturn]] void kill_self();

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_POINT_WATCH_HPP
