// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resolver.hpp -- what one scan of one database means, given the log and the live table.  Pure.
//
//   scan (taken first) --> for each listed branch: live?  then decided?  --> protocol::judge
//                      --> logged decisions that the scan lacks           --> finished
//
// The tool's `scan` prints the same plan that the keeper carries out.

#ifndef ASSENT_RECOVERY_RESOLVER_HPP
#define ASSENT_RECOVERY_RESOLVER_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <assent/resource_manager.hpp>
#include <assent/xid.hpp>

#include "ports/coordinator_log.hpp"
#include "protocol/recovery_rules.hpp"

namespace assent::recovery {

struct listed_branch
{
    xid id;
    protocol::listed_action action = protocol::listed_action::leave;
};

struct plan
{
    std::vector<listed_branch> listed;  ///< of this node only
    std::vector<xid> finished;          ///< decided, and the scan proves that they were committed
    std::size_t foreign_count = 0;      ///< of other managers and other nodes: never touched
    bool has_older = false;  ///< something of an older epoch is listed here or waits to be finished
};

/// What was found where the decision of a transaction lives.
struct finding
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
    std::function<finding(gtrid const&)> find;
    std::function<std::vector<ports::logged_decision>()> unfinished;
    std::function<ports::horizon(std::uint16_t)> horizon;
    /// Whether the commit rows in that resource manager were listed, so that each is known.
    std::function<bool(std::uint16_t)> are_rows_listed = [](std::uint16_t) { return false; };
    /// Whether a resource manager has that id; what a damaged log lost counts as none.
    std::function<bool(std::uint16_t)> is_bound;
};

log_facts facts_of(ports::coordinator_log const& log);

/// Whether the binding is that of a database, and no placeholder.
bool is_real(ports::binding const& which) noexcept;

/// @pre  `scan` is whole, and was taken before this call.
plan resolve(scan_result const& scan, std::uint16_t resource_manager, log_facts const& log,
             std::function<bool(gtrid const&)> const& is_live, bool may_presume_abort);

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_RESOLVER_HPP
