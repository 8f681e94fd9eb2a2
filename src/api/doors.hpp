// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// doors.hpp -- what the public classes, which are the doors to the engine, hold; and the thread's
// own transactions.

#ifndef ASSENT_API_DOORS_HPP
#define ASSENT_API_DOORS_HPP

#include <memory>

#include <assent/transaction_manager.hpp>

#include "engine/engine.hpp"
#include "ports/clock.hpp"

namespace assent {
inline namespace v0 {

/// A transaction shares the engine, so that manager and transactions may go in any order.
struct transaction::impl
{
    /// Whatever can fail comes before the transaction is there, so that it is never left to nobody.
    static std::unique_ptr<transaction> begin(std::shared_ptr<engine::engine> under,
                                              begin_options const& how);

    /// @throws error  errc::rollback_only; errc::invalid_state; errc::forked.
    void require_callable() const;

    std::shared_ptr<engine::engine> engine;
    std::shared_ptr<shared::global_transaction> tx;
};

struct transaction_manager::impl
{
    std::shared_ptr<engine::engine> engine;
};

}  // namespace v0

namespace api {

/// Says an ending as the public API does: by return, or by exception.
/// @throws rolled_back_error (commit only), heuristic_error, in_doubt_error.
outcome say(engine::ending const& told, gtrid const& id, bool is_commit);
outcome say(engine::ending const& told, gtrid const& id, bool is_commit, std::error_code& ec,
            diagnostics& diag);

/// This thread's transaction under one engine, if any.
transaction* bound_here(engine::engine const* under) noexcept;
/// @pre  none is bound.
void bind_here(engine::engine const* under, std::unique_ptr<transaction> tx);
std::unique_ptr<transaction> unbind_here(engine::engine const* under) noexcept;
/// As unbind_here(), but keeps the place of what it returns, so that resume_here() needs no memory.
/// Where something was returned, resume_here() must follow.
std::unique_ptr<transaction> suspend_here(engine::engine const* under) noexcept;
/// @pre  none is bound; `tx` is what suspend_here() had returned last, and is not null.
void resume_here(engine::engine const* under, std::unique_ptr<transaction> tx) noexcept;

/// Unbinds and destroys this thread's transaction, however the block is left; another one that was
/// put in its place is left alone.  Known by the transaction itself: its name may yet be settled.
struct unbound_at_end
{
    engine::engine const* const under;
    std::shared_ptr<shared::global_transaction> const which;

    ~unbound_at_end()
    {
        auto const* const bound = bound_here(under);
        if (bound != nullptr && bound->id() == which->id) unbind_here(under);
    }
};

}  // namespace api
}  // namespace assent

#endif  // ASSENT_API_DOORS_HPP
