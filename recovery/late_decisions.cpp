// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/late_decisions.hpp"

#include <algorithm>
#include <list>
#include <string>
#include <utility>

#include "recovery/handing_over.hpp"
#include "recovery/heuristics.hpp"
#include "recovery/keeper.hpp"

namespace assent::recovery {

namespace {

constexpr std::string_view why_missing =
    "the decision was forced later than the guardian's lock was held, and a later list lacks this "
    "branch: a copy of this log has rolled it back";

/// Whether every branch of the decision was listed, in a term of its guardian that still lasts.
bool is_whole(global_transaction& tx, ports::decision const& decided)
{
    std::lock_guard const held{tx.mutex};
    return std::all_of(decided.branches.begin(), decided.branches.end(), [&tx](bqual const& id) {
        auto const at = std::find_if(tx.branches.begin(), tx.branches.end(),
                                     [&id](auto const& b) { return b->id.branch == id; });
        return at != tx.branches.end() && (*at)->listed_in_term != 0 &&
               (*at)->listed_in_term == (*at)->rm->guard_term();
    });
}

bool is_of(ports::decision const& decided, branch const& b)
{
    auto const& all = decided.branches;
    return std::find(all.begin(), all.end(), b.id.branch) != all.end();
}

/// Notes what the list says of the branches there.  @return those that it lacks.
std::vector<xid> note_branches(global_transaction& tx, ports::decision const& decided,
                               std::uint16_t id, std::set<xid> const& listed, std::uint64_t term)
{
    std::vector<xid> missing;
    std::lock_guard const held{tx.mutex};
    for (auto const& b : tx.branches) {
        if (!is_of(decided, *b) || b->id.branch.parts().resource_manager != id) continue;
        b->listed_in_term = listed.count(b->id) != 0 ? term : 0;
        if (b->listed_in_term == 0) missing.push_back(b->id);
    }
    return missing;
}

/// Whether this is who settles what was in doubt; two keepers may have the last list at once.
bool is_first(global_transaction& tx, left_as now)
{
    auto in_doubt = left_as::in_doubt;
    return tx.left.compare_exchange_strong(in_doubt, now);
}

/// Leaves the branches to the queues, whose they are from the lists that showed them until each is
/// confirmed: a rollback of the copy's that is still under way somewhere is not overlooked.
void carry_out(context& shared, std::shared_ptr<global_transaction> const& tx,
               ports::decision const& decided)
{
    std::list<due_branch> due;
    for (auto const& b : tx->branches) {
        if (!is_of(decided, *b)) continue;
        due.push_back(due_of(*b));
        due.back().may_be_turned = true;
    }
    auto places = places_of(due);
    if (!is_first(*tx, left_as::owned)) return;
    shared.tell(severity::info, "decision.durable_after_all", {}, tx->id.text(), {});
    tx->is_undecided = false;
    hand_over(shared, tx, std::move(due), std::move(places));
}

/// A person must look: one database has the work prepared, another has lost it.
void give_up(context& shared, global_transaction& tx, std::vector<xid> const& missing)
{
    reply lost;
    lost.code = xa_code::nota;
    lost.text = why_missing;
    std::string text{tx.id.text()};
    text +=
        ": decided too late, and one of its branches is gone; the others stay prepared until "
        "a person ends them";
    for (auto const& b : tx.branches) {
        if (std::find(missing.begin(), missing.end(), b->id) == missing.end()) continue;
        if (!record_heuristic(shared, b->rm->name(), b->id,
                              protocol::branch_state::heuristic_hazard, lost)) {
            return;  // the next list tells it again
        }
        shared.note_finished(b->id);
    }
    if (is_first(tx, left_as::split) && shared.quarantine(text)) {
        shared.tell(severity::alarm, "decision.split", {}, tx.id.text(), text);
    }
}

}  // namespace

std::vector<std::shared_ptr<global_transaction>> late_decisions(context& shared)
{
    std::vector<std::shared_ptr<global_transaction>> durable;
    for (auto const& tx : shared.live.left_in_doubt()) {
        if (!shared.log->find(tx->id)) continue;
        if (tx->left == left_as::in_doubt) {
            durable.push_back(tx);
        } else {
            // Its phase 2 was under way when memory ran out: the lists that begin now finish it.
            shared.live.leave(*tx);
        }
    }
    return durable;
}

void note_listed(context& shared, std::uint16_t id,
                 std::vector<std::shared_ptr<global_transaction>> const& late,
                 std::set<xid> const& listed, std::uint64_t term)
{
    if (term == 0) return;
    for (auto const& tx : late) {
        auto const decision = shared.log->find(tx->id);
        if (!decision || tx->left != left_as::in_doubt) continue;
        auto const missing = note_branches(*tx, decision->what, id, listed, term);
        if (!missing.empty()) {
            give_up(shared, *tx, missing);
        } else if (is_whole(*tx, decision->what)) {
            carry_out(shared, tx, decision->what);
        }
    }
}

}  // namespace assent::recovery
