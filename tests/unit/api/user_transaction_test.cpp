// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// user_transaction_test.cpp -- the transaction bound to a thread: begun, ended, suspended, resumed.

#include <future>

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;
using assent::user_transaction;

TEST(UserTransaction, IsBoundToItsThread)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    at.tm->current()->lease(*at.accounts)->set("row", 1);

    std::thread{[&] {
        EXPECT_EQ(ut.status(), status::no_transaction);
        EXPECT_EQ(at.tm->current(), nullptr);
        EXPECT_EQ(code_of([&] { ut.commit(); }), errc::invalid_state);
        EXPECT_EQ(code_of([&] { ut.rollback(); }), errc::invalid_state);
        EXPECT_EQ(code_of([&] { ut.set_rollback_only(); }), errc::invalid_state);
        ut.begin();  // one of its own
        ut.rollback();
    }}.join();
    EXPECT_EQ(ut.status(), status::active);
    EXPECT_EQ(ut.commit(), outcome::committed);

    EXPECT_EQ(ut.status(), status::no_transaction);
    EXPECT_EQ(at.tm->current(), nullptr);
    EXPECT_EQ(at.bank.value("row"), 1);
}

TEST(UserTransaction, ASecondBeginIsRefusedAndLeavesTheFirstAlone)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    auto const id = at.tm->current()->id();

    EXPECT_EQ(code_of([&] { ut.begin(); }), errc::invalid_state);

    EXPECT_EQ(at.tm->current()->id(), id);
    EXPECT_EQ(ut.rollback(), outcome::rolled_back);
}

TEST(UserTransaction, TheThreadIsFreeAlsoAfterAnEndThatThrew)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    ut.set_rollback_only();
    EXPECT_EQ(ut.status(), status::marked_rollback);

    EXPECT_THROW(ut.commit(), assent::rolled_back_error);

    EXPECT_EQ(ut.status(), status::no_transaction);
    ut.begin();
    EXPECT_EQ(ut.commit(), outcome::committed);
}

TEST(UserTransaction, TwoManagersBindTheirOwnToOneThread)
{
    doors here;
    doors there;
    user_transaction a{*here.tm};
    user_transaction b{*there.tm};

    a.begin();
    b.begin();

    EXPECT_NE(here.tm->current(), there.tm->current());
    EXPECT_EQ(a.commit(), outcome::committed);
    EXPECT_EQ(b.status(), status::active);
    b.rollback();
}

TEST(UserTransaction, TheTimeoutIsForLaterBeginsOfThisThread)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.set_transaction_timeout(1ms);

    ut.begin();
    EXPECT_TRUE(becomes_true([&] { return ut.status() == status::marked_rollback; }));
    EXPECT_THROW(ut.commit(), assent::rolled_back_error);
    std::thread{[&] {
        ut.begin();
        std::this_thread::sleep_for(20ms);
        EXPECT_EQ(ut.status(), status::active) << "another thread's timeout";
        ut.rollback();
    }}.join();
    ut.set_transaction_timeout(0ms);
    ut.begin();
    std::this_thread::sleep_for(20ms);

    EXPECT_EQ(ut.status(), status::active) << "0 is the manager's default again";
    ut.rollback();
}

TEST(UserTransaction, IsBegunAtTheLevelAndForTheAccessThatAreAskedFor)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin(assent::begin_options{}.read_only());
    EXPECT_THROW(at.tm->current()->lease(*at.accounts)->set("a", 1), assent::driver_error);
    ut.rollback();

    // Two that each read what the other writes: at a lower level both would commit.
    ut.begin(assent::begin_options{}.isolation_level(assent::isolation::serializable));
    auto const mine = at.tm->current()->lease(*at.accounts);
    mine->get("a");
    mine->get("b");
    auto outer = at.tm->suspend();
    ut.begin(assent::begin_options{}.isolation_level(assent::isolation::serializable));
    auto const others = at.tm->current()->lease(*at.accounts);
    others->get("a");
    others->get("b");
    EXPECT_THROW(others->set("b", 1), assent::driver_error);
    ut.rollback();
    at.tm->resume(std::move(outer));
    mine->set("a", 1);
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(at.bank.value("a"), 1);

    ut.begin();
    at.tm->current()->lease(*at.accounts)->set("a", 2);
    EXPECT_EQ(ut.commit(), outcome::committed) << "and no later one";
}

TEST(UserTransaction, ADeadlineOfItsOwnTakesThePlaceOfTheThreadsTimeout)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.set_transaction_timeout(1ms);
    ut.begin(assent::begin_options{}.timeout(10min));
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(ut.status(), status::active);
    ut.rollback();

    ut.begin(assent::begin_options{}.read_only());
    EXPECT_TRUE(becomes_true([&] { return ut.status() == status::marked_rollback; }));
    ut.rollback();
}

TEST(UserTransaction, WhatBeginRefusesIsRefusedAndTheThreadStaysFree)
{
    doors at;
    user_transaction ut{*at.tm};

    EXPECT_EQ(
        code_of([&] { ut.begin(assent::begin_options{}.commit_row(*at.orders).read_only()); }),
        errc::bad_argument);

    EXPECT_EQ(ut.status(), status::no_transaction);
}

