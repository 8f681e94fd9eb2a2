// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// recovery_test.cpp -- what the next process finds, with and without handlers.

#include "tests/unit/tcc/tcc_fixture.hpp"

namespace tcc_test {

class Recovered : public reserving
{
protected:
    /// A reservation whose transaction was rolled back, and whose cancel failed in that process.
    void leave_uncancelled()
    {
        does.cancel = [](tcc::call&) { throw std::runtime_error{"not in this process"}; };
        {
            auto tx = begin_work();
            EXPECT_EQ(tx.rollback(), outcome::rolled_back);
        }
        tm.reset();
        EXPECT_EQ(bank.reservations().size(), 1u);
    }
    void expect_cancelled_by_the_next_process()
    {
        does.cancel = &wallet::give_back;
        open();
        EXPECT_TRUE(becomes_drained());
        expect_wallet(100, 0, 0);
    }
};

TEST_F(Recovered, AReservationThatWasDecidedIsConfirmedByTheNextProcess)
{
    limits.phase2_wait = 50ms;
    reopen();
    does.confirm = [](tcc::call&) { throw std::runtime_error{"not in this process"}; };
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    tm.reset();
    EXPECT_EQ(bank.reservations().size(), 1u);

    does.confirm = &wallet::take;
    open();
    EXPECT_TRUE(becomes_drained());
    expect_wallet(70, 0, 30);
}

TEST_F(Recovered, AReservationWithoutADecisionIsCancelledByTheNextProcess)
{
    leave_uncancelled();
    expect_cancelled_by_the_next_process();
}

TEST_F(Recovered, AProcessWithoutHandlersListsAndSettlesNothing)
{
    leave_uncancelled();

    open_manager();
    auto const only =
        tm->add(tcc::resource_manager{"wallets", memory_resource_manager{"bank", bank}});
    EXPECT_TRUE(becomes_true([&] { return seen->count("recovery.rollback.reply") > 3; }));
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, only, "1"); }), errc::invalid_state);
    tx.rollback();
    tm.reset();
    EXPECT_EQ(bank.reservations().size(), 1u);

    expect_cancelled_by_the_next_process();
}

/// The grace is what decides, whenever the next list would be due.
TEST_F(Recovered, AReservationWhoseOwnerNeverReturnsIsCancelledWhenTheGraceIsOver)
{
    limits.scan_interval = 60s;
    limits.deadline_grace = 50ms;
    reopen();
    begin_work().commit();  // it serves
    auto tx = tm->begin(assent::begin_options{}.timeout(300ms));
    attempt(tx, *wallets, "20");
    EXPECT_TRUE(becomes_settled());
    expect_wallet(70, 0, 30);
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_EQ(does.cancels, 1);
}

TEST_F(Recovered, RowsOfAnotherNameAreNobodysHere)
{
    leave_uncancelled();
    open_manager();
    tm->add(
        tcc::resource_manager{"purses", memory_resource_manager{"bank", bank}, does.handlers()});
    std::this_thread::sleep_for(5 * limits.scan_interval);
    EXPECT_EQ(bank.reservations().size(), 1u) << "kept, until a process has its handlers";
}

TEST_F(Recovered, AServerThatRestartedBetweenAttemptAndPrepareHasTheReservationCancelled)
{
    auto tx = begin_work();
    bank.crash_server();
    bank.restart();
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(100, 0, 0);
}

TEST_F(Recovered, AServerThatIsDownAfterTheDecisionHasItConfirmedLater)
{
    limits.phase2_wait = 50ms;
    reopen();
    does.confirm = [this](tcc::call& of) {
        if (does.confirms == 1) bank.crash_server();
        wallet::take(of);
    };
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    bank.restart();
    EXPECT_TRUE(becomes_drained());
    expect_wallet(70, 0, 30);
}

}  // namespace tcc_test
