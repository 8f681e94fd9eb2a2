// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// limits_test.cpp -- limits that cannot be kept are refused by name, and none that can.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;
using assent::limits;

/// What opening with these limits says; empty: it opens.
std::string refusal(limits const& bounds)
{
    temporary_directory const log;
    try {
        assent::transaction_manager const tm{assent::options{}
                                                 .log_directory(log.path())
                                                 .node_label("limits")
                                                 .bounds(bounds)
                                                 .allow_file_system("tmpfs")};
        return {};
    } catch (assent::error const& e) {
        EXPECT_EQ(e.code(), errc::bad_argument) << e.what();
        return e.what();
    }
}

constexpr struct
{
    char const* name;
    limits::duration limits::*which;
    bool may_be_zero;
} durations[] = {
    {"transaction", &limits::transaction, false},
    {"phase2_wait", &limits::phase2_wait, true},
    {"rollback_wait", &limits::rollback_wait, true},
    {"destructor_wait", &limits::destructor_wait, true},
    {"deadline_grace", &limits::deadline_grace, true},
    {"cancel_call", &limits::cancel_call, false},
    {"connect", &limits::connect, false},
    {"first_scan", &limits::first_scan, true},
    {"server_call", &limits::server_call, false},
    {"close", &limits::close, true},
    {"log_lock", &limits::log_lock, true},
    {"log_force", &limits::log_force, false},
    {"retry_min", &limits::retry_min, false},
    {"retry_max", &limits::retry_max, false},
    {"completion_retry_max", &limits::completion_retry_max, false},
    {"scan_interval", &limits::scan_interval, false},
    {"heartbeat", &limits::heartbeat, false},
    {"guardian_lapse", &limits::guardian_lapse, false},
    {"presumed_abort_delay", &limits::presumed_abort_delay, true},
    {"log_force_slow", &limits::log_force_slow, true},
    {"session_idle_max", &limits::session_idle_max, true},
    {"session_age_max", &limits::session_age_max, true},
};

TEST(Limits, NoDurationIsNegativeOrOverflowsTheClock)
{
    for (auto const& each : durations) {
        for (auto const bad : {-1ms, limits::duration::min(), limits::duration::max(),
                               limits::duration{std::chrono::hours{24 * 365 * 11}}}) {
            limits bounds = quick();
            bounds.*each.which = bad;
            EXPECT_THAT(refusal(bounds), ::testing::HasSubstr(each.name)) << bad.count();
        }
        limits bounds = quick();
        bounds.*each.which = 0ms;
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
    for (auto const& each : durations) {
        bool const is_bounded_otherwise = each.which == &limits::heartbeat ||
                                          each.which == &limits::guardian_lapse ||
                                          each.which == &limits::close;
        if (!is_bounded_otherwise) bounds.*each.which = ten_years;
    }
    bounds.presumed_abort_delay = 0ms;
    temporary_directory const log;
    memory_database bank = database(personality::plain);
    memory_database shop = database(personality::plain);
    assent::transaction_manager tm{assent::options{}
                                       .log_directory(log.path())
                                       .node_label("limits")
                                       .bounds(bounds)
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

TEST(Limits, AbortIsNotPresumedWhileTheVotesOfACopyOfTheLogCount)
{
    limits bounds;
    for (auto const delay : {1ms, 4999ms}) {
        bounds.presumed_abort_delay = delay;
        EXPECT_THAT(refusal(bounds), ::testing::HasSubstr("presumed_abort_delay"));
    }
    for (auto const delay : {0ms, 5000ms}) {
        bounds.presumed_abort_delay = delay;
        EXPECT_EQ(refusal(bounds), "") << delay.count();
    }
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
