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
    return assent::begin_options{}.timeout(1s);
}

std::uint16_t id_of(transaction& tx, std::size_t branch)
{
    return tx.branch(branch).branch.parts().resource_manager;
}

/// An owner that never comes back must not make the log keep every decision for ever.
TEST(Deadline, AnExpiredTransactionHoldsNoHorizonOnceItsSessionsAreGone)
{
    world at;
    auto idle = at.begin(one_second());
    auto stuck = at.begin(one_second());
    stuck.on(at.accounts)->set("stuck", 1);
    auto later = at.begin_work();
    auto const accounts = id_of(later, 0);
    auto const orders = id_of(later, 1);
    EXPECT_EQ(later.commit(), outcome::committed);
    auto const end = assent::ports::position_of(later.id());
    at.run_for(900ms);
    EXPECT_FALSE(at.log().horizon(orders).covers(end)) << "they may begin a branch there";

    at.run_for(500ms);
    EXPECT_TRUE(at.log().horizon(orders).covers(end));
    EXPECT_FALSE(at.log().horizon(accounts).covers(end)) << "stuck has one there";

    at.run_for(at.bounds.scan_interval + 2s);

    EXPECT_TRUE(at.log().horizon(accounts).covers(end)) << "its session was ended";
    EXPECT_EQ(at.engine->state().live_transactions, 2u);
    EXPECT_THROW(stuck.on(at.orders), assent::error);
    EXPECT_THROW(idle.on(at.orders), assent::error);
    EXPECT_THROW(stuck.commit(), assent::rolled_back_error);
    EXPECT_THROW(idle.commit(), assent::rolled_back_error);
    at.run_for(5s);
    EXPECT_TRUE(at.log().horizon(accounts).covers(end));
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_EQ(at.accounts.db.value("stuck"), std::nullopt);
    at.expect_clean();
}

/// No session can prepare it any more, but one did.
TEST(Deadline, ABranchOfAnExpiredTransactionThatIsListedIsRolledBackBeforeTheHorizonRises)
{
    world at;
    auto stuck = at.begin(one_second());
    stuck.on(at.accounts);
    auto parts = stuck.branch(0).branch.parts();
    ++parts.branch;
    at.accounts.db.prepare_branch({stuck.id(), assent::bqual::make(parts)}, "stuck", 1);
    auto const here = assent::ports::position_of(stuck.id());
    auto const accounts = id_of(stuck, 0);
    at.run_for(1500ms);
    EXPECT_EQ(at.accounts.db.value("stuck"), std::nullopt);
    EXPECT_EQ(at.accounts.db.prepared().size(), 1u) << "its session is there";

    at.run_for(2 * at.bounds.scan_interval);

    EXPECT_THAT(at.accounts.db.prepared(), ::testing::IsEmpty());
    EXPECT_TRUE(at.log().horizon(accounts).covers(here));
    EXPECT_THROW(stuck.commit(), assent::rolled_back_error);
    EXPECT_EQ(at.accounts.db.value("stuck"), std::nullopt);
}

TEST(Deadline, AnExpiredTransactionBehindAProxyHoldsItsHorizon)
{
    world at{personality::plain, world::quick(), true};
    auto stuck = at.begin(one_second());
    stuck.on(at.accounts)->set("stuck", 1);
    at.run_for(2 * at.bounds.scan_interval);
    EXPECT_FALSE(at.log().horizon(id_of(stuck, 0)).covers(assent::ports::position_of(stuck.id())))
        << "nobody can say that its session is gone";
    EXPECT_THROW(stuck.commit(), assent::rolled_back_error);
}

/// It began no branch, and never will: its owner may keep it for ever.
TEST(Deadline, ALeaseThatFailedHoldsNoHorizon)
{
    auto one_seat = world::quick();
    one_seat.pooled_sessions_max = 1;
    world at{personality::plain, one_seat};
    auto holder = at.begin();
    holder.on(at.accounts)->set("row", 1);
    auto late = at.begin(one_second());
    EXPECT_THROW(late.on(at.accounts), assent::error);
    EXPECT_EQ(holder.commit(), outcome::committed);
    auto later = at.begin_work();
    auto const accounts = id_of(later, 0);
    EXPECT_EQ(later.commit(), outcome::committed);

    at.run_for(2 * at.bounds.scan_interval);

    EXPECT_TRUE(at.log().horizon(accounts).covers(assent::ports::position_of(later.id())));
    EXPECT_THROW(late.commit(), assent::rolled_back_error);
}

