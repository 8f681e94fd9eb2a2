// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tx.hpp -- which transaction manager is behind X/Open's TX interface (component tx).
//
//   assent::transaction_manager tm{...};
//   auto accounts = tm.add(...);
//   auto orders = tm.add(...);
//   assent::tx_service const tx{tm, {accounts, orders}};
//
// As long as it lives, tx_open() and its kin (xopen/tx.h) work in every thread of the process, and
// assent_tx_lease() (assent/tx.h) lends connections to these databases by their names.
//
// A transaction that tx_begin() began is the thread's own, as one of user_transaction is:
// tm.current() has it, and join() enlists in it.

#ifndef ASSENT_TX_HPP
#define ASSENT_TX_HPP

#include <memory>
#include <vector>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>
#include <assent/transaction_manager.hpp>

namespace assent {
inline namespace v0 {

/// Serves X/Open's TX interface in this process.  There can be one at a time.  In a forked child
/// there is none until the child makes one of its own, with a manager of its own.
///
/// Thread safety: it is made and destroyed while no thread is in a function of xopen/tx.h or
/// assent/tx.h.
class ASSENT_EXPORT tx_service
{
public:
    /// Serves from now on.
    /// @pre  `manager` outlives this object.
    /// @throws error  errc::invalid_state: there is one already; errc::bad_argument: one of
    ///                `databases` was not added to `manager`, or is named twice; errc::forked.
    /// Safe to retry: nothing was changed, and the same call fails again.
    tx_service(transaction_manager& manager, std::vector<resource_manager> const& databases);
    tx_service(tx_service const&) = delete;
    tx_service& operator=(tx_service const&) = delete;

    /// Serves no longer: in threads that had opened it every function returns TX_FAIL, until
    /// tx_open() opens another one.  A transaction that a thread is in stays bound to it, and is
    /// rolled back when the thread ends, or when the manager is closed.
    ~tx_service();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_TX_HPP
