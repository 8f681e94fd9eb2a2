// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// recovery_test.cpp -- after kill -9: what the log decided is committed, the rest is presumed
// aborted where that is allowed, and whatever is not exactly ours is left alone.

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;
using assent::testing::disk_fault;

/// Both branches prepared, no decision on the disk, process dead.
assent::xid die_before_the_decision(world& at)
{
    auto tx = at.begin_work();
    at.disk->fail_call(1, {EIO, disk_fault::effect::none});
    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    at.disk->heal();
    auto const branch = tx.branch(0);
    at.crash();
    return branch;
}

/// A finished transaction, for names that look right.
assent::xid some_branch(world& at)
{
    auto tx = at.begin_work("sample");
    EXPECT_EQ(tx.commit(), outcome::committed);
    return tx.branch(0);
}

TEST(Recovery, RollsBackWhatWasNotDecided)
{
    world at;
    die_before_the_decision(at);
    at.open();

    at.run_for(1s);

    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Recovery, CommitsWhatWasDecided)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    at.orders.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    at.restart();
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    at.run_for(1s);

    at.expect_rows(1);
    at.expect_clean();
    EXPECT_TRUE(at.log().unfinished().empty());
}

TEST(Recovery, TakesADecidedBranchThatIsNoLongerListedForFinished)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_after_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    at.restart();
    at.run_for(1s);

    EXPECT_GE(at.seen->count("branch.finished_assumed"), 1);
    EXPECT_EQ(at.engine->state().heuristics, 0u);
    EXPECT_TRUE(at.log().unfinished().empty());
    at.expect_clean();
}

TEST(Recovery, WaitsBeforeItPresumesAbort)
{
    auto bounds = world::quick();
    bounds.presumed_abort_delay = 5s;  // the log's openings recorded 7 s
    world at{personality::plain, bounds};
    auto const branch = die_before_the_decision(at);
    at.open();

    at.run_for(6900ms);
    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared);
    at.run_for(1s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::rolled_back);
    at.expect_clean();
}

TEST(Recovery, PresumesNothingAnywhereWhileOneDatabaseRefusesTheGuardiansLock)
{
    auto bounds = world::quick();
    bounds.presumed_abort_delay = 1s;  // time for the refusal to be heard
    world at{personality::plain, bounds};
    auto const branch = die_before_the_decision(at);
    at.open();
    assent::testing::memory_resource_manager copy{"copy", at.orders.db};
    auto const soon = at.clock->now() + 1s;
    auto const holder = copy.driver()->connect(assent::session_purpose::manage, soon);
    ASSERT_TRUE(copy.driver()->try_guard(*holder, at.log().node(), soon));

    at.run_for(9s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared);
    EXPECT_THAT(at.state_of(at.orders).why, ::testing::HasSubstr("copy of this log"));
    EXPECT_EQ(at.seen->count("guardian.refused"), 1) << "said once, not at every try";
    copy.kill_process();
    at.run_for(20s);
    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::rolled_back);
    at.expect_clean();
}

TEST(Recovery, AStrayBranchOfThisOpeningIsBelievedOnlyByASecondScan)
{
    world at;
    auto const stray = renamed(some_branch(at), [](auto& parts) { parts.sequence += 1000; });
    at.accounts.db.prepare_branch(stray, "stray", 1);

    at.run_for(at.bounds.scan_interval);
    EXPECT_EQ(at.accounts.db.fate(stray), branch_fate::prepared)
        << "its transaction may have ended between the list and the look";
    at.run_for(at.bounds.completion_retry_max + 20ms);

    EXPECT_EQ(at.accounts.db.fate(stray), branch_fate::rolled_back);
    at.expect_clean();
}

