// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// canceller.hpp -- cancels the statements of transactions whose time is over, and after a grace
// ends their sessions, from a connection of its own.
//
//   deadline --cancel the statement--> grace --end the session--> its locks are free
//
// Invariant: nothing is cancelled or ended but under the branch's lock and while the branch
// is active, so that a cancel never meets END, PREPARE or ROLLBACK at the server.

#ifndef ASSENT_RECOVERY_CANCELLER_HPP
#define ASSENT_RECOVERY_CANCELLER_HPP

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "recovery/own_session.hpp"
#include "recovery/told_once.hpp"
#include "recovery/worker.hpp"
#include "shared/global_transaction.hpp"

namespace assent::recovery {

using shared::branch;
using shared::context;

class canceller final : public worker
{
public:
    /// `on_ended` is called when a session was ended: a list may now tell what it has left.
    canceller(context& shared, bound_database& at, std::function<void()> on_ended);

    /// Cancels the branch's statement now if it is still active, and ends its session at `end_at`.
    /// Thread safety: may be called from any thread.
    void cancel(std::shared_ptr<branch> target, deadline end_at);

    /// @pre  its thread was joined.
    void close() noexcept;
    void cut() noexcept override { session_.cut(); }

private:
    struct task
    {
        std::shared_ptr<branch> target;
        deadline at;
        bool is_end = false;   // of the session; otherwise the statement is cancelled
        bool is_sure = false;  // that a server of another life is the one that is there now
    };

    deadline work() override;
    void take_asked();
    driver_session* session_for(task& what);
    /// @throws driver_error  the task is still to be done.
    void try_one(task const& what, driver_session& from);
    deadline next_due(deadline now) const;

    bound_database& at_;
    std::function<void()> const on_ended_;
    own_session session_;
    std::vector<task> tasks_;
    told_once told_;  // why a session could not be cancelled, whosever

    std::mutex mutex_;  // guards what follows
    std::vector<task> asked_;
    bool is_closed_ = false;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_CANCELLER_HPP
