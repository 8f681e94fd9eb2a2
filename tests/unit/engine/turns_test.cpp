// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// turns_test.cpp -- the completion queue and the workers: turns are taken, tries come later and
// later, nothing of ours turns a COMMIT, and only that very server counts.

#include "tests/unit/engine/meddling_driver.hpp"

namespace {

using namespace engine_test;

TEST(Turns, ABranchThatIsNeverAnsweredKeepsNoOtherUnfinished)
{
    world at;
    std::vector<transaction> all;
    for (int i = 0; i < 20; ++i) {
        all.push_back(at.begin_work("row" + std::to_string(i)));
        at.accounts.db.script().on(verb::commit).lose_before_effect();
        EXPECT_EQ(all.back().commit(), outcome::committed_pending);
    }
    // The smallest name, so whoever goes by names tries it first, each time.
    at.accounts.db.script().on(verb::commit, all.front().branch(0)).times(100'000).hang();

    at.run_for(60s);

    for (int i = 1; i < 20; ++i)
        EXPECT_EQ(at.accounts.db.value("row" + std::to_string(i)), 1) << i;
    EXPECT_EQ(at.state_of(at.accounts).branches_due, 1u);
    at.accounts.db.script().clear();
    at.accounts.db.script().release();
    at.run_for(20s);
    at.expect_rows(1, "row0");
    EXPECT_EQ(at.engine->state().heuristics, 0u);
}

TEST(Turns, ASessionThatExecutesACommitIsNeverEnded)
{
    world at{personality::mariadb};
    auto tx = at.begin_work();
    at.orders.db.linger_sessions();
    at.orders.db.script().on(verb::commit).hang();  // the binlog's disk is full

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.run_for(60s);

    EXPECT_EQ(at.seen->count("session.ended"), 0);
    EXPECT_GE(at.seen->count("branch.kept"), 1);
    at.orders.db.script().release();
    at.run_for(30s);
    at.expect_rows(1);
    at.expect_clean();
    EXPECT_EQ(at.engine->state().heuristics, 0u);
}

TEST(Turns, ARepeatedCommitThatTheServerMayHaveUndoneIsAHazardWhereItIsGone)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    assent::reply full;
    full.code = xa_code::nota;
    full.detail = assent::reply_detail::may_be_undone;
    full.text = "Error writing file 'binlog'";
    at.accounts.db.script().on(verb::commit).reply_without_effect(full);
    at.step();
    at.accounts.db.settle(tx.branch(0), false);

    at.run_for(5s);

    ASSERT_EQ(at.log().heuristics().size(), 1u);
    EXPECT_EQ(at.log().heuristics()[0].branch, tx.branch(0));
    EXPECT_EQ(at.log().heuristics()[0].code, xa_code::heurhaz);
}

TEST(Turns, AServerThatIsReadOnlyIsAskedLessAndLessOften)
{
    meddled at;
    at.accounts.db.set_writable(false);
    int connections = 0;
    at.driver->on_connect = [&](assent::session_purpose) { ++connections; };

    at.run_for(60s);

    EXPECT_LE(connections, 40) << "18 a second before";
    at.accounts.db.set_writable(true);
    at.run_for(10s);
    EXPECT_TRUE(at.state().is_serving) << at.state().why;
}

TEST(Turns, WhatOnlyHasToGoAwayIsLookedForLessAndLessOften)
{
    meddled at{personality::plain};
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    at.accounts.db.linger_sessions();
    at.accounts.db.script().on(verb::rollback).lose_before_effect();
    tx.rollback();
    at.run_for(1s);
    ASSERT_EQ(at.engine->state().live_transactions, 1u);
    auto const before = at.seen->count("recovery.scanned");

    at.run_for(60s);

    EXPECT_LE(at.seen->count("recovery.scanned") - before, 15) << "20 a second before";
    at.accounts.db.reap_sessions();
    at.run_for(at.engine->shared().bounds.scan_interval + 1s);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

TEST(Turns, AReplicaThatTakesWritesGetsNoLease)
{
    meddled at;
    at.run_for(20ms);
    auto chosen = site::options_for(personality::plain, at.clock, false);
    chosen.identity = at.accounts.db.identity();
    chosen.instance = "the replica";
    assent::testing::memory_database const replica{chosen};
    assent::testing::memory_resource_manager there{"accounts", replica};
    at.driver->change = [&](std::unique_ptr<assent::driver_session>) {
        return there.driver()->connect(assent::session_purpose::work, at.clock->now() + 1s);
    };
    transaction tx{at.engine, {}};

    auto const e = thrown_by<assent::error>([&] { at.lease(tx); });

    EXPECT_EQ(e.code(), assent::errc::unavailable);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("the replica"));
}

TEST(Turns, AVoteOfASessionInAnotherLifeOfTheServerDoesNotCount)
{
    world at;
    auto tx = at.begin_work();
    tx.tx->branches.at(0)->life.start = "start-0";

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("another life"));
    // The next opening takes the sessions of a start that is not in the log for gone.
    EXPECT_EQ(at.seen->count("branch.prepare"), 0);
    at.expect_rows(std::nullopt);
}

TEST(Turns, ASessionNumberOfAnEarlierStartIsNobodysToCancel)
{
    world at;
    auto tx = at.begin_work("row", assent::begin_options{}.timeout(1s));
    auto const session = tx.on(at.accounts)->id();
    tx.tx->branches.at(0)->life.start = "start-0";  // it has the number of somebody else's, now

    at.run_for(5s);

    auto const open = at.accounts.db.sessions();
    EXPECT_EQ(std::count(open.begin(), open.end(), session), 1);
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
}

/// A branch that no opening of this log has made, as a twin would.
assent::xid twins_branch(meddled& at)
{
    transaction tx{at.engine, {}};
    at.lease(tx);
    auto const made = renamed(tx.branch(0), [](auto& parts) { parts.nonce ^= 1; });
    tx.rollback();
    return made;
}

TEST(Turns, AnotherAccountsBranchOfOurNameIsListedAndRefusesNothing)
{
    meddled at;
    at.run_for(20ms);
    auto const id = twins_branch(at);
    at.accounts.db.prepare_branch(id, "row", 1);
    at.driver->strangers = {{id, "mallory"}};

    at.run_for(3 * world::quick().scan_interval);

    EXPECT_TRUE(at.engine->state().is_accepting) << at.engine->state().why;
    EXPECT_EQ(at.seen->count("branch.of_stranger"), 1) << "warned once";
    ASSERT_EQ(at.engine->state().quarantined.size(), 1u);
    EXPECT_THAT(at.engine->state().quarantined[0], ::testing::HasSubstr("mallory"));
    EXPECT_EQ(at.accounts.db.fate(id), branch_fate::prepared);
}

TEST(Turns, AnotherAccountsBranchIsATwinsWhileALockIsNotHeld)
{
    meddled at;
    at.run_for(20ms);
    auto const id = twins_branch(at);
    at.accounts.db.script().on(driver_call::heartbeat).times(1000).fail();
    at.accounts.db.script().on(driver_call::guard).times(1000).fail();
    at.run_for(5s);
    at.accounts.db.prepare_branch(id, "row", 1);
    at.driver->strangers = {{id, "mallory"}};

    at.run_for(3 * world::quick().scan_interval);

    EXPECT_FALSE(at.engine->state().is_accepting);
}

}  // namespace