TEST(Recovery, LeavesForeignBranchesAndOtherNodesAlone)
{
    world at;
    auto const like = some_branch(at);
    auto const other = renamed(like, [](auto& parts) { parts.node ^= 1; });
    at.accounts.db.prepare_foreign("somebody else's", "foreign", 1);
    at.accounts.db.prepare_branch(other, "other", 1);

    at.restart();
    at.run_for(60s);

    EXPECT_EQ(at.accounts.db.fate(other), branch_fate::prepared);
    EXPECT_NO_THROW(at.accounts.db.commit_foreign("somebody else's"));
    EXPECT_TRUE(at.engine->state().quarantined.empty());
    EXPECT_TRUE(at.engine->state().is_accepting);
}

TEST(Recovery, ATwinStopsBeginAndWhatRuns)
{
    for (bool const is_newer_epoch : {false, true}) {
        world at;
        auto const like = some_branch(at);
        auto running = at.begin_work("running");
        auto const twin = renamed(like, [&](auto& parts) {
            parts.nonce ^= 1;
            parts.epoch += is_newer_epoch;
        });
        at.orders.db.prepare_branch(twin, "twin", 1);

        at.run_for(at.bounds.scan_interval + 1s);

        auto const refused = thrown_by<assent::error>([&] { at.begin(); });
        EXPECT_EQ(refused.code(), assent::errc::twin);
        EXPECT_THAT(refused.what(), ::testing::HasSubstr(twin.text()));
        EXPECT_EQ(running.tx->status, status::marked_rollback);
        auto const e = thrown_by<assent::rolled_back_error>([&] { running.commit(); });
        EXPECT_FALSE(e.is_retryable());
        EXPECT_THAT(e.what(), ::testing::HasSubstr("copy of this log"));
        EXPECT_EQ(at.orders.db.fate(twin), branch_fate::prepared) << "nobody may decide it";
        EXPECT_THAT(at.engine->state().quarantined,
                    ::testing::ElementsAre(::testing::HasSubstr(twin.text())));
        EXPECT_EQ(at.seen->count("log.twin"), 1);
        EXPECT_EQ(at.accounts.db.value("running"), std::nullopt);
    }
}

TEST(Recovery, AnOlderNameThatCountsOnWhatWasBoundSinceIsATwins)
{
    for (bool const is_place : {true, false}) {
        world at;
        auto const like = some_branch(at);
        at.restart();
        site late{"late", personality::plain, at.clock, false};
        at.engine->add(late.rm);
        at.step();
        auto const bound = at.log().bindings();
        ASSERT_EQ(bound.size(), 3u);
        ASSERT_EQ(bound.back().epoch, like.global.parts().epoch + 1);
        // What another log made, which was this one until it gave the same id to its own database.
        auto twin = renamed(like, [&](auto& parts) {
            parts.sequence += 1000;
            if (!is_place) return;
            parts.place = assent::decision_place::commit_row;
            parts.place_resource_manager = bound.back().id;
        });
        if (!is_place) twin.branch = assent::bqual::make({bound.back().id, 1, 0});
        auto& lists = is_place ? at.accounts : late;
        lists.db.prepare_branch(twin, "twin", 1);

        at.run_for(30s);

        EXPECT_EQ(lists.db.fate(twin), branch_fate::prepared);
        EXPECT_TRUE(late.db.decisions().empty()) << "no fence may be put where nobody looks";
        EXPECT_EQ(thrown_by<assent::error>([&] { at.begin(); }).code(), assent::errc::twin);
        at.engine->close(at.clock->now());
    }
}

TEST(Recovery, PresumesNothingWhereTheDecisionLivesElsewhere)
{
    world at;
    auto const like = some_branch(at);
    at.crash();
    for (auto const place :
         {assent::decision_place::commit_row, assent::decision_place::external}) {
        auto const elsewhere = renamed(like, [&](auto& parts) {
            parts.place = place;
            parts.sequence += 1000;
        });
        at.accounts.db.prepare_branch(elsewhere, "elsewhere", 1);
        at.open();

        at.run_for(30s);

        EXPECT_EQ(at.accounts.db.fate(elsewhere), branch_fate::prepared);
        EXPECT_FALSE(at.state_of(at.accounts).is_drained);
        at.accounts.db.settle(elsewhere, false);
        at.crash();
    }
}

