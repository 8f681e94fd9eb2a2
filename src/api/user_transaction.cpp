// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/user_transaction.hpp>

#include <map>
#include <utility>

#include "api/doors.hpp"

namespace assent {
inline namespace v0 {

namespace {

// set_transaction_timeout() is per thread and manager, for later begins.
thread_local std::map<std::uint64_t, limits::duration> timeouts;

transaction& current_of(transaction_manager const& manager)
{
    auto* const tx = manager.current();
    if (tx == nullptr) throw error{errc::invalid_state, "this thread has no transaction"};
    return *tx;
}

}  // namespace

void user_transaction::begin(begin_options how)
{
    auto& engine = *manager_->impl_->engine;
    engine.require_same_process();
    if (auto const* const tx = manager_->current()) {
        throw error{errc::invalid_state, "this thread has a transaction already", tx->id()};
    }
    auto const timeout = timeouts.find(engine.serial());
    if (how.given().timeout.count() == 0 && timeout != timeouts.end()) how.timeout(timeout->second);
    api::bind_here(&engine, manager_->begin_owned(how));
}

// The transaction stays bound while it ends, so that before_completion finds it.

assent::outcome user_transaction::commit()
{
    auto& tx = current_of(*manager_);
    if (tx.impl_->tx->is_in_end) return tx.commit();  // throws; who ends it unbinds it
    api::unbound_at_end const guard{manager_->impl_->engine.get(), tx.impl_->tx};
    return tx.commit();
}

assent::outcome user_transaction::rollback()
{
    auto& tx = current_of(*manager_);
    if (tx.impl_->tx->is_in_end) return tx.rollback();  // throws; who ends it unbinds it
    api::unbound_at_end const guard{manager_->impl_->engine.get(), tx.impl_->tx};
    return tx.rollback();
}

void user_transaction::set_rollback_only()
{
    current_of(*manager_).set_rollback_only();
}

assent::status user_transaction::status() const noexcept
{
    auto const* const tx = manager_->current();
    return tx == nullptr ? assent::status::no_transaction : tx->status();
}

void user_transaction::set_transaction_timeout(limits::duration life)
{
    if (life.count() < 0) throw error{errc::bad_argument, "the transaction timeout is negative"};
    timeouts[manager_->impl_->engine->serial()] = life;
}

}  // namespace v0
}  // namespace assent
