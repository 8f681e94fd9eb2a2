// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// require_sane.cpp -- which values of assent::limits a manager can keep.
//
//   0 ... ten years            every duration: a larger one, duration::max() for one, overflows the
//                              clock when it is added to now, and every wait ends at once
//   more than 0                where nothing could be done in no time
//   heartbeat < guardian_lapse <= 5 s, and presumed_abort_delay is 0 or not below guardian_lapse
//
// The one invariant: votes that rest on the guardian's lock end before whoever has taken the lock
// since may presume abort.  It may be another process, with limits of its own and the default
// delay, so guardian_lapse is bounded by that and not only by the delay chosen here.

#include "api/require_sane.hpp"

#include <chrono>
#include <string>

#include <assent/error.hpp>

namespace assent::api {

namespace {

constexpr limits::duration at_most = std::chrono::hours{24 * 365 * 10};

struct bound
{
    char const* name;
    limits::duration limits::*which;
    bool may_be_zero;
};

constexpr bound bounds[] = {
    {"transaction", &limits::transaction, false},
    {"phase2_wait", &limits::phase2_wait, true},
    {"rollback_wait", &limits::rollback_wait, true},
    {"destructor_wait", &limits::destructor_wait, true},
    {"deadline_grace", &limits::deadline_grace, true},
    {"cancel_call", &limits::cancel_call, false},
    {"connect", &limits::connect, false},
    {"first_scan", &limits::first_scan, true},
    {"server_call", &limits::server_call, false},
    {"close", &limits::close, true},
    {"log_lock", &limits::log_lock, true},
    {"log_force", &limits::log_force, false},
    {"retry_min", &limits::retry_min, false},
    {"retry_max", &limits::retry_max, false},
    {"completion_retry_max", &limits::completion_retry_max, false},
    {"scan_interval", &limits::scan_interval, false},
    {"heartbeat", &limits::heartbeat, false},
    {"guardian_lapse", &limits::guardian_lapse, false},
    {"presumed_abort_delay", &limits::presumed_abort_delay, true},
    {"log_force_slow", &limits::log_force_slow, true},
    {"session_idle_max", &limits::session_idle_max, true},
    {"session_age_max", &limits::session_age_max, true},
};

[[noreturn]] void refuse(std::string const& name, limits::duration given, std::string const& why)
{
    throw error{errc::bad_argument,
                "limits::" + name + " is " + std::to_string(given.count()) + " ms: " + why};
}

}  // namespace

void require_sane(limits const& all)
{
    for (bound const& each : bounds) {
        auto const given = all.*each.which;
        if (given.count() < 0) refuse(each.name, given, "it is negative");
        if (given.count() == 0 && !each.may_be_zero) refuse(each.name, given, "it must be longer");
        if (given > at_most) refuse(each.name, given, "ten years are the longest possible");
    }
    constexpr auto lapse_max = limits{}.presumed_abort_delay;
    if (all.guardian_lapse > lapse_max) {
        refuse("guardian_lapse", all.guardian_lapse,
               "a copy of this log may presume abort " + std::to_string(lapse_max.count()) +
                   " ms after it took the lock, so votes must not count for longer");
    }
    if (all.heartbeat >= all.guardian_lapse) {
        refuse("heartbeat", all.heartbeat,
               "between two of them limits::guardian_lapse would pass, and no vote would count");
    }
    auto const delay = all.presumed_abort_delay;
    if (delay.count() != 0 && delay < all.guardian_lapse) {
        refuse("presumed_abort_delay", delay,
               "the votes of a copy of this log count until limits::guardian_lapse has passed; "
               "only where the log cannot be copied, 0");
    }
}

}  // namespace assent::api
