// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commit_test.cpp -- reservations, XA branches and a commit row under one decision.

#include <assent/driver.hpp>

#include "tests/unit/tcc/tcc_fixture.hpp"

namespace tcc_test {

using Reservations = reserving;

TEST_F(Reservations, AreConfirmedWithTheXaBranchesBesideThem)
{
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed);
    expect_wallet(70, 0, 30);
    EXPECT_EQ(shop.value("order"), 1);
    EXPECT_EQ(does.confirms, 1);
    EXPECT_EQ(does.cancels, 0);
    EXPECT_TRUE(bank.reservations().empty());
}

TEST_F(Reservations, AreCancelledWithThem)
{
    auto tx = begin_work();
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    expect_wallet(100, 0, 0);
    EXPECT_EQ(shop.value("order"), std::nullopt);
    EXPECT_EQ(does.cancels, 1);
    EXPECT_TRUE(becomes_drained());
}

TEST_F(Reservations, AreCancelledWhereAnXaBranchVotesNo)
{
    shop.script().on(verb::prepare).reply(xa_code::rbdeadlock);
    auto tx = begin_work();
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(100, 0, 0);
    EXPECT_EQ(does.cancels, 1);
}

TEST_F(Reservations, VoteAlsoWhereTheyAreAlone)
{
    auto const before = tm->state().decisions;
    auto tx = tm->begin();
    attempt(tx, *wallets, "30");
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(tm->state().decisions, before + 1) << "a confirm may fail: it needs a decision";
    expect_wallet(70, 0, 30);
}

TEST_F(Reservations, TakePartUnderACommitRow)
{
    auto tx = tm->begin(assent::begin_options{}.commit_row(*orders));
    attempt(tx, *wallets, "30");
    tx.lease(*orders)->set("order", 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    expect_wallet(70, 0, 30);
    EXPECT_EQ(shop.value("order"), 1);
}

TEST_F(Reservations, TakePartUnderACommitRowAlsoAlone)
{
    auto tx = tm->begin(assent::begin_options{}.commit_row(*orders));
    attempt(tx, *wallets, "30");
    EXPECT_EQ(tx.commit(), outcome::committed);
    expect_wallet(70, 0, 30);
}

TEST_F(Reservations, AreConfirmedBehindAnEarlyReturn)
{
    auto tx =
        tm->begin(assent::begin_options{}.commit_return(assent::commit_return::decision_logged));
    attempt(tx, *wallets, "30");
    tx.lease(*orders)->set("order", 1);
    EXPECT_NE(tx.commit(), outcome::rolled_back);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(70, 0, 30);
    EXPECT_EQ(does.confirms, 1);
}

TEST_F(Reservations, ThatSomebodyHasSettledMeanwhileVoteNoAndAreAHazard)
{
    bool is_first = true;
    does.confirm = [&](tcc::call& of) {
        wallet::take(of);
        is_first = false;
    };
    auto tx = begin_work();
    // Somebody's hand, or a copy of this log.
    auto const rm = assent::tcc::resource_manager{"wallets", memory_resource_manager{"hand", bank},
                                                  does.handlers()};
    auto const hand =
        rm.driver()->connect(assent::session_purpose::manage, assent::deadline::max());
    hand->submit(verb::rollback, bank.reservations().at(0).name);
    ASSERT_TRUE(hand->collect(std::chrono::steady_clock::now() + 10s)->is_ok());

    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::heuristic)
        << "whether it was confirmed or cancelled nobody can know";
    expect_wallet(100, 0, 0);
    EXPECT_TRUE(is_first);
    EXPECT_TRUE(becomes_drained());
}

TEST_F(Reservations, OfOneDatabaseMayHaveSeveralManagersBesideXaBranches)
{
    auto const points = tm->add(
        tcc::resource_manager{"points", memory_resource_manager{"bank", bank}, does.handlers()});
    auto const plain = tm->add(memory_resource_manager{"bank", bank});
    for (int epoch = 0; epoch < 3; ++epoch) {
        auto tx = tm->begin();
        attempt(tx, *wallets, "1");
        attempt(tx, points, "2");
        tx.lease(plain)->add("plain", 1);
        tx.commit();  // pending where the two confirms met at the wallet's rows
        EXPECT_TRUE(becomes_drained());
        reopen();
        tm->add(points);
        tm->add(plain);
        EXPECT_TRUE(becomes_drained());
    }
    expect_wallet(91, 0, 9);
    EXPECT_EQ(bank.value("plain"), 3);
}

}  // namespace tcc_test
