// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// facts.hpp -- what is known of decisions, wherever they live, for the rules of recovery.

#ifndef ASSENT_RECOVERY_FACTS_HPP
#define ASSENT_RECOVERY_FACTS_HPP

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include <assent/xid.hpp>

#include "ports/coordinator_log.hpp"

namespace assent::shared {
class context;
}

namespace assent::recovery {

/// What was found where the decision of a transaction lives.
struct known_decision
{
    bool was_read = false;  ///< so that no decision means that there is none
    std::optional<ports::logged_decision> decision;
};

/// What is known of decisions, for the owner and for a view alike.
struct log_facts
{
    std::uint64_t node = 0;
    ports::opening current;
    std::function<bool(ports::opening const&)> knows;
    std::function<known_decision(gtrid const&)> find;
    /// Those with an unfinished branch of that resource manager, and perhaps others.
    std::function<std::vector<ports::logged_decision>(std::uint16_t)> unfinished_at;
    std::function<ports::horizon(std::uint16_t)> horizon;
    /// Whether the commit rows in that resource manager were listed, so that each is known.
    std::function<bool(std::uint16_t)> are_rows_listed = [](std::uint16_t) { return false; };
    /// Whether a heuristic outcome of the branch is on record, where its end would run handlers.
    std::function<bool(xid const&)> is_parked = [](xid const&) { return false; };
    /// The epoch in which each resource manager was given its id, 0 where that is not known; what a
    /// damaged log lost is none.  As of the call of facts_of(): what a list names was bound before.
    std::map<std::uint16_t, std::uint32_t> bound_in;
};

log_facts facts_of(ports::coordinator_log const& log);
/// Of the log, and of the commit rows that were read.
log_facts facts_of(shared::context const& all);

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_FACTS_HPP
