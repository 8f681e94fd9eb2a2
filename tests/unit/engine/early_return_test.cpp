// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// early_return_test.cpp -- commit() that returns when the decision is durable: what it says is true
// whatever becomes of the replies that nobody waits for, and whoever had to wait still does.

#include "tests/contract/forwarding_driver.hpp"
#include "tests/unit/engine/row_fixture.hpp"

namespace {

using namespace engine_test;
using assent::commit_return;

assent::begin_options early()
{
    return assent::begin_options{}.commit_return(commit_return::decision_logged);
}

/// Two databases, the second of which takes its time to confirm.
struct early_world : world
{
    using world::world;

    transaction begin_early(std::string const& key = "row") { return begin_work(key, early()); }

    /// Is answered at once, and returns the transaction that is under way behind it.
    transaction commit_early(std::string const& key = "row")
    {
        auto tx = begin_early(key);
        auto const asked = clock->now();
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
        EXPECT_EQ(clock->now(), asked) << "nobody was waited for";
        EXPECT_EQ(tx.tx->status, status::committed);
        return tx;
    }
    std::size_t leased(site const& where) const { return state_of(where).sessions_leased; }
    bool is_complete(transaction const& tx)
    {
        auto const decision = log().find(tx.id());
        return !decision || decision->is_complete();
    }
    void expect_finished(transaction const& tx)
    {
        EXPECT_EQ(engine->state().live_transactions, 0u);
        EXPECT_TRUE(is_complete(tx));
        EXPECT_EQ(leased(accounts) + leased(orders), 0u);
        expect_rows(1);
        expect_clean();
    }
};

TEST(EarlyReturn, AnswersWhenTheDecisionIsDurableAndCollectsBehind)
{
    early_world at;
    at.orders.db.script().on(verb::commit).delay(1s);

    auto const tx = at.commit_early();

    EXPECT_EQ(at.engine->state().forces, 1u);
    EXPECT_FALSE(at.is_complete(tx)) << "the decision is kept until all have confirmed";
    EXPECT_EQ(at.accounts.count(verb::commit) + at.orders.count(verb::commit), 2);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    EXPECT_EQ(at.engine->state().live_transactions, 1u);
    EXPECT_EQ(at.leased(at.orders), 1u) << "its session has yet to answer";
    at.run_for(2s);
    EXPECT_EQ(at.accounts.count(verb::commit) + at.orders.count(verb::commit), 2);
    at.expect_finished(tx);
    EXPECT_EQ(at.state_of(at.orders).sessions_idle, 1u) << "the very session that committed";
}

TEST(EarlyReturn, IsNotThereUnlessAskedFor)
{
    early_world at;
    at.orders.db.script().on(verb::commit).delay(1s);
    auto tx = at.begin_work();

    EXPECT_EQ(tx.commit(), outcome::committed);

    at.expect_finished(tx);
}

TEST(EarlyReturn, ALostReplyIsFinishedByTheKeepers)
{
    for (auto const acts_as : {personality::plain, personality::mariadb, personality::postgresql}) {
        for (bool const had_effect : {false, true}) {
            early_world at{acts_as};
            auto fault = at.orders.db.script().on(verb::commit);
            had_effect ? fault.lose_after_effect() : fault.lose_before_effect();

            auto const tx = at.commit_early();
            at.run_for(10s);

            at.expect_finished(tx);
        }
    }
}

TEST(EarlyReturn, WhoeverIsSilentForThePhase2WaitIsCutAndLeftToTheKeepers)
{
    early_world at;
    at.orders.db.script().on(verb::commit).hang();

    auto const tx = at.commit_early();
    at.run_for(at.bounds.phase2_wait - 100ms);
    EXPECT_EQ(at.leased(at.orders), 1u);
    at.run_for(200ms);
    EXPECT_EQ(at.leased(at.orders), 0u);
    at.run_for(10s);

    at.expect_finished(tx);
}

TEST(EarlyReturn, AServerThatGoesDownIsToldWhenItIsBack)
{
    early_world at;
    at.orders.db.script().on(verb::commit).crash_server_before_effect();

    auto const tx = at.commit_early();
    at.run_for(1s);
    EXPECT_EQ(at.engine->state().live_transactions, 1u);
    at.orders.db.restart();
    at.run_for(20s);

    at.expect_finished(tx);
}

TEST(EarlyReturn, AHeuristicBehindTheCallerIsOnRecord)
{
    early_world at;
    at.orders.db.script().on(verb::commit).reply(xa_code::heurrb);

    auto const tx = at.commit_early();
    EXPECT_EQ(at.engine->state().heuristics, 0u);
    at.run_for(1s);

    auto const recorded = at.log().heuristics();
    ASSERT_EQ(recorded.size(), 1u);
    EXPECT_EQ(recorded.front().branch, tx.branch(1));
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_EQ(at.accounts.db.value("row"), 1);
}

TEST(EarlyReturn, AServerThatIsSlowToForgetHoldsUpNoOtherTransaction)
{
    early_world at;
    at.orders.db.script().on(verb::commit).reply(xa_code::heurrb);
    at.orders.db.script().on(verb::forget).delay(1s);
    auto const odd = at.commit_early("odd");
    auto const asked = at.clock->now();

    at.engine->behind().step();

    EXPECT_EQ(at.clock->now(), asked) << "it is left to the keepers";
    EXPECT_EQ(at.log().heuristics().size(), 1u);
    at.run_for(5s);
    EXPECT_EQ(at.orders.count(verb::forget), 1);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_TRUE(at.is_complete(odd));
}

TEST(EarlyReturn, AManagerThatIsClosedMeanwhileLeavesTheRestToTheNextOpening)
{
    early_world at;
    at.orders.db.script().on(verb::commit).hang();
    auto const tx = at.commit_early();

    auto const left = at.reopen();
    EXPECT_EQ(left.unfinished, std::vector<assent::gtrid>{tx.id()});
    at.run_for(10s);

    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(EarlyReturn, AManagerThatClosesWaitsForWhatIsUnderWay)
{
    early_world at;
    at.orders.db.script().on(verb::commit).delay(1s);
    auto const tx = at.commit_early();
    at.clock->while_blocked = [&] {
        at.engine->behind().step();
        return false;
    };

    auto const left = at.engine->close(at.clock->now() + 5s);
    at.clock->while_blocked = nullptr;

    EXPECT_TRUE(left.unfinished.empty());
    at.expect_rows(1);
    at.expect_clean();
}

TEST(EarlyReturn, AKilledProcessIsRecoveredByTheLog)
{
    for (bool const had_effect : {false, true}) {
        early_world at;
        auto fault = at.orders.db.script().on(verb::commit);
        had_effect ? fault.hang_after_effect() : fault.hang();
        auto const tx = at.commit_early();

        at.restart();
        at.run_for(10s);

        EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
        at.expect_rows(1);
        at.expect_clean();
    }
}

TEST(EarlyReturn, StandsThoughTheLogIsPoisonedMeanwhile)
{
    early_world at;
    at.orders.db.script().on(verb::commit).delay(1s);
    auto const tx = at.commit_early();
    auto other = at.begin_work("other");
    at.disk->fail_call(2, {EIO, assent::testing::disk_fault::effect::none});
    EXPECT_THROW(other.commit(), assent::in_doubt_error);

    at.run_for(2s);
    at.expect_rows(1);
    EXPECT_EQ(at.leased(at.orders), 0u);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    at.disk->heal();
    at.reopen();
    at.run_for(10s);

    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(EarlyReturn, ACommitInOnePhaseIsTheDecisionAndIsWaitedFor)
{
    early_world at;
    auto tx = at.begin(early());
    tx.on(at.accounts)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).delay(1s);

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.accounts.db.value("row"), 1);
}

TEST(EarlyReturn, ARowDecidesAndTheOthersAreCollectedBehind)
{
    row_world at;
    auto how = at.by_row();
    auto tx = at.begin_work("row", how.commit_return(commit_return::decision_logged));
    at.accounts.db.script().on(verb::commit).delay(1s);
    auto const asked = at.clock->now();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    EXPECT_EQ(at.clock->now(), asked);
    EXPECT_EQ(at.orders.db.value("row"), 1) << "that is the decision";
    EXPECT_EQ(at.row_of(tx.id()), row_kind::commit) << "it stays until all have confirmed";
    EXPECT_EQ(at.state_of(at.orders).sessions_leased, 0u);
    at.run_for(2s);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(EarlyReturn, ANoVoteIsToldAsEver)
{
    early_world at;
    auto tx = at.begin_early();
    at.orders.db.script().on(verb::prepare).reply(xa_code::rbdeadlock);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_TRUE(e.is_retryable());
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(EarlyReturn, ABorrowedConnectionHasHadItsLastByteWhenItIsGivenBack)
{
    early_world at;
    auto const mine = at.accounts.db.connect();
    std::vector<assent::release> given_back;
    auto tx = at.begin(early());
    at.engine->enlist(
        *tx.tx, at.accounts.rm, mine.get(),
        [&](void*, assent::release what) {
            EXPECT_EQ(at.accounts.db.value("row"), 1) << "it has confirmed";
            given_back.push_back(what);
        },
        assent::branch_choice::one_per_resource_manager);
    mine->set("row", 1);
    tx.on(at.orders)->set("row", 1);
    at.accounts.db.script().on(verb::commit).delay(1s);
    at.orders.db.script().on(verb::commit).delay(3s);
    auto const asked = at.clock->now();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    EXPECT_EQ(at.clock->now() - asked, 1s) << "that one was waited for";
    EXPECT_THAT(given_back, ::testing::ElementsAre(assent::release::keep));
    at.run_for(3s);
    at.expect_finished(tx);
    EXPECT_EQ(given_back.size(), 1u);
}

/// As an X/Open switch: another thread that asks for its answer asks for a branch of its own.
class thread_bound_driver final : public assent::contract::forwarding_driver
{
public:
    using forwarding_driver::forwarding_driver;
    assent::driver_capabilities capabilities() const noexcept override
    {
        auto can = under().capabilities();
        can.is_thread_bound = true;
        return can;
    }
};

TEST(EarlyReturn, ABranchThatIsBoundToItsThreadIsHeardThere)
{
    early_world at;
    site files{"files", personality::plain, at.clock, false};
    assent::resource_manager const rm{std::make_shared<thread_bound_driver>(files.rm.driver())};
    at.engine->add(rm);
    at.serve();
    auto tx = at.begin(early());
    static_cast<assent::testing::memory_connection*>(at.engine->lease(*tx.tx, rm)->handle())
        ->set("row", 1);
    tx.on(at.orders)->set("row", 1);
    files.db.script().on(verb::commit).delay(1s);
    at.orders.db.script().on(verb::commit).delay(3s);
    auto const asked = at.clock->now();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    EXPECT_EQ(at.clock->now() - asked, 1s) << "that one was waited for";
    EXPECT_EQ(files.db.value("row"), 1);
    EXPECT_EQ(at.leased(at.orders), 1u) << "and that one was not";
    at.run_for(3s);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_EQ(at.orders.db.value("row"), 1);
    EXPECT_THAT(files.db.violations(), ::testing::IsEmpty());
    at.expect_clean();
}

TEST(EarlyReturn, WhatABorrowedConnectionHasToTellIsWaitedForWithAllElse)
{
    early_world at;
    auto const mine = at.accounts.db.connect();
    auto tx = at.begin(early());
    at.engine->enlist(*tx.tx, at.accounts.rm, mine.get(), {},
                      assent::branch_choice::one_per_resource_manager);
    mine->set("row", 1);
    tx.on(at.orders)->set("row", 1);
    at.accounts.db.script().on(verb::commit).reply(xa_code::heurrb);
    at.orders.db.script().on(verb::commit).delay(1s);

    EXPECT_THROW(tx.commit(), assent::heuristic_error);

    EXPECT_EQ(at.orders.db.value("row"), 1);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

TEST(EarlyReturn, OnlyBorrowedConnectionsAreAllWaitedFor)
{
    early_world at;
    auto const one = at.accounts.db.connect();
    auto const other = at.orders.db.connect();
    auto tx = at.begin(early());
    auto const only = assent::branch_choice::one_per_resource_manager;
    at.engine->enlist(*tx.tx, at.accounts.rm, one.get(), {}, only);
    at.engine->enlist(*tx.tx, at.orders.rm, other.get(), {}, only);
    one->set("row", 1);
    other->set("row", 1);
    at.orders.db.script().on(verb::commit).delay(1s);

    EXPECT_EQ(tx.commit(), outcome::committed);

    at.expect_finished(tx);
}

TEST(EarlyReturn, CallbacksAreCalledOnceAndBeforeItReturns)
{
    early_world at;
    auto tx = at.begin_early();
    std::vector<status> heard;
    tx.tx->synchronizations.push_back({{}, [&](status now) { heard.push_back(now); }});
    at.orders.db.script().on(verb::commit).delay(1s);

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    EXPECT_THAT(heard, ::testing::ElementsAre(status::committed));
    at.run_for(2s);
    EXPECT_EQ(heard.size(), 1u);
    at.expect_finished(tx);
}

TEST(EarlyReturn, SeatsHoldBackWhoeverCommitsFasterThanTheDatabases)
{
    auto bounds = world::quick();
    bounds.pooled_sessions_max = 1;
    early_world at{personality::plain, bounds};
    at.orders.db.script().on(verb::commit).delay(1s);
    auto const first = at.commit_early();
    auto next = at.begin(early());
    auto const asked = at.clock->now();
    at.clock->while_blocked = [&] {
        while (at.leased(at.orders) != 0) {
            at.clock->pass(at.clock->now() + 10ms);
            at.engine->behind().step();
        }
        return true;
    };

    next.on(at.orders)->set("next", 1);

    at.clock->while_blocked = nullptr;
    EXPECT_GE(at.clock->now() - asked, 1s);
    EXPECT_LT(at.clock->now() - asked, at.bounds.phase2_wait);
    EXPECT_EQ(next.commit(), outcome::committed);
    at.expect_finished(first);
}

TEST(EarlyReturn, ALapseBeforeTheAnswerIsInDoubtAndAfterItChangesNothing)
{
    auto bounds = world::quick();
    bounds.presumed_abort_delay = 7s;
    for (bool const is_before : {true, false}) {
        early_world at{personality::plain, bounds};
        at.run_for(8s);
        auto tx = at.begin_early();
        at.orders.db.script().on(verb::commit).delay(1s);
        auto const lapse = [&] { at.clock->pass(at.clock->now() + at.bounds.guardian_lapse); };
        at.seen->on_event = [&](assent::event const& what) {
            if (is_before && what.name == "branch.commit.sent") lapse();
        };

        if (is_before) {
            auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });
            EXPECT_EQ(e.resolved_by(), assent::resolver::recovery);
        } else {
            EXPECT_EQ(tx.commit(), outcome::committed_pending);
            lapse();
        }
        at.seen->on_event = nullptr;
        at.run_for(20s);

        EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
        at.expect_finished(tx);
    }
}

TEST(EarlyReturn, ABranchThatACopyRolledBackBehindTheCallerIsAHazard)
{
    auto bounds = world::quick();
    bounds.presumed_abort_delay = 7s;
    early_world at{personality::plain, bounds};
    auto& orders = at.orders.db;
    orders.script().on(verb::commit).times(1000).lose_before_effect();
    auto const tx = at.commit_early();
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

TEST(EarlyReturn, ManyAreUnderWayAtOnce)
{
    early_world at;
    at.orders.db.script().on(verb::commit).times(20).delay(1s);
    std::vector<transaction> all;
    all.reserve(20);
    for (int i = 0; i < 20; ++i)
        all.push_back(at.commit_early("row" + std::to_string(i)));

    EXPECT_EQ(at.leased(at.orders), 20u);
    at.run_for(2s);

    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    for (int i = 0; i < 20; ++i)
        at.expect_rows(1, "row" + std::to_string(i));
    at.expect_clean();
}

}  // namespace
