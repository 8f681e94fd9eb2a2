// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decision_test.cpp -- the commit point: what may still veto it, and what a failed force means.

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;
using assent::testing::disk_fault;

constexpr std::uint64_t next_write = 1;
constexpr std::uint64_t next_force = 2;

TEST(Decision, IsForcedOnceForTwoDatabasesAndNotAtAllForOne)
{
    world at;

    EXPECT_EQ(at.begin_work().commit(), outcome::committed);
    EXPECT_EQ(at.engine->state().forces, 1u);
    auto tx = at.begin();
    tx.on(at.accounts)->set("single", 1);
    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.engine->state().forces, 1u);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Decision, IsNotForcedWhereOnlyOneBranchWroteOrNone)
{
    world at;
    auto tx = at.begin();
    tx.on(at.accounts)->get("row");
    tx.on(at.orders)->get("row");

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.engine->state().forces, 0u);
    EXPECT_EQ(at.accounts.count(verb::commit), 0);
    at.expect_clean();
}

TEST(Decision, OfAnUnknownForceIsInDoubtAndNothingIsSent)
{
    world at;
    auto tx = at.begin_work();
    at.disk->fail_call(next_force, {EIO, disk_fault::effect::none});

    auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::recovery);
    EXPECT_FALSE(e.is_retryable());
    EXPECT_EQ(tx.tx->status, status::unknown);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::pending);
    at.run_for(60s);
    for (site const* each : {&at.accounts, &at.orders}) {
        EXPECT_EQ(each->count(verb::commit) + each->count(verb::rollback), 0) << each->name;
        EXPECT_EQ(each->db.prepared().size(), 1u) << each->name;
    }
    EXPECT_FALSE(at.engine->state().is_accepting);
    auto const refused = thrown_by<assent::error>([&] { at.begin(); });
    EXPECT_EQ(refused.code(), assent::errc::log_unusable);
    EXPECT_THAT(refused.what(), ::testing::HasSubstr("open it again"));
}

// Of the threads that share a slow force only the one that leads it waits for its end.
TEST(Decision, WhoseForceEndsAfterTheAnswerIsCommittedWithoutReopening)
{
    world at;
    auto const log = at.make_late();
    auto tx = at.begin_work();
    log->be_late();
    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    at.run_for(60s);
    for (site const* each : {&at.accounts, &at.orders}) {
        EXPECT_EQ(each->count(verb::commit) + each->count(verb::rollback), 0) << each->name;
        EXPECT_EQ(each->db.prepared().size(), 1u) << each->name;
    }
    EXPECT_TRUE(at.engine->state().is_accepting);
    EXPECT_EQ(at.engine->state().live_transactions, 1u) << "nobody knows yet how it ended";
    EXPECT_TRUE(at.engine->state().quarantined.empty()) << "and no person need look";

    log->end_force();
    at.run_for(2 * at.bounds.scan_interval);

    at.expect_rows(1);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    at.expect_clean();
}

TEST(Decision, ThatReachedTheDiskAfterAllIsCommittedByReopening)
{
    world at;
    auto tx = at.begin_work();
    at.disk->fail_call(next_force, {EIO, disk_fault::effect::full});
    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    at.disk->heal();

    auto const left = at.reopen();
    at.run_for(2s);

    EXPECT_EQ(left.unfinished, std::vector<assent::gtrid>{tx.id()});
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    at.expect_rows(1);
    at.expect_clean();
    EXPECT_EQ(at.begin_work().commit(), outcome::committed);
}

TEST(Decision, ThatNeverReachedTheDiskIsRolledBackByReopening)
{
    world at;
    auto tx = at.begin_work();
    at.disk->fail_call(next_write, {EIO, disk_fault::effect::none});
    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    at.disk->heal();

    at.restart();
    at.run_for(2s);

    at.expect_rows(std::nullopt);
    at.expect_clean();
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::rolled_back) << "recovery recorded it";
}