TEST(Recovery, PresumesNothingOnceATwinWasFound)
{
    auto bounds = world::quick();
    bounds.presumed_abort_delay = 1s;  // time for the twin to be found
    world at{personality::plain, bounds};
    auto const branch = die_before_the_decision(at);
    auto const twin = renamed(branch, [](auto& parts) { parts.nonce ^= 1; });
    at.orders.db.prepare_branch(twin, "twin", 1);
    at.open();

    at.run_for(30s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared) << "the twin may have decided it";
    EXPECT_EQ(thrown_by<assent::error>([&] { at.begin(); }).code(), assent::errc::twin);
}

TEST(Recovery, ABranchThatReappearedBelowTheHorizonIsQuarantined)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    auto const then = at.accounts.db.backup();
    at.run_for(2 * at.bounds.scan_interval);
    ASSERT_EQ(at.accounts.db.fate(tx.branch(0)), branch_fate::committed);

    at.accounts.db.restore(then);
    at.run_for(2 * at.bounds.scan_interval);

    EXPECT_EQ(at.accounts.db.fate(tx.branch(0)), branch_fate::prepared);
    EXPECT_THAT(at.engine->state().quarantined,
                ::testing::ElementsAre(::testing::HasSubstr("reappeared")));
    EXPECT_EQ(at.seen->count("branch.quarantined"), 1) << "alarmed once";
    EXPECT_TRUE(at.state_of(at.accounts).is_serving) << "the rest goes on";
}

TEST(Recovery, WhatARestoreTookAwayIsAHazardAndNotTakenForCommitted)
{
    for (bool const does_restart : {false, true}) {
        world at;
        auto const before = at.accounts.db.backup();
        auto tx = at.begin_work();
        at.accounts.db.script().on(verb::commit).lose_before_effect();
        EXPECT_EQ(tx.commit(), outcome::committed_pending);

        if (does_restart) at.crash();
        at.accounts.db.restore(before);
        if (does_restart) at.open();
        at.run_for(3s);

        auto const kept = at.log().heuristics();
        ASSERT_EQ(kept.size(), 1u) << "restarted: " << does_restart;
        EXPECT_EQ(kept[0].branch, tx.branch(0));
        EXPECT_EQ(kept[0].code, xa_code::heurhaz);
        EXPECT_THAT(kept[0].text, ::testing::HasSubstr("restored"));
        EXPECT_TRUE(at.log().unfinished().empty()) << "it is on record, and finished";
        EXPECT_EQ(at.accounts.db.value("row"), std::nullopt);
        EXPECT_EQ(at.orders.db.value("row"), 1);
        EXPECT_EQ(at.engine->state().live_transactions, 0u);
    }
}

TEST(Recovery, ARestoreLongAgoSpoilsNoLaterTransaction)
{
    world at;
    at.accounts.db.restore(at.accounts.db.backup());
    at.run_for(12s);
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_after_effect();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.run_for(3s);

    EXPECT_EQ(at.engine->state().heuristics, 0u);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_rows(1);
}

TEST(Recovery, WhatARestoreKeptIsCommittedAndNoHazardEvenWhenTheReplyIsLost)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.crash();
    at.accounts.db.restore(at.accounts.db.backup());
    at.accounts.db.script().on(verb::commit).lose_after_effect();
    at.open();

    at.run_for(3s);

    EXPECT_EQ(at.engine->state().heuristics, 0u);
    EXPECT_TRUE(at.log().unfinished().empty());
    at.expect_rows(1);
}

TEST(Recovery, AChangedIdentityIsRefusedAndNothingIsDecidedThere)
{
    world at;
    auto const branch = die_before_the_decision(at);
    at.accounts.db.set_identity("another server");
    at.open();

    at.run_for(20s);

    auto const state = at.state_of(at.accounts);
    EXPECT_FALSE(state.is_serving);
    EXPECT_THAT(state.why, ::testing::HasSubstr("not the server it was bound to"));
    EXPECT_THAT(state.why, ::testing::HasSubstr("another server"));
    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared);
    EXPECT_TRUE(at.state_of(at.orders).is_serving);
}

