// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// state.cpp -- how all stands, for whoever operates it.  Asks no database.

#include <algorithm>

#include "engine/engine.hpp"
#include "recovery/scan_plan.hpp"

namespace assent::engine {

namespace {

phase_state in_state(shared::phase_time const& of)
{
    return {of.count(), std::chrono::duration_cast<std::chrono::microseconds>(of.time())};
}

}  // namespace

manager_state engine::state() const
{
    require_same_process();
    manager_state now;
    auto const log = shared_.log->state();
    now.why = shared_.is_closing ? "it was closed" : shared_.twin();
    if (log.room == 0 && now.why.empty()) now.why = log.why;
    if (log.is_poisoned) now.why = "the decision log failed: " + log.why;
    now.is_accepting = now.why.empty();
    now.node = shared_.log->node();
    now.epoch = shared_.log->current().epoch;
    now.live_transactions = shared_.live.size();
    now.decisions = log.decisions;
    now.forces = log.forces;
    now.force_time = std::chrono::duration_cast<std::chrono::microseconds>(log.force_time);
    now.forces_waiting = log.waiting;
    now.preparing = in_state(shared_.phases.preparing);
    now.deciding = in_state(shared_.phases.deciding);
    now.committing = in_state(shared_.phases.committing);
    now.rolling_back = in_state(shared_.phases.rolling_back);
    now.log_medium = log.medium;
    now.log_room = log.room;
    now.log_decisions = log.kept_decisions;
    now.heuristics = log.heuristics;
    now.quarantined = shared_.quarantined();
    for (auto const& each : keepers())
        now.resource_managers.push_back(each->state());
    for (auto const& bound : shared_.log->bindings()) {
        if (bound.is_retired) continue;  // nothing of it is left but what is on record
        bool const is_configured =
            std::any_of(now.resource_managers.begin(), now.resource_managers.end(),
                        [&](auto const& rm) { return rm.name == bound.name; });
        if (is_configured) continue;
        resource_manager_state missing;
        missing.name = bound.name;
        missing.kind = bound.kind;
        missing.is_configured = false;
        missing.why = "bound in the log, but not added to this transaction manager";
        missing.undrained = missing.why;
        for (auto const& decision : shared_.log->unfinished_at(bound.id)) {
            recovery::visit_due(decision, bound.id,
                                [&missing](xid const&) { ++missing.branches_due; });
        }
        if (auto const asked = shared_.rows.asked_of(bound.id).size(); asked != 0) {
            missing.undrained += "; " + std::to_string(asked) +
                                 " transactions are decided by commit rows there, and wait";
        }
        now.resource_managers.push_back(std::move(missing));
    }
    return now;
}

}  // namespace assent::engine
