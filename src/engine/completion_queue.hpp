// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// completion_queue.hpp -- branches of one resource manager that their owners could not finish:
// decided and not confirmed, to be rolled back and not confirmed, or to be verified by a scan.
// Recovery of earlier epochs puts what it finds into the same queue.
// Branches of a transaction whose decision, in a row, is in doubt wait here until the row is known.
//
// The transition table decides every step; the queue only sends, and remembers.

#ifndef ASSENT_ENGINE_COMPLETION_QUEUE_HPP
#define ASSENT_ENGINE_COMPLETION_QUEUE_HPP

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "engine/context.hpp"
#include "protocol/transition_table.hpp"

namespace assent::engine {

struct due_branch
{
    xid id;
    protocol::branch_state state = protocol::branch_state::commit_due;
    std::shared_ptr<global_transaction> owner;  ///< null: of an earlier epoch
    reply last_reply;                           ///< what made it a heuristic
    bool is_forget_due = false;                 ///< a recorded heuristic, to be forgotten
    bool is_session_gone = false;               ///< proved before the next scan began
    std::string history;          ///< of the server when the branch began; empty: as the log notes
    bool has_other_past = false;  ///< of another history than the server's own of today
    int refusals = 0;             ///< how often the server listed it and would not let us finish it
};

class completion_queue
{
public:
    completion_queue(context& shared, std::string resource_manager)
        : shared_(shared), resource_manager_(std::move(resource_manager))
    {
    }

    /// Adds a branch; one that is queued already stays as it is.
    void add(due_branch&& what);

    void clear() noexcept { items_.clear(); }
    bool is_empty() const noexcept { return items_.empty(); }
    std::size_t size() const noexcept { return items_.size(); }
    bool needs_scan() const noexcept;
    /// Whether a branch is due that waits for something else than a row to be read.
    bool needs_more_than_rows() const noexcept;

    /// Sends what is due on the manager's own session.  A presumed abort waits until it may be
    /// presumed again: between the scan that found it and now, a copy of the log may have come.
    /// @throws driver_error  the session broke; what was sent stays due.
    void send(driver_session& manage, bool may_presume_abort);

    /// Tells every branch that waits for a scan what it said.
    void on_scan(std::set<xid> const& listed);

    template <class Function>
    void for_each(Function&& call)
    {
        for (auto& [id, item] : items_)
            call(item);
    }

private:
    enum class fate { keep, finished };

    fate send_one(driver_session& manage, due_branch& item);
    fate apply(due_branch& item, protocol::branch_state from, protocol::reply_class on,
               reply const& what);
    void finished(due_branch const& item);

    context& shared_;
    std::string const resource_manager_;
    std::map<xid, due_branch> items_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_COMPLETION_QUEUE_HPP
