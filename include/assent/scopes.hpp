// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scopes.hpp -- functions that need a transaction, or none, as JTA's @Transactional says it.
//
//   void place(order const& what)
//   {
//       assent::required(tm, [&] {            // joins the caller's transaction, or begins one
//           assent::join(tm, orders, connection);
//           ...
//       });
//   }
//
//                    this thread has a transaction         it has none
//   required         work joins it                         begins one, and ends it
//   requires_new     suspends it; begins one, and ends it  begins one, and ends it
//   mandatory        work joins it                         throws error
//   supports         work joins it                         work runs without
//   not_supported    suspends it; work runs without        work runs without
//   never            throws error                          work runs without
//
// Invariant: whatever happens inside, the thread has the same transaction after a scope as before,
// unless the work ended or suspended that one itself.

#ifndef ASSENT_SCOPES_HPP
#define ASSENT_SCOPES_HPP

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <assent/user_transaction.hpp>

namespace assent {
inline namespace v0 {

/// JTA's Transactional.TxType.
enum class scope_rule : std::uint8_t {
    required = 1,
    requires_new = 2,
    mandatory = 3,
    supports = 4,
    not_supported = 5,
    never = 6,
};

/// Runs `work` under `rule`, in the calling thread; the functions below are this by their names.
///
/// A scope that began a transaction ends it: when `work` returns, it commits, as
/// user_transaction::commit(); when `work` throws, it rolls back, and what was thrown goes on to
/// the caller.  Every exception rolls back: C++ has no checked exceptions, which JTA commits after.
/// A scope that joined one never ends it: when `work` throws, the transaction can only be rolled
/// back, also where the exception is caught further out.
///
/// `settings` are for the transaction that is begun here; one that is joined stays as it is.
/// @return what `work` returns.  That a branch has yet to confirm the commit (committed_pending) is
///         not told; for that, use user_transaction or transaction_manager::run().
/// @throws error  errc::invalid_state: `rule` forbids to run `work` here, which did not run; or the
///                scope's own transaction was ended or suspended by `work`, or `work` left one of
///                its own behind, which was rolled back; errc::rollback_only: a branch of an X/Open
///                switch in the thread's own transaction could not be suspended, and `work` did not
///                run; or it could not be resumed, and the thread's transaction can only be rolled
///                back: this outranks whatever `work` threw, and what the scope's own transaction
///                has committed stays committed.  Else as user_transaction::begin() and
///                user_transaction::commit(): rolled_back_error also where `work` called
///                set_rollback_only().  heuristic_error, of a rollback, outranks what `work` threw.
/// Safe to retry: where `work` did not run, but the same call fails again; otherwise as
/// user_transaction::commit() where the scope had begun the transaction, and not where it had
/// joined one, or where errc::rollback_only was thrown.
template <class Work>
auto in_scope(scope_rule rule, transaction_manager& tm, Work&& work,
              begin_options const& settings = {}) -> std::invoke_result_t<Work&>
{
    using result = std::invoke_result_t<Work&>;
    user_transaction ut{tm};
    if constexpr (std::is_void_v<result>) {
        ut.run_in(rule, settings, [&] { work(); });
    } else {
        static_assert(!std::is_reference_v<result>, "what a scope returns, it returns by value");
        std::optional<result> made;
        ut.run_in(rule, settings, [&] { made.emplace(work()); });
        return std::move(*made);
    }
}

/// Joins this thread's transaction, or begins one.
/// @throws error  as in_scope(), and as safe to retry.
template <class Work>
auto required(transaction_manager& tm, Work&& work, begin_options const& settings = {})
{
    return in_scope(scope_rule::required, tm, work, settings);
}

/// Begins a transaction; that of this thread is suspended meanwhile.
/// @throws error  as in_scope(), and as safe to retry.
template <class Work>
auto requires_new(transaction_manager& tm, Work&& work, begin_options const& settings = {})
{
    return in_scope(scope_rule::requires_new, tm, work, settings);
}

/// Joins this thread's transaction, which must be there.
/// @throws error  as in_scope(), and as safe to retry.
template <class Work>
auto mandatory(transaction_manager& tm, Work&& work)
{
    return in_scope(scope_rule::mandatory, tm, work);
}

/// Joins this thread's transaction, or runs without one.
/// @throws error  as in_scope(), and as safe to retry.
template <class Work>
auto supports(transaction_manager& tm, Work&& work)
{
    return in_scope(scope_rule::supports, tm, work);
}

/// Runs without a transaction; that of this thread is suspended meanwhile.
/// @throws error  as in_scope(), and as safe to retry.
template <class Work>
auto not_supported(transaction_manager& tm, Work&& work)
{
    return in_scope(scope_rule::not_supported, tm, work);
}

/// Runs without a transaction, of which this thread must have none.
/// @throws error  as in_scope(), and as safe to retry.
template <class Work>
auto never(transaction_manager& tm, Work&& work)
{
    return in_scope(scope_rule::never, tm, work);
}

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_SCOPES_HPP
