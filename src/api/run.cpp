// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// run.cpp -- begin, work, commit; and again, where nothing of the last attempt can ever remain.

#include <assent/transaction_manager.hpp>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

#include "api/work.hpp"
#include "ports/uncancelled.hpp"
#include "shared/backoff.hpp"

namespace assent {
inline namespace v0 {

namespace {

constexpr auto first_pause = std::chrono::milliseconds{5};
constexpr auto last_pause = std::chrono::milliseconds{1000};

/// Whether what the work threw may pass by itself.
bool is_transient(std::exception_ptr const& thrown, run_options const& settings)
{
    try {
        std::rethrow_exception(thrown);
    } catch (retry_requested const&) {
        return true;
    } catch (error const& e) {
        return e.is_retryable() || (settings.given().retry_if && settings.given().retry_if(e));
    } catch (std::exception const& e) {
        return settings.given().retry_if && settings.given().retry_if(e);
    } catch (...) {
        return false;
    }
}

void pause_until(ports::clock& time, deadline next)
{
    std::mutex mutex;
    std::condition_variable nobody;
    std::unique_lock held{mutex};
    while (time.now() < next)
        time.wait(held, nobody, next);
}

}  // namespace

outcome transaction_manager::run(std::function<void(transaction&)> const& work)
{
    return run(run_options{}, work);
}

outcome transaction_manager::run(run_options const& settings,
                                 std::function<void(transaction&)> const& work)
{
    auto const under = impl_->engine;  // a share: the work may drop the manager
    auto& engine = *under;
    engine.require_same_process();
    if (settings.given().attempts_max < 1)
        throw error{errc::bad_argument, "attempts_max is less than 1"};
    if (auto const* const bound = api::bound_here(&engine)) {
        throw error{errc::invalid_state, "this thread has a transaction already", bound->id()};
    }
    shared::backoff pause{first_pause, last_pause};
    for (int attempt = 1;; ++attempt) {
        bool const is_last = attempt >= settings.given().attempts_max;
        auto made = transaction::impl::begin(under, settings.given().begin);
        auto const begun = made->impl_->tx;
        api::bind_here(&engine, std::move(made));
        api::unbound_at_end const guard{&engine, begun};
        auto const thrown = api::thrown_in(engine, *begun, [&](transaction& tx) { work(tx); });
        if (!thrown) {
            try {
                return api::bound_here(&engine)->commit();
            } catch (rolled_back_error const& e) {
                if (is_last || !e.is_retryable()) throw;
            }
        } else {
            ports::uncancelled const undivided;
            auto const told = engine.end(*begun, engine::intent::rollback);
            api::say(told, begun->id, false);  // a heuristic outranks what the work threw
            if (is_last || !told.is_confirmed || !is_transient(thrown, settings)) {
                std::rethrow_exception(thrown);
            }
        }
        ports::uncancelled const short_pause;  // some libraries do not let a wait be unwound
        pause_until(engine.shared().time, pause.after(engine.shared().time.now(), last_pause));
    }
}

}  // namespace v0
}  // namespace assent
