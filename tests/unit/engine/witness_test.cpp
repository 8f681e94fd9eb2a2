// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// witness_test.cpp -- a one-phase commit whose reply was lost, and the server that is asked about
// it.

#include "tests/unit/engine/meddling_driver.hpp"

namespace {

using namespace engine_test;

/// A transaction whose one-phase commit is carried out, and not answered.
class Witness : public ::testing::Test
{
protected:
    Witness()
    {
        at.run_for(20ms);
        tx.emplace(at.engine, assent::begin_options{});
        at.lease(*tx)->set("row", 1);
        at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    }
    outcome commit() { return tx->commit(); }

    meddled at{personality::postgresql};
    std::optional<transaction> tx;
};

TEST_F(Witness, AWitnessThatNoConnectionReachesLeavesTheCommitInDoubtAndEndsIt)
{
    at.driver->on_connect = [](assent::session_purpose) {
        throw std::runtime_error{"the vault is sealed"};
    };
    std::vector<status> told;
    tx->tx->synchronizations.push_back({{}, [&](status now) { told.push_back(now); }});

    auto const e = thrown_by<assent::in_doubt_error>([&] { commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::database);
    EXPECT_EQ(told, std::vector<status>{status::unknown});
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

TEST_F(Witness, WhateverTheConnectFunctionThrowsTheCommitIsStillInDoubt)
{
    at.driver->on_connect = [](assent::session_purpose) { throw 42; };

    EXPECT_THROW(commit(), assent::in_doubt_error);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

TEST_F(Witness, AWitnessIsAskedUntilItsTransactionIsOver)
{
    at.driver->times_in_progress = 3;

    EXPECT_EQ(commit(), outcome::committed);

    EXPECT_EQ(at.driver->times_in_progress, 0);
}

TEST_F(Witness, AWitnessThatStaysUndecidedIsInDoubtWithinTheWait)
{
    at.driver->witness_says = assent::witness_state::in_progress;
    auto const before = at.clock->now();

    auto const e = thrown_by<assent::in_doubt_error>([&] { commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::database);
    EXPECT_LE(at.clock->now() - before, world::quick().phase2_wait);
}

TEST_F(Witness, AnotherServersWitnessIsNotBelieved)
{
    at.accounts.db.set_identity("another server, which knows the same number");

    EXPECT_THROW(commit(), assent::in_doubt_error);
}

TEST_F(Witness, AWitnessThatTheDatabaseNoLongerUnderstandsIsForNobodyToResolve)
{
    at.driver->witness_says = assent::witness_state::unknown;

    auto const e = thrown_by<assent::in_doubt_error>([&] { commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::nobody);
}

}  // namespace
