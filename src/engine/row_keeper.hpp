// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// row_keeper.hpp -- the part of a keeper that minds the commit rows in its database.
//
//   look      at every row once: what an earlier run left to finish, and up to where it deleted
//   answer    questions: each by a fence, an abort row in the place of a row that may yet arrive
//   ensure    the table, when a transaction wants its decision there
//   prune     rows whose branches are all finished
//
// The one invariant: no question is answered because nothing was found.  Either a committed row was
// read, or an abort row was committed in its place; and none about a row that was deleted.

#ifndef ASSENT_ENGINE_ROW_KEEPER_HPP
#define ASSENT_ENGINE_ROW_KEEPER_HPP

#include <atomic>
#include <cstdint>
#include <string>

#include "engine/backoff.hpp"
#include "engine/context.hpp"

namespace assent::engine {

class row_keeper
{
public:
    row_keeper(context& shared, resource_manager_driver& driver);

    /// The table will be needed.  @return whether this was the first to say so.
    /// Thread safety: may be called from any thread.
    bool want() noexcept { return !is_wanted_.exchange(true); }

    // All else is of the keeper's own thread.

    /// Does what is due on the manager's own session.
    /// @throws driver_error  the session broke.
    void step(driver_session& manage, std::uint16_t id, bool may_presume_abort);

    /// Another connection: everything is looked at anew.
    void reset() noexcept;
    /// Somebody asked, or wants the table.
    void wake() noexcept { next_ = {}; }

    bool is_ready() const noexcept { return is_ready_; }  ///< transactions may decide here
    std::string const& why() const noexcept { return why_; }
    deadline next_step() const noexcept { return next_; }

private:
    bool work(driver_session& manage, std::uint16_t id, bool may_presume_abort);
    bool answer(driver_session& manage, gtrid const& which, bool may_presume_abort);
    bool was_deleted(gtrid const& which, std::uint16_t by) const;
    void require_own(std::uint16_t of, ports::horizon const& deleted_up_to) const;
    void take_over(std::uint16_t of, ports::horizon const& deleted_up_to);
    bool learn(decision_row const& row);
    void look(driver_session& manage, std::uint16_t id);
    deadline call_end() const;

    context& shared_;
    std::string const name_;
    resource_manager_driver const& driver_;
    decision_table* const table_;
    std::atomic<bool> is_wanted_{false};
    bool is_ready_ = false;
    bool was_looked_at_ = false;
    bool is_pruning_due_ = false;  // there are rows, or there will be
    backoff retry_;
    deadline next_{};
    deadline next_look_{};
    std::string why_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_ROW_KEEPER_HPP
