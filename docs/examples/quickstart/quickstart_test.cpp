// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// quickstart_test.cpp -- the program of the quickstart does what the page says.

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/integration/bank.hpp"

namespace {

using namespace assent::testing;

TEST(Quickstart, RunsAndMovesTheMoney)
{
    bank shop;
    ::setenv("SHOP_LOG", shop.new_log_directory().c_str(), 1);
    ::setenv("SHOP_ACCOUNTS", shop.accounts_conninfo().c_str(), 1);
    ::setenv("SHOP_ORDERS", shop.orders_connect_string().c_str(), 1);

    // NOLINTNEXTLINE(cert-env33-c): a program of this very build, without arguments.
    ASSERT_EQ(std::system(ASSENT_QUICKSTART), 0);

    auto const amount = [](int id) {
        return "SELECT amount FROM balance WHERE id = " + std::to_string(id);
    };
    for (int const moved : {1, 2}) {
        EXPECT_EQ(number(shop.look_accounts(), amount(moved)), bank::first_balance - 5);
        EXPECT_EQ(number(shop.look_orders(), amount(moved)), bank::first_balance + 5);
    }
    EXPECT_EQ(number(shop.look_accounts(), amount(3)), bank::first_balance);
    EXPECT_EQ(shop.transfers_in_accounts(), shop.transfers_in_orders());
    EXPECT_EQ(shop.transfers_in_orders().count("joined"), 1u);
    EXPECT_EQ(shop.prepared_in_accounts() + shop.prepared_in_orders(), 0);
}

}  // namespace
