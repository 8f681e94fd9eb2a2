// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// options_test.cpp -- what was chosen is kept, in whichever order it was said.

#include <gtest/gtest.h>

#include <chrono>
#include <type_traits>
#include <vector>

#include <assent/assent.hpp>
#include <assent/testing.hpp>

namespace {

using namespace std::chrono_literals;
using assent::testing::memory_connection;

assent::limits all_of_them()
{
    assent::limits all;
    all.transaction = 1s;
    all.pooled_sessions_max = 1;
    all.reset_leases = true;
    all.presumed_abort_delay = 8s;
    all.close = 3s;
    return all;
}

TEST(Options, ASingleLimitStandsBesideAllOfThemInEitherOrder)
{
    auto const single = [](assent::options how) {
        return how.transaction_timeout(2s)
            .pooled_sessions_max(2)
            .reset_leases(false)
            .presumed_abort_delay(0ms);
    };

    auto const before = single(assent::options{}).limits(all_of_them());
    auto const after = single(assent::options{}.limits(all_of_them()));

    for (auto const* how : {&before, &after}) {
        auto const& kept = how->given().limits;
        EXPECT_EQ(kept.transaction, 2s);
        EXPECT_EQ(kept.pooled_sessions_max, 2u);
        EXPECT_FALSE(kept.reset_leases);
        EXPECT_EQ(kept.presumed_abort_delay, 0ms);
        EXPECT_EQ(kept.close, 3s) << "and the others are as they were given together";
    }
}

TEST(Options, TheLastWordOnOneLimitCounts)
{
    auto const how = assent::options{}
                         .transaction_timeout(2s)
                         .limits(all_of_them())
                         .transaction_timeout(4s)
                         .limits({});

    EXPECT_EQ(how.given().limits.transaction, 4s);
    EXPECT_EQ(how.given().limits.close, assent::limits{}.close);
}

TEST(Options, ThoseOfARunAreThoseOfEachBegin)
{
    auto const how = assent::run_options{}.attempts_max(2).timeout(3s).read_only();

    EXPECT_EQ(how.given().attempts_max, 2);
    EXPECT_FALSE(how.given().retry_if);
    EXPECT_EQ(how.given().begin.given().timeout, 3s);
    EXPECT_TRUE(how.given().begin.given().modes.is_read_only());
}

TEST(EnlistOptions, GiveTheHandleBackByItsType)
{
    std::vector<memory_connection*> seen;
    auto const how = assent::enlist_options<memory_connection*>{}
                         .read_only()
                         .branch(assent::branch_choice::another)
                         .on_release([&](auto* handle, assent::release) {
                             static_assert(std::is_same_v<decltype(handle), memory_connection*>);
                             seen.push_back(handle);
                         })
                         .untyped();
    assent::testing::memory_database bank;
    auto const mine = bank.connect();

    how.given().on_release(mine.get(), assent::release::keep);

    EXPECT_EQ(seen, std::vector{mine.get()});
    EXPECT_EQ(how.given().branch, assent::branch_choice::another);
    EXPECT_EQ(how.given().may, assent::access::read_only);
}

TEST(EnlistOptions, SayNothingUnlessTheyAreTold)
{
    auto const how = assent::enlist_options<memory_connection*>{}.untyped();

    EXPECT_FALSE(how.given().on_release);
    EXPECT_EQ(how.given().branch, assent::branch_choice::one_per_resource_manager);
    EXPECT_EQ(how.given().may, assent::access::read_write);
    static_assert(!std::is_convertible_v<void (*)(int), assent::enlist_options<memory_connection*>>,
                  "only what can be called with the handle");
}

}  // namespace
