// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/transaction_manager.hpp>

#include <utility>

#include "api/doors.hpp"
#include "api/open_log.hpp"
#include "api/require_sane.hpp"

namespace assent {
inline namespace v0 {

transaction_manager::transaction_manager(options const& how) : impl_(std::make_unique<impl>())
{
    api::require_sane(how.bounds());
    // Never destroyed, so that a manager may be closed during static destruction.
    static auto* const clock = new ports::steady_clock;
    impl_->engine =
        std::make_shared<engine::engine>(how.bounds(), how.observe(), api::open_log(how), *clock);
    auto& shared = impl_->engine->shared();
    auto const log = shared.log->state();
    shared.tell(severity::info, "log.opened", {}, {},
                how.log_directory() + " (" + log.medium + ")");
    if (!log.caution.empty()) shared.tell(severity::warning, "log.medium", {}, {}, log.caution);
    impl_->engine->start_threads();
}

transaction_manager::~transaction_manager()
{
    if (impl_->engine->is_forked()) {
        // Threads, locks and connections in it are the parent's.
        static_cast<void>(impl_.release());
        return;
    }
    auto& shared = impl_->engine->shared();
    impl_->engine->close(shared.time.now() + shared.bounds.close);
}

void transaction_manager::add_any(resource_manager const& rm)
{
    impl_->engine->add(rm);
}

std::unique_ptr<transaction> transaction_manager::begin_owned(begin_options const& how)
{
    return transaction::impl::begin(impl_->engine, how);
}

transaction transaction_manager::begin(begin_options const& how)
{
    return std::move(*begin_owned(how));
}

transaction* transaction_manager::current() const noexcept
{
    return api::bound_here(impl_->engine.get());
}

suspended_transaction transaction_manager::suspend()
{
    impl_->engine->require_same_process();
    return api::unbind_here(impl_->engine.get());
}

void transaction_manager::resume(suspended_transaction what)
{
    impl_->engine->require_same_process();
    if (!what || !what->impl_) {
        throw error{errc::invalid_state, "there is no transaction to resume"};
    }
    if (what->impl_->engine != impl_->engine) {
        throw error{errc::invalid_state, "this transaction is another manager's", what->id()};
    }
    if (current() != nullptr) {
        throw error{errc::invalid_state, "this thread has a transaction already", what->id()};
    }
    auto const now = what->status();
    if (now != status::active && now != status::marked_rollback) {
        throw error{errc::invalid_state, "this transaction has ended", what->id()};
    }
    api::bind_here(impl_->engine.get(), std::move(what));
}

known_outcome transaction_manager::outcome(gtrid const& id) const
{
    return impl_->engine->outcome(id);
}

manager_state transaction_manager::state() const
{
    return impl_->engine->state();
}

close_report transaction_manager::close(deadline until)
{
    impl_->engine->require_same_process();
    return impl_->engine->close(until);
}

}  // namespace v0
}  // namespace assent