TEST(UserTransaction, ANegativeTimeoutIsRefused)
{
    doors at;
    user_transaction ut{*at.tm};

    EXPECT_EQ(code_of([&] { ut.set_transaction_timeout(-1ms); }), errc::bad_argument);

    ut.begin();
    EXPECT_EQ(ut.commit(), outcome::committed);
}

TEST(UserTransaction, ATimeoutDiesWithItsManager)
{
    // A later manager may live at the address of an earlier one.
    for (int i = 0; i < 20; ++i) {
        doors at;
        user_transaction ut{*at.tm};
        ut.begin();
        std::this_thread::sleep_for(3ms);
        EXPECT_EQ(ut.status(), status::active) << "manager " << i;
        ut.rollback();
        ut.set_transaction_timeout(1ms);
    }
}

TEST(Suspend, LetsTheThreadDoOtherWork)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    at.tm->current()->lease(*at.accounts)->set("outer", 1);
    auto const* const address = at.tm->current();

    auto outer = at.tm->suspend();
    EXPECT_EQ(ut.status(), status::no_transaction);
    ut.begin();
    at.tm->current()->lease(*at.accounts)->set("inner", 1);
    ut.commit();
    at.tm->resume(std::move(outer));

    EXPECT_EQ(at.tm->current(), address) << "its address does not change";
    EXPECT_EQ(at.bank.value("inner"), 1);
    EXPECT_EQ(at.bank.value("outer"), std::nullopt);
    ut.commit();
    EXPECT_EQ(at.bank.value("outer"), 1);
}

TEST(Suspend, IsEmptyWithoutATransaction)
{
    doors at;

    EXPECT_EQ(at.tm->suspend(), nullptr);
}

TEST(Resume, WorksOnAnotherThread)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    at.tm->current()->lease(*at.accounts)->set("row", 1);
    auto moved = at.tm->suspend();

    std::thread{[&] {
        at.tm->resume(std::move(moved));
        EXPECT_EQ(ut.commit(), outcome::committed);
    }}.join();

    EXPECT_EQ(at.bank.value("row"), 1);
}

TEST(Resume, OfNothingOfAnEndedOneAndOverAnotherIsRefused)
{
    doors at;
    user_transaction ut{*at.tm};
    EXPECT_EQ(code_of([&] { at.tm->resume(nullptr); }), errc::invalid_state);

    ut.begin();
    auto ended = at.tm->suspend();
    ended->rollback();
    EXPECT_EQ(code_of([&] { at.tm->resume(std::move(ended)); }), errc::invalid_state);
    ut.begin();
    auto other = at.tm->suspend();
    ut.begin();
    auto const id = at.tm->current()->id();
    EXPECT_EQ(code_of([&] { at.tm->resume(std::move(other)); }), errc::invalid_state);

    EXPECT_EQ(at.tm->current()->id(), id);
    ut.rollback();
}

TEST(Resume, UnderAnotherManagerIsRefused)
{
    doors here;
    doors there;
    user_transaction{*here.tm}.begin();
    auto mine = here.tm->suspend();

    EXPECT_EQ(code_of([&] { there.tm->resume(std::move(mine)); }), errc::invalid_state);

    EXPECT_EQ(there.tm->current(), nullptr);
}

TEST(Resume, OfARollbackOnlyOneIsAllowed)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    ut.set_rollback_only();
    auto marked = at.tm->suspend();

    at.tm->resume(std::move(marked));

    EXPECT_EQ(ut.rollback(), outcome::rolled_back);
}

TEST(ThreadExit, RollsBackWhatIsBound)
{
    doors at;
    std::optional<assent::gtrid> id;

    std::thread{[&] {
        user_transaction{*at.tm}.begin();
        id = at.tm->current()->id();
        at.tm->current()->lease(*at.accounts)->set("row", 1);
        at.tm->current()->lease(*at.orders)->set("row", 1);
    }}.join();

    EXPECT_EQ(at.tm->outcome(*id), known_outcome::rolled_back);
    EXPECT_EQ(at.tm->state().live_transactions, 0u);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(ThreadExit, AfterTheManagerIsGoneSendsNothingAndLeavesNothing)
{
    auto at = std::make_unique<doors>();
    auto bank = at->bank;
    std::promise<void> has_begun;
    std::promise<void> may_exit;
    std::thread worker{[&] {
        user_transaction{*at->tm}.begin();
        at->tm->current()->lease(*at->accounts)->set("row", 1);
        has_begun.set_value();
        may_exit.get_future().wait();
    }};
    has_begun.get_future().wait();

    at.reset();
    may_exit.set_value();
    worker.join();

    EXPECT_EQ(bank.value("row"), std::nullopt);
    EXPECT_TRUE(bank.sessions().empty());
    EXPECT_THAT(bank.violations(), ::testing::IsEmpty());
}

}  // namespace
