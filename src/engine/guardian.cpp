// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/guardian.hpp"

#include <exception>

namespace assent::engine {

guardian::guardian(context& shared, resource_manager_driver& driver)
    : shared_(shared), driver_(driver), retry_(shared.bounds.retry_min, shared.bounds.retry_max)
{
}

void guardian::step()
{
    auto const now = shared_.time.now();
    if (now < next_) return;
    try {
        if (is_held()) {
            renew();
        } else {
            take();
        }
    } catch (std::exception const& e) {
        lost(e.what());
    } catch (...) {
        lost("the connect function threw something that is no std::exception");
    }
}

void guardian::take()
{
    auto const& bounds = shared_.bounds;
    if (!session_.session) {
        session_.session =
            driver_.connect(session_purpose::guardian, shared_.time.now() + bounds.connect);
        session_.in_child = inherited_descriptor{session_.session->descriptor()};
    }
    auto const asked_at = shared_.time.now();
    bool const is_taken =
        driver_.try_guard(*session_.session, shared_.log->node(), asked_at + bounds.server_call);
    shared_.set_guard_refused(driver_.name(), !is_taken);
    if (!is_taken) {
        std::string const why =
            "another process holds this node's lock there: is a copy of this log at work?";
        if (why_ != why)
            shared_.tell(severity::warning, "guardian.refused", driver_.name(), {}, why);
        why_ = why;
        next_ = retry_.after(shared_.time.now(), bounds.completion_retry_max);
        return;
    }
    why_.clear();
    retry_.reset();
    taken_at_ = shared_.time.now();
    // Freshness counts from before the request: the server's lease began no earlier.
    fresh_until_.store((asked_at + bounds.guardian_lapse).time_since_epoch().count());
    is_held_.store(true, std::memory_order_release);
    next_ = taken_at_ + bounds.heartbeat;
    shared_.tell(severity::debug, "guardian.taken", driver_.name(), {}, {});
}

void guardian::renew()
{
    auto const& bounds = shared_.bounds;
    auto const asked_at = shared_.time.now();
    driver_.heartbeat(*session_.session, asked_at + bounds.heartbeat);
    fresh_until_.store((asked_at + bounds.guardian_lapse).time_since_epoch().count());
    next_ = asked_at + bounds.heartbeat;
}

void guardian::lost(std::string const& why)
{
    if (is_held()) shared_.tell(severity::warning, "guardian.lost", driver_.name(), {}, why);
    release();
    why_ = "its guardian has no lock: " + why;
    next_ = retry_.after(shared_.time.now(), shared_.bounds.completion_retry_max);
}

bool guardian::is_fresh() const noexcept
{
    return is_held() && shared_.time.now().time_since_epoch().count() < fresh_until_.load();
}

bool guardian::may_presume_abort() const noexcept
{
    return is_fresh() && shared_.time.now() >= taken_at_ + shared_.bounds.presumed_abort_delay;
}

void guardian::release() noexcept
{
    is_held_.store(false, std::memory_order_release);
    fresh_until_.store(0);
    session_ = {};
}

}  // namespace assent::engine
