// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/conclusions.hpp"

#include <utility>

#include "ports/coordinator_log.hpp"
#include "protocol/mutation.hpp"

namespace assent::recovery {

using protocol::branch_state;
using protocol::mutated;
using protocol::mutation;

conclusions::conclusions(context& shared, bound_database const& at, completion_queue& queue,
                         guardian const& guard, server_past const& past,
                         session_watch const& sessions)
    : shared_(shared), at_(at), queue_(queue), guard_(guard), past_(past), sessions_(sessions)
{
}

void conclusions::carry_out(plan const& what, std::vector<strangers_branch> const& of_strangers)
{
    awaits_rows_ = false;
    strangers_.clear();
    for (auto const& [id, account] : of_strangers)
        strangers_[id] = account;
    std::set<xid> suspects;
    // A twin stops presumed abort everywhere: also of what the same list shows.
    for (auto const& [id, action] : what.listed) {
        bool const is_twins = action == listed_action::quarantine_twin;
        if (is_twins && !is_strangers(id, action)) quarantine(id, action);
    }
    for (auto const& [id, action] : what.listed) {
        if (action == listed_action::quarantine_twin || is_strangers(id, action)) continue;
        switch (action) {
            case listed_action::commit:
            case listed_action::rollback:
                if (is_certain(id, suspects)) finish_listed(id, action);
                break;
            case listed_action::quarantine_reappeared:
            case listed_action::quarantine_unvoted:
            case listed_action::quarantine_unbound:
                quarantine(id, action);
                break;
            case listed_action::wait:
                if (id.global.parts().place == decision_place::commit_row) await_row(id, suspects);
                break;
            case listed_action::park:
            case listed_action::leave:
            case listed_action::quarantine_twin:
                break;
        }
    }
    suspects_.swap(suspects);
    for (xid const& id : what.finished)
        conclude_finished(id);
    look_at_others(what);
}

/// A branch that another account of the server prepared: only that one can finish it, and whoever
/// has it may have made up our name.  That is no reason to refuse all work, while no copy of this
/// log can be at work anywhere.
bool conclusions::is_strangers(xid const& id, listed_action action)
{
    auto const at = strangers_.find(id);
    if (at == strangers_.end() || action == listed_action::leave) return false;
    bool const is_twins = action == listed_action::quarantine_twin;
    if (is_twins && !shared_.is_guarded_everywhere()) return false;
    std::string const text = at_.name() + " " + id.text() + ": prepared by the account \"" +
                             at->second + "\", which alone can end it: log in as that";
    if (shared_.quarantine(text)) {
        shared_.tell(severity::warning, "branch.of_stranger", at_.name(), id.text(), text);
    }
    return true;
}

/// Two databases of one server list each other's branches.  One that names a database of another
/// server is nobody's: its own keeper does not see it.
void conclusions::look_at_others(plan const& what)
{
    for (xid const& id : what.of_others) {
        if (!shared_.are_apart(at_.id(), id.branch.parts().resource_manager)) continue;
        std::string const text = at_.name() + " " + id.text() +
                                 ": names another database of this log, on another server";
        if (shared_.quarantine(text)) {
            shared_.tell(severity::alarm, "branch.misplaced", at_.name(), id.text(), text);
        }
    }
}

/// A transaction of our own that ended between the scan and the look at the live table is still on
/// this list; only the next one tells.
bool conclusions::is_certain(xid const& id, std::set<xid>& suspects) const
{
    bool const is_older = id.global.parts().epoch != shared_.log->current().epoch;
    bool const is_hasty = mutated(mutation::live_before_list);
    if (is_older || is_hasty || suspects_.count(id) != 0) return true;
    suspects.insert(id);
    return false;
}

void conclusions::finish_listed(xid const& id, listed_action how)
{
    due_branch item;
    item.id = id;
    item.history = at_.history();
    item.reign = guard_.reign();
    sessions_.note_session(item);
    item.state =
        how == listed_action::commit ? branch_state::commit_due : branch_state::rollback_due;
    queue_.add(std::move(item));
}

void conclusions::quarantine(xid const& id, listed_action why)
{
    std::string const which = at_.name() + " " + id.text() + ": ";
    if (why == listed_action::quarantine_twin) {
        shared_.quarantine(which + "of a twin of this log");
        shared_.found_twin("\"" + at_.name() + "\" lists " + id.text() +
                           ", which no opening of this log can have made");
        return;
    }
    if (queue_.knows(id)) return;  // a person has it ended
    std::string const text = which + std::string{name_of(why)};
    if (shared_.quarantine(text)) {
        shared_.tell(severity::alarm, "branch.quarantined", at_.name(), id.text(), text);
    }
}

/// A listed branch, decided by a commit row that was not read yet.
void conclusions::await_row(xid const& id, std::set<xid>& suspects)
{
    awaits_rows_ = true;
    // A row that was deleted since must not be asked about: nothing would be found.
    if (shared_.log->horizon(at_.id()).covers(ports::position_of(id.global))) return;
    if (is_certain(id, suspects)) shared_.rows.ask({id.global, at_.id()});
}

/// A decided branch of an earlier epoch that is not listed any more.  Where it is queued, its
/// finisher has sent the COMMIT, or will, and hears what became of it.
void conclusions::conclude_finished(xid const& id)
{
    if (!past_.is_known() || queue_.knows(id)) return;
    if (past_.has_other(id.global.parts().epoch, {})) {
        // It may have gone with the server's past: the next scan says so, for the record.
        due_branch item;
        item.id = id;
        item.state = branch_state::commit_verify;
        queue_.add(std::move(item));
        return;
    }
    shared_.tell(severity::info, "branch.finished_assumed", at_.name(), id.text(),
                 "decided in an earlier epoch, and no longer listed");
    shared_.note_finished(id);
}

}  // namespace assent::recovery
