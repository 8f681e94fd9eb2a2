// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/resolver.hpp"

#include <algorithm>
#include <unordered_set>

namespace assent::recovery {

namespace {

/// Whether a decision names the branch, and whether that is still to be carried out.
void note_decision(protocol::listed_facts& facts, ports::logged_decision const& decision,
                   bqual const& branch)
{
    auto const& all = decision.what.branches;
    auto const at = std::find(all.begin(), all.end(), branch);
    facts.has_decision = true;
    facts.is_in_decision = at != all.end();
    facts.is_due =
        facts.is_in_decision && !decision.is_finished[static_cast<std::size_t>(at - all.begin())];
}

}  // namespace

log_facts facts_of(ports::coordinator_log const& log)
{
    log_facts facts;
    facts.node = log.node();
    facts.current = log.current();
    facts.knows = [&log](ports::opening const& which) { return log.knows(which); };
    facts.find = [&log](gtrid const& which) -> finding {
        if (which.parts().place != decision_place::log) return {};
        return {true, log.find(which)};
    };
    facts.unfinished = [&log] { return log.unfinished(); };
    facts.horizon = [&log](std::uint16_t id) { return log.horizon(id); };
    facts.is_bound = [&log](std::uint16_t id) {
        auto const all = log.bindings();
        return std::any_of(all.begin(), all.end(),
                           [id](auto const& one) { return one.id == id && is_real(one); });
    };
    return facts;
}

bool is_real(ports::binding const& which) noexcept
{
    return which.kind != protocol::lost_kind;
}

plan resolve(scan_result const& scan, std::uint16_t resource_manager, log_facts const& log,
             std::function<bool(gtrid const&)> const& is_live, bool may_presume_abort)
{
    plan made;
    made.foreign_count = scan.foreign_count;
    auto const horizon = log.horizon(resource_manager);
    std::unordered_set<xid> listed;

    for (xid const& id : scan.ours) {
        auto const parts = id.global.parts();
        bool const is_of_node = parts.node == log.node;
        bool const is_of_manager = id.branch.parts().resource_manager == resource_manager;

        protocol::listed_facts facts;
        facts.is_known_opening =
            parts.epoch <= log.current.epoch && log.knows({parts.epoch, parts.nonce});
        // What names another database of this log is that one's; a name that none has is nobody's.
        facts.is_bound = is_of_manager || log.is_bound(id.branch.parts().resource_manager);
        // A twin betrays itself on any resource manager, also on one that this log never bound.
        facts.is_ours = is_of_node && (is_of_manager || !facts.is_known_opening || !facts.is_bound);
        if (!facts.is_ours) {
            made.foreign_count += !is_of_node;
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

        listed.insert(id);
        made.listed.push_back({id, protocol::judge(facts)});
        made.has_older = made.has_older || parts.epoch < log.current.epoch;
    }

    for (auto const& decision : log.unfinished()) {
        auto const epoch = decision.what.global.parts().epoch;
        for (std::size_t i = 0; i < decision.what.branches.size(); ++i) {
            xid const id{decision.what.global, decision.what.branches[i]};
            if (decision.is_finished[i] || id.branch.parts().resource_manager != resource_manager) {
                continue;
            }
            made.has_older = made.has_older || epoch < log.current.epoch;
            if (listed.count(id) == 0 && !is_live(id.global)) made.finished.push_back(id);
        }
    }
    return made;
}

}  // namespace assent::recovery
