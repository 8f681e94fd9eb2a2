// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// asked_end.hpp -- one prepared branch of a database is ended by the owner of the log, since a
// person asks for it while the application runs.
//
// Invariant: a branch in the person's hands is in nobody else's: it is taken from the completion
// queue, and one that a transaction of this run still has is refused.

#ifndef ASSENT_RECOVERY_ASKED_END_HPP
#define ASSENT_RECOVERY_ASKED_END_HPP

#include <atomic>
#include <string>

#include "recovery/completion_queue.hpp"
#include "recovery/guardian.hpp"
#include "recovery/own_session.hpp"
#include "recovery/request.hpp"
#include "recovery/resolving.hpp"

namespace assent::recovery {

/// Thread safety: one request at a time, but for cut().
class asked_end
{
public:
    asked_end(context& shared, bound_database& at, completion_queue& queue, guardian const& guard);

    /// @pre  `what` is to resolve a branch of this database.
    /// @throws refusal  @throws std::exception  the log or the database failed.
    answer carry_out(request const& what, step_function const& step);

    /// Asks for the list, so that it may be forgotten what is on record of that branch.
    /// @throws refusal  it is listed, or nobody tells.
    void require_unlisted(xid const& which);

    /// Whether the log knows which database it is: before, it cannot be asked.
    bool is_ready() const noexcept { return at_.id() != 0; }
    /// Whether this node's lock is held there: without it everything is refused.
    bool is_guarded() const noexcept { return guard_.is_fresh(); }

    /// Ends what a request waits for, and sends nothing any more: the manager closes.  From any
    /// thread.
    void cut() noexcept
    {
        is_cut_ = true;
        session_.cut();
    }

private:
    struct finding;

    template <class Question>
    auto ask(Question const& question);
    scan_result list(branch_end& at) const;
    finding find(request const& what, branch_end& at) const;
    void require_not_live(gtrid const& which) const;
    answer end(request const& what, finding const& found, branch_end& at,
               step_function const& step);
    void require_may_send(std::string const& done) const;
    answer say(resolved const& how, bool has_acted) const;

    context& shared_;
    bound_database& at_;
    completion_queue& queue_;
    guardian const& guard_;
    own_session session_;
    std::atomic<bool> is_cut_{false};  // for good: a session that is made later is cut as well
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_ASKED_END_HPP
