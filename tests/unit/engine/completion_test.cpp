// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// completion_test.cpp -- what is left after the caller was answered: NOTA, heuristics, branches
// that somebody keeps, servers that come back.

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;
using assent::testing::disk_fault;

assent::reply nota()
{
    assent::reply what;
    what.code = xa_code::nota;
    what.text = "no such branch";
    return what;
}

TEST(Nota, ToTheVeryFirstCommitOfABranchThatIsStillListedIsAskedAgain)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).reply_without_effect(nota());

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.run_for(1s);

    EXPECT_EQ(at.engine->state().heuristics, 0u);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Nota, ToTheVeryFirstCommitAndAbsenceInALaterScanIsAHazardOnRecord)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).reply_after_effect(nota());

    EXPECT_EQ(tx.commit(), outcome::committed_pending) << "NOTA by itself says nothing";
    EXPECT_EQ(at.engine->state().heuristics, 0u);
    at.run_for(1s);

    auto const kept = at.log().heuristics();
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].branch, tx.branch(0));
    EXPECT_EQ(kept[0].code, xa_code::heurhaz);
    EXPECT_EQ(kept[0].resource_manager, "accounts");
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

TEST(Completion, SaysHowLongTheOldestBranchIsDue)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.accounts.db.crash_server();
    auto const oldest = [&] { return at.engine->state().resource_managers.at(0).oldest_due; };
    at.run_for(1s);
    auto const first = oldest();
    at.run_for(10s);

    EXPECT_EQ(at.engine->state().resource_managers.at(0).branches_due, 1u);
    EXPECT_GE(oldest(), first + 10s);
    EXPECT_LT(oldest(), first + 12s);
    at.accounts.db.restart();
    at.run_for(30s);
    EXPECT_EQ(oldest(), 0s);
}

TEST(Nota, ToARepeatedCommitAndAbsenceInALaterScanIsPlainlyCommitted)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_after_effect();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.run_for(1s);

    EXPECT_EQ(at.engine->state().heuristics, 0u);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_TRUE(at.log().unfinished().empty());
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Nota, SaysNothingWhileNoScanSucceeds)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_after_effect();
    at.accounts.db.script().on(driver_call::scan).times(5).fail();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(at.engine->state().live_transactions, 1u);
        at.clock->pass(at.clock->now() + 1s);
        at.step();
    }
    at.run_for(3s);

    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_clean();
}

TEST(Nota, OnAStandbyProvesNothing)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_after_effect();
    at.accounts.db.set_writable(false);

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.run_for(3s);
    EXPECT_EQ(at.engine->state().live_transactions, 1u);
    EXPECT_THAT(at.state_of(at.accounts).why, ::testing::HasSubstr("standby"));
    at.accounts.db.set_writable(true);
    at.run_for(3s);

    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_clean();
}

TEST(Heuristic, AgainstTheDecisionIsToldRecordedAndThenForgotten)
{
    for (auto const code : {xa_code::heurrb, xa_code::heurmix, xa_code::heurhaz}) {
        world at;
        auto tx = at.begin_work();
        at.accounts.db.script().on(verb::commit).reply(code);

        auto const e = thrown_by<assent::heuristic_error>([&] { tx.commit(); });

        EXPECT_FALSE(e.is_retryable());
        EXPECT_THAT(e.what(), ::testing::HasSubstr("accounts"));
        ASSERT_EQ(at.log().heuristics().size(), 1u);
        EXPECT_EQ(at.log().heuristics()[0].code, code);
        EXPECT_EQ(at.accounts.count(verb::forget), 1);
        EXPECT_TRUE(at.accounts.db.heuristics().empty());
        EXPECT_EQ(at.orders.db.value("row"), 1) << "the others go with the decision";
        EXPECT_EQ(at.seen->count("branch.heuristic"), 1);
    }
}

TEST(Heuristic, ThatAgreesWithTheDecisionIsRecordedAndNoError)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).reply(xa_code::heurcom);

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.engine->state().heuristics, 1u);
    EXPECT_EQ(at.accounts.count(verb::forget), 1);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Heuristic, ThatCouldNotBeRecordedIsNotForgotten)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).reply(xa_code::heurrb);
    at.disk->fail_call(4, {EIO, disk_fault::effect::none});  // 1, 2 and 3 are the decision's

    EXPECT_THROW(tx.commit(), assent::heuristic_error);
    at.run_for(2s);
    EXPECT_EQ(at.accounts.count(verb::forget), 0);
    ASSERT_EQ(at.accounts.db.heuristics().size(), 1u);
    EXPECT_EQ(at.log().unfinished().size(), 1u) << "not finished before it is on record";

    at.disk->heal();
    at.restart();
    at.run_for(2s);

    ASSERT_EQ(at.log().heuristics().size(), 1u);
    EXPECT_EQ(at.log().heuristics()[0].code, xa_code::heurrb);
    EXPECT_EQ(at.accounts.count(verb::forget), 1);
    EXPECT_TRUE(at.accounts.db.heuristics().empty());
    at.expect_clean();
}

