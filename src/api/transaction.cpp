// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/transaction.hpp>

#include <exception>
#include <utility>

#include "api/doors.hpp"
#include "ports/uncancelled.hpp"

namespace assent {
inline namespace v0 {

any_lease::any_lease(std::shared_ptr<void> session) noexcept : session_(std::move(session)) {}

void* any_lease::handle() const
{
    return static_cast<shared::leased_handle const*>(session_.get())->handle();
}

transaction::transaction(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
transaction::transaction(transaction&&) noexcept = default;

std::unique_ptr<transaction> transaction::impl::begin(std::shared_ptr<engine::engine> under,
                                                      begin_options const& how)
{
    ports::uncancelled const undivided;
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
    ports::uncancelled const undivided;
    if (impl_->engine->is_forked()) {
        // Everything in it is the parent's; nothing may be sent, closed or freed here.
        static_cast<void>(impl_.release());
        return;
    }
    auto const held = std::move(impl_);  // goes first: it may be the last share of the engine
    if (held->tx->is_completed) return;
    if (held->tx->is_in_end) {
        // Dropped by its own before_completion: who ends it goes on, and shall not commit.
        held->tx->mark_rollback_only({"its object was destroyed", false});
        return;
    }
    try {
        held->engine->end(*held->tx, engine::intent::destroy);
    } catch (std::exception const& e) {
        // Once commit() was entered the destructor sends nothing: a rollback could meet a decision
        // to commit.  What is left, recovery finishes.
        held->engine->shared().tell(severity::warning, "transaction.destroyed", {},
                                    held->tx->id.text(), e.what());
    }
}

any_lease transaction::lease_any(resource_manager const& rm, access mode)
{
    ports::uncancelled const undivided;
    return any_lease{impl_->engine->lease(*impl_->tx, rm, mode)};
}

std::vector<any_lease> transaction::lease_any(
    std::vector<std::reference_wrapper<resource_manager const>> const& all, access mode)
{
    ports::uncancelled const undivided;
    std::vector<resource_manager const*> from;
    from.reserve(all.size());
    for (auto const& each : all)
        from.push_back(&each.get());
    std::vector<any_lease> leases;
    for (auto& each : impl_->engine->lease(*impl_->tx, from, mode))
        leases.push_back(any_lease{std::move(each)});
    return leases;
}

bool transaction::enlist_any(resource_manager const& rm, void* handle,
                             enlist_options<void*> const& settings)
{
    ports::uncancelled const undivided;
    auto const& [on_release, which, may] = settings.given();
    return impl_->engine->enlist(*impl_->tx, rm, handle, on_release, which, may);
}

bool transaction::enlist_any(resource_manager const& rm, sql_session& session,
                             enlist_options<sql_session*> const& settings)
{
    ports::uncancelled const undivided;
    auto const untyped = settings.untyped();
    auto const& [on_release, which, may] = untyped.given();
    return impl_->engine->enlist(*impl_->tx, rm, session, on_release, which, may);
}

void transaction::work_on(resource_manager const& rm,
                          std::function<void(driver_session&, deadline)> const& work,
                          std::function<void(driver_session&)> const& ready)
{
    ports::uncancelled const undivided;
    auto const held = *impl_;
    held.engine->work_on(*held.tx, rm, {work, ready});
}

void transaction::require_work(resource_manager const& rm) const
{
    ports::uncancelled const undivided;
    impl_->engine->require_work(*impl_->tx, rm);
}

void transaction::work_at_commit(resource_manager const& rm,
                                 std::function<void(driver_session&, deadline)> work)
{
    ports::uncancelled const undivided;
    impl_->engine->work_at_commit(*impl_->tx, rm, std::move(work));
}

// An ending holds shares of its own: its callbacks may drop the very object that is ended, and the
// manager.

outcome transaction::commit()
{
    ports::uncancelled const undivided;
    auto const held = *impl_;
    return api::say(held.engine->end(*held.tx, engine::intent::commit), held.tx->id, true);
}

outcome transaction::commit(std::error_code& ec, diagnostics& diag)
{
    ports::uncancelled const undivided;
    auto const held = *impl_;
    try {
        return api::say(held.engine->end(*held.tx, engine::intent::commit), held.tx->id, true, ec,
                        diag);
    } catch (error const& e) {
        ec = e.code();
        diag = {e.what(), held.tx->id, {}, false, resolver::recovery};
        return outcome::unknown;
    }
}

outcome transaction::rollback()
{
    ports::uncancelled const undivided;
    auto const held = *impl_;
    return api::say(held.engine->end(*held.tx, engine::intent::rollback), held.tx->id, false);
}

outcome transaction::rollback(std::error_code& ec, diagnostics& diag)
{
    ports::uncancelled const undivided;
    auto const held = *impl_;
    try {
        return api::say(held.engine->end(*held.tx, engine::intent::rollback), held.tx->id, false,
                        ec, diag);
    } catch (error const& e) {
        ec = e.code();
        diag = {e.what(), held.tx->id, {}, false, resolver::recovery};
        return outcome::unknown;
    }
}

void transaction::set_rollback_only()
{
    ports::uncancelled const undivided;
    impl_->engine->require_same_process();
    {
        std::lock_guard const held{impl_->tx->mutex};
        if (impl_->tx->is_ending) {
            throw error{errc::invalid_state, "this transaction has ended, or is ending", id()};
        }
    }
    impl_->tx->mark_rollback_only({"set_rollback_only() was called", false});
}

void transaction::set_commit_return(assent::commit_return when)
{
    ports::uncancelled const undivided;
    impl_->engine->set_commit_return(*impl_->tx, when);
}

assent::status transaction::status() const noexcept
{
    return impl_ ? impl_->tx->status.load() : status::no_transaction;
}

gtrid const& transaction::id() const noexcept
{
    static gtrid const none;
    return impl_ ? impl_->tx->id : none;
}

/// Its callbacks are still to be called.
void transaction::impl::require_callable() const
{
    ports::uncancelled const undivided;
    engine->require_same_process();
    std::lock_guard const held{tx->mutex};
    if (tx->is_ending) {
        throw error{errc::invalid_state, "this transaction has ended, or is ending", tx->id};
    }
    if (tx->cause) {
        throw error{errc::rollback_only, "rollback-only: " + tx->cause->text, tx->id};
    }
}

void transaction::register_synchronization(synchronization callbacks)
{
    impl_->require_callable();
    impl_->tx->synchronizations.push_back(std::move(callbacks));
}

void transaction::register_interposed_synchronization(synchronization callbacks)
{
    impl_->require_callable();
    impl_->tx->interposed.push_back(std::move(callbacks));
}

void transaction::put_resource(std::string key, std::any value)
{
    impl_->engine->require_same_process();
    if (impl_->tx->is_completed && !impl_->tx->is_in_end) {
        throw error{errc::invalid_state, "this transaction has ended", id()};
    }
    impl_->tx->resources.insert_or_assign(std::move(key), std::move(value));
}

std::any transaction::get_resource(std::string const& key) const
{
    impl_->engine->require_same_process();
    auto const& kept = impl_->tx->resources;
    auto const found = kept.find(key);
    return found == kept.end() ? std::any{} : found->second;
}

}  // namespace v0
}  // namespace assent
