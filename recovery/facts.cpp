// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/facts.hpp"

#include <utility>

#include "shared/context.hpp"

namespace assent::recovery {

log_facts facts_of(ports::coordinator_log const& log)
{
    log_facts facts;
    facts.node = log.node();
    facts.current = log.current();
    facts.knows = [&log](ports::opening const& which) { return log.knows(which); };
    facts.find = [&log](gtrid const& which) -> known_decision {
        if (which.parts().place != decision_place::log) return {};
        return {true, log.find(which)};
    };
    facts.unfinished_at = [&log](std::uint16_t id) { return log.unfinished_at(id); };
    facts.horizon = [&log](std::uint16_t id) { return log.horizon(id); };
    for (auto const& bound : log.bindings()) {
        if (ports::is_real(bound)) facts.bound_in.emplace(bound.id, bound.epoch);
    }
    return facts;
}

log_facts facts_of(shared::context const& all)
{
    auto known = facts_of(*all.log);
    known.find = [&all, in_log = std::move(known.find)](gtrid const& which) -> known_decision {
        if (which.parts().place != decision_place::commit_row) return in_log(which);
        auto says = all.rows.find(which);
        if (!says) return {};
        return {true, std::move(*says)};
    };
    known.are_rows_listed = [&all](std::uint16_t id) { return all.rows.are_listed(id); };
    known.unfinished_at = [&all](std::uint16_t id) {
        auto left = all.log->unfinished_at(id);
        for (auto& each : all.rows.unfinished())
            left.push_back(std::move(each));
        return left;
    };
    return known;
}

}  // namespace assent::recovery
