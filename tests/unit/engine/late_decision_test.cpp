// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// late_decision_test.cpp -- forces that end later than the guardians' locks were held, when a copy
// of the log may have presumed abort: nobody is told committed, and nothing is sent before every
// database was seen to have its branch.

#include "recovery/scan_plan.hpp"
#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;

/// The log may have a copy.
assent::limits careful()
{
    return assent::limits{};
}

struct late_world : world
{
    late_world() : world(personality::plain, careful()), log(make_late()) { run_for(10s); }

    int sent(verb what) const { return accounts.count(what) + orders.count(what); }

    late_log* const log;
};

TEST(LateDecision, IsNotToldAsCommittedAndIsCarriedOutOnceAllBranchesAreSeen)
{
    late_world at;
    auto tx = at.begin_work();
    at.log->during_force = [&at] { at.clock->pass(at.clock->now() + 6s); };

    auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::recovery);
    EXPECT_EQ(at.sent(verb::commit) + at.sent(verb::rollback), 0);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::pending);
    at.run_for(30s);
    at.expect_rows(1);
    at.expect_clean();
    EXPECT_EQ(at.engine->state().heuristics, 0u);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
}

TEST(LateDecision, OfWhichACopyHasRolledBackABranchIsSentToNobody)
{
    late_world at;
    auto tx = at.begin_work();
    at.log->during_force = [&] {
        at.clock->pass(at.clock->now() + 8s);
        at.accounts.db.settle(tx.branch(0), false);
    };

    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    at.run_for(60s);

    EXPECT_EQ(at.sent(verb::commit) + at.sent(verb::rollback), 0);
    EXPECT_EQ(at.orders.db.fate(tx.branch(1)), branch_fate::prepared);
    auto const kept = at.log->heuristics();
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].branch, tx.branch(0));
    EXPECT_EQ(kept[0].code, xa_code::heurhaz);
    ASSERT_EQ(at.engine->state().quarantined.size(), 1u);
    EXPECT_THAT(at.engine->state().quarantined[0], ::testing::HasSubstr("decided too late"));
    EXPECT_EQ(at.seen->count("decision.split"), 1);
}

/// The copy's request sat in the network for as long as the original took to list the branch.
TEST(LateDecision, OfWhichACopysLateRollbackOvertakesTheCommitIsAHazard)
{
    late_world at;
    auto tx = at.begin_work();
    at.log->during_force = [&at] { at.clock->pass(at.clock->now() + 6s); };
    at.seen->on_event = [&](assent::event const& what) {
        if (what.name == "decision.durable_after_all") at.accounts.db.settle(tx.branch(0), false);
    };

    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    at.run_for(60s);

    ASSERT_EQ(at.seen->count("decision.durable_after_all"), 1);
    EXPECT_EQ(at.accounts.db.value("row"), std::nullopt);
    EXPECT_EQ(at.orders.db.value("row"), 1);
    auto const kept = at.log->heuristics();
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].branch, tx.branch(0));
    EXPECT_EQ(kept[0].code, xa_code::heurhaz);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

TEST(LateDecision, WaitsForTheLockOfEveryDatabase)
{
    late_world at;
    auto tx = at.begin_work();
    at.log->during_force = [&at] { at.clock->pass(at.clock->now() + 6s); };
    at.orders.db.script().on(driver_call::heartbeat).times(1000).fail("held by a copy");
    at.orders.db.script().on(driver_call::guard).times(1000).fail("held by a copy");

    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    at.run_for(30s);
    EXPECT_EQ(at.sent(verb::commit), 0);
    at.orders.db.script().clear();
    at.run_for(30s);

    at.expect_rows(1);
}

TEST(LateDecision, APendingCommitIsADoubtWhereTheLockWasLostBeforeTheAnswer)
{
    late_world at;
    auto tx = at.begin_work();
    // Nothing else runs meanwhile, so nobody renews either lock in the five seconds of the wait.
    at.orders.db.script().on(verb::commit).hang();

    auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::recovery);
    at.orders.db.script().release();
    at.run_for(30s);
    at.expect_rows(1);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
}

/// A copy may have taken the lock, rolled the branch back, and gone.
TEST(LateDecision, AVoteFromBeforeALapseDoesNotCount)
{
    late_world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::prepare).delay(8s);
    at.clock->while_waiting = [&at] {
        at.clock->while_waiting = nullptr;
        at.clock->pass(at.clock->now() + 6s);
        at.step();  // each guardian has its lock again, in another term
    };

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    at.run_for(30s);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(LateDecision, WithinTheLapseIsCommitted)
{
    late_world at;
    auto tx = at.begin_work();
    at.log->during_force = [&at] { at.clock->pass(at.clock->now() + 2s); };

    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST(LateDecision, ABranchThatWasDecidedAfterTheListBeganIsNotFinishedByIt)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).hang();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    auto const facts = assent::recovery::facts_of(at.engine->shared());
    auto const nobody = [](assent::gtrid const&) { return false; };
    assent::scan_result const empty;  // a list that began before the PREPARE
    std::uint16_t const id = tx.branch(0).branch.parts().resource_manager;

    auto const older = assent::recovery::plan_of(empty, id, facts, nobody, true, {});
    auto const newer = assent::recovery::plan_of(empty, id, facts, nobody, true,
                                                 assent::recovery::decided_at(id, facts, nobody));

    EXPECT_TRUE(older.finished.empty());
    EXPECT_EQ(newer.finished, std::vector<assent::xid>{tx.branch(0)});
}

}  // namespace
