// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reserving.hpp -- transfers by reservation: money that leaves an account is held until its
// transfer is decided; where it goes, by reservation or by XA, it arrives with the decision.
//
//   held(transfer, amount)   in the database of the accounts: what was reserved
//
// A payload is the transfer's name.  Each step of a handler is told to a watch, as the library's
// steps are: attempt.begin, attempt.end, confirm.begin, ...

#ifndef ASSENT_TESTS_CRASH_RESERVING_HPP
#define ASSENT_TESTS_CRASH_RESERVING_HPP

#include <memory>
#include <string>

#include <assent/tcc.hpp>

#include "tests/crash/point_watch.hpp"
#include "tests/crash/teller.hpp"

namespace assent::testing {

/// Two managers of reservations beside the two of XA branches, over the same databases.
struct reserving
{
    both plain;
    tcc::resource_manager leaving;   ///< out of the accounts
    tcc::resource_manager arriving;  ///< in the orders
};

reserving add_reserving(transaction_manager& tm, plan const& where,
                        std::shared_ptr<point_watch> const& watch);

/// The table `held`.
void make_held(PGconn* accounts);

/// What arrives by an XA branch.
void arrive(mysql::handle_type orders, std::string const& id);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_RESERVING_HPP
