// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/guardian.hpp"

#include <exception>

namespace assent::recovery {

guardian::guardian(context& shared, bound_database& at)
    : worker(shared),
      at_(at),
      session_(shared, at, session_purpose::guardian),
      retry_(shared.bounds.retry_min, shared.bounds.retry_max)
{
}

deadline guardian::work()
{
    auto const now = shared_.time.now();
    if (at_.id() == 0) return now + shared_.bounds.heartbeat;  // the scanner wakes it
    if (now < next_) return next_;
    try {
        driver_session* const session = session_.get();
        if (session == nullptr) return session_.next_try();
        if (is_held()) {
            renew(*session);
        } else {
            take(*session);
        }
    } catch (std::exception const& e) {
        lost(e.what());
    }
    return next_;
}

void guardian::take(driver_session& session)
{
    auto const& bounds = shared_.bounds;
    auto const asked_at = shared_.time.now();
    bool const is_taken =
        at_.driver().try_guard(session, shared_.log->node(), asked_at + bounds.server_call);
    shared_.set_guard_refused(at_.name(), !is_taken);
    is_refused_.store(!is_taken);
    if (!is_taken) {
        auto const holder = at_.driver().guard_holder(session, shared_.log->node(), at_.call_end());
        std::string const why = "another process holds this node's lock there" +
                                (holder.empty() ? std::string{} : " (" + holder + ")") +
                                ": is a copy of this log at work?";
        if (refused_ != why) {
            shared_.tell(severity::warning, "guardian.refused", at_.name(), {}, why);
        }
        refused_ = why;
        at_.note_guard(false, why);
        next_ = retry_.after(shared_.time.now(), bounds.completion_retry_max);
        return;
    }
    refused_.clear();
    retry_.reset();
    session_.note_good();
    auto const taken_at = shared_.time.now();
    auto const delay = shared_.presumption_delay();
    if (is_reign_over()) reign_.fetch_add(1);
    // By then whoever held the lock before has noticed, and its last force has ended: it decides
    // nothing any more by votes from before.
    presumes_from_.store((taken_at + delay).time_since_epoch().count());
    term_.fetch_add(1);
    note_asked(asked_at);
    is_held_.store(true, std::memory_order_release);
    next_ = taken_at + bounds.heartbeat;
    shared_.note_guard(at_.name(), true);
    at_.note_guard(true, {});
    shared_.tell(severity::debug, "guardian.taken", at_.name(), {}, {});
}

void guardian::renew(driver_session& session)
{
    auto const& bounds = shared_.bounds;
    auto const asked_at = shared_.time.now();
    at_.driver().heartbeat(session, asked_at + bounds.heartbeat);
    // An answer that comes after the lapse opens a new term: in between, votes did not count.
    if (shared_.time.now() >= fresh_until()) term_.fetch_add(1);
    note_asked(asked_at);
    next_ = asked_at + bounds.heartbeat;
}

/// Freshness counts from before the request: the server's lease began no earlier.
void guardian::note_asked(deadline asked_at) noexcept
{
    confirmed_.store(asked_at.time_since_epoch().count());
    auto const until = asked_at + shared_.bounds.guardian_lapse;
    fresh_until_.store(until.time_since_epoch().count(), std::memory_order_release);
}

void guardian::lost(std::string const& why)
{
    if (is_held()) shared_.tell(severity::warning, "guardian.lost", at_.name(), {}, why);
    release();
    shared_.note_guard(at_.name(), false);
    at_.note_guard(false, "its guardian has no lock: " + why);
    next_ = retry_.after(shared_.time.now(), shared_.bounds.completion_retry_max);
}

std::uint64_t guardian::term() const noexcept
{
    // Read again after the look at the clock: the freshness that is seen may be that of a term
    // which began meanwhile, behind a gap.
    auto const term = term_.load();
    bool const is_fresh = is_held() && shared_.time.now() < fresh_until();
    return is_fresh && term_.load() == term ? term : 0;
}

std::uint64_t guardian::reign() const noexcept
{
    auto const reign = reign_.load();
    return is_reign_over() ? no_reign : reign;
}

/// Who never held the lock knows of a copy only when it is refused.
bool guardian::is_reign_over() const noexcept
{
    auto const delay = shared_.presumption_delay();
    if (delay.count() == 0) return false;
    deadline const confirmed{deadline::duration{confirmed_.load()}};
    if (confirmed == deadline{}) return is_refused_.load();
    return shared_.time.now() - confirmed >= delay;
}

deadline guardian::fresh_until() const noexcept
{
    return deadline{deadline::duration{fresh_until_.load(std::memory_order_acquire)}};
}

bool guardian::may_presume_abort() const noexcept
{
    auto const from = deadline{deadline::duration{presumes_from_.load()}};
    return is_fresh() && shared_.time.now() >= from;
}

void guardian::release() noexcept
{
    is_held_.store(false, std::memory_order_release);
    fresh_until_.store(0);
    session_.close();
}

}  // namespace assent::recovery
