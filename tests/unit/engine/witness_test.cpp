// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// witness_test.cpp -- a one-phase commit whose reply was lost, and the server that is asked about
// it.

#include "tests/unit/engine/meddling_driver.hpp"

namespace {

using namespace engine_test;

TEST(Witness, AWitnessThatNoConnectionReachesLeavesTheCommitInDoubtAndEndsIt)
{
    meddled at{personality::postgresql};
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    at.driver->on_connect = [](assent::session_purpose) {
        throw std::runtime_error{"the vault is sealed"};
    };
    std::vector<status> told;
    tx.tx->synchronizations.push_back({{}, [&](status now) { told.push_back(now); }});

    auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::database);
    EXPECT_EQ(told, std::vector<status>{status::unknown});
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

TEST(Witness, WhateverTheConnectFunctionThrowsTheCommitIsStillInDoubt)
{
    meddled at{personality::postgresql};
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    at.driver->on_connect = [](assent::session_purpose) { throw 42; };

    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

TEST(Witness, AWitnessIsAskedUntilItsTransactionIsOver)
{
    meddled at{personality::postgresql};
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    at.driver->times_in_progress = 3;

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.driver->times_in_progress, 0);
}

TEST(Witness, AWitnessThatStaysUndecidedIsInDoubtWithinTheWait)
{
    meddled at{personality::postgresql};
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    at.driver->witness_says = assent::witness_state::in_progress;
    auto const before = at.clock->now();

    auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::database);
    EXPECT_LE(at.clock->now() - before, world::quick().phase2_wait);
}

TEST(Witness, AnotherServersWitnessIsNotBelieved)
{
    world at{personality::postgresql};
    auto tx = at.begin();
    tx.on(at.accounts)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    at.accounts.db.set_identity("another server, which knows the same number");

    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
}

TEST(Witness, AWitnessThatTheDatabaseNoLongerUnderstandsIsForNobodyToResolve)
{
    meddled at{personality::postgresql};
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    at.driver->witness_says = assent::witness_state::unknown;

    auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::nobody);
}

}  // namespace
