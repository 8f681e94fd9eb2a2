// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// deadline_test.cpp -- the deadline acts on what is active: rollback-only, then a cancel, then the
// end of the session; never once END or PREPARE was sent.  Exact, on a clock of our own.

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;

bool is_there(site const& where, std::uint64_t session)
{
    auto const all = where.db.sessions();
    return std::find(all.begin(), all.end(), session) != all.end();
}

assent::begin_options one_second()
{
    return assent::begin_options{}.deadline(1s);
}

TEST(Deadline, MakesAnActiveTransactionRollbackOnly)
{
    world at;
    auto tx = at.begin_work("row", one_second());
    at.run_for(990ms);
    EXPECT_EQ(tx.tx->status, status::active);

    at.run_for(20ms);

    EXPECT_EQ(tx.tx->status, status::marked_rollback);
    auto const later = thrown_by<assent::error>([&] { tx.on(at.accounts); });
    EXPECT_EQ(later.code(), assent::errc::rollback_only);
    EXPECT_THAT(later.what(), ::testing::HasSubstr("its deadline passed"));
    EXPECT_EQ(at.seen->count("transaction.expired"), 1);
    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });
    EXPECT_FALSE(e.is_retryable());
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Deadline, EndsTheSessionWhenTheGraceIsOverAndNotBefore)
{
    world at;
    auto tx = at.begin_work("row", one_second());
    auto const session = tx.on(at.accounts)->id();
    at.run_for(1s + at.bounds.deadline_grace - 20ms);
    EXPECT_TRUE(is_there(at.accounts, session));
    EXPECT_FALSE(tx.tx->branches[0]->is_session_ended);

    at.run_for(50ms);

    EXPECT_FALSE(is_there(at.accounts, session));
    auto const other = at.accounts.db.connect();
    other->set("row", 2);  // the lock is gone, while the owner sleeps on
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    at.run_for(1s);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_EQ(at.accounts.db.value("row"), 2);
    at.expect_clean();
}

TEST(Deadline, TheRollbackOfAnEndedSessionIsConfirmedByAScan)
{
    world at;
    auto tx = at.begin_work("row", one_second());
    at.run_for(3s);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_FALSE(e.is_retryable());
    EXPECT_EQ(at.engine->state().live_transactions, 1u) << "not confirmed yet";
    at.run_for(1s);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::rolled_back);
}

TEST(Deadline, ACancelledSessionIsNotUsedAgain)
{
    world at;
    auto tx = at.begin_work("row", one_second());
    auto const session = tx.on(at.accounts)->id();
    at.run_for(1100ms);
    ASSERT_TRUE(tx.tx->branches[0]->was_cancelled);

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    auto next = at.begin();

    EXPECT_NE(next.on(at.accounts)->id(), session);
    EXPECT_FALSE(is_there(at.accounts, session));
    next.rollback();
}

TEST(Deadline, TouchesNothingOnceTheVotesWereAsked)
{
    world at;
    auto tx = at.begin_work("row", one_second());
    // The vote arrives a moment before the deadline, the reply to COMMIT long after it.
    at.accounts.db.script().on(verb::commit).hang_after_effect();
    at.clock->pass(at.clock->now() + 999ms);

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.accounts.db.script().release();
    at.run_for(5s);

    EXPECT_EQ(at.seen->count("session.ended"), 0);
    EXPECT_EQ(at.seen->count("transaction.expired"), 0);
    EXPECT_FALSE(tx.tx->branches[0]->was_cancelled);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Deadline, ACancelThatIsLateFindsTheBranchOutOfItsReach)
{
    world at;
    auto tx = at.begin_work("row", one_second());
    auto const session = tx.on(at.accounts)->id();
    at.clock->pass(at.clock->now() + 1s);
    at.engine->deadlines().step();  // the cancel and the session's end are with the keeper now
    at.accounts.db.script().on(verb::rollback).delay(2s);
    bool has_stepped = false;
    at.clock->while_waiting = [&] {
        if (std::exchange(has_stepped, true)) return;
        at.clock->pass(at.clock->now() + at.bounds.deadline_grace);
        for (auto const& each : at.engine->keepers())
            each->step();
    };

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    at.clock->while_waiting = nullptr;

    EXPECT_TRUE(has_stepped);
    EXPECT_FALSE(tx.tx->branches[0]->was_cancelled);
    EXPECT_EQ(at.seen->count("session.ended"), 0);
    EXPECT_EQ(at.engine->state().live_transactions, 0u) << "the owner's own rollback was heard";
    EXPECT_TRUE(is_there(at.accounts, session)) << "back in the pool";
    at.expect_clean();
}

