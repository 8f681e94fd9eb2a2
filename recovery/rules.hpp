// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rules.hpp -- what to do with a branch that a database lists as prepared.  Pure.
//
// The facts must be gathered in this order, or a transaction that ends in between is misjudged:
// the database's list first, then the live table, then the decisions.  First rule that fits:
//
//   not of our layout or node                 leave       nobody else is touched
//   opening not in the log, or a newer epoch; quarantine  a twin of this log is, or was, at work
//   or it names what was bound later
//   its resource manager is not in the log    quarantine  a damaged log lost that binding
//   handlers would run again, and a heuristic park        only a person knows what they have done
//   outcome of it is on record
//   at or below the horizon, and not due      quarantine  it was finished: a restore or failover;
//                                                         or a damaged log lost its decision
//   live in this process                      leave       its owner ends it
//   decision names the branch                 commit
//   decision exists, but not for the branch   quarantine  it never voted yes, yet is prepared
//   where its decision lives was not read     wait        absence elsewhere says nothing
//   abort may not be presumed now             wait        no guardian, poisoned log, other refusal
//   otherwise                                 rollback    presumed abort, whatever its age
//
// A twin is a copy of this log: a cloned volume, or a backup that was restored.
//
// A branch is due when a decision names it and nothing says that it is finished.  In a log that was
// salvaged from a damaged one every horizon is past all that was ever decided, so that nothing is
// presumed aborted; what is due there is carried out all the same.

#ifndef ASSENT_RECOVERY_RULES_HPP
#define ASSENT_RECOVERY_RULES_HPP

#include <cstdint>
#include <string_view>

namespace assent::recovery {

struct listed_facts
{
    bool is_ours = false;  // our layout, our node, this resource manager's id
    // (epoch, nonce) is in the log and not newer than ours, and whatever the name counts on had
    // been bound by then.
    bool is_known_opening = false;
    bool is_bound = true;  // the log knows the resource manager that the branch names
    bool is_at_or_below_horizon = false;
    bool is_live = false;
    bool has_decision = false;
    bool is_in_decision = false;
    bool is_due = false;        // is_in_decision, and not known to be finished
    bool is_place_read = true;  // the place where its decision lives was read, and read whole
    bool may_presume_abort = false;
    bool is_parked = false;  // its end runs handlers, and a heuristic outcome is on record
};

enum class listed_action : std::uint8_t {
    leave = 1,
    wait = 2,
    commit = 3,
    rollback = 4,
    quarantine_twin = 5,
    quarantine_reappeared = 6,
    quarantine_unvoted = 7,
    quarantine_unbound = 8,
    park = 9,
};

constexpr listed_action judge(listed_facts const& f) noexcept
{
    if (!f.is_ours) return listed_action::leave;
    if (!f.is_known_opening) return listed_action::quarantine_twin;
    if (!f.is_bound) return listed_action::quarantine_unbound;
    if (f.is_parked && !f.is_live) return listed_action::park;
    if (f.is_at_or_below_horizon && !f.is_due) return listed_action::quarantine_reappeared;
    if (f.is_live) return listed_action::leave;
    if (f.is_in_decision) return listed_action::commit;
    if (f.has_decision) return listed_action::quarantine_unvoted;
    if (!f.is_place_read) return listed_action::wait;
    if (!f.may_presume_abort) return listed_action::wait;
    return listed_action::rollback;
}

constexpr std::string_view name_of(listed_action what) noexcept
{
    switch (what) {
        case listed_action::leave:
            return "leave";
        case listed_action::wait:
            return "wait";
        case listed_action::commit:
            return "commit";
        case listed_action::rollback:
            return "rollback";
        case listed_action::quarantine_twin:
            return "quarantine (twin of this log)";
        case listed_action::quarantine_reappeared:
            return "quarantine (reappeared)";
        case listed_action::quarantine_unvoted:
            return "quarantine (never voted yes)";
        case listed_action::quarantine_unbound:
            return "quarantine (resource manager not in the log)";
        case listed_action::park:
            return "park (heuristic outcome on record)";
    }
    return "?";
}

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_RULES_HPP
