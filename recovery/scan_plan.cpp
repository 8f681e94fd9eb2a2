// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/scan_plan.hpp"

#include <algorithm>
#include <unordered_set>

#include "protocol/mutation.hpp"

namespace assent::recovery {

void note_decision(listed_facts& facts, ports::logged_decision const& decision, bqual const& branch)
{
    auto const& all = decision.what.branches;
    auto const at = std::find(all.begin(), all.end(), branch);
    facts.has_decision = true;
    facts.is_in_decision = at != all.end();
    facts.is_due =
        facts.is_in_decision && !decision.is_finished[static_cast<std::size_t>(at - all.begin())];
}

bool may_be_own(xid const& id, log_facts const& log)
{
    auto const parts = id.global.parts();
    auto const is_older = [&](std::uint16_t manager) {
        auto const bound = log.bound_in.find(manager);
        return bound == log.bound_in.end() || bound->second <= parts.epoch;
    };
    bool const is_known = parts.epoch <= log.current.epoch && log.knows({parts.epoch, parts.nonce});
    bool const is_place_older =
        parts.place != decision_place::commit_row || is_older(parts.place_resource_manager);
    return is_known && is_place_older && is_older(id.branch.parts().resource_manager);
}

std::vector<xid> decided_at(std::uint16_t resource_manager, log_facts const& log,
                            std::function<bool(gtrid const&)> const& is_live)
{
    std::vector<xid> all;
    for (auto const& decision : log.unfinished_at(resource_manager)) {
        visit_due(decision, resource_manager, [&](xid const& id) {
            // In this order: what is decided stays so, and what is not live never is again.
            if (!is_live(id.global)) all.push_back(id);
        });
    }
    return all;
}

plan plan_of(scan_result const& scan, std::uint16_t resource_manager, log_facts const& log,
             std::function<bool(gtrid const&)> const& is_live, bool may_presume_abort,
             std::vector<xid> const& before)
{
    plan made;
    made.foreign_count = scan.foreign_count;
    auto const horizon = log.horizon(resource_manager);
    std::unordered_set<xid> listed;

    for (xid const& id : scan.ours) {
        auto const parts = id.global.parts();
        bool const is_of_node = parts.node == log.node;
        bool const is_of_manager = id.branch.parts().resource_manager == resource_manager;

        listed_facts facts;
        facts.is_known_opening = may_be_own(id, log);
        // A branch that names another database of this log is left to that one; a branch that names
        // none of them has nobody else.
        facts.is_bound =
            is_of_manager || log.bound_in.count(id.branch.parts().resource_manager) != 0;
        // A twin betrays itself on any resource manager, also on one that this log never bound.
        facts.is_ours = is_of_node && (is_of_manager || !facts.is_known_opening || !facts.is_bound);
        if (!facts.is_ours) {
            made.foreign_count += !is_of_node;
            if (is_of_node) made.of_others.push_back(id);
            continue;
        }
        // A salvaged log's horizons are past what rows have decided: first these are looked at.
        bool const is_place_listed = parts.place != decision_place::commit_row ||
                                     log.are_rows_listed(parts.place_resource_manager);
        facts.is_at_or_below_horizon =
            is_place_listed && horizon.covers(ports::position_of(id.global));
        facts.is_live = is_live(id.global);
        auto const found = log.find(id.global);  // after is_live: see the order above
        facts.is_place_read = found.was_read;
        if (found.decision) note_decision(facts, *found.decision, id.branch);
        facts.may_presume_abort = may_presume_abort;
        facts.is_parked = log.is_parked(id);

        listed.insert(id);
        made.listed.push_back({id, judge(facts)});
        made.has_older = made.has_older || parts.epoch < log.current.epoch;
    }

    std::unordered_set<xid> const known{before.begin(), before.end()};
    for (xid const& id : decided_at(resource_manager, log, is_live)) {
        made.has_older = made.has_older || id.global.parts().epoch < log.current.epoch;
        // Only against what was decided before the list began: a branch that was prepared and
        // decided since is not on it either, and has still to be committed.
        bool const was_decided =
            known.count(id) != 0 || protocol::mutated(protocol::mutation::list_older_than_prepare);
        if (was_decided && listed.count(id) == 0) made.finished.push_back(id);
    }
    return made;
}

}  // namespace assent::recovery
