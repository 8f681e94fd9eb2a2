// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// require_sane.hpp -- limits are sane if a manager can keep them; others are refused before
// anything is opened.

#ifndef ASSENT_API_REQUIRE_SANE_HPP
#define ASSENT_API_REQUIRE_SANE_HPP

#include <chrono>

#include <assent/options.hpp>

#include "ports/clock.hpp"

namespace assent::api {

/// What each limit of time is held to.
struct duration_rule
{
    char const* name;
    limits::duration limits::*member;
    bool may_be_zero;  ///< false where nothing could be done in no time
};

/// In the order of their declaration; require_sane.cpp does not compile while one is missing.
inline constexpr duration_rule duration_rules[] = {
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
    {"log_hang", &limits::log_hang, false},
    {"detach_settle", &limits::detach_settle, true},
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

using ports::longest_duration;

/// @throws error  errc::bad_argument: it names the limit, and says what is possible.
void require_sane(limits const& all);

}  // namespace assent::api

#endif  // ASSENT_API_REQUIRE_SANE_HPP
