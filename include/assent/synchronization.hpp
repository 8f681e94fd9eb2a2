// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// synchronization.hpp -- callbacks around the end of a transaction (JTA's Synchronization).

#ifndef ASSENT_SYNCHRONIZATION_HPP
#define ASSENT_SYNCHRONIZATION_HPP

#include <functional>

#include <assent/outcome.hpp>

namespace assent {
inline namespace v0 {

/// Callbacks around the end of one transaction.  Both are optional.  They run once, on the thread
/// that ends the transaction, with no lock held, in the order of their registration; those that are
/// interposed, inside of all others:
///
///     before_completion of all others --> of the interposed --> votes, decision, COMMIT
///     after_completion of the interposed --> of all others
struct synchronization
{
    /// Runs at the start of commit(), with status active; it may enlist, work, and register more.
    /// If it throws, the transaction is rolled back, and the rest are skipped.  It does not run in
    /// rollback(), in commit() of a rollback-only transaction, or after the deadline.
    std::function<void()> before_completion;

    /// Runs last, always, with status committed, rolled_back, or unknown.  An exception is told to
    /// the observer and dropped: the outcome stands.  With commit_return::decision_logged branches
    /// may still be on their way then.
    std::function<void(status)> after_completion;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_SYNCHRONIZATION_HPP
