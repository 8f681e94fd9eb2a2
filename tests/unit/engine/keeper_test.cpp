// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// keeper_test.cpp -- a resource manager's own worker, when what it works with misbehaves: the
// application's connect function, the server that will not cancel, the lock that is lost in
// between.

#include <new>
#include <thread>

#include "ports/connecting.hpp"
#include "tests/unit/engine/meddling_driver.hpp"

namespace {

using namespace engine_test;

TEST(Keeper, WhatTheApplicationsConnectFunctionThrowsIsAReasonLikeAnyOther)
{
    for (auto const purpose :
         {assent::session_purpose::manage, assent::session_purpose::guardian}) {
        for (bool const is_standard : {true, false}) {
            meddled at;
            at.driver->on_connect = [&](assent::session_purpose what) {
                if (what != purpose) return;
                if (is_standard) throw std::runtime_error{"the vault is sealed"};
                throw 42;
            };

            EXPECT_NO_THROW(at.run_for(1s));

            EXPECT_FALSE(at.state().is_serving);
            if (is_standard) {
                EXPECT_THAT(at.state().why, ::testing::HasSubstr("the vault is sealed"));
            }
            at.driver->on_connect = nullptr;
            at.run_for(6s);
            EXPECT_TRUE(at.state().is_serving) << at.state().why;
        }
    }
}

/// Servers lock an account after a few refusals.
TEST(Keeper, AnAccountThatIsRefusedIsTriedByOneWorkerAfterGrowingPauses)
{
    meddled at;
    at.run_for(1s);
    auto tx = std::make_unique<transaction>(at.engine, assent::begin_options{});
    at.lease(*tx)->set("row", 1);
    int tries = 0;
    at.driver->on_connect = [&](assent::session_purpose) {
        ++tries;
        throw assent::driver_error{"password authentication failed", "28P01"};
    };
    at.accounts.db.crash_server();
    at.accounts.db.restart();
    tx.reset();  // so that there is something to be finished in a hurry

    at.run_for(2min);

    auto const longest = std::max(world::quick().retry_max, world::quick().scan_interval);
    EXPECT_GE(tries, 2);
    EXPECT_LE(tries, 2min / longest + 8);
    EXPECT_FALSE(at.state().is_serving);
    EXPECT_THAT(at.state().why, ::testing::HasSubstr("refuses the account or its password"));
    at.driver->on_connect = nullptr;
    at.run_for(2 * longest + 10s);
    EXPECT_TRUE(at.state().is_serving) << at.state().why;
}

TEST(Keeper, WhateverAConnectFunctionThrowsIsAnErrorOfTheDriverUnlessMemoryIsShort)
{
    meddled at;
    auto const connect = [&] {
        assent::ports::inherited_descriptor in_child;
        assent::ports::connect(*at.driver, assent::session_purpose::manage, at.clock->now() + 1s,
                               in_child);
    };

    at.driver->on_connect = [](assent::session_purpose) {
        throw assent::driver_error{assent::errc::bad_argument, "the key does not fit", "28000", 7};
    };
    auto const own = thrown_by<assent::driver_error>(connect);
    EXPECT_EQ(own.code(), assent::errc::bad_argument);
    EXPECT_STREQ(own.what(), "the key does not fit");
    EXPECT_EQ(own.sqlstate(), "28000");
    EXPECT_EQ(own.native_code(), 7);

    at.driver->on_connect = [](assent::session_purpose) {
        throw std::runtime_error{"the vault is sealed"};
    };
    auto const standard = thrown_by<assent::driver_error>(connect);
    EXPECT_EQ(standard.code(), assent::errc::unavailable);
    EXPECT_STREQ(standard.what(), "the vault is sealed");

    at.driver->on_connect = [](assent::session_purpose) { throw 42; };
    EXPECT_STREQ(thrown_by<assent::driver_error>(connect).what(),
                 "the connect function threw something that is no std::exception");

    at.driver->on_connect = [](assent::session_purpose) { throw std::bad_alloc{}; };
    EXPECT_THROW(connect(), std::bad_alloc);
}

TEST(Keeper, ALeaseForWhichNoConnectionCanBeMadeSpoilsNothing)
{
    meddled at;
    at.run_for(20ms);
    at.driver->on_connect = [](assent::session_purpose) {
        throw std::runtime_error{"the vault is sealed"};
    };
    transaction tx{at.engine, {}};

    auto const e = thrown_by<assent::error>([&] { at.engine->lease(*tx.tx, at.rm); });

    EXPECT_EQ(e.code(), assent::errc::unavailable);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("the vault is sealed"));
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST(Keeper, WhatAScanWarnsOfIsToldOnce)
{
    meddled at;
    at.driver->warnings = {"another manager is at work"};

    at.run_for(3 * world::quick().scan_interval);
    EXPECT_EQ(at.seen->count("resource_manager.at_risk"), 1);
    EXPECT_TRUE(at.state().is_serving);

    at.driver->warnings.push_back("and a third one");
    at.run_for(3 * world::quick().scan_interval);
    EXPECT_EQ(at.seen->count("resource_manager.at_risk"), 2);
}

TEST(Keeper, ABranchThatWasPreparedAfterTheScanIsNotFinishedBecauseTheScanLacksIt)
{
    meddled at;
    site orders{"orders", personality::plain, at.clock, false};
    at.engine->add(orders.rm);
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.driver->after_scan = [&] {
        at.lease(tx)->set("row", 1);
        tx.on(orders)->set("row", 1);
        at.accounts.db.script().on(verb::commit).times(1000).hang();
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
    };

    at.run_for(world::quick().scan_interval + 50ms);

    ASSERT_FALSE(at.driver->after_scan) << "a scan was overtaken";
    auto const decision = at.engine->shared().log->find(tx.id());
    ASSERT_TRUE(decision);
    EXPECT_FALSE(decision->is_finished.at(0)) << "a crash now must not forget the decision";
    EXPECT_EQ(at.accounts.db.fate(tx.branch(0)), branch_fate::prepared);
    at.accounts.db.script().clear();
    at.accounts.db.script().release();
    at.run_for(5s);
    EXPECT_EQ(at.accounts.db.value("row"), 1);
    EXPECT_TRUE(at.engine->shared().log->unfinished().empty());
}

TEST(Keeper, GivesNoLeaseWhileTheFirstScanIsOut)
{
    meddled at;
    std::optional<assent::errc> code;
    at.driver->before_scan = [&] {
        transaction tx{at.engine, assent::begin_options{}.timeout(1s)};
        code = thrown_by<assent::error>([&] { at.lease(tx); }).why();
        tx.rollback();
    };

    at.run_for(20ms);

    EXPECT_EQ(code, assent::errc::unavailable);
}

TEST(Keeper, BehindAProxyNothingIsTakenForDrainedAndOnlyThisEpochsHorizonRises)
{
    world at{personality::plain, world::quick(), true};
    at.restart();  // before a log's first opening there was nothing that could come back
    at.serve();
    EXPECT_EQ(at.begin_work().commit(), outcome::committed);

    at.run_for(30s);

    EXPECT_FALSE(at.state_of(at.accounts).is_drained);
    auto const epoch = at.log().current().epoch;
    for (std::uint16_t const id : {1, 2}) {
        auto const seen = at.log().horizon(id);
        EXPECT_LT(seen.everything().epoch, epoch - 1) << "a session of that epoch may be left";
        EXPECT_TRUE(seen.covers({epoch, 1})) << "no session of this one brings back what it ended";
    }
}

TEST(Keeper, ACancelThatTheServerRefusesKeepsNobodyElseFromCommitting)
{
    world at;
    auto stuck = at.begin_work("stuck", assent::begin_options{}.timeout(1s));
    at.accounts.db.script().on(driver_call::cancel_statement).times(1000).fail("not yours");
    at.accounts.db.script().on(driver_call::end_session).times(1000).fail("not yours");

    at.run_for(10s);  // its owner sleeps on, well past the guardian's lapse

    EXPECT_TRUE(at.state_of(at.accounts).is_serving) << at.state_of(at.accounts).why;
    EXPECT_EQ(at.begin_work().commit(), outcome::committed);
    EXPECT_THROW(stuck.commit(), assent::rolled_back_error);
    at.accounts.db.script().clear();
    at.run_for(1s);
    at.expect_rows(1);
    at.expect_rows(std::nullopt, "stuck");
    at.expect_clean();
}

TEST(Keeper, ACancelThatHangsHoldsItsBranchForNoLongerThanItsOwnLimit)
{
    for (auto const what : {driver_call::cancel_statement, driver_call::end_session}) {
        auto bounds = world::quick();
        bounds.cancel_call = 70ms;
        world at{personality::plain, bounds};
        auto late = at.begin_work("late", assent::begin_options{}.timeout(1s));
        at.accounts.db.script().on(what).time_out();
        auto longest = 0ns;

        for (auto const end = at.clock->now() + 2s + at.bounds.deadline_grace;
             at.clock->now() < end;) {
            at.clock->pass(at.clock->now() + 1ms);
            auto const before = at.clock->now();
            at.step();
            longest = std::max(longest, std::chrono::nanoseconds{at.clock->now() - before});
        }

        EXPECT_EQ(longest, 70ms);
        EXPECT_THROW(late.commit(), assent::rolled_back_error);
    }
}

TEST(Keeper, ACancelIsRepeatedWhenItsConnectionBroke)
{
    world at;
    auto tx = at.begin_work("row", assent::begin_options{}.timeout(1s));
    auto const session = tx.on(at.accounts)->id();
    at.accounts.db.script().on(driver_call::cancel_statement).cut();
    at.accounts.db.script().on(driver_call::end_session).cut();

    at.run_for(1s + at.bounds.deadline_grace + 500ms);

    auto const all = at.accounts.db.sessions();
    EXPECT_EQ(std::count(all.begin(), all.end(), session), 0) << "its locks are gone";
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    at.run_for(1s);
    at.expect_clean();
}

/// An observer that looks whether the thread that ends the transaction would have to wait for it.
class curious final : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        if (what.name != "session.ended" || !tx) return;
        std::thread{[this] {
            auto& branch = *tx->branches.at(0);
            is_free = branch.lock.try_lock();
            if (is_free) branch.lock.unlock();
        }}.join();
        was_told = true;
    }
    std::shared_ptr<assent::shared::global_transaction> tx;
    bool was_told = false;
    bool is_free = false;
};

