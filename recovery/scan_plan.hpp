// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scan_plan.hpp -- what one scan of one database means, given the log and the live table.  Pure.
//
//   decided_at --> the list --> for each listed branch: live?  then decided?  --> judge
//        |                 +--> decided before the list, and not on it        --> finished
//        +-----------------^
//
// The tool's `scan` prints the same plan that the database's keeper (its background workers)
// carries out.

#ifndef ASSENT_RECOVERY_SCAN_PLAN_HPP
#define ASSENT_RECOVERY_SCAN_PLAN_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <assent/driver.hpp>
#include <assent/xid.hpp>

#include "recovery/facts.hpp"
#include "recovery/rules.hpp"

namespace assent::recovery {

struct listed_branch
{
    xid id;
    listed_action action = listed_action::leave;
};

struct plan
{
    std::vector<listed_branch> listed;  ///< of this node only
    std::vector<xid> finished;          ///< decided, and the scan proves that they were committed
    std::vector<xid> of_others;         ///< of this node, naming another database of this log
    std::size_t foreign_count = 0;      ///< of other managers and other nodes: never touched
    bool has_older = false;  ///< something of an older epoch is listed here or waits to be finished
};

/// The decision's branches there that are not known to be finished.
template <class Visit>
void visit_due(ports::logged_decision const& decision, std::uint16_t resource_manager,
               Visit const& visit)
{
    for (std::size_t i = 0; i < decision.what.branches.size(); ++i) {
        xid const id{decision.what.global, decision.what.branches[i]};
        bool const is_there = id.branch.parts().resource_manager == resource_manager;
        if (is_there && !decision.is_finished[i]) visit(id);
    }
}

/// Whether an opening of this log can have made the name: it is known, and by then it knew the
/// resource managers that the name counts on.  A copy of the log gives their ids to others.
bool may_be_own(xid const& id, log_facts const& log);

/// Whether a decision names the branch, and whether that is still to be carried out.
void note_decision(listed_facts& facts, ports::logged_decision const& decision,
                   bqual const& branch);

/// What a list of that resource manager may prove finished by lacking it: decided, unfinished, and
/// in nobody's hands.  @pre  the list has not begun: a branch that is decided and prepared after it
/// is not on it.
std::vector<xid> decided_at(std::uint16_t resource_manager, log_facts const& log,
                            std::function<bool(gtrid const&)> const& is_live);

/// @param before  what decided_at() said before the list.
/// @pre  `scan` is whole, and was taken before this call.
plan plan_of(scan_result const& scan, std::uint16_t resource_manager, log_facts const& log,
             std::function<bool(gtrid const&)> const& is_live, bool may_presume_abort,
             std::vector<xid> const& before);

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_SCAN_PLAN_HPP
