// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// limits_test.cpp -- limits that cannot be kept are refused by name, and none that can.

#include "api/require_sane.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;
using assent::limits;
using assent::api::duration_rules;

/// What opening with these limits says; empty: it opens.
std::string refusal(limits const& bounds)
{
    temporary_directory const log;
    try {
        assent::transaction_manager const tm{assent::options{}
                                                 .log_directory(log.path())
                                                 .node_label("limits")
                                                 .limits(bounds)
                                                 .allow_file_system("tmpfs")};
        return {};
    } catch (assent::error const& e) {
        EXPECT_EQ(e.code(), errc::bad_argument) << e.what();
        return e.what();
    }
}

TEST(Limits, NoDurationIsNegativeOrOverflowsTheClock)
{
    for (auto const& each : duration_rules) {
        for (auto const bad : {-1ms, limits::duration::min(), limits::duration::max(),
                               limits::duration{std::chrono::hours{24 * 365 * 11}}}) {
            limits bounds = quick();
            bounds.*each.member = bad;
            EXPECT_THAT(refusal(bounds), ::testing::HasSubstr(each.name)) << bad.count();
        }
        limits bounds = quick();
        bounds.*each.member = 0ms;
        if (each.may_be_zero) {
            EXPECT_EQ(refusal(bounds), "") << each.name;
        } else {
            EXPECT_THAT(refusal(bounds), ::testing::HasSubstr(each.name));
        }
    }
}

TEST(Limits, TheLongestPossibleOnesOverflowNothing)
{
    constexpr limits::duration ten_years = std::chrono::hours{24 * 365 * 10};
    limits bounds = quick();
    for (auto const& each : duration_rules) {
        bool const is_bounded_otherwise =
            each.member == &limits::heartbeat || each.member == &limits::guardian_lapse ||
            each.member == &limits::log_force || each.member == &limits::close;
        if (!is_bounded_otherwise) bounds.*each.member = ten_years;
    }
    bounds.presumed_abort_delay = 0ms;
    temporary_directory const log;
    memory_database bank = database(personality::plain);
    memory_database shop = database(personality::plain);
    assent::transaction_manager tm{assent::options{}
                                       .log_directory(log.path())
                                       .node_label("limits")
                                       .limits(bounds)
                                       .allow_file_system("tmpfs")};
    auto const accounts = tm.add(memory_resource_manager{"accounts", bank});
    auto const orders = tm.add(memory_resource_manager{"orders", shop});

    auto tx = tm.begin();
    tx.lease(accounts)->set("row", 1);
    tx.lease(orders)->set("row", 1);

    EXPECT_EQ(tx.commit(), outcome::committed);
}

/// Whoever took the node's lock waits for the default delay, and then presumes abort.
TEST(Limits, VotesNeverCountForLongerThanACopyOfTheLogWaits)
{
    limits bounds = quick();
    bounds.guardian_lapse = 5s;
    EXPECT_EQ(refusal(bounds), "");
    bounds.guardian_lapse = 5001ms;
    EXPECT_THAT(refusal(bounds), ::testing::HasSubstr("guardian_lapse"));
    bounds.presumed_abort_delay = 60s;  // here; the copy has limits of its own
    EXPECT_THAT(refusal(bounds), ::testing::HasSubstr("guardian_lapse"));
}

/// A decision that was forced so late after the last vote is answered as committed.
TEST(Limits, AForceCountsNoLongerThanACopyOfTheLogWaits)
{
    limits bounds;
    EXPECT_EQ(bounds.guardian_lapse + bounds.log_force, bounds.presumed_abort_delay);
    bounds.log_force = 2001ms;
    EXPECT_THAT(refusal(bounds), ::testing::HasSubstr("log_force"));
    bounds.guardian_lapse = 3s;
    EXPECT_EQ(refusal(bounds), "");
    bounds.log_force = 4001ms;
    EXPECT_THAT(refusal(bounds), ::testing::HasSubstr("log_force"));
}

TEST(Limits, AForceThatHangsWasLateBefore)
{
    limits bounds;
    bounds.log_hang = bounds.log_force - 1ms;
    EXPECT_THAT(refusal(bounds), ::testing::HasSubstr("log_hang"));
    bounds.log_hang = bounds.log_force;
    EXPECT_EQ(refusal(bounds), "");
}

/// Whatever is chosen, the log raises it to what its openings recorded.
TEST(Limits, TheDelayBeforePresumedAbortIsAMinimum)
{
    limits bounds;
    for (auto const delay : {0ms, 1ms, 7000ms, 60'000ms}) {
        bounds.presumed_abort_delay = delay;
        EXPECT_EQ(refusal(bounds), "") << delay.count();
    }
}

TEST(Limits, OfNothingThatIsNeededThereAreNone)
{
    limits none = quick();
    none.completion_sessions_max = 0;
    EXPECT_THAT(refusal(none), ::testing::HasSubstr("completion_sessions_max"));
    none = quick();
    none.pooled_sessions_max = 0;
    EXPECT_THAT(refusal(none), ::testing::HasSubstr("pooled_sessions_max"));
    none = quick();
    none.kept_decisions_max = 0;
    EXPECT_THAT(refusal(none), ::testing::HasSubstr("kept_decisions_max"));
}

TEST(Limits, TheFirstPauseIsNotLongerThanTheLongest)
{
    limits bounds = quick();
    bounds.retry_min = bounds.retry_max + 1ms;
    EXPECT_THAT(refusal(bounds), ::testing::HasSubstr("retry_min"));
    bounds.retry_min = bounds.retry_max;
    EXPECT_EQ(refusal(bounds), "");
}

TEST(Limits, AHeartbeatComesBeforeTheLapse)
{
    limits bounds = quick();
    bounds.heartbeat = bounds.guardian_lapse;
    EXPECT_THAT(refusal(bounds), ::testing::HasSubstr("heartbeat"));
    bounds.heartbeat = bounds.guardian_lapse - 1ms;
    EXPECT_EQ(refusal(bounds), "");
}

}  // namespace
