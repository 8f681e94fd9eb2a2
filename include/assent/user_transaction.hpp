// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// user_transaction.hpp -- JTA's UserTransaction: the transaction bound to this thread.
//
//   assent::user_transaction ut{tm};
//   ut.begin();
//   ... anywhere below: assent::join(tm, ledger, connection) ...
//   ut.commit();                              // the thread has no transaction afterwards

#ifndef ASSENT_USER_TRANSACTION_HPP
#define ASSENT_USER_TRANSACTION_HPP

#include <cstdint>
#include <functional>

#include <assent/transaction_manager.hpp>

namespace assent {
inline namespace v0 {

enum class scope_rule : std::uint8_t;

/// Another interface of the manager.  It holds no transaction itself, so making and destroying it
/// costs nothing.
///
/// Thread safety: distinct objects safe; all act on the calling thread's transaction.
class ASSENT_EXPORT user_transaction
{
public:
    /// @pre  `manager` outlives this object.
    explicit user_transaction(transaction_manager& manager) noexcept : manager_(&manager) {}

    /// Begins a transaction and binds it to this thread.  If `how` has no timeout, that of
    /// set_transaction_timeout() holds.
    /// @throws error  errc::invalid_state: this thread has a transaction; it is untouched.  Else as
    ///                transaction_manager::begin().
    /// Safe to retry: nothing was begun.
    void begin(begin_options settings = {});

    /// As transaction::commit(); after it returned or threw, the thread has no transaction.
    /// @throws error  errc::invalid_state: this thread has none.  Else as transaction::commit().
    /// Safe to retry: as transaction::commit().
    assent::outcome commit();
    /// As transaction::rollback(); after it returned or threw, the thread has no transaction.
    /// @throws error  errc::invalid_state: this thread has none.  Else as transaction::rollback().
    /// Safe to retry: as transaction::rollback().
    assent::outcome rollback();
    /// As transaction::set_rollback_only().
    /// @throws error  errc::invalid_state: this thread has none, or it is ending.
    /// Safe to retry, and to repeat.
    void set_rollback_only();

    /// The transaction's status; no_transaction when this thread has none.
    assent::status status() const noexcept;

    /// Sets the timeout of later begins on this thread; 0 is the manager's default.
    /// @throws error  errc::bad_argument: negative.  Safe to retry: nothing was changed.
    void set_transaction_timeout(limits::duration life);

    /// Runs `work` under one of JTA's rules of who needs a transaction; scopes.hpp has a function
    /// for each, and says what each does.
    /// @throws error  as those functions, and as safe to retry.
    void run_in(scope_rule rule, begin_options const& settings, std::function<void()> const& work);

private:
    transaction_manager* manager_;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_USER_TRANSACTION_HPP
