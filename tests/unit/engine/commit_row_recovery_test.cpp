// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commit_row_recovery_test.cpp -- after kill -9: the row decides, its absence decides nothing, and
// it stays as long as a branch may need it.

#include "recovery/commit_row.hpp"
#include "tests/unit/engine/row_fixture.hpp"

namespace {

using namespace engine_test;

/// In doubt, and then killed: the row is there or not, and nobody has asked.
assent::xid die_in_doubt(row_world& at, bool has_row)
{
    auto tx = at.begin_by_row();
    at.lose_the_row(tx, has_row);
    auto const branch = tx.branch(0);
    at.crash();
    return branch;
}

TEST(CommitRowRecovery, FollowsTheRowAndFencesWhereThereIsNone)
{
    for (bool const has_row : {true, false}) {
        for (auto const acts_as :
             {personality::plain, personality::mariadb, personality::postgresql}) {
            row_world at{acts_as};
            auto const branch = die_in_doubt(at, has_row);
            at.open();

            at.run_for(3s);

            at.expect_rows(has_row ? std::optional<std::int64_t>{1} : std::nullopt);
            EXPECT_EQ(at.row_of(branch.global), has_row ? row_kind::commit : row_kind::abort);
            EXPECT_EQ(at.engine->outcome(branch.global),
                      has_row ? known_outcome::committed : known_outcome::rolled_back);
            at.expect_clean();
        }
    }
}

TEST(CommitRowRecovery, RollsBackNothingBeforeTheAbortRowIsCommitted)
{
    row_world at;
    auto const branch = die_in_doubt(at, false);
    at.orders.db.script().on(driver_call::fence_decision).times(1000).fail("not now");
    at.open();
    at.run_for(20s);
    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared);
    EXPECT_TRUE(at.rows().empty());
    EXPECT_THAT(at.state_of(at.accounts).undrained,
                ::testing::HasSubstr("commit rows of \"orders\""));
    EXPECT_THAT(at.state_of(at.orders).undrained, ::testing::HasSubstr("not now"));

    at.orders.db.script().clear();
    at.run_for(3s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::rolled_back);
    EXPECT_EQ(at.row_of(branch.global), row_kind::abort);
    at.expect_clean();
}

/// The abort row is pruned, and what it said forgotten, while a branch that it rolls back waits.
TEST(CommitRowRecovery, AsksAgainForARowThatWasForgottenMeanwhile)
{
    row_world at;
    auto const branch = die_in_doubt(at, false);
    at.accounts.db.script().on(verb::rollback).times(1000).reply(xa_code::rmfail);
    at.open();
    at.run_for(3s);
    EXPECT_EQ(at.row_of(branch.global), row_kind::abort);
    at.engine->shared().rows.forget(branch.global);
    at.accounts.db.script().clear();

    at.run_for(10 * at.bounds.completion_retry_max);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::rolled_back);
    at.expect_clean();
}

TEST(CommitRowRecovery, AFenceWhoseReplyIsLostIsFoundByTheNext)
{
    row_world at;
    auto const branch = die_in_doubt(at, false);
    at.orders.db.script().on(driver_call::fence_decision).cut_after_effect();
    at.open();

    at.run_for(3s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::rolled_back);
    EXPECT_EQ(at.row_of(branch.global), row_kind::abort);
    at.expect_clean();
}

TEST(CommitRowRecovery, WaitsForARowThatIsLockedAndThenFollowsIt)
{
    row_world at;
    auto tx = at.begin_by_row();
    at.orders.db.script().on(verb::commit_one_phase).hang_in_commit();
    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    auto const branch = tx.branch(0);
    at.crash();  // its client is gone, and the server waits for its standby
    at.open();
    at.run_for(30s);
    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared);

    at.orders.db.script().release();
    at.run_for(3s);

    at.expect_rows(1);
    EXPECT_EQ(at.row_of(tx.id()), std::nullopt) << "the list that followed has shown the end";
    at.expect_clean();
}

TEST(CommitRowRecovery, ACommitInASocketFailsOnceItsRowWasFenced)
{
    row_world at;
    auto tx = at.begin_by_row();
    at.orders.db.script().on(verb::commit_one_phase).hang();
    at.orders.db.script().on(driver_call::connect).times(1000).fail("the network is down");
    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    at.crash();
    at.open();
    at.orders.db.script().clear();
    at.run_for(3s);
    EXPECT_EQ(at.accounts.db.value("row"), std::nullopt);
    EXPECT_EQ(at.row_of(tx.id()), row_kind::abort);
    at.run_for(60s);
    EXPECT_EQ(at.row_of(tx.id()), row_kind::abort) << "kept while the session may be there";

    at.orders.db.script().release();  // the server reads its socket only now
    at.run_for(60s);

    at.expect_rows(std::nullopt);
    EXPECT_EQ(at.row_of(tx.id()), std::nullopt) << "the horizon has passed it";
    at.expect_clean();
}

