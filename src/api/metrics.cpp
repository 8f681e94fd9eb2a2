// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/metrics.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include "api/exposition.hpp"

namespace assent {
inline namespace v0 {

namespace {

using api::exposition;

void tell_log(exposition& into, manager_state const& now)
{
    into.lone("assent_accepting", "1: begin() works.", now.is_accepting);
    into.lone("assent_epoch", "Of this opening of the log.", now.epoch);
    into.lone("assent_transactions_live", "Begun and not finished.", now.live_transactions);
    into.lone("assent_decisions_total", "Forced since the log was opened.", now.decisions);
    into.lone("assent_forces_total", "Forced writes of decisions since the log was opened.",
              now.forces);
    into.lone("assent_force_seconds_total", "Time that these took.",
              std::chrono::duration<double>(now.force_time).count());
    into.lone("assent_forces_waiting", "Threads that wait for a forced write now.",
              now.forces_waiting);
    into.lone("assent_log_room_transactions", "How many may begin before one ends.", now.log_room);
    into.lone("assent_log_decisions", "Decisions that memory and the log keep.", now.log_decisions);
    into.lone("assent_heuristics", "Recorded heuristic outcomes that nobody has forgotten.",
              now.heuristics);
    into.lone("assent_branches_quarantined", "Branches that a person must look at.",
              now.quarantined.size());
}

void tell_phases(exposition& into, manager_state const& now)
{
    std::array<std::pair<char const*, phase_state>, 4> const phases{
        {{"prepare", now.preparing},
         {"decide", now.deciding},
         {"commit", now.committing},
         {"rollback", now.rolling_back}}};
    into.family("assent_phases_total", "Phases of ending transactions, since the opening.");
    for (auto const& [name, phase] : phases)
        into.sample(phase.count, {{"phase", name}});
    into.family("assent_phase_seconds_total", "Time that these took.");
    for (auto const& [name, phase] : phases)
        into.sample(std::chrono::duration<double>(phase.time).count(), {{"phase", name}});
}

template <class Value>
void tell_each(exposition& into, manager_state const& now, char const* name, char const* help,
               Value const& value)
{
    into.family(name, help);
    for (auto const& each : now.resource_managers) {
        into.sample(value(each), {{"resource_manager", each.name}});
    }
}

}  // namespace

std::string prometheus_text(manager_state const& now)
{
    using one = resource_manager_state const&;
    exposition text;
    tell_log(text, now);
    tell_phases(text, now);
    tell_each(text, now, "assent_serving", "1: leases are given.",
              [](one rm) { return rm.is_serving; });
    tell_each(text, now, "assent_configured", "0: the log knows it, and this process does not.",
              [](one rm) { return rm.is_configured; });
    tell_each(text, now, "assent_drained",
              "1: nothing of earlier runs is, or can come to be, in doubt there.",
              [](one rm) { return rm.is_drained; });
    tell_each(text, now, "assent_branches_due", "Decided branches that wait to be finished.",
              [](one rm) { return rm.branches_due; });
    tell_each(text, now, "assent_oldest_due_seconds",
              "How long the first of them has waited in this process.",
              [](one rm) { return std::chrono::duration<double>(rm.oldest_due).count(); });
    tell_each(text, now, "assent_sessions_max", "The pool's limit; 0: the application's own pool.",
              [](one rm) { return rm.sessions_max; });
    tell_each(text, now, "assent_sessions_leased", "Sessions of the pool that are leased.",
              [](one rm) { return rm.sessions_leased; });
    tell_each(text, now, "assent_sessions_idle", "Sessions that are ready for the next lease.",
              [](one rm) { return rm.sessions_idle; });
    tell_each(text, now, "assent_leases_waiting", "Calls of lease() that wait for a session.",
              [](one rm) { return rm.leases_waiting; });
    return text.text();
}

}  // namespace v0
}  // namespace assent
