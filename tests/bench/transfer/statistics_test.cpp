// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "statistics.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace {

using namespace assent::bench;

std::vector<double> one_to(int last)
{
    std::vector<double> values(static_cast<std::size_t>(last));
    std::iota(values.begin(), values.end(), 1.0);
    std::reverse(values.begin(), values.end());
    return values;
}

TEST(Statistics, GivesTheTablesIntervalOfAMedian)
{
    auto const found = median_of(one_to(21));

    EXPECT_EQ(found.median, 11);
    EXPECT_EQ(found.low, 6);
    EXPECT_EQ(found.high, 16);
    EXPECT_NEAR(found.confidence, 0.973, 0.001);
}

TEST(Statistics, GivesAllOfFewValuesAndSaysHowSureThatIs)
{
    auto const found = median_of(one_to(5));

    EXPECT_EQ(found.low, 1);
    EXPECT_EQ(found.high, 5);
    EXPECT_NEAR(found.confidence, 0.9375, 0.0001);
    EXPECT_EQ(median_of(one_to(6)).median, 3.5);
    EXPECT_NEAR(median_of(one_to(6)).confidence, 0.969, 0.001);
    EXPECT_EQ(median_of({7}).median, 7);
    EXPECT_EQ(median_of({7}).confidence, 0);
}

TEST(Statistics, FindsQuantilesInAnyOrder)
{
    EXPECT_EQ(quantile(one_to(101), 0.5), 51);
    EXPECT_EQ(quantile(one_to(101), 0.99), 100);
    EXPECT_EQ(quantile(one_to(3), 1), 3);
    EXPECT_EQ(quantile(std::vector<double>{}, 0.5), 0);
}

}  // namespace
