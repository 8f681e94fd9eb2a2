// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// handler_test.cpp -- confirms and cancels that fail, hang, or end their transaction.

#include <condition_variable>

#include <assent/driver.hpp>

#include "tests/unit/tcc/tcc_fixture.hpp"

namespace tcc_test {

namespace {

/// Holds whoever passes until it is opened.
class gate
{
public:
    void pass()
    {
        std::unique_lock held{mutex_};
        ++waiting_;
        opened_.notify_all();
        opened_.wait(held, [this] { return is_open_; });
    }
    void wait_for(int count)
    {
        std::unique_lock held{mutex_};
        opened_.wait(held, [&] { return waiting_ >= count; });
    }
    void open()
    {
        std::lock_guard const held{mutex_};
        is_open_ = true;
        opened_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    int waiting_ = 0;
    bool is_open_ = false;
};

}  // namespace

using Handler = reserving;

TEST_F(Handler, ThatFailsIsRepeatedUntilItDoesNot)
{
    does.confirm = [this](tcc::call& of) {
        wallet::take(of);
        if (does.confirms <= 5) throw std::runtime_error{"the partner does not answer"};
    };
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_EQ(shop.value("order"), 1);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(70, 0, 30);
    EXPECT_EQ(does.confirms, 6);
}

TEST_F(Handler, OfACancelThatFailsIsRepeatedToo)
{
    does.cancel = [this](tcc::call& of) {
        wallet::give_back(of);
        if (does.cancels <= 3) throw refused{"no"};
    };
    auto tx = begin_work();
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(100, 0, 0);
    EXPECT_EQ(does.cancels, 4);
}

TEST_F(Handler, ThatThrowsAloneInItsTransactionDoesNotLeaveTheCallerInDoubt)
{
    does.confirm = [this](tcc::call& of) {
        wallet::take(of);
        if (does.confirms == 1) throw std::runtime_error{"not yet"};
    };
    auto tx = tm->begin();
    attempt(tx, *wallets, "30");
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(70, 0, 30);
}

TEST_F(Handler, ThatNeverReturnsHoldsItsWorkerAndNobodyElse)
{
    limits.phase2_wait = 50ms;
    settling.workers(8);
    reopen();
    gate held;
    does.confirm = [&](tcc::call& of) {
        if (of.payload() == "1") held.pass();
        wallet::take(of);
    };
    auto stuck = tm->begin();
    attempt(stuck, *wallets, "1");
    EXPECT_EQ(stuck.commit(), outcome::committed_pending);
    held.wait_for(1);
    auto const states = tm->state();

    // Another reservation, by the other worker; another database; and close().
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed);
    tm.reset();
    EXPECT_EQ(bank.reservations().size(), 1u);
    held.open();
    EXPECT_TRUE(becomes_settled());
    open();
    EXPECT_TRUE(becomes_drained());
    expect_wallet(69, 0, 31);
}

TEST_F(Handler, ThatKeepsAllWorkersLetsCommitsBePending)
{
    limits.phase2_wait = 50ms;
    settling.workers(8);
    reopen();
    gate held;
    does.confirm = [&](tcc::call& of) {
        held.pass();
        wallet::take(of);
    };
    int const count = static_cast<int>(settling.given().workers) + 1;
    for (int i = 0; i < count; ++i) {
        auto tx = tm->begin();
        attempt(tx, *wallets, "1");
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
    }
    auto tx = tm->begin();
    tx.lease(*orders)->set("order", 1);
    EXPECT_EQ(tx.commit(), outcome::committed) << "another database does not wait";
    held.open();
    EXPECT_TRUE(becomes_drained());
    expect_wallet(100 - count, 0, count);
    EXPECT_GE(does.confirms, count) << "two may meet at the same row";
}

TEST_F(Handler, ThatKeepsFailingRaisesAnAlarmOnce)
{
    does.confirm = [](tcc::call&) { throw std::runtime_error{"no"}; };
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_true([this] { return does.confirms > 4; }));
    EXPECT_EQ(seen->count("branch.handler_failed"), 1);
    does.confirm = &wallet::take;
    EXPECT_TRUE(becomes_drained());
}

TEST_F(Handler, WhoseRowIsDeletedByHandMeanwhileIsAHazardAndNotCommitted)
{
    does.confirm = [](tcc::call&) { throw std::runtime_error{"not yet"}; };
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    // A copy of this log, or a person, cancels it.
    does.cancel = &wallet::give_back;
    auto const rm =
        tcc::resource_manager{"wallets", memory_resource_manager{"hand", bank}, does.handlers()};
    auto const hand = rm.driver()->connect(assent::session_purpose::work, assent::deadline::max());
    hand->submit(verb::rollback, bank.reservations().at(0).name);
    EXPECT_TRUE(becomes_true([&] {
        auto const said = hand->collect(std::chrono::steady_clock::now() + 10s);
        if (said->is_ok()) return true;
        hand->submit(verb::rollback, bank.reservations().at(0).name);
        return false;
    }));
    EXPECT_TRUE(becomes_true([this] { return tm->state().heuristics == 1; }));
    expect_wallet(100, 0, 0);
}

/// As PostgreSQL lets it.
class HandlerThatLeaves : public reserving
{
};

TEST_F(HandlerThatLeaves, ItsTransactionInAttemptIsAHazardAndParked)
{
    does.attempt = [](tcc::call& of) {
        wallet::reserve(of);
        wallet::at(of).commit();
    };
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, "30"); }), errc::rollback_only);
    EXPECT_EQ(code_of([&] { tx.rollback(); }), errc::heuristic);
    EXPECT_EQ(tm->state().heuristics, 1u);

    std::this_thread::sleep_for(5 * limits.scan_interval);
    expect_wallet(70, 30, 0);
    EXPECT_EQ(bank.reservations().size(), 1u);
    reopen();
    std::this_thread::sleep_for(5 * limits.scan_interval);
    EXPECT_EQ(does.cancels, 0) << "nothing is sent to it by itself";
    EXPECT_EQ(bank.reservations().size(), 1u);
}

TEST_F(HandlerThatLeaves, ItsTransactionWhenNobodyWaitsAnyMoreIsAHazardAllTheSame)
{
    limits.phase2_wait = 20ms;
    reopen();
    gate held;
    does.confirm = [&held](tcc::call& of) {
        wallet::at(of).rollback();
        wallet::take(of);
        held.pass();
    };
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    held.wait_for(1);
    std::this_thread::sleep_for(50ms);
    held.open();
    EXPECT_TRUE(becomes_true([this] { return tm->state().heuristics == 1; }));
    EXPECT_EQ(does.confirms, 1);
    expect_wallet(70, 0, 30);
}

TEST_F(HandlerThatLeaves, ItsTransactionInConfirmIsAHazardAndNeverRepeated)
{
    does.confirm = [](tcc::call& of) {
        wallet::at(of).rollback();  // the row is there again
        wallet::take(of);           // ... and this commits by itself
    };
    auto tx = begin_work();
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::heuristic);
    EXPECT_EQ(tm->state().heuristics, 1u);
    for (int i = 0; i < 2; ++i) {
        std::this_thread::sleep_for(5 * limits.scan_interval);
        EXPECT_EQ(does.confirms, 1) << "a repeat would take the money twice";
        EXPECT_EQ(bank.reservations().size(), 1u);
        reopen();
    }
    expect_wallet(70, 0, 30);
}

}  // namespace tcc_test
