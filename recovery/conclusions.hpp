// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// conclusions.hpp -- does what one list of a database asks for, branch by branch.
//
//   commit, rollback    into the queue, whose finishers send it
//   quarantine          nobody decides it, and the operator hears of it
//   wait for a row      its keeper is asked
//   no longer listed    finished
//
// What to do with a listed branch is decided in recovery/rules.hpp alone.

#ifndef ASSENT_RECOVERY_CONCLUSIONS_HPP
#define ASSENT_RECOVERY_CONCLUSIONS_HPP

#include <map>
#include <set>
#include <string>
#include <vector>

#include "recovery/completion_queue.hpp"
#include "recovery/guardian.hpp"
#include "recovery/scan_plan.hpp"
#include "recovery/session_watch.hpp"

namespace assent::recovery {

/// Thread safety: the scanner's thread alone.
class conclusions
{
public:
    conclusions(context& shared, bound_database const& at, completion_queue& queue,
                guardian const& guard, server_past const& past, session_watch const& sessions);

    /// @param of_strangers  what only other accounts can end, as the list says.
    void carry_out(plan const& what, std::vector<strangers_branch> const& of_strangers);

    /// Whether only the next list can tell of a branch of the last one.
    bool has_suspects() const noexcept { return !suspects_.empty(); }
    /// Whether a branch of the last list is decided by a row that was not read by then.
    bool awaits_rows() const noexcept { return awaits_rows_; }

private:
    bool is_strangers(xid const& id, listed_action action);
    void look_at_others(plan const& what);
    bool is_certain(xid const& id, std::set<xid>& suspects) const;
    void finish_listed(xid const& id, listed_action how);
    void quarantine(xid const& id, listed_action why);
    void await_row(xid const& id, std::set<xid>& suspects);
    void conclude_finished(xid const& id);

    context& shared_;
    bound_database const& at_;
    completion_queue& queue_;
    guardian const& guard_;
    server_past const& past_;
    session_watch const& sessions_;

    std::set<xid> suspects_;                // of this epoch, listed once though not live
    std::map<xid, std::string> strangers_;  // listed, and the account that can end it
    bool awaits_rows_ = false;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_CONCLUSIONS_HPP
