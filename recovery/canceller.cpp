// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/canceller.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace assent::recovery {

canceller::canceller(context& shared, bound_database& at, std::function<void()> on_ended)
    : worker(shared),
      at_(at),
      on_ended_(std::move(on_ended)),
      session_(shared, at, session_purpose::manage)
{
}

void canceller::cancel(std::shared_ptr<branch> target, deadline end_at)
{
    {
        std::lock_guard const held{mutex_};
        if (is_closed_) return;
        asked_.reserve(asked_.size() + 2);
        asked_.push_back({target, shared_.time.now(), false, false});
        asked_.push_back({std::move(target), end_at, true, false});
    }
    wake();
}

void canceller::take_asked()
{
    std::lock_guard const held{mutex_};
    tasks_.reserve(tasks_.size() + asked_.size());
    std::move(asked_.begin(), asked_.end(), std::back_inserter(tasks_));
    asked_.clear();
}

deadline canceller::work()
{
    take_asked();
    session_.tend();
    auto const later = shared_.bounds.completion_retry_max;
    for (auto at = tasks_.begin(); at != tasks_.end();) {
        auto const now = shared_.time.now();
        if (at->at > now) {
            ++at;
            continue;
        }
        std::string why = "it cannot be reached";
        try {
            if (auto* const from = session_for(*at)) {
                try_one(*at, *from);
                if (at->is_end) on_ended_();
                session_.note_good();
                told_.forget();
                at = tasks_.erase(at);
                continue;
            }
        } catch (std::bad_alloc const&) {
            throw;
        } catch (std::exception const& e) {
            // Perhaps the server refuses this one only, which is no reason to stop all others.
            why = e.what();
        }
        if (told_.is_news(why)) {
            shared_.tell(severity::warning, "session.not_cancelled", at_.name(),
                         at->target->id.text(), why);
        }
        bool const is_sound = session_.is_open() && (*session_).is_reusable();
        if (!is_sound && now >= session_.next_try()) session_.lose(later);
        at->at = std::max(now + later, session_.next_try());
        ++at;
    }
    return next_due(shared_.time.now());
}

/// Our own session may be of an earlier start of the server than the branch's, and not know it yet.
driver_session* canceller::session_for(task& what)
{
    auto* from = session_.get();
    if (from == nullptr || what.is_sure || what.target->is_life_of(session_.facts().life())) {
        return from;
    }
    session_.close();
    from = session_.get();
    what.is_sure = from != nullptr;
    return from;
}

void canceller::try_one(task const& what, driver_session& from)
{
    auto const session = what.target->id.branch.parts().session;
    bool const is_reachable = session != 0 && !session_.facts().is_proxied;
    auto const here = session_.facts().life();
    {
        // The owner cannot submit END, PREPARE or ROLLBACK while this is held.  A cancel that met
        // one of them would make its answer, and with it the vote, uncertain.
        std::lock_guard const held{what.target->lock};
        if (!what.target->is_cancellable) return;
        if (!what.target->is_life_of(here)) {
            // Its session ended with another start of the server, and its number may be anybody's.
            what.target->is_session_ended = true;
            return;
        }
        if (is_reachable) what.target->was_cancelled = true;
        auto const until = shared_.time.now() + shared_.bounds.cancel_call;
        if (is_reachable && what.is_end) {
            at_.driver().end_session(from, session, until);
            what.target->is_session_ended = true;
        } else if (is_reachable) {
            at_.driver().cancel_statement(from, session, until);
        }
    }
    if (!is_reachable) {
        shared_.tell(severity::warning, "session.not_cancellable", at_.name(),
                     what.target->id.text(), "its session id is not known to the server");
    } else if (what.is_end) {
        shared_.tell(severity::warning, "session.ended", at_.name(), what.target->id.text(),
                     "its transaction outlived its deadline");
    }
}

deadline canceller::next_due(deadline now) const
{
    auto next = session_.is_open() ? now + shared_.bounds.session_idle_max : deadline::max();
    for (auto const& each : tasks_)
        next = std::min(next, std::max(each.at, now));
    return next;
}

void canceller::close() noexcept
{
    session_.close();
    tasks_.clear();
    std::vector<task> dropped;
    std::lock_guard const held{mutex_};
    is_closed_ = true;
    dropped.swap(asked_);
}

}  // namespace assent::recovery
