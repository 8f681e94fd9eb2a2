// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// require_sane.cpp -- which values of assent::limits a manager can keep.
//
//   0 ... ten years            every duration, or more than 0: the table in require_sane.hpp
//   1 ...                      every count
//   retry_min <= retry_max
//   heartbeat < guardian_lapse <= 5 s, guardian_lapse + log_force <= 7 s, log_force <= log_hang
//
// Invariant: what rests on the guardian's lock, a vote and the force after it, ends before
// whoever has taken the lock since may presume abort.  That one may have a copy of the log which
// was made before these limits were recorded, limits of its own, and the default delay: so both are
// bounded by that, whatever delay is chosen here, and whatever this log has recorded.

#include "api/require_sane.hpp"

#include <cstddef>
#include <iterator>
#include <string>

#include <assent/error.hpp>

namespace assent::api {

namespace {

/// Stands for a field of any type where an aggregate is initialised.
struct any_field
{
    template <typename Type>
    operator Type() const;
};

/// How many fields an aggregate has: as many as it can be initialised with.
template <typename Aggregate, typename... Fields>
constexpr std::size_t count_of_fields()
{
    if constexpr (requires { Aggregate{Fields{}..., any_field{}}; }) {
        return count_of_fields<Aggregate, Fields..., any_field>();
    } else {
        return sizeof...(Fields);
    }
}

// Three counts and a switch, and segment_bytes, which the log judges.
constexpr std::size_t limits_without_a_rule = 5;
static_assert(std::size(duration_rules) + limits_without_a_rule == count_of_fields<limits>(),
              "a limit was added: does every value of it do, or does it need a rule?");

/// Each stands behind the one before, so none stands twice, and with the count none is missing.
constexpr bool are_in_order()
{
    limits const all;
    for (std::size_t i = 1; i < std::size(duration_rules); ++i) {
        if (&(all.*duration_rules[i].member) <= &(all.*duration_rules[i - 1].member)) return false;
    }
    return true;
}
static_assert(are_in_order(), "the rules are in the order in which limits declares its members");

[[noreturn]] void refuse(std::string const& name, limits::duration given, std::string const& why)
{
    throw error{errc::bad_argument,
                "limits::" + name + " is " + std::to_string(given.count()) + " ms: " + why};
}

[[noreturn]] void refuse_none(std::string const& name)
{
    throw error{errc::bad_argument, "limits::" + name + " is 0: it must be at least 1"};
}

}  // namespace

void require_sane(limits const& all)
{
    for (duration_rule const& each : duration_rules) {
        auto const given = all.*each.member;
        if (given.count() < 0) refuse(each.name, given, "it is negative");
        if (given.count() == 0 && !each.may_be_zero) refuse(each.name, given, "it must be longer");
        if (given > longest_duration)
            refuse(each.name, given, "ten years are the longest possible");
    }
    constexpr auto lapse_max = limits{}.guardian_lapse;
    constexpr auto delay = limits{}.presumed_abort_delay;
    std::string const copy = "a copy of this log may presume abort " +
                             std::to_string(delay.count()) + " ms after it took the lock, so ";
    if (all.guardian_lapse > lapse_max) {
        refuse("guardian_lapse", all.guardian_lapse,
               copy + "votes must not count for longer than " + std::to_string(lapse_max.count()) +
                   " ms");
    }
    if (all.log_force > delay - all.guardian_lapse) {
        refuse("log_force", all.log_force,
               copy +
                   "with limits::guardian_lapse it must not be longer; a later force is no "
                   "failure while the guardians are fresh, and limits::log_hang bounds it");
    }
    if (all.retry_min > all.retry_max) {
        refuse("retry_min", all.retry_min, "limits::retry_max is shorter");
    }
    // With none of these nothing would ever be finished, leased or begun.
    if (all.completion_sessions_max == 0) refuse_none("completion_sessions_max");
    if (all.pooled_sessions_max == 0) refuse_none("pooled_sessions_max");
    if (all.kept_decisions_max == 0) refuse_none("kept_decisions_max");
    if (all.log_force > all.log_hang) {
        refuse("log_force", all.log_force, "limits::log_hang is shorter");
    }
    if (all.heartbeat >= all.guardian_lapse) {
        refuse("heartbeat", all.heartbeat,
               "between two of them limits::guardian_lapse would pass, and no vote would count");
    }
}

}  // namespace assent::api