TEST(CommitRowRecovery, WaitsForADatabaseThatIsMissing)
{
    for (bool const has_row : {true, false}) {
        row_world at;
        auto const branch = die_in_doubt(at, has_row);
        at.engine = std::make_shared<assent::engine::engine>(
            at.bounds, at.seen, assent::testing::open_on(at.disk, 77), *at.clock);
        at.engine->add(at.accounts.rm);
        at.run_for(30s);
        EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared);
        EXPECT_THAT(at.state_of(at.accounts).undrained, ::testing::HasSubstr("\"orders\""));
        EXPECT_FALSE(at.state_of(at.orders).is_configured);
        EXPECT_THAT(at.state_of(at.orders).undrained, ::testing::HasSubstr("commit rows there"));

        at.engine->add(at.orders.rm);
        at.run_for(3s);

        at.expect_rows(has_row ? std::optional<std::int64_t>{1} : std::nullopt);
        at.expect_clean();
    }
}

TEST(CommitRowRecovery, WaitsForAPlaceThatThisLogNeverBound)
{
    row_world at;
    auto done = at.begin_work("sample");
    EXPECT_EQ(done.commit(), outcome::committed);
    auto const stray = renamed(done.branch(0), [](auto& parts) {
        parts.place = decision_place::commit_row;
        parts.place_resource_manager = 77;
        parts.sequence += 1000;
    });
    at.crash();
    at.accounts.db.prepare_branch(stray, "stray", 1);
    at.open();

    at.run_for(30s);

    EXPECT_EQ(at.accounts.db.fate(stray), branch_fate::prepared);
    EXPECT_THAT(at.state_of(at.accounts).undrained,
                ::testing::HasSubstr("resource manager 77, which the log does not know"));
}

TEST(CommitRowRecovery, NeverMakesATableThatIsMissing)
{
    row_world at;
    auto const branch = die_in_doubt(at, false);
    at.orders.db.drop_decisions();
    at.open();

    at.run_for(30s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared);
    EXPECT_THAT(at.state_of(at.orders).undrained, ::testing::HasSubstr("missing"));
    EXPECT_TRUE(at.state_of(at.orders).is_serving);
}

TEST(CommitRowRecovery, MakesNoTableAnewWhileSomebodyAsksForARowOfTheOldOne)
{
    row_world at;
    auto const branch = die_in_doubt(at, true);
    at.orders.db.drop_decisions();
    at.open();
    at.begin(at.by_row()).rollback();  // whose decision wants a table

    at.run_for(30s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared) << "orders has committed";
    EXPECT_TRUE(at.rows().empty()) << "nor is it fenced";
    EXPECT_THAT(at.state_of(at.orders).undrained, ::testing::HasSubstr("missing"));
}

TEST(CommitRowRecovery, ReadsARowButInsertsNoneWhileAbortMayNotBePresumed)
{
    for (bool const has_row : {true, false}) {
        auto bounds = world::quick();
        bounds.presumed_abort_delay = 20s;
        row_world at{personality::plain, bounds};
        auto const branch = die_in_doubt(at, has_row);
        at.open();

        at.run_for(10s);

        EXPECT_EQ(at.accounts.db.fate(branch),
                  has_row ? branch_fate::committed : branch_fate::prepared);
        EXPECT_EQ(at.row_of(branch.global),
                  has_row ? std::optional{row_kind::commit} : std::nullopt);
        at.run_for(20s);
        at.expect_rows(has_row ? std::optional<std::int64_t>{1} : std::nullopt);
        at.expect_clean();
    }
}

TEST(CommitRowRecovery, MakesNoTableAnewWhereAbsenceProvesNothingYet)
{
    auto bounds = world::quick();
    bounds.presumed_abort_delay = 20s;
    row_world at{personality::plain, bounds};
    auto const branch = die_in_doubt(at, true);
    at.orders.db.drop_decisions();
    at.open();
    at.begin(at.by_row()).rollback();  // whose decision wants a table

    at.run_for(60s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared) << "orders has committed";
    EXPECT_TRUE(at.rows().empty());
    EXPECT_THAT(at.state_of(at.orders).undrained, ::testing::HasSubstr("missing"));
}

