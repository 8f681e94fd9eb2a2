// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// horizon_test.cpp -- what is below a horizon, and that it never falls.

#include <gtest/gtest.h>

#include "ports/horizon.hpp"

namespace {

using assent::ports::horizon;
using assent::ports::position;

TEST(Horizon, OfEverythingCoversEveryEarlierEpoch)
{
    horizon const all{position{2, 5}};
    EXPECT_TRUE(all.covers({1, 1000}));
    EXPECT_TRUE(all.covers({2, 5}));
    EXPECT_FALSE(all.covers({2, 6}));
    EXPECT_FALSE(all.covers({3, 1}));
}

TEST(Horizon, OfAnEpochAloneCoversNothingElse)
{
    horizon all{position{2, 5}};
    EXPECT_TRUE(all.raise_alone({4, 9}));
    EXPECT_TRUE(all.covers({4, 9}));
    EXPECT_FALSE(all.covers({4, 10}));
    EXPECT_FALSE(all.covers({3, 1})) << "its sessions may still be there";
    EXPECT_FALSE(all.covers({2, 6}));
    EXPECT_EQ(all.everything(), (position{2, 5}));
}

TEST(Horizon, NeverFalls)
{
    horizon all{position{2, 5}};
    EXPECT_FALSE(all.raise({2, 4}));
    EXPECT_FALSE(all.raise({1, 9}));
    EXPECT_FALSE(all.raise_alone({1, 9}));
    EXPECT_TRUE(all.raise_alone({4, 9}));
    EXPECT_FALSE(all.raise_alone({4, 8}));
    EXPECT_TRUE(all.covers({4, 9}));
    EXPECT_EQ(all.everything(), (position{2, 5}));
}

TEST(Horizon, TakesInTheEpochsThatEverythingHasReached)
{
    horizon all;
    all.raise_alone({2, 7});
    all.raise_alone({3, 9});
    all.raise_alone({5, 1});

    all.raise({3, 4});

    EXPECT_EQ(all.everything(), (position{3, 9})) << "of this epoch more was finished before";
    EXPECT_EQ(all.alone().size(), 1u);
    EXPECT_TRUE(all.covers({2, 8})) << "nothing of a passed epoch is left";
    EXPECT_TRUE(all.covers({5, 1}));
    EXPECT_FALSE(all.covers({4, 1}));
}

TEST(Horizon, OfTheSameEpochAsEverythingRaisesEverything)
{
    horizon all{position{2, 5}};
    EXPECT_TRUE(all.raise_alone({2, 8}));
    EXPECT_EQ(all, (position{2, 8}));
}

TEST(Horizon, AbsorbsWhatAnotherOneCovers)
{
    horizon all{position{2, 5}};
    all.raise_alone({4, 9});
    all.raise_alone({5, 2});
    horizon other{position{3, 1}};
    other.raise_alone({4, 3});
    other.raise_alone({5, 6});
    other.raise_alone({6, 1});

    all.absorb(other);

    EXPECT_EQ(other, horizon{});
    EXPECT_EQ(all.everything(), (position{3, 1}));
    EXPECT_TRUE(all.covers({4, 9}));
    EXPECT_TRUE(all.covers({5, 6}));
    EXPECT_TRUE(all.covers({6, 1}));
    EXPECT_EQ(all.alone().size(), 3u);
}

}  // namespace
