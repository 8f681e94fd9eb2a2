// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scopes.cpp -- work under one of JTA's rules of who needs a transaction.
//
//   joined   the thread's own transaction; where the work throws, it can only be rolled back
//   own      begun here and ended here, while the thread's is suspended
//   without  none, while the thread's is suspended

#include <assent/scopes.hpp>

#include <exception>
#include <string>
#include <utility>

#include "api/work.hpp"
#include "ports/uncancelled.hpp"

namespace assent {
inline namespace v0 {

namespace {

/// From here to the end of the block the thread has no transaction; then it has the same as before.
class suspension
{
public:
    /// `bound` is the thread's transaction, or null.
    /// @throws error  as engine::suspend(); the thread has its transaction still.
    suspension(engine::engine& under, std::shared_ptr<shared::global_transaction> bound)
        : under_(under), suspended_(std::move(bound))
    {
        ports::uncancelled const undivided;
        if (suspended_) under_.suspend(*suspended_);
        outer_ = api::suspend_here(&under_);
    }
    suspension(suspension const&) = delete;
    suspension& operator=(suspension const&) = delete;
    /// It is bound as it is, also where it is being ended further out, in a callback; and first,
    /// since what is rolled back here calls back, and what began there would take its place.
    ~suspension()
    {
        try {
            resume();
        } catch (std::exception const&) {
            // It can only be rolled back, and the observer was told.  Who comes here before
            // resume() was called is a thread that is cancelled.
            return;
        }
    }

    /// @throws error  as engine::resume(); the thread has its transaction all the same.
    void resume()
    {
        if (std::exchange(is_over_, true)) return;
        ports::uncancelled const undivided;
        auto left = api::unbind_here(&under_);
        if (!outer_) return;
        api::resume_here(&under_, std::move(outer_));
        left.reset();  // before the thread works on the outer one's branches again
        under_.resume(*suspended_);
    }

    /// Rolls back what the work has left bound to the thread, as ~transaction does.
    /// @return whether there was anything.
    bool drop_what_is_left() const noexcept
    {
        bool const is_left = api::bound_here(&under_) != nullptr;
        api::unbind_here(&under_);
        return is_left;
    }

private:
    engine::engine& under_;
    std::shared_ptr<shared::global_transaction> suspended_;
    std::unique_ptr<transaction> outer_;
    bool is_over_ = false;
};

void run_joined(shared::global_transaction& joined, std::function<void()> const& work)
{
    {
        std::lock_guard const held{joined.mutex};
        if (joined.is_ending) {
            throw error{errc::invalid_state,
                        "this thread's transaction has ended, or is ending, and cannot be joined",
                        joined.id};
        }
    }
    // Before the work, which may be left because memory ran out: the mark must not need any then.
    shared::rollback_cause why{"a scope that had joined it was left by an exception", false};
    auto const thrown = api::thrown_by(work);
    if (!thrown) return;
    {
        std::lock_guard const held{joined.mutex};
        if (!joined.is_ending) joined.keep_cause(std::move(why));
    }
    std::rethrow_exception(thrown);
}

void run_without(suspension const& outer, std::function<void()> const& work)
{
    auto const thrown = api::thrown_by(work);
    bool const is_left = outer.drop_what_is_left();
    if (thrown) std::rethrow_exception(thrown);
    if (!is_left) return;
    throw error{errc::invalid_state,
                "the work left a transaction of its own behind, which was rolled back: end it "
                "before the scope ends"};
}

}  // namespace

void user_transaction::run_in(scope_rule rule, begin_options const& settings,
                              std::function<void()> const& work)
{
    auto const under = manager_->impl_->engine;  // a share: the work may drop the manager
    under->require_same_process();
    auto const* const outer = api::bound_here(under.get());
    if (rule == scope_rule::mandatory && outer == nullptr) {
        throw error{errc::invalid_state,
                    "this thread has no transaction, and a mandatory scope needs one: begin it "
                    "first"};
    }
    if (rule == scope_rule::never && outer != nullptr) {
        throw error{errc::invalid_state,
                    "this thread has a transaction, where this scope may have none: end it first, "
                    "or suspend it",
                    outer->id()};
    }
    bool const is_new = rule == scope_rule::requires_new;
    if (outer != nullptr && !is_new && rule != scope_rule::not_supported) {
        auto const joined = outer->impl_->tx;
        return run_joined(*joined, work);
    }
    auto const run_own = [&] {
        begin(settings);
        auto const begun = api::bound_here(under.get())->impl_->tx;
        api::unbound_at_end const guard{under.get(), begun};
        auto const thrown = api::thrown_in(*under, *begun, [&](transaction&) { work(); });
        if (!thrown) {
            api::bound_here(under.get())->commit();
            return;
        }
        ports::uncancelled const undivided;
        auto const told = under->end(*begun, engine::intent::rollback);
        api::say(told, begun->id, false);  // a heuristic outranks what the work threw
        std::rethrow_exception(thrown);
    };
    suspension suspended{*under, outer != nullptr ? outer->impl_->tx : nullptr};
    auto const thrown = api::thrown_by([&] {
        if (is_new || rule == scope_rule::required) {
            run_own();
        } else {
            run_without(suspended, work);
        }
    });
    if (!thrown) return suspended.resume();
    try {
        std::rethrow_exception(thrown);
    } catch (...) {
        // Whoever catches what the scope threw, and goes on, must not take the thread to be at work
        // in its transaction where it is not.
        suspended.resume();
        throw;
    }
}

}  // namespace v0
}  // namespace assent