// ---- how long a row stays ----------------------------------------------------------------------

TEST(CommitRowPruning, ARowGoesWhenEveryBranchIsFinished)
{
    row_world at;
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(at.begin_by_row("row " + std::to_string(i)).commit(), outcome::committed);
    ASSERT_EQ(at.rows().size(), 5u);
    auto const forces = at.forces();

    at.run_for(3 * at.bounds.scan_interval);

    EXPECT_TRUE(at.rows().empty());
    EXPECT_EQ(at.orders.db.decisions().size(), 1u) << "the horizon";
    EXPECT_EQ(at.forces(), forces);
    at.expect_clean();
}

TEST(CommitRowPruning, ARowStaysWhileABranchIsNotFinished)
{
    row_world at;
    auto const tx = at.commit_without_accounts();

    at.run_for(5 * at.bounds.scan_interval);
    EXPECT_EQ(at.row_of(tx.id()), row_kind::commit);
    at.accounts.db.restart();
    at.run_for(5 * at.bounds.scan_interval);

    EXPECT_EQ(at.row_of(tx.id()), std::nullopt);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(CommitRowPruning, ARowOfAnEarlierRunStaysWhileItsDatabaseIsMissing)
{
    row_world at;
    auto const tx = at.commit_without_accounts();
    at.restart();

    at.run_for(5 * at.bounds.scan_interval);
    EXPECT_EQ(at.row_of(tx.id()), row_kind::commit);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    at.accounts.db.restart();
    at.run_for(5 * at.bounds.scan_interval);

    EXPECT_EQ(at.row_of(tx.id()), std::nullopt);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(CommitRowPruning, WhatWasDeletedIsNotMistakenForWhatNeverWas)
{
    row_world at;
    auto tx = at.begin_by_row();
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    auto const then = at.accounts.db.backup();
    at.run_for(5 * at.bounds.scan_interval);
    ASSERT_EQ(at.row_of(tx.id()), std::nullopt);
    at.crash();  // and with it whatever horizon the log had not forced yet

    at.accounts.db.restore(then);
    at.open();
    at.run_for(5 * at.bounds.scan_interval);

    EXPECT_EQ(at.accounts.db.fate(tx.branch(0)), branch_fate::prepared) << "nobody may decide it";
    EXPECT_THAT(at.engine->state().quarantined,
                ::testing::ElementsAre(::testing::HasSubstr("reappeared")));
    EXPECT_EQ(at.row_of(tx.id()), std::nullopt) << "and it is not fenced";
    EXPECT_NE(at.engine->outcome(tx.id()), known_outcome::rolled_back) << "it was committed";
    EXPECT_EQ(at.seen->count("commit_row.fence"), 0) << "nor was it for a while";
}

TEST(CommitRowPruning, AnOldSessionThatNeverGoesAwayKeepsNoRowOfThisEpoch)
{
    row_world at;
    auto const older = at.accounts.db.connect();
    at.restart();
    at.hold_rows();
    auto tx = at.begin_by_row();
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    auto const then = at.accounts.db.backup();
    at.run_for(5 * at.bounds.scan_interval);
    ASSERT_FALSE(at.state_of(at.accounts).is_drained);
    ASSERT_EQ(at.row_of(tx.id()), std::nullopt);
    at.crash();

    at.accounts.db.restore(then);
    at.open();
    at.run_for(5 * at.bounds.scan_interval);

    EXPECT_EQ(at.accounts.db.fate(tx.branch(0)), branch_fate::prepared) << "nobody may decide it";
    EXPECT_THAT(at.engine->state().quarantined,
                ::testing::ElementsAre(::testing::HasSubstr("reappeared")));
}

TEST(CommitRowPruning, DeletesNothingOnceTheHorizonFitsNoRow)
{
    row_world at;
    for (std::uint32_t epoch = 2; epoch < 3000; ++epoch)
        at.log().raise_epoch_horizon(1, {epoch, 1});
    at.begin_by_row().commit();
    auto const made = at.rows().size();
    ASSERT_EQ(made, 1u);

    at.run_for(5 * at.bounds.scan_interval);

    EXPECT_EQ(at.rows().size(), made);
}

TEST(CommitRowPruning, AHorizonOfAnotherOpeningIsATwinsAndNotOurs)
{
    row_world at;
    auto const accounts_id = at.engine->shared().log->bindings().front().id;
    auto const orders_id = at.engine->shared().log->bindings().back().id;
    // What another process with a copy of this log has deleted in an epoch of the same number.
    auto const current = at.log().current();
    at.write_row({assent::recovery::horizon_row_name(orders_id, at.log().node()), row_kind::horizon,
                  assent::recovery::content_of(assent::recovery::horizon_map{
                      {accounts_id, assent::ports::position{current.epoch, 1000}},
                      {orders_id, assent::ports::position{current.epoch, 1000}}})});
    auto const tx = at.commit_without_accounts();

    at.run_for(5 * at.bounds.scan_interval);

    EXPECT_EQ(at.row_of(tx.id()), row_kind::commit) << "a branch of it is still to be committed";
    EXPECT_THAT(at.engine->state().why, ::testing::HasSubstr("no opening of this log"));
}

TEST(CommitRowPruning, APruningWhoseReplyIsLostIsRepeated)
{
    row_world at;
    auto tx = at.begin_by_row();
    EXPECT_EQ(tx.commit(), outcome::committed);
    at.orders.db.script().on(driver_call::prune_decisions).cut_after_effect();

    at.run_for(5 * at.bounds.scan_interval);

    EXPECT_TRUE(at.rows().empty());
    EXPECT_TRUE(at.state_of(at.orders).is_serving);
    at.expect_clean();
}

TEST(CommitRowPruning, AnAbortRowStaysForEverWhereSessionsCannotBeSeen)
{
    row_world at{personality::plain, world::quick(), true};
    auto const tx = at.lose_and_fence();

    at.run_for(10 * at.bounds.scan_interval);
    at.restart();
    at.run_for(10 * at.bounds.scan_interval);

    EXPECT_EQ(at.row_of(tx.id()), row_kind::abort);
}

TEST(CommitRowPruning, AnAbortRowStaysWhereASalvageHasRaisedTheHorizon)
{
    row_world at{personality::plain, world::quick(), true};
    auto const tx = at.lose_and_fence();
    // As it does: to the end of the epoch, whatever session may still be there.
    at.log().raise_horizon(tx.branch(1).branch.parts().resource_manager,
                           {tx.id().parts().epoch, (std::uint64_t{1} << 48) - 1});
    at.restart();

    at.run_for(10 * at.bounds.scan_interval);

    EXPECT_EQ(at.row_of(tx.id()), row_kind::abort);
}

TEST(CommitRowPruning, WhatARestoreTookAwayIsOnRecordBeforeTheRowGoes)
{
    row_world at;
    auto const before = at.accounts.db.backup();
    auto tx = at.begin_by_row();
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.crash();
    at.accounts.db.restore(before);
    at.open();

    at.run_for(5 * at.bounds.scan_interval);

    auto const kept = at.log().heuristics();
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].branch, tx.branch(0));
    EXPECT_EQ(kept[0].code, xa_code::heurhaz);
    EXPECT_EQ(at.row_of(tx.id()), std::nullopt) << "on record, and finished";
    EXPECT_EQ(at.orders.db.value("row"), 1);
}

