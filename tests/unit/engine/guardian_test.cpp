// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// guardian_test.cpp -- how long the guardian's lock counts.  The server may have let go of it as
// soon as it had answered, so time runs from before the request, and also while others are asked.

#include "tests/unit/engine/meddling_driver.hpp"

namespace {

using namespace engine_test;

constexpr auto late_answer = 1900ms;  // less than a heartbeat may take

assent::recovery::keeper& keeper_of(meddled const& at)
{
    return *at.engine->keepers().at(0);
}

/// Whether votes count just before, and not from, `limits::guardian_lapse` after `asked`.
void expect_fresh_since(meddled& at, assent::deadline asked)
{
    auto const lapsed = asked + world::quick().guardian_lapse;
    at.clock->pass(lapsed - 1ms);
    EXPECT_TRUE(keeper_of(at).is_guarded());
    at.clock->pass(lapsed);
    EXPECT_FALSE(keeper_of(at).is_guarded()) << "a copy of the log may have the lock by now";
}

TEST(Guardian, VotesCountSinceTheHeartbeatWasSentAndNotSinceItsAnswer)
{
    meddled at;
    at.run_for(20ms);
    assent::deadline asked{};
    at.driver->after_heartbeat = [&] {
        asked = at.clock->now();
        at.clock->pass(asked + late_answer);
    };
    while (asked == assent::deadline{})
        at.run_for(10ms);

    expect_fresh_since(at, asked);
}

TEST(Guardian, VotesCountSinceTheLockWasAskedForAndNotSinceItWasGiven)
{
    meddled at;
    assent::deadline asked{};
    at.driver->after_guard = [&] {
        asked = at.clock->now();
        at.clock->pass(asked + late_answer);
    };
    keeper_of(at).step();
    ASSERT_NE(asked, assent::deadline{});

    expect_fresh_since(at, asked);
}

TEST(Guardian, ALockThatLapsedWhileTheDatabaseWasScannedPresumesNoAbort)
{
    meddled at;
    at.run_for(20ms);
    // A branch of this opening, prepared, and of no transaction: two scans believe that.
    transaction tx{at.engine, {}};
    at.lease(tx);
    auto name = tx.id().parts();
    name.sequence += 1000;
    assent::xid const stray{assent::gtrid::make(name), tx.tx->branches.at(0)->id.branch};
    tx.rollback();
    at.accounts.db.prepare_branch(stray, "row", 1);
    bool is_seen_once = false;
    at.driver->after_scan = [&] { is_seen_once = true; };
    while (!is_seen_once)
        at.run_for(10ms);
    bool was_late = false;
    at.driver->after_scan = [&] {
        was_late = true;
        at.clock->pass(at.clock->now() + world::quick().guardian_lapse);
    };
    while (!was_late)
        at.run_for(10ms);

    EXPECT_EQ(at.accounts.db.fate(stray), branch_fate::prepared) << "a copy may yet commit it";

    at.run_for(30s);
    EXPECT_EQ(at.accounts.db.fate(stray), branch_fate::rolled_back);
}

}  // namespace