TEST(Deadline, AnUnansweredPrepareIsRolledBackAndFinishedByTheQueue)
{
    world at;
    auto tx = at.begin_work("row", one_second());
    at.orders.db.script().on(verb::prepare).hang();

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_FALSE(e.is_retryable());
    EXPECT_THAT(e.what(), ::testing::HasSubstr("has yet to confirm"));
    EXPECT_EQ(tx.tx->status, status::rolled_back);
    at.run_for(5s);
    EXPECT_EQ(at.engine->state().live_transactions, 1u)
        << "the PREPARE still sits in the server's socket";
    EXPECT_EQ(at.state_of(at.orders).branches_due, 1u);

    at.orders.db.script().release();  // only now is it prepared
    at.run_for(5s);

    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_EQ(at.orders.db.fate(tx.branch(1)), branch_fate::rolled_back);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Deadline, APreparedBranchWhoseReplyIsLateIsRolledBackByTheQueue)
{
    for (auto const acts_as : {personality::plain, personality::mariadb, personality::postgresql}) {
        world at{acts_as};
        auto tx = at.begin_work("row", one_second());
        at.orders.db.script().on(verb::prepare).hang_after_effect();

        EXPECT_THROW(tx.commit(), assent::rolled_back_error);
        at.run_for(5s);

        EXPECT_EQ(at.orders.db.fate(tx.branch(1)), branch_fate::rolled_back);
        EXPECT_EQ(at.engine->state().live_transactions, 0u);
        at.expect_rows(std::nullopt);
        EXPECT_THAT(at.orders.db.violations(), ::testing::IsEmpty());
    }
}

TEST(Deadline, ThatPassedBeforeCommitSkipsBeforeCompletion)
{
    world at;
    auto tx = at.begin_work("row", one_second());
    bool was_run = false;
    tx.tx->synchronizations.push_back({[&] { was_run = true; }, {}});
    at.clock->pass(at.clock->now() + 1s);  // the reaper has not looked yet

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_FALSE(was_run);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("its deadline passed"));
    at.expect_clean();
}

TEST(Deadline, ThatPassedBeforeCommitHoldsForOnePhaseToo)
{
    world at;
    auto tx = at.begin(one_second());
    tx.on(at.accounts)->set("row", 1);
    at.clock->pass(at.clock->now() + 1s);  // the reaper has not looked yet

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    EXPECT_EQ(at.accounts.count(verb::commit_one_phase), 0);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Deadline, ABranchThatStartsWhileItStrikesIsCancelledToo)
{
    world at;
    auto tx = at.begin();
    tx.on(at.accounts)->set("row", 1);
    at.orders.db.script().on(verb::start).delay(10ms);
    at.clock->while_waiting = [&] { at.engine->deadlines().expire(*tx.tx, "struck", 1s); };
    auto* const late = tx.on(at.orders);
    at.clock->while_waiting = nullptr;
    ASSERT_EQ(tx.tx->status, status::marked_rollback);
    auto const session = late->id();

    at.run_for(at.bounds.deadline_grace + 20ms);

    EXPECT_FALSE(is_there(at.orders, session));
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    at.run_for(1s);
    at.expect_clean();
}

TEST(Deadline, TheWaitForRepliesAfterTheDecisionIsBounded)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).hang();
    auto const before = at.clock->now();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    EXPECT_EQ(at.clock->now() - before, at.bounds.phase2_wait);
    at.accounts.db.script().release();
    at.run_for(2s);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Deadline, TheWaitForRepliesToRollbacksIsBounded)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::rollback).hang();
    auto const before = at.clock->now();

    EXPECT_EQ(tx.rollback(), outcome::rolled_back);

    EXPECT_EQ(at.clock->now() - before, at.bounds.rollback_wait);
    at.accounts.db.script().release();
    at.run_for(2s);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_clean();
}

TEST(Deadline, AOnePhaseCommitThatIsNotAnsweredInTimeIsAskedAbout)
{
    world at{personality::postgresql};
    auto tx = at.begin(one_second());
    tx.on(at.accounts)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).hang_after_effect();

    EXPECT_EQ(tx.commit(), outcome::committed) << "the witness says so";

    EXPECT_EQ(at.accounts.db.value("row"), 1);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    at.expect_clean();
}

}  // namespace
