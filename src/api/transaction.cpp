// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/transaction.hpp>

#include <exception>
#include <utility>

#include "api/doors.hpp"

namespace assent {
inline namespace v0 {

any_lease::any_lease(std::shared_ptr<engine::leased_session> session) noexcept
    : session_(std::move(session))
{
}

void* any_lease::handle() const
{
    return session_->handle();
}

transaction::transaction(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
transaction::transaction(transaction&&) noexcept = default;

std::unique_ptr<transaction> transaction::impl::begin(std::shared_ptr<engine::engine> under,
                                                      begin_options const& how)
{
    std::unique_ptr<transaction> made{new transaction{nullptr}};
    auto inside = std::make_unique<impl>();
    inside->tx = under->begin(how);
    inside->engine = std::move(under);
    made->impl_ = std::move(inside);
    return made;
}

transaction::~transaction()
{
    if (!impl_) return;
    if (impl_->engine->is_forked()) {
        // Everything in it is the parent's; nothing may be sent, closed or freed here.
        static_cast<void>(impl_.release());
        return;
    }
    if (impl_->tx->is_completed) return;
    if (impl_->tx->is_in_end) {
        // Dropped by its own before_completion: who ends it goes on, and shall not commit.
        impl_->tx->mark_rollback_only({"its object was destroyed", false});
        return;
    }
    try {
        impl_->engine->end(*impl_->tx, engine::intent::destroy);
    } catch (std::exception const& e) {
        // Once commit() was entered nothing is sent: what it left is recovery's.
        impl_->engine->shared().tell(severity::warning, "transaction.destroyed", {},
                                     impl_->tx->id.text(), e.what());
    }
}

any_lease transaction::lease_any(resource_manager const& rm, access how)
{
    return impl_->engine->lease(*impl_->tx, rm, how);
}

bool transaction::enlist_any(resource_manager const& rm, void* handle, release_function on_release,
                             branch_choice which, access how)
{
    return impl_->engine->enlist(*impl_->tx, rm, handle, std::move(on_release), which, how);
}

bool transaction::enlist_any(resource_manager const& rm, sql_session& session,
                             release_function on_release, branch_choice which, access how)
{
    return impl_->engine->enlist(*impl_->tx, rm, session, std::move(on_release), which, how);
}

// An ending holds shares of its own: its callbacks may drop the very object that is ended, and the
// manager.

outcome transaction::commit()
{
    auto const held = *impl_;
    return api::say(held.engine->end(*held.tx, engine::intent::commit), held.tx->id, true);
}

outcome transaction::commit(std::error_code& ec, diagnostics& diag)
{
    auto const held = *impl_;
    try {
        return api::say(held.engine->end(*held.tx, engine::intent::commit), held.tx->id, true, ec,
                        diag);
    } catch (error const& e) {
        ec = e.code();
        diag = {e.what(), held.tx->id, {}, false, resolver::recovery};
        return outcome::undetermined;
    }
}

outcome transaction::rollback()
{
    auto const held = *impl_;
    return api::say(held.engine->end(*held.tx, engine::intent::rollback), held.tx->id, false);
}

outcome transaction::rollback(std::error_code& ec, diagnostics& diag)
{
    auto const held = *impl_;
    try {
        return api::say(held.engine->end(*held.tx, engine::intent::rollback), held.tx->id, false,
                        ec, diag);
    } catch (error const& e) {
        ec = e.code();
        diag = {e.what(), held.tx->id, {}, false, resolver::recovery};
        return outcome::undetermined;
    }
}

void transaction::set_rollback_only()
{
    impl_->engine->require_same_process();
    {
        std::lock_guard const held{impl_->tx->mutex};
        if (impl_->tx->is_ending) {
            throw error{errc::invalid_state, "this transaction has ended, or is ending", id()};
        }
    }
    impl_->tx->mark_rollback_only({"set_rollback_only() was called", false});
}

assent::status transaction::status() const noexcept
{
    return impl_->tx->status;
}

gtrid const& transaction::id() const noexcept
{
    return impl_->tx->id;
}

void transaction::synchronize(synchronization callbacks)
{
    impl_->engine->require_same_process();
    {
        std::lock_guard const held{impl_->tx->mutex};
        if (impl_->tx->is_ending) {
            throw error{errc::invalid_state, "this transaction has ended, or is ending", id()};
        }
        if (impl_->tx->cause) {
            throw error{errc::rollback_only, "rollback-only: " + impl_->tx->cause->text, id()};
        }
    }
    impl_->tx->synchronizations.push_back(std::move(callbacks));
}

}  // namespace v0
}  // namespace assent