TEST(Keeper, TellsTheObserverWithNoLockHeld)
{
    world at;
    auto const sink = std::make_shared<curious>();
    at.engine = std::make_shared<assent::engine::engine>(
        at.bounds, sink,
        assent::testing::open_on(std::make_shared<assent::testing::simulated_disk>(), 9),
        *at.clock);
    assent::testing::memory_resource_manager rm{"accounts", at.accounts.db};
    at.engine->add(rm);
    at.run_for(20s);
    transaction tx{at.engine, assent::begin_options{}.timeout(1s)};
    static_cast<assent::testing::memory_connection*>(at.engine->lease(*tx.tx, rm)->handle())
        ->set("row", 1);
    sink->tx = tx.tx;

    at.run_for(3s);

    EXPECT_TRUE(sink->was_told);
    EXPECT_TRUE(sink->is_free);
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
}

TEST(Keeper, PresumesAbortOnlyWhileItHoldsTheLockNotBecauseItDidOnce)
{
    world at;
    auto tx = at.begin_work();
    at.disk->fail_call(1, {EIO, assent::testing::disk_fault::effect::none});
    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
    auto const branch = tx.branch(0);
    at.disk->heal();
    at.crash();
    at.open();
    // It is found, may be presumed aborted, and the connection breaks under the rollback.
    at.accounts.db.script().on(verb::rollback).times(100).lose_before_effect();
    at.run_for(500ms);
    ASSERT_EQ(at.accounts.db.fate(branch), branch_fate::prepared);
    // Meanwhile a copy of this log gets the lock.
    at.accounts.db.script().on(driver_call::heartbeat).fail();
    at.accounts.db.script().on(driver_call::guard).times(200).fail("not now");
    at.run_for(3s);
    at.accounts.db.script().clear();
    assent::testing::memory_resource_manager copy{"copy", at.accounts.db};
    auto const soon = at.clock->now() + 1s;
    auto const holder = copy.driver()->connect(assent::session_purpose::manage, soon);
    ASSERT_TRUE(copy.driver()->try_guard(*holder, at.log().node(), soon));

    at.run_for(5s);

    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::prepared) << "the copy may yet commit it";
    copy.kill_process();
    at.run_for(5s);
    EXPECT_EQ(at.accounts.db.fate(branch), branch_fate::rolled_back);
    at.expect_clean();
}

