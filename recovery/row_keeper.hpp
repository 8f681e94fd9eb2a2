// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// row_keeper.hpp -- the worker that looks after the commit rows (decisions that are rows of a
// table) in one database, on a connection of its own.
//
//   look      at every row once: what an earlier run left to finish, and up to where it deleted
//   answer    questions: each by a fence, an abort row in the place of a row that may yet arrive
//   ensure    the table, when a transaction wants its decision there
//   prune     rows whose branches are all finished
//
// Invariant: no question is answered because nothing was found.  Either a committed row was
// read, or an abort row was committed in its place; and none about a row that was deleted.

#ifndef ASSENT_RECOVERY_ROW_KEEPER_HPP
#define ASSENT_RECOVERY_ROW_KEEPER_HPP

#include <atomic>
#include <cstdint>
#include <string>

#include "recovery/guardian.hpp"
#include "recovery/own_session.hpp"
#include "recovery/worker.hpp"
#include "shared/backoff.hpp"

namespace assent::recovery {

using shared::backoff;
using shared::context;

class row_keeper final : public worker
{
public:
    row_keeper(context& shared, bound_database& at, guardian const& guard);

    /// The table will be needed.
    /// Thread safety: may be called from any thread.
    void want() noexcept;
    /// Somebody asked about a row.  Thread safety: may be called from any thread.
    void hear_question() noexcept;

    /// @pre  its thread was joined.
    void close() noexcept { session_.close(); }
    void cut() noexcept override { session_.cut(); }

private:
    deadline work() override;
    bool mind(driver_session& manage);
    bool answer(driver_session& manage, gtrid const& which);
    bool may_presume_abort() const;
    bool is_last_look_due() const;
    bool was_deleted(gtrid const& which, std::uint16_t by) const;
    void require_own(std::uint16_t of, ports::horizon const& deleted_up_to) const;
    void take_over(std::uint16_t of, ports::horizon const& deleted_up_to);
    bool learn(decision_row const& row);
    void look(driver_session& manage);
    void failed(std::string const& why);

    bound_database& at_;
    guardian const& guard_;
    own_session session_;
    decision_table* const table_;
    std::atomic<bool> is_wanted_{false};
    std::atomic<bool> is_asked_{false};
    bool is_ready_ = false;
    std::uint64_t looked_in_term_ = 0;  // of the guardian
    bool was_looked_at_ = false;
    bool heard_older_gone_ = false;
    bool is_pruning_due_ = false;  // there are rows, or there will be
    backoff retry_;
    deadline next_{};
    deadline next_look_{};
    std::string why_;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_ROW_KEEPER_HPP