TEST(Decision, ThatWasNotSubmittedIsRolledBackTruthfully)
{
    world at;
    auto doubtful = at.begin_work("first");
    auto refused = at.begin_work("second");
    at.disk->fail_call(next_force, {EIO, disk_fault::effect::none});
    EXPECT_THROW(doubtful.commit(), assent::in_doubt_error);

    auto const e = thrown_by<assent::rolled_back_error>([&] { refused.commit(); });

    EXPECT_FALSE(e.is_retryable()) << "the log stays poisoned";
    EXPECT_THAT(e.what(), ::testing::HasSubstr("the decision log failed"));
    EXPECT_EQ(at.accounts.db.fate(refused.branch(0)), branch_fate::rolled_back);
    EXPECT_EQ(at.orders.db.fate(refused.branch(1)), branch_fate::rolled_back);
    EXPECT_EQ(at.engine->outcome(refused.id()), known_outcome::rolled_back);
}

TEST(Decision, AfterThePoisonNothingIsPresumedAborted)
{
    world at;
    auto tx = at.begin_work();
    at.disk->fail_call(next_force, {EIO, disk_fault::effect::full});
    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    // Of this very opening, not live, not decided: it looks like one to be rolled back.
    auto const stray = renamed(tx.branch(0), [](auto& parts) { parts.sequence += 1000; });
    at.accounts.db.prepare_branch(stray, "stray", 1);

    at.run_for(60s);

    EXPECT_EQ(at.accounts.db.fate(stray), branch_fate::prepared);
}

TEST(Decision, IsVetoedByADeadlineThatPassedDuringTheVotes)
{
    world at;
    auto tx = at.begin_work("row", assent::begin_options{}.timeout(1s));
    at.orders.db.script().on(verb::prepare).delay(999ms);
    at.clock->pass(at.clock->now() + 1ms);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_FALSE(e.is_retryable());
    EXPECT_THAT(e.what(), ::testing::HasSubstr("deadline"));
    EXPECT_EQ(at.engine->state().forces, 0u);
    at.run_for(2s);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Decision, IsVetoedWhereTheGuardianLostItsLock)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(driver_call::heartbeat).fail();
    at.accounts.db.script().on(driver_call::guard).times(1000).fail("held by a copy");
    at.run_for(3s);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("the guardian of \"accounts\""));
    EXPECT_FALSE(e.is_retryable());
    EXPECT_EQ(at.engine->state().forces, 0u);
    at.expect_rows(std::nullopt);
}

TEST(Decision, IsVetoedWhenATwinIsFoundWhileTheVotesAreOut)
{
    world at;
    auto tx = at.begin_work();
    at.orders.db.script().on(verb::prepare).delay(10ms);
    at.clock->while_waiting = [&] { at.engine->shared().found_twin("seen elsewhere"); };

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("seen elsewhere"));
    EXPECT_FALSE(e.is_retryable());
    EXPECT_EQ(at.engine->state().forces, 0u);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Decision, NamesNoBranchThatHasNothingToCommit)
{
    world at;
    auto tx = at.begin_work();
    auto const reader = at.accounts.db.connect();
    at.engine->enlist(*tx.tx, at.accounts.rm, reader.get(), {}, assent::branch_choice::another);
    reader->get("row");

    EXPECT_EQ(tx.commit(), outcome::committed);

    auto const decision = at.log().find(tx.id());
    ASSERT_TRUE(decision);
    EXPECT_THAT(decision->what.branches,
                ::testing::ElementsAre(tx.branch(0).branch, tx.branch(1).branch));
    EXPECT_TRUE(decision->is_complete());
}

TEST(Decision, IsVetoedWhenNoHeartbeatWasHeardForTheLapse)
{
    world at;
    auto tx = at.begin_work("row");
    // A keeper that hangs renews nothing: freshness runs out by itself.
    at.clock->pass(at.clock->now() + at.bounds.guardian_lapse);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("guardian"));
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Decision, OnceMadeNeedsNoGuardian)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    at.orders.db.script().on(driver_call::heartbeat).times(1000).fail();
    at.accounts.db.script().on(driver_call::heartbeat).times(1000).fail();
    at.accounts.db.script().on(driver_call::guard).times(1000).fail("held by a copy");

    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.run_for(5s);

    EXPECT_FALSE(at.state_of(at.accounts).is_serving);
    at.expect_rows(1);
}

}  // namespace
