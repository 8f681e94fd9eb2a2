// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/canceller.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

namespace assent::engine {

void canceller::take(std::vector<cancel_task>& asked)
{
    tasks_.reserve(tasks_.size() + asked.size());
    std::move(asked.begin(), asked.end(), std::back_inserter(tasks_));
    asked.clear();
}

bool canceller::run(driver_session& manage, bool is_proxied)
{
    auto const now = shared_.time.now();
    bool has_failed = false;
    for (auto at = tasks_.begin(); at != tasks_.end();) {
        if (at->at > now) {
            ++at;
            continue;
        }
        try {
            try_one(*at, manage, is_proxied);
            at = tasks_.erase(at);
        } catch (driver_error const& e) {
            // Perhaps the server refuses this one only, which is no reason to stop all others.
            shared_.tell(severity::warning, "session.not_cancelled", driver_.name(),
                         at->target->id.text(), e.what());
            at->at = now + shared_.bounds.completion_retry_max;
            has_failed = true;
            ++at;
        }
    }
    return has_failed;
}

void canceller::try_one(cancel_task const& task, driver_session& manage, bool is_proxied)
{
    auto const session = task.target->id.branch.parts().session;
    bool const is_reachable = session != 0 && !is_proxied;
    {
        // The owner cannot submit END, PREPARE or ROLLBACK while this is held.
        std::lock_guard const held{task.target->lock};
        if (!task.target->is_cancellable) return;
        if (is_reachable) task.target->was_cancelled = true;
        auto const until = shared_.time.now() + shared_.bounds.cancel_call;
        if (is_reachable && task.is_end) {
            driver_.end_session(manage, session, until);
            task.target->is_session_ended = true;
        } else if (is_reachable) {
            driver_.cancel_statement(manage, session, until);
        }
    }
    if (!is_reachable) {
        shared_.tell(severity::warning, "session.not_cancellable", driver_.name(),
                     task.target->id.text(), "its session id is not known to the server");
    } else if (task.is_end) {
        shared_.tell(severity::warning, "session.ended", driver_.name(), task.target->id.text(),
                     "its transaction outlived its deadline");
    }
}

deadline canceller::next_step(deadline now) const
{
    auto next = deadline::max();
    for (auto const& task : tasks_)
        next = std::min(next, std::max(task.at, now));
    return next;
}

}  // namespace assent::engine