/// The connection that cancels was opened before the server started again, and has not noticed.
TEST(Deadline, EndsASessionOfTheServersNextStart)
{
    world at;
    auto first = at.begin_work("first", one_second());
    at.run_for(3s);
    EXPECT_THROW(first.commit(), assent::rolled_back_error);
    at.accounts.db.crash_server();
    at.accounts.db.restart();
    at.run_for(10s);  // the guardian's lock is held again
    auto next = at.begin(one_second());
    auto const session = next.on(at.accounts)->id();

    at.run_for(3s);

    EXPECT_FALSE(is_there(at.accounts, session));
    EXPECT_THROW(next.commit(), assent::rolled_back_error);
}

TEST(Deadline, ALeaseThatIsUnderWayWhenItStrikesBeginsNoBranchWhereHorizonsHaveRisen)
{
    world at;
    at.accounts.db.script().on(verb::start).delay(5s);
    auto tx = at.begin(assent::begin_options{}.timeout(20s));
    auto const lease = [&] { tx.on(at.accounts); };
    at.clock->while_waiting = [&] {
        at.engine->deadlines().expire(*tx.tx, "the transaction manager was closed",
                                      std::chrono::milliseconds{0});
    };

    EXPECT_NO_THROW(lease()) << "it had been entered before";
    at.clock->while_waiting = {};

    auto const id = id_of(tx, 0);
    auto const here = assent::ports::position_of(tx.id());
    at.run_for(1s);
    EXPECT_FALSE(at.log().horizon(id).covers(here));
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    EXPECT_EQ(at.accounts.count(verb::prepare), 0);
}

TEST(LiveTable, FindsByTheVeryNameAndInOrder)
{
    world at;
    auto first = at.begin();
    auto second = at.begin();
    auto const& live = at.engine->shared().live;
    auto const other = renamed(first.id(), [](auto& parts) { ++parts.epoch; });

    EXPECT_TRUE(live.contains(first.id()));
    EXPECT_FALSE(live.contains(other));
    EXPECT_THAT(live.names(), ::testing::ElementsAre(first.id(), second.id()));
    EXPECT_EQ(live.finished_up_to(1), first.id().parts().sequence - 1);
    first.rollback();
    EXPECT_EQ(live.finished_up_to(1), second.id().parts().sequence - 1);
    second.rollback();
    EXPECT_EQ(live.finished_up_to(1), second.id().parts().sequence);
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

/// What it has left, a reservation as a rule, is to be ended by the grace, not by the next list's
/// turn.
TEST(Deadline, AListIsMadeAsSoonAsTheSessionIsEnded)
{
    world at;
    auto tx = at.begin_work("row", one_second());
    at.run_for(1s + at.bounds.deadline_grace - 20ms);
    auto const before = at.seen->count("recovery.scanned");

    at.run_for(200ms);

    EXPECT_GE(at.seen->count("recovery.scanned") - before, 2) << "one of each database";
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
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

TEST(Deadline, WithoutOneTheApplicationHasAllTimeAndAVoteHasNot)
{
    world at;
    auto const how = assent::begin_options{}.timeout(assent::limits::duration::max());
    auto tx = at.begin_work("row", how);
    at.run_for(2 * at.bounds.transaction);
    EXPECT_EQ(tx.tx->status, status::active);
    at.orders.db.script().on(verb::prepare).hang();
    auto const asked = at.clock->now();

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    auto const waited = at.clock->now() - asked;
    EXPECT_GE(waited, at.bounds.transaction);
    EXPECT_LE(waited, at.bounds.transaction + at.bounds.rollback_wait);
    at.orders.db.script().release();
    at.run_for(5s);
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
