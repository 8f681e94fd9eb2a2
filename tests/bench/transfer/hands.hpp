// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// hands.hpp -- the connections of those who commit by hand, of each thread and to each database.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_HANDS_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_HANDS_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "accounts_session.hpp"
#include "orders_session.hpp"
#include "shop.hpp"

namespace assent::bench {

/// A thread's connections to a pair of databases.
struct plain_pair
{
    explicit plain_pair(addresses const& where)
        : accounts(where.accounts), orders(where.orders), database(where.orders.database)
    {
    }

    accounts_session accounts;
    orders_session orders;
    std::string const database;  ///< of orders
};

/// ... whose statements are prepared.
struct prepared_pair : plain_pair
{
    explicit prepared_pair(addresses const& where) : plain_pair(where), credit(orders.handle())
    {
        prepare_statements(accounts.handle());
    }

    void debit(int row) { add(accounts.handle(), row, -1); }

    prepared_add credit;
};

/// All connections of a thread.
template <class Pair>
struct hands_of
{
    explicit hands_of(places const& where)
    {
        for (addresses const& each : where)
            pairs.push_back(std::make_unique<Pair>(each));
    }

    std::vector<std::unique_ptr<Pair>> pairs;
};
using hands = hands_of<plain_pair>;
using prepared_hands = hands_of<prepared_pair>;

/// Those of all threads.
template <class Hands>
class crowd
{
public:
    explicit crowd(places where) : where_(std::move(where)) {}

    void open(std::size_t threads)
    {
        while (all_.size() < threads)
            all_.push_back(std::make_unique<Hands>(where_));
    }
    Hands& of(std::size_t thread) { return *all_[thread]; }

private:
    places const where_;
    std::vector<std::unique_ptr<Hands>> all_;
};

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_HANDS_HPP
