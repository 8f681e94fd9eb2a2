// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// canceller.hpp -- cancels the statements of transactions whose time is over, and after a grace
// ends their sessions, from the manager's own connection to one resource manager.
//
//   deadline --cancel the statement--> grace --end the session--> its locks are free
//
// The one invariant: nothing is cancelled or ended but under the branch's lock and while the branch
// is active, so that a cancel never meets END, PREPARE or ROLLBACK at the server.

#ifndef ASSENT_ENGINE_CANCELLER_HPP
#define ASSENT_ENGINE_CANCELLER_HPP

#include <memory>
#include <string>
#include <vector>

#include "engine/context.hpp"
#include "engine/global_transaction.hpp"

namespace assent::engine {

struct cancel_task
{
    std::shared_ptr<branch> target;
    deadline at;
    bool is_end = false;  ///< of the session; otherwise the statement is cancelled
};

/// Thread safety: its keeper's step() alone.
class canceller
{
public:
    canceller(context& shared, resource_manager_driver& driver) : shared_(shared), driver_(driver)
    {
    }

    /// Takes over what was asked for, and leaves `asked` empty.
    void take(std::vector<cancel_task>& asked);

    /// Does what is due.  @return whether a server refused something, or broke: it stays due, and
    /// only a scan tells which it was.
    bool run(driver_session& manage, bool is_proxied);

    /// When something is due next.
    deadline next_step(deadline now) const;

    void clear() noexcept { tasks_.clear(); }

private:
    /// @throws driver_error  the task is still to be done.
    void try_one(cancel_task const& task, driver_session& manage, bool is_proxied);

    context& shared_;
    resource_manager_driver& driver_;
    std::vector<cancel_task> tasks_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_CANCELLER_HPP
