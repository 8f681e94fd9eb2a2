// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// keeper_test.cpp -- a resource manager's own worker, when what it works with misbehaves: the
// application's connect function, the server that will not cancel, the lock that is lost in
// between.

#include <thread>

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;

/// Another driver, whose connect() does something else first.
class meddling_driver final : public assent::resource_manager_driver
{
public:
    using session = assent::driver_session;

    explicit meddling_driver(std::shared_ptr<assent::resource_manager_driver> under)
        : under_(std::move(under))
    {
    }
    std::string const& name() const noexcept override { return under_->name(); }
    assent::driver_capabilities capabilities() const noexcept override
    {
        return under_->capabilities();
    }
    std::unique_ptr<session> connect(assent::session_purpose purpose,
                                     assent::deadline until) override
    {
        if (on_connect) on_connect(purpose);
        return under_->connect(purpose, until);
    }
    std::unique_ptr<session> borrow(void* handle, assent::server_facts const& expected,
                                    assent::deadline until) override
    {
        return under_->borrow(handle, expected, until);
    }
    assent::server_facts preflight(session& manage, assent::deadline until) override
    {
        return under_->preflight(manage, until);
    }
    assent::scan_result scan(session& manage, assent::deadline until) override
    {
        auto seen = under_->scan(manage, until);
        if (auto const then = std::exchange(after_scan, nullptr)) then();
        return seen;
    }
    bool try_guard(session& guardian, std::uint64_t node, assent::deadline until) override
    {
        return under_->try_guard(guardian, node, until);
    }
    void heartbeat(session& guardian, assent::deadline until) override
    {
        under_->heartbeat(guardian, until);
    }
    assent::session_presence presence(session& manage, std::uint64_t id,
                                      assent::deadline until) override
    {
        return under_->presence(manage, id, until);
    }
    assent::session_presence older_sessions(session& ours, assent::deadline until) override
    {
        return under_->older_sessions(ours, until);
    }
    void cancel_statement(session& manage, std::uint64_t id, assent::deadline until) override
    {
        under_->cancel_statement(manage, id, until);
    }
    void end_session(session& manage, std::uint64_t id, assent::deadline until) override
    {
        under_->end_session(manage, id, until);
    }
    assent::witness_state ask_witness(session& manage, std::string const& witness,
                                      assent::deadline until) override
    {
        return witness_says ? *witness_says : under_->ask_witness(manage, witness, until);
    }

    std::function<void(assent::session_purpose)> on_connect;
    std::function<void()> after_scan;  // once
    std::optional<assent::witness_state> witness_says;

private:
    std::shared_ptr<assent::resource_manager_driver> const under_;
};

/// An engine over "accounts" through a driver that can be meddled with.
struct meddled
{
    explicit meddled(personality acts_as = personality::plain)
        : accounts("accounts", acts_as, clock, false),
          driver(std::make_shared<meddling_driver>(accounts.rm.driver())),
          rm(driver),
          engine(std::make_shared<assent::engine::engine>(
              world::quick(), seen, assent::testing::open_on(disk, 1), *clock))
    {
        engine->add(rm);
    }

    void run_for(std::chrono::milliseconds time)
    {
        auto const end = clock->now() + time;
        while (clock->now() < end) {
            clock->pass(clock->now() + 10ms);
            for (auto const& each : engine->keepers())
                each->step();
        }
    }
    assent::testing::memory_connection* lease(transaction& tx)
    {
        return static_cast<assent::testing::memory_connection*>(engine->lease(*tx.tx, rm).handle());
    }
    assent::resource_manager_state state() const { return engine->state().resource_managers.at(0); }

    std::shared_ptr<fake_clock> const clock = std::make_shared<fake_clock>();
    std::shared_ptr<recorder> const seen = std::make_shared<recorder>();
    std::shared_ptr<assent::testing::simulated_disk> const disk =
        std::make_shared<assent::testing::simulated_disk>();
    site accounts;
    std::shared_ptr<meddling_driver> const driver;
    assent::resource_manager const rm;
    std::shared_ptr<assent::engine::engine> const engine;
};

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

TEST(Keeper, AWitnessThatNoConnectionReachesLeavesTheCommitInDoubtAndEndsIt)
{
    meddled at{personality::postgresql};
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    at.driver->on_connect = [](assent::session_purpose) {
        throw std::runtime_error{"the vault is sealed"};
    };
    std::vector<status> told;
    tx.tx->synchronizations.push_back({{}, [&](status now) { told.push_back(now); }});

    auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::database);
    EXPECT_EQ(told, std::vector<status>{status::unknown});
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
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
        at.accounts.db.script().on(verb::commit).hang();
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
    };

    at.run_for(world::quick().scan_interval + 50ms);

    ASSERT_FALSE(at.driver->after_scan) << "a scan was overtaken";
    auto const decision = at.engine->shared().log->find(tx.id());
    ASSERT_TRUE(decision);
    EXPECT_FALSE(decision->is_finished.at(0)) << "a crash now must not forget the decision";
    EXPECT_EQ(at.accounts.db.fate(tx.branch(0)), branch_fate::prepared);
    at.accounts.db.script().release();
    at.run_for(5s);
    EXPECT_EQ(at.accounts.db.value("row"), 1);
    EXPECT_TRUE(at.engine->shared().log->unfinished().empty());
}

TEST(Keeper, AnotherServersWitnessIsNotBelieved)
{
    world at{personality::postgresql};
    auto tx = at.begin();
    tx.on(at.accounts)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    at.accounts.db.set_identity("another server, which knows the same number");

    EXPECT_THROW(tx.commit(), assent::in_doubt_error);
}

TEST(Keeper, AWitnessThatTheDatabaseNoLongerUnderstandsIsForNobodyToResolve)
{
    meddled at{personality::postgresql};
    at.run_for(20ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
    at.driver->witness_says = assent::witness_state::unknown;

    auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::nobody);
}

TEST(Keeper, ACancelThatTheServerRefusesKeepsNobodyElseFromCommitting)
{
    world at;
    auto stuck = at.begin_work("stuck", assent::begin_options{}.deadline(1s));
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

TEST(Keeper, ACancelIsRepeatedWhenItsConnectionBroke)
{
    world at;
    auto tx = at.begin_work("row", assent::begin_options{}.deadline(1s));
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
    std::shared_ptr<assent::engine::global_transaction> tx;
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
    transaction tx{at.engine, assent::begin_options{}.deadline(1s)};
    static_cast<assent::testing::memory_connection*>(at.engine->lease(*tx.tx, rm).handle())
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

TEST(Keeper, ADeadlineBeyondTheClockIsFarAwayNotOver)
{
    world at;

    auto tx =
        at.begin_work("row", assent::begin_options{}.deadline(assent::limits::duration::max()));

    at.run_for(1s);
    EXPECT_EQ(tx.commit(), outcome::committed);
    at.expect_rows(1);
}

}  // namespace
