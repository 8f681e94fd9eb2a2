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

#include <assent/transaction_manager.hpp>

namespace assent {
inline namespace v0 {

/// A face of the manager; it holds no transaction itself, so making and destroying it is free.
///
/// Thread safety: distinct objects safe; all act on the calling thread's transaction.
class ASSENT_EXPORT user_transaction
{
public:
    /// @pre  `manager` outlives this object.
    explicit user_transaction(transaction_manager& manager) noexcept : manager_(&manager) {}

    /// @throws error  errc::invalid_state: this thread has a transaction; it is untouched.
    void begin();

    /// As transaction::commit(); after it returned or threw, the thread has no transaction.
    /// @throws error  errc::invalid_state: none.
    assent::outcome commit();
    assent::outcome rollback();
    void set_rollback_only();

    /// no_transaction when there is none.
    assent::status status() const noexcept;

    /// For later begins on this thread; 0 is the manager's default.
    /// @throws error  errc::bad_argument: negative.
    void set_transaction_timeout(limits::duration life);

private:
    transaction_manager* manager_;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_USER_TRANSACTION_HPP
