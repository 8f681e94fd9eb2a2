// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// relay_example_test.cpp -- the program of the page does what the page says.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/integration/bank.hpp"

namespace {

using namespace assent::testing;

TEST(RelayExample, RunsAndMovesTheMoneyByABroker)
{
    bank shop;
    auto const broker = private_server::rabbitmq();
    ::setenv("SHOP_LOG", shop.new_log_directory().c_str(), 1);
    ::setenv("SHOP_ACCOUNTS", shop.accounts_conninfo().c_str(), 1);
    ::setenv("SHOP_ORDERS", shop.orders_connect_string().c_str(), 1);
    ::setenv("SHOP_BROKER_PORT", std::to_string(broker->port()).c_str(), 1);
    ::setenv("SHOP_BROKER_PASSWORD", (broker->directory() + "/password").c_str(), 1);

    // NOLINTNEXTLINE(cert-env33-c): a program of this very build, without arguments.
    ASSERT_EQ(std::system(ASSENT_RELAY_EXAMPLE), 0);

    EXPECT_EQ(number(shop.look_accounts(), "SELECT amount FROM balance WHERE id = 1"),
              bank::first_balance - 5);
    EXPECT_EQ(number(shop.look_orders(), "SELECT amount FROM balance WHERE id = 1"),
              bank::first_balance + 5);
    EXPECT_EQ(number(shop.look_accounts(), "SELECT count(*) FROM public.assent_task"), 0);
    EXPECT_EQ(number(shop.look_orders(), "SELECT count(*) FROM assent_inbox"), 1);
}

}  // namespace