TEST(CommitRowPruning, LeavesRowsOfOtherNodesAndUnknownOpeningsAlone)
{
    row_world at;
    auto tx = at.begin_by_row();
    EXPECT_EQ(tx.commit(), outcome::committed);
    auto const other = renamed(tx.id(), [](auto& parts) { parts.node ^= 1; });
    auto const twin = renamed(tx.id(), [](auto& parts) { parts.nonce ^= 1; });
    at.fence(other);
    at.fence(twin);

    at.run_for(5 * at.bounds.scan_interval);

    EXPECT_EQ(at.row_of(tx.id()), std::nullopt);
    EXPECT_EQ(at.row_of(other), row_kind::abort);
    EXPECT_EQ(at.row_of(twin), row_kind::abort);
}

TEST(CommitRowPruning, ARowThatSomebodyChangedIsNeitherBelievedNorDeleted)
{
    row_world at;
    auto const branch = die_in_doubt(at, false);
    at.write_row({branch.global, row_kind::commit, "not hexadecimal"});
    at.open();

    at.run_for(5 * at.bounds.scan_interval);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared);
    EXPECT_EQ(at.row_of(branch.global), row_kind::commit);
    EXPECT_THAT(at.state_of(at.orders).undrained, ::testing::HasSubstr("cannot be read"));
    EXPECT_TRUE(at.state_of(at.orders).is_serving);
}

}  // namespace
