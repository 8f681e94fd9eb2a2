// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cell_work.hpp -- the work of one cell: money is reserved in one of two databases, and arrives in
// the other one by an XA branch.
//
//   effect(xid, transfer, what)   in both: attempt, confirm, cancel, each with what it did; no key,
//                                 so that one that took effect twice is seen
//   held(transfer, amount)        in both: what is reserved
//
// A payload is the transfer's name.

#ifndef ASSENT_TESTS_CRASH_CELL_WORK_HPP
#define ASSENT_TESTS_CRASH_CELL_WORK_HPP

#include <memory>
#include <mutex>
#include <string>

#include <assent/tcc.hpp>

#include "tests/crash/point_watch.hpp"
#include "tests/crash/teller.hpp"

namespace assent::testing {

/// The names of the managers of reservations, in accounts and in orders.
inline constexpr char const* leaving_name = "leaving";
inline constexpr char const* arriving_name = "arriving";

/// Two managers of reservations beside the two of XA branches, over the same databases.
struct cell_managers
{
    both plain;
    tcc::resource_manager in_accounts, in_orders;
};

/// What a confirm without a durable decision, or a branch that is finished and still in the table,
/// leaves in the plan's file `wrong`.  A confirm asks `tm`, so that is to be closed before it ends.
cell_managers add_cell(transaction_manager& tm, plan const& where);

/// Until nothing of earlier runs is left at any of the four.
/// @throws std::runtime_error  with the name of one that is not drained by `until`.
void wait_until_drained(point_watch& watch, deadline until);

/// The tables `effect` and `held`.
void make_cell_tables(PGconn* accounts, mysql::handle_type orders);

/// The XA branch beside a reservation in the other database.
void receive(PGconn* accounts, std::string const& transfer);
void receive(mysql::handle_type orders, std::string const& transfer);

/// A watch that looks, whenever a reservation's branch is told to be finished, whether its row has
/// gone.  By connections of its own, past any network: the plan's look_accounts and look_orders.
/// They are opened when they are wanted first, and so are younger than any session of the manager
/// that would wait for older ones.
class finish_watch final : public point_watch
{
public:
    explicit finish_watch(plan const& where) : where_(where), look_(looking(where)) {}
    void on(event const& what) override;

private:
    static plan looking(plan const& where);
    std::int64_t rows_of(event const& what);

    plan const where_;
    std::mutex mutex_;  // of what follows
    own_connections look_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_CELL_WORK_HPP
