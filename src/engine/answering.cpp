// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// answering.cpp -- what is said to whoever keeps a branch and asks what to do with it: a broker
// that asks back.
//
//   of another node, another log, a sequence to come,   not known; nothing is asked
//   or where a copy of this log is, or was, at work
//   live                                                pending, until it is decided; nothing is
//                                                       asked
//   an outcome is on record, here or in the log         that
//   a commit row decides                                the row, by the fence; or not known where
//                                                       the horizon of the asker's covers it: the
//                                                       row may have gone
//   the log decides, and has nothing                    not known
//
// Whatever says "committed": not known where the asker's branch is finished.
//
// Invariant: "rolled back" is said only of what can never commit.

#include <string_view>

#include "engine/engine.hpp"
#include "recovery/scan_plan.hpp"

namespace assent::engine {

namespace {

std::string_view words_of(known_outcome answer) noexcept
{
    switch (answer) {
        case known_outcome::pending:
            return "pending";
        case known_outcome::committed:
            return "committed";
        case known_outcome::rolled_back:
            return "rolled back";
        case known_outcome::unknown:
            break;
    }
    return "not known";
}

/// As far as a decision is known here.
recovery::listed_facts decided_of(xid const& branch, recovery::log_facts const& facts)
{
    recovery::listed_facts is;
    auto const found = facts.find(branch.global);
    if (found.decision) recovery::note_decision(is, *found.decision, branch.branch);
    return is;
}

}  // namespace

known_outcome engine::ask(xid const& branch, deadline until)
{
    require_same_process();
    auto const facts = recovery::facts_of(shared_);
    auto answer =
        may_answer(branch, facts) ? answer_to(branch, facts, until) : known_outcome::unknown;
    if (answer == known_outcome::committed) answer = committed_if_due(branch, facts);
    // Also where a copy of this log was found meanwhile, which may have said something else.
    if (!shared_.twin().empty()) answer = known_outcome::unknown;
    shared_.tell(severity::debug, "branch.asked", {}, branch.text(), words_of(answer));
    if (answer == known_outcome::committed) note_told(branch, facts);
    return answer;
}

/// By what a scan goes by, too: of the names that two copies of a log have made, ours are those
/// that count on nothing which this log has bound later.
bool engine::may_answer(xid const& branch, recovery::log_facts const& facts) const
{
    return branch.global.parts().node == facts.node && recovery::may_be_own(branch, facts) &&
           facts.bound_in.count(branch.branch.parts().resource_manager) != 0 &&
           shared_.twin().empty();
}

known_outcome engine::answer_to(xid const& branch, recovery::log_facts const& facts, deadline until)
{
    auto const name = branch.global.parts();
    // Before anything that was decided: what is not here any more has left its outcome.
    if (name.epoch == facts.current.epoch) {
        auto const is_live = shared_.live.is_live(name.sequence);
        if (!is_live) return known_outcome::unknown;  // it may yet begin, and is not to be fenced
        if (*is_live) return known_while_live(branch);
    }
    if (shared_.log->outcome(branch.global) == ports::recorded_outcome::by_person) {
        return known_outcome::unknown;
    }
    auto const known = outcome(branch.global);
    bool const is_row_to_tell =
        known == known_outcome::unknown && name.place == decision_place::commit_row;
    return is_row_to_tell ? ask_row(branch, facts, until) : known;
}

/// What was decided may be told to whoever keeps a branch as soon as it may be sent there.
known_outcome engine::known_while_live(xid const& branch) const
{
    auto const tx = shared_.live.find(branch.global);
    if (!tx || tx->is_undecided || tx->left != shared::left_as::owned) {
        return known_outcome::pending;
    }
    auto const known = shared_.outcomes.find(branch.global);
    return known == known_outcome::unknown ? known_outcome::pending : known;
}

/// By the keeper of the row's database, as for a branch that is listed: it takes the question back
/// where the row may have gone, because everything up to there is finished at the asker's.
known_outcome engine::ask_row(xid const& branch, recovery::log_facts const& facts, deadline until)
{
    auto const place = branch.global.parts().place_resource_manager;
    auto const by = branch.branch.parts().resource_manager;
    if (by == place || facts.bound_in.count(place) == 0) return known_outcome::unknown;
    if (shared_.is_closing) return known_outcome::pending;
    shared_.rows.ask({branch.global, by});
    bool const is_open = shared_.rows.await(branch.global, shared_.time, until);
    if (auto const says = shared_.rows.find(branch.global)) {
        return *says ? known_outcome::committed : known_outcome::rolled_back;
    }
    return is_open ? known_outcome::pending : known_outcome::unknown;
}

/// Of what has committed: a branch that is finished, and is there all the same, was restored, and
/// one that the decision does not name never voted yes.  Only a person may end either.
known_outcome engine::committed_if_due(xid const& branch, recovery::log_facts const& facts)
{
    auto const is = decided_of(branch, facts);  // before the horizon: it may go once that rises
    bool const has_voted = is.is_in_decision || !is.has_decision;
    bool const is_finished = !is.is_due && facts.horizon(branch.branch.parts().resource_manager)
                                               .covers(ports::position_of(branch.global));
    return has_voted && !is_finished ? known_outcome::committed : known_outcome::unknown;
}

/// Its keeper need not be asked again where it is finished already; a row that nobody had to read
/// is of a transaction that is live until then.
void engine::note_told(xid const& branch, recovery::log_facts const& facts) const
{
    auto const is = decided_of(branch, facts);
    bool const is_due = is.has_decision ? is.is_due : shared_.live.contains(branch.global);
    if (!is_due) return;
    auto const by = branch.branch.parts().resource_manager;
    for (auto const& each : keepers()) {
        if (each->known_id() == by) each->driver().note_told(branch);
    }
}

}  // namespace assent::engine
