// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cli_night_test.cpp -- the way of docs/guide/operating.md through a bad night, with 500
// transactions in doubt: each command says what to do next, and at the end nothing is left.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/outage.hpp"

namespace {

using namespace assent::testing;
using ::testing::HasSubstr;

answer on(outage const& night, std::vector<std::string> words)
{
    words.insert(words.begin(), {"--config", night.config()});
    return run_assent(words);
}

TEST(CliNight, ThePageLeadsFromTheFirstCommandToNothingInDoubt)
{
    outage night;

    auto const first = on(night, {"scan"});
    EXPECT_NE(first.status, 0);
    EXPECT_THAT(first.out + first.err, HasSubstr("accounts"));

    night.start_accounts();
    auto const second = on(night, {"scan"});
    EXPECT_EQ(second.status, 4) << second.out << second.err;
    EXPECT_THAT(second.out, HasSubstr("rebind"));
    EXPECT_THAT(second.out, HasSubstr("more: roll back"));
    EXPECT_LT(std::count(second.out.begin(), second.out.end(), '\n'), 100) << "it is to be read";

    auto const rebound =
        on(night, {"rebind", "orders", "--yes", "--reason", "the replica was promoted"});
    EXPECT_EQ(rebound.status, 0) << rebound.out << rebound.err;

    auto const recovered =
        on(night, {"recover", "--presumed-abort-delay", "0", "--timeout", "120"});
    EXPECT_EQ(recovered.status, 4) << recovered.out << recovered.err;
    EXPECT_FALSE(night.is_anything_prepared());
    EXPECT_EQ(night.rows_in_accounts(), outage::decided + 1);
    EXPECT_EQ(night.rows_in_orders(), outage::decided - outage::lost);

    auto const before = on(night, {"scan"});
    EXPECT_EQ(before.status, 4) << before.out;
    EXPECT_THAT(before.out, HasSubstr("heuristic outcomes are recorded"));
    auto const status = on(night, {"--json", "status"}).json();
    std::set<std::string> by_hand;
    for (auto const& each : status.at("heuristics")) {
        auto const branch = each.at("branch").get<std::string>();
        by_hand.insert(branch.substr(0, branch.find('.')));
    }
    EXPECT_EQ(by_hand.size(), outage::lost + 1);
    EXPECT_EQ(by_hand.count(night.ended_by_hand()), 1u);
    for (auto const& id : by_hand) {
        EXPECT_EQ(on(night, {"show", id}).status, 4);
        EXPECT_EQ(on(night, {"forget", id, "--yes", "--reason", "compared"}).status, 0);
    }

    auto const last = on(night, {"scan"});
    EXPECT_EQ(last.status, 0) << last.out << last.err;
    EXPECT_EQ(on(night, {"status"}).status, 0);
}

}  // namespace
