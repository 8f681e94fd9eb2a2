// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session_watch.hpp -- whether the sessions that worked on branches are gone, so that no PREPARE of
// theirs can still arrive; read before the list that is to prove something of them.
//
// Invariant: nothing of ours turns a COMMIT.  A session that keeps a prepared branch is
// ended only where it runs nothing, and what may have met a COMMIT all the same is remembered as
// such.

#ifndef ASSENT_RECOVERY_SESSION_WATCH_HPP
#define ASSENT_RECOVERY_SESSION_WATCH_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recovery/bound_database.hpp"
#include "recovery/completion_queue.hpp"
#include "recovery/own_session.hpp"
#include "recovery/server_past.hpp"

namespace assent::recovery {

using shared::branch;

/// Thread safety: the scanner's thread alone.
class session_watch
{
public:
    /// `on_older_gone` is called once, when the sessions of earlier runs are gone.
    session_watch(context& shared, bound_database& at, completion_queue& queue,
                  server_past const& past, own_session& manage,
                  std::function<void()> on_older_gone);

    /// Asks for every session that something waits for.  @pre  the session of `manage` is open.
    void look();
    /// Whether no session of an earlier run is left there that could still prepare a branch.
    bool are_older_gone() const noexcept { return older_gone_since_.has_value(); }

    /// Notes in `item` what is known of the session that prepared a listed branch, where the server
    /// keeps the branch for that one.
    void note_session(due_branch& item) const;

    /// Whether a session of a barred transaction was ended, and is not known to be gone yet.
    bool awaits_end() const;
    /// The barred transactions of which every branch here has begun.  Asked before the list: what
    /// it lacks counts only against transactions that were barred by then.
    std::vector<std::shared_ptr<global_transaction>> barred() const;
    /// Those of `barred` that no session can prepare any more.
    /// @param seen  the life of the server that made the list: a session of another life was over
    ///              before it.
    std::set<gtrid> without_session(std::vector<std::shared_ptr<global_transaction>> const& barred,
                                    server_life const& seen) const;
    /// Lets go of each transaction of `over` that is not listed.  One that is listed was prepared
    /// although it was barred: it is rolled back first, and a later list will lack it.
    void let_go_of(std::set<gtrid> const& over, std::set<xid> const& listed) noexcept;

private:
    void look_for(due_branch& item);
    void look_for(branch& barred);
    void end_session_of(due_branch& item);
    bool is_gone(std::uint64_t session);

    context& shared_;
    bound_database& at_;
    completion_queue& queue_;
    server_past const& past_;
    own_session& manage_;
    std::function<void()> const on_older_gone_;

    std::optional<deadline> older_gone_since_;
    std::uint64_t first_session_ = 0;  // of this epoch; those that are gone have lower numbers
    std::string first_start_;          // of the server then: a later one begins to count anew
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_SESSION_WATCH_HPP
