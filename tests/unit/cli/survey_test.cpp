// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/survey.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <assent/testing.hpp>

namespace {

using namespace assent::cli;
using namespace std::chrono_literals;
using assent::testing::driver_call;
using assent::testing::memory_database;
using assent::testing::memory_resource_manager;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Survey, AsksEachInOrderAndKeepsWhatCouldNotBeAsked)
{
    memory_database const accounts;
    memory_database const orders;
    orders.script().on(driver_call::scan).fail("its disk is full");

    auto const seen = survey(
        {memory_resource_manager{"accounts", accounts}, memory_resource_manager{"orders", orders}},
        7, 5s);

    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[0].name, "accounts");
    ASSERT_TRUE(seen[0].scan.has_value());
    EXPECT_EQ(seen[0].scan->identity, accounts.identity());
    EXPECT_EQ(seen[1].name, "orders");
    EXPECT_FALSE(seen[1].scan.has_value());
    EXPECT_THAT(seen[1].problem, HasSubstr("its disk is full"));
}

TEST(Survey, LeavesNothingBehind)
{
    memory_database const accounts;

    survey({memory_resource_manager{"accounts", accounts}}, 7, 5s);

    EXPECT_THAT(accounts.sessions(), IsEmpty());
    EXPECT_THAT(accounts.history(), IsEmpty());
}

}  // namespace