TEST(Keeper, ABorrowedConnectionInDoubtIsCutSoThatNothingStaysAttached)
{
    world at;
    auto tx = at.begin();
    auto const lent = at.accounts.db.connect();
    std::optional<assent::release> released;
    at.engine->enlist(
        *tx.tx, at.accounts.rm, lent.get(), [&](void*, assent::release what) { released = what; },
        assent::branch_choice::one_per_resource_manager);
    lent->set("row", 1);
    assent::reply strange;
    strange.code = xa_code::proto;
    strange.text = "what did you say?";
    at.accounts.db.script().on(verb::commit_one_phase).reply_without_effect(strange);

    EXPECT_THROW(tx.commit(), assent::in_doubt_error);

    EXPECT_EQ(released, assent::release::must_close);
    EXPECT_FALSE(lent->is_open());
    auto const other = at.accounts.db.connect();
    EXPECT_NO_THROW(other->set("row", 2)) << "it keeps no lock, whenever its owner closes it";
}

TEST(Keeper, WhatAnEarlierLeaseDidToAPooledSessionIsNotTheNextOnesTrouble)
{
    world at;
    EXPECT_EQ(at.begin_work("first").commit(), outcome::committed);
    assent::reply spoiled;
    spoiled.code = xa_code::rmerr;
    spoiled.text = "the session's role is another one";
    at.accounts.db.script().on(verb::start).reply_without_effect(spoiled);

    EXPECT_EQ(at.begin_work().commit(), outcome::committed);

    at.expect_rows(1);
    at.expect_clean();
    at.accounts.db.script().on(verb::start).times(2).reply_without_effect(spoiled);
    auto tx = at.begin();
    EXPECT_EQ(thrown_by<assent::error>([&] { tx.on(at.accounts); }).code(),
              assent::errc::rollback_only)
        << "a fresh session's answer is final";
}

TEST(Keeper, AScanThatAnotherServerAnsweredProvesNothing)
{
    meddled at;
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    at.accounts.db.script().on(verb::rollback).lose_before_effect();
    at.driver->scanned = "the next server behind the same address";
    tx.rollback();

    at.run_for(10s);

    EXPECT_EQ(at.engine->state().live_transactions, 1u) << "the branch is not listed: elsewhere";
    EXPECT_FALSE(at.state().is_serving);
    EXPECT_THAT(at.state().why, ::testing::HasSubstr("the next server"));
    at.driver->scanned.reset();
    at.run_for(10s);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    EXPECT_TRUE(at.state().is_serving);
}

TEST(Keeper, ADeadlineBeyondTheClockIsFarAwayNotOver)
{
    world at;

    auto tx =
        at.begin_work("row", assent::begin_options{}.timeout(assent::limits::duration::max()));

    at.run_for(1s);
    EXPECT_EQ(tx.commit(), outcome::committed);
    at.expect_rows(1);
}

}  // namespace
