// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// early_return_test.cpp -- TX_COMMIT_DECISION_LOGGED: tx_commit() returns once the decision is
// durable, and the rest goes on without the thread.

#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;

void open_with(COMMIT_RETURN when)
{
    ASSERT_EQ(tx_open(), TX_OK) << assent_tx_message();
    ASSERT_EQ(tx_set_commit_return(when), TX_OK);
}

TEST(EarlyReturn, IsAskedForAtAnyTimeAndHoldsUntilItIsChanged)
{
    served at;
    on_a_thread([&] {
        open_with(TX_COMMIT_DECISION_LOGGED);
        EXPECT_EQ(info().when_return, TX_COMMIT_DECISION_LOGGED);
        ASSERT_EQ(tx_begin(), TX_OK);
        EXPECT_EQ(tx_commit(), TX_OK);
        EXPECT_EQ(info().when_return, TX_COMMIT_DECISION_LOGGED);
        ASSERT_EQ(tx_begin(), TX_OK);
        EXPECT_EQ(tx_set_commit_return(TX_COMMIT_COMPLETED), TX_OK);
        EXPECT_EQ(info().when_return, TX_COMMIT_COMPLETED);
        EXPECT_EQ(tx_set_commit_return(TX_COMMIT_DECISION_LOGGED), TX_OK);
        EXPECT_EQ(tx_rollback(), TX_OK);
    });
}

/// Whichever was said last before the commit, before its transaction began or in it.
TEST(EarlyReturn, DoesNotWaitForADatabaseThatDoesNotAnswer)
{
    for (bool const is_said_inside : {false, true}) {
        auto bounds = quick();
        bounds.phase2_wait = 60s;
        served at{personality::plain, bounds};
        on_a_thread([&] {
            open_with(is_said_inside ? TX_COMMIT_COMPLETED : TX_COMMIT_DECISION_LOGGED);
            ASSERT_EQ(tx_begin(), TX_OK);
            served::work();
            if (is_said_inside) {
                EXPECT_EQ(tx_set_commit_return(TX_COMMIT_DECISION_LOGGED), TX_OK);
            }
            at.bank.script().on(verb::commit).hang();
            auto const id = at.tm->current()->id();

            EXPECT_EQ(tx_commit(), TX_OK) << assent_tx_message();

            EXPECT_EQ(tx_info(nullptr), 0);
            EXPECT_EQ(at.tm->outcome(id), known_outcome::committed) << "it is on disk";
            EXPECT_EQ(at.bank.value("row"), std::nullopt);
            at.bank.script().release();
            EXPECT_TRUE(becomes_true([&] { return at.bank.value("row") == 1; }));
        });
        EXPECT_TRUE(becomes_true([&] { return at.shop.value("row") == 1; }));
    }
}

TEST(EarlyReturn, IsTakenBackForTheCurrentCommit)
{
    served at;
    on_a_thread([&] {
        open_with(TX_COMMIT_DECISION_LOGGED);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();
        ASSERT_EQ(tx_set_commit_return(TX_COMMIT_COMPLETED), TX_OK);
        at.bank.script().on(verb::commit).hang();

        EXPECT_EQ(tx_commit(), TX_HAZARD) << "it waited, and the database has not confirmed";

        at.bank.script().release();
    });
    EXPECT_TRUE(becomes_true([&] { return at.bank.value("row") == 1; }));
}

/// Otherwise a commit that waited in vain would be answered as one that was not to wait.
TEST(EarlyReturn, IsNotSetWhileItsTransactionEnds)
{
    served at;
    on_a_thread([&] {
        open_with(TX_COMMIT_COMPLETED);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();
        int before = TX_OK;
        int after = TX_OK;
        at.tm->current()->register_synchronization(
            {[&] { before = tx_set_commit_return(TX_COMMIT_DECISION_LOGGED); },
             [&](status) { after = tx_set_commit_return(TX_COMMIT_DECISION_LOGGED); }});
        at.bank.script().on(verb::commit).hang();

        EXPECT_EQ(tx_commit(), TX_HAZARD);

        EXPECT_EQ(before, TX_PROTOCOL_ERROR);
        EXPECT_EQ(after, TX_PROTOCOL_ERROR);
        EXPECT_EQ(info().when_return, TX_COMMIT_COMPLETED);
        at.bank.script().release();
    });
    EXPECT_TRUE(becomes_true([&] { return at.bank.value("row") == 1; }));
}

TEST(EarlyReturn, AVetoIsStillARollback)
{
    served at;
    on_a_thread([&] {
        open_with(TX_COMMIT_DECISION_LOGGED);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();
        at.shop.script().on(verb::prepare).reply(xa_code::rbdeadlock);

        EXPECT_EQ(tx_commit(), TX_ROLLBACK);
    });
    at.expect_rows(std::nullopt);
}

/// The thread has been answered by then.
TEST(EarlyReturn, AHeuristicGoesToTheOperator)
{
    served at;
    on_a_thread([&] {
        open_with(TX_COMMIT_DECISION_LOGGED);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();
        at.bank.script().on(verb::commit).reply(xa_code::heurmix);

        EXPECT_EQ(tx_commit(), TX_OK);

        EXPECT_TRUE(becomes_true([&] { return at.tm->state().heuristics == 1; }));
    });
}

}  // namespace