TEST(Recovery, TwoNamesForOneDatabaseAreRefused)
{
    world at;
    assent::testing::memory_resource_manager again{"again", at.accounts.db};
    at.engine->add(again);

    at.run_for(3s);

    for (auto const& each : at.engine->state().resource_managers) {
        bool const is_second = each.name == "again";
        EXPECT_EQ(each.is_serving, !is_second) << each.name;
        EXPECT_THAT(each.why, ::testing::HasSubstr(is_second ? "\"accounts\"" : ""));
    }
}

TEST(Recovery, AResourceManagerThatIsMissingIsListedAndNotTakenForFinished)
{
    world at;
    auto tx = at.begin_work();
    at.orders.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.crash();
    at.engine = std::make_shared<assent::engine::engine>(
        at.bounds, at.seen, assent::testing::open_on(at.disk, 77), *at.clock);
    at.engine->add(at.accounts.rm);

    at.run_for(20s);

    auto const state = at.state_of(at.orders);
    EXPECT_FALSE(state.is_configured);
    EXPECT_EQ(state.branches_due, 1u);
    EXPECT_EQ(at.log().unfinished().size(), 1u);
    at.engine->add(at.orders.rm);
    at.run_for(2s);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Recovery, AServerThatCrashedWithTheProcessIsRecoveredWhenItIsBack)
{
    world at;
    auto const branch = die_before_the_decision(at);
    at.accounts.db.crash_server();
    at.open();
    at.run_for(10s);
    EXPECT_FALSE(at.state_of(at.accounts).is_serving);

    at.accounts.db.restart();
    at.run_for(at.bounds.retry_max + 1s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::rolled_back);
    at.expect_clean();
}

TEST(Recovery, IsNotDrainedWhileAnOlderSessionMayStillPrepare)
{
    world at;
    auto tx = at.begin_work();
    at.orders.db.script().on(verb::prepare).hang();
    auto const branch = tx.branch(1);
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    at.restart();
    at.run_for(3s);
    EXPECT_EQ(at.engine->close(at.clock->now()).is_drained, false);

    at.open();
    at.orders.db.script().release();  // the PREPARE is read from the socket only now
    at.run_for(at.bounds.scan_interval + 1s);

    EXPECT_EQ(at.orders.db.fate(branch), branch_fate::rolled_back);
    EXPECT_EQ(at.engine->close(at.clock->now()).is_drained, true);
    at.expect_clean();
}

TEST(Outcome, AfterARestartSaysOnlyWhatIsOnRecord)
{
    world at;
    auto committed = at.begin_work("a");
    EXPECT_EQ(committed.commit(), outcome::committed);
    auto rolled_back = at.begin_work("b");
    EXPECT_EQ(rolled_back.rollback(), outcome::rolled_back);
    auto one_phase = at.begin();
    one_phase.on(at.accounts)->set("c", 1);
    EXPECT_EQ(one_phase.commit(), outcome::committed);
    auto never_ended = at.begin_work("d");
    EXPECT_EQ(at.engine->outcome(one_phase.id()), known_outcome::committed);
    EXPECT_EQ(at.engine->outcome(never_ended.id()), known_outcome::pending);
    // The lazy note of the rollback travels with the next force.
    EXPECT_EQ(at.begin_work("e").commit(), outcome::committed);

    at.restart();

    EXPECT_EQ(at.engine->outcome(committed.id()), known_outcome::committed);
    EXPECT_EQ(at.engine->outcome(rolled_back.id()), known_outcome::rolled_back);
    EXPECT_EQ(at.engine->outcome(one_phase.id()), known_outcome::unknown);
    EXPECT_EQ(at.engine->outcome(never_ended.id()), known_outcome::unknown)
        << "absence is not a rollback";
}

}  // namespace