TEST(Heuristic, WhoseForgetWasLostIsForgottenLater)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).reply(xa_code::heurrb);
    at.accounts.db.script().on(verb::forget).lose_before_effect();

    EXPECT_THROW(tx.commit(), assent::heuristic_error);
    at.run_for(2s);

    EXPECT_TRUE(at.accounts.db.heuristics().empty());
    EXPECT_EQ(at.engine->state().heuristics, 1u) << "recorded once";
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_clean();
}

TEST(Heuristic, OfARollbackIsToldByRollback)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::rollback).reply(xa_code::heurcom);

    auto const e = thrown_by<assent::heuristic_error>([&] { tx.rollback(); });

    EXPECT_EQ(at.engine->state().heuristics, 1u);
    EXPECT_EQ(tx.tx->status, status::unknown);
    EXPECT_EQ(at.orders.db.value("row"), std::nullopt);
    EXPECT_FALSE(e.is_retryable());
}

TEST(LeftBehind, IsAHazardAtEveryEndOfTheBranch)
{
    using end = std::function<void(transaction&)>;
    end const ends[] = {[](transaction& tx) { tx.commit(); },
                        [](transaction& tx) { tx.rollback(); }};
    for (auto const& each : ends) {
        for (bool const is_alone : {false, true}) {
            world at;
            auto tx = at.begin();
            auto* const c = tx.on(at.accounts);
            c->set("row", 1);
            if (!is_alone) tx.on(at.orders)->set("row", 1);
            c->commit();  // the user's own, behind the manager's back

            auto const e = thrown_by<assent::heuristic_error>([&] { each(tx); });

            EXPECT_THAT(e.what(), ::testing::HasSubstr("\"accounts\" left behind"));
            EXPECT_FALSE(e.is_retryable());
            EXPECT_EQ(at.engine->state().heuristics, 1u);
            EXPECT_EQ(at.accounts.db.value("row"), 1);
            EXPECT_EQ(at.orders.db.value("row"), std::nullopt) << "the others are rolled back";
        }
    }
}

TEST(Completion, FinishesAReadOnlyBranchThatItsOwnerLeftPrepared)
{
    world at{personality::mariadb};
    auto tx = at.begin();
    tx.on(at.accounts)->set("row", 1);
    tx.on(at.orders)->get("row");
    at.orders.db.script().on(verb::commit).lose_before_effect();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.run_for(at.bounds.detach_settle + 1s);

    EXPECT_EQ(at.engine->state().heuristics, 0u);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_clean();
}

