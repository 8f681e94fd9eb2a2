// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/tally.hpp"

#include <gtest/gtest.h>

namespace {

using namespace assent::cli;
using assent::severity;

TEST(Tally, CountsPerResourceManagerWhatRecoveryTells)
{
    tally counts;

    counts.on({severity::info, "branch.finished", "accounts", "x1", "committed"});
    counts.on({severity::info, "branch.finished", "accounts", "x2", "rolled back"});
    counts.on({severity::info, "branch.finished", "orders", "x1", "rolled back"});
    counts.on({severity::info, "branch.finished", "orders", "x3", "read-only"});
    counts.on({severity::alarm, "branch.heuristic", "orders", "x4", "heuristic mixed"});

    EXPECT_EQ(counts.of("accounts").committed, 1u);
    EXPECT_EQ(counts.of("accounts").rolled_back, 1u);
    EXPECT_EQ(counts.of("orders").committed, 0u);
    EXPECT_EQ(counts.of("orders").rolled_back, 1u);
    EXPECT_EQ(counts.of("orders").heuristics, 1u);
    EXPECT_EQ(counts.of("nobody").committed, 0u);
}

TEST(Tally, CountsOnceWhatEveryScanTells)
{
    tally counts;

    for (int scan = 0; scan < 3; ++scan) {
        counts.on({severity::info, "branch.finished_assumed", "accounts", "x1", ""});
    }

    EXPECT_EQ(counts.of("accounts").found_finished, 1u);
}

TEST(Tally, KeepsWhatWasLastSaidOfABranchThatIsLeft)
{
    tally counts;

    counts.on({severity::debug, "recovery.commit.reply", "accounts", "x1", "busy"});
    counts.on({severity::debug, "recovery.commit.reply", "accounts", "x1", "permission denied"});
    counts.on({severity::debug, "recovery.commit.reply", "accounts", "x1", ""});
    counts.on({severity::debug, "recovery.commit", "accounts", "x2", "not a reason"});

    EXPECT_EQ(counts.why_left("accounts", "x1").text, "permission denied");
    EXPECT_EQ(counts.why_left("accounts", "x1").what, reason::server_refused);
    EXPECT_EQ(counts.why_left("accounts", "x2").what, reason::none);
    EXPECT_EQ(counts.why_left("orders", "x1").what, reason::none);
}

}  // namespace
