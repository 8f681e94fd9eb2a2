// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/transaction_manager.hpp>

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "api/doors.hpp"
#include "api/open_log.hpp"
#include "api/require_sane.hpp"
#include "ports/uncancelled.hpp"

namespace assent {
inline namespace v0 {

transaction_manager::transaction_manager(options const& settings) : impl_(std::make_unique<impl>())
{
    ports::uncancelled const undivided;
    api::require_sane(settings.given().limits);
    // Never destroyed, so that a manager may be closed during static destruction.
    static auto* const clock = new ports::steady_clock;
    impl_->engine = std::make_shared<engine::engine>(
        settings.given().limits, settings.given().observer, api::open_log(settings), *clock);
    impl_->engine->serve_requests(settings.given().log_directory);
    auto& shared = impl_->engine->shared();
    auto const log = shared.log->state();
    shared.tell(severity::info, "log.opened", {}, {},
                settings.given().log_directory + " (" + log.medium + ")");
    if (!log.caution.empty()) shared.tell(severity::warning, "log.medium", {}, {}, log.caution);
    impl_->engine->start_threads();
}

transaction_manager::~transaction_manager()
{
    ports::uncancelled const undivided;
    if (impl_->engine->is_forked()) {
        // Threads, locks and connections in it are the parent's.
        static_cast<void>(impl_.release());
        return;
    }
    auto const held = std::move(impl_);
    auto& shared = held->engine->shared();
    try {
        held->engine->close(shared.time.now() + shared.bounds.close);
    } catch (std::exception const& e) {  // out of memory
        shared.tell(severity::warning, "manager.closed_unprepared", {}, {}, e.what());
    }
    // What hangs in a call to a server may be in the application's connect function, and what that
    // uses may go next: the longest call is waited for.
    auto const call = std::max(shared.bounds.connect, shared.bounds.server_call);
    held->engine->stop(shared.time.now() + call);
}

void transaction_manager::add_any(resource_manager const& rm)
{
    ports::uncancelled const undivided;
    impl_->engine->add(rm);
}

std::unique_ptr<transaction> transaction_manager::begin_owned(begin_options const& settings)
{
    return transaction::impl::begin(impl_->engine, settings);
}

transaction transaction_manager::begin(begin_options const& settings)
{
    return std::move(*begin_owned(settings));
}

transaction* transaction_manager::current() const noexcept
{
    return api::bound_here(impl_->engine.get());
}

suspended_transaction transaction_manager::suspend()
{
    ports::uncancelled const undivided;
    impl_->engine->require_same_process();
    if (auto const* const tx = current()) impl_->engine->suspend(*tx->impl_->tx);
    return api::unbind_here(impl_->engine.get());
}

void transaction_manager::resume(suspended_transaction suspended)
{
    ports::uncancelled const undivided;
    impl_->engine->require_same_process();
    if (!suspended || !suspended->impl_) {
        throw error{errc::invalid_state, "there is no transaction to resume"};
    }
    if (suspended->impl_->engine != impl_->engine) {
        throw error{errc::invalid_state, "this transaction is another manager's", suspended->id()};
    }
    if (current() != nullptr) {
        throw error{errc::invalid_state, "this thread has a transaction already", suspended->id()};
    }
    auto const now = suspended->status();
    if (now != status::active && now != status::marked_rollback) {
        throw error{errc::invalid_state, "this transaction has ended", suspended->id()};
    }
    impl_->engine->resume(*suspended->impl_->tx);
    api::bind_here(impl_->engine.get(), std::move(suspended));
}

known_outcome transaction_manager::outcome(gtrid const& id) const
{
    ports::uncancelled const undivided;
    return impl_->engine->outcome(id);
}

known_outcome transaction_manager::ask(xid const& branch, deadline until)
{
    ports::uncancelled const undivided;
    auto const kept = impl_->engine;  // the manager may be destroyed meanwhile
    return kept->ask(branch, until);
}

known_outcome transaction_manager::ask(std::string_view branch, deadline until)
{
    auto const name = xid::parse(branch);
    if (name) return ask(*name, until);
    throw error{errc::bad_argument,
                "what was asked about is not the name of a branch, which has " +
                    std::to_string(gtrid::length + 1 + bqual::length) +
                    " characters: it begins with asn1, and nobody else may change it"};
}

manager_state transaction_manager::state() const
{
    ports::uncancelled const undivided;
    return impl_->engine->state();
}

close_report transaction_manager::close(deadline until)
{
    ports::uncancelled const undivided;
    impl_->engine->require_same_process();
    return impl_->engine->close(until);
}

}  // namespace v0
}  // namespace assent