TEST(Completion, EndsTheSessionThatKeepsADecidedBranch)
{
    world at{personality::mariadb};
    auto tx = at.begin_work();
    at.orders.db.linger_sessions();  // the server does not notice that the owner has gone
    at.orders.db.script().on(verb::commit).lose_before_effect();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.run_for(2s);

    EXPECT_EQ(at.seen->count("session.ended"), 1);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Completion, OfADecisionThatACopyRolledBackIsAHazardThoughTheCopyStillHasTheLock)
{
    auto bounds = world::quick();
    bounds.presumed_abort_delay = 7s;
    world at{personality::plain, bounds};
    auto& orders = at.orders.db;
    auto tx = at.begin_work();
    orders.script().on(verb::commit).times(1000).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    orders.script().on(driver_call::heartbeat).times(1000).fail();
    orders.script().on(driver_call::guard).times(1000).fail("held by a copy");
    at.run_for(20s);

    orders.settle(tx.branch(1), false);
    orders.script().clear();
    orders.script().on(driver_call::guard).times(1000).fail("held by a copy");
    at.run_for(5s);

    EXPECT_EQ(at.engine->state().heuristics, 1u);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

// Measured on MariaDB 10.11: an XA COMMIT by name that meets the end of the session which prepared
// the branch is answered OK, the work stays locked, and is listed no more until a restart (ADR 37).
TEST(Completion, NeverMeetsASessionThatIsStillTakenApart)
{
    world at{personality::mariadb};
    at.orders.db.detach_slowly(900ms);
    for (bool const is_committed : {true, false}) {
        auto tx = at.begin_work();
        if (is_committed) {
            at.orders.db.script().on(verb::commit).lose_before_effect();
            EXPECT_EQ(tx.commit(), outcome::committed_pending);
        } else {
            at.orders.db.script().on(verb::prepare).lose_after_effect();
            EXPECT_THROW(tx.commit(), assent::rolled_back_error);
        }
        at.run_for(3s);

        auto const expected = is_committed ? branch_fate::committed : branch_fate::rolled_back;
        EXPECT_EQ(at.orders.db.fate(tx.branch(1)), expected);
        EXPECT_EQ(at.engine->state().live_transactions, 0u);
    }
    at.expect_rows(1);
    at.expect_clean();
}

/// However often it is listed: the session may begin to end at any moment.
TEST(Completion, SendsNothingByNameWhileTheSessionThatPreparedIsThere)
{
    world at{personality::mariadb};
    auto tx = at.begin_work();
    at.orders.db.linger_sessions();
    at.orders.db.script().on(driver_call::end_session).times(1000).fail("it is busy");
    at.orders.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    at.run_for(30s);

    EXPECT_EQ(at.orders.count(verb::commit), 1);
    at.orders.db.script().clear();
    at.run_for(10s);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Completion, AfterAKillNeverMeetsASessionThatIsStillTakenApart)
{
    world at{personality::mariadb};
    auto tx = at.begin_work();
    at.orders.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.orders.db.detach_slowly(900ms);

    at.restart();
    at.run_for(5s);

    EXPECT_EQ(at.orders.db.fate(tx.branch(1)), branch_fate::committed);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Completion, WaitsForNoSessionOfAnEarlierStartOfTheServer)
{
    world at{personality::mariadb};
    auto tx = at.begin_work();
    at.orders.db.script().on(verb::commit).crash_server_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    at.orders.db.restart();
    at.run_for(at.bounds.completion_retry_max + 100ms);

    EXPECT_LT(at.bounds.completion_retry_max + 100ms, at.bounds.detach_settle);
    EXPECT_EQ(at.orders.db.fate(tx.branch(1)), branch_fate::committed);
}

TEST(Completion, OutlivesAServerThatCrashesBetweenTheVotesAndTheCommit)
{
    for (auto const acts_as : {personality::plain, personality::mariadb, personality::postgresql}) {
        world at{acts_as};
        auto tx = at.begin_work();
        at.orders.db.script().on(verb::commit).crash_server_before_effect();

        EXPECT_EQ(tx.commit(), outcome::committed_pending);
        at.run_for(5s);
        EXPECT_FALSE(at.state_of(at.orders).is_serving);
        EXPECT_EQ(at.accounts.db.value("row"), 1);
        at.orders.db.restart();
        at.run_for(at.bounds.completion_retry_max + 100ms);

        at.expect_rows(1);
        at.expect_clean();
        EXPECT_EQ(at.engine->state().live_transactions, 0u);
    }
}

TEST(Completion, OfAVoteLostWithItsServerRollsBack)
{
    for (auto const acts_as : {personality::plain, personality::mariadb, personality::postgresql}) {
        world at{acts_as};
        auto tx = at.begin_work();
        at.orders.db.script().on(verb::prepare).crash_server_after_effect();

        auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });
        EXPECT_FALSE(e.is_retryable()) << "its rollback is not confirmed";
        at.orders.db.restart();
        at.run_for(3s);

        EXPECT_EQ(at.orders.db.fate(tx.branch(1)), branch_fate::rolled_back);
        at.expect_rows(std::nullopt);
        at.expect_clean();
        EXPECT_EQ(at.engine->state().live_transactions, 0u);
    }
}

TEST(Completion, BehindAProxyNoSessionIsTakenForGoneNorEnded)
{
    world at{personality::plain, world::quick(), true};
    auto tx = at.begin_work();
    at.orders.db.script().on(verb::prepare).lose_before_effect();

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    at.run_for(60s);

    EXPECT_EQ(at.engine->state().live_transactions, 1u) << "a PREPARE may still be on its way";
    EXPECT_EQ(at.seen->count("session.ended"), 0);
    auto const left = at.engine->close(at.clock->now());
    EXPECT_FALSE(left.is_drained);
    EXPECT_EQ(left.unfinished, std::vector<assent::gtrid>{tx.id()});
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

}  // namespace
