// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outcomes_test.cpp -- whole transactions over two switches: what the caller is told, and what was
// done there.

#include <thread>

#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

using assent::heuristic_error;
using assent::in_doubt_error;
using assent::rolled_back_error;

TEST_F(switched, ACommitIsPermanentInBoth)
{
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed);
    expect_work(1);
    EXPECT_EQ(count(stock, switch_call::prepare), 1);
    EXPECT_EQ(count(bills, switch_call::prepare), 1);
    EXPECT_TRUE(becomes_drained());
}

TEST_F(switched, ARollbackLeavesNothing)
{
    begin_work().rollback();
    {
        auto const dropped = begin_work();
    }
    expect_work(0);
    EXPECT_EQ(stock.unfinished() + bills.unfinished(), 0u);
}

TEST_F(switched, ALeaseShowsTheNumberOfItsSwitch)
{
    auto tx = tm->begin();
    auto const lease = tx.lease(*stocks);
    EXPECT_EQ(lease->rmid, stocks->rmid());
    EXPECT_NE(stocks->rmid(), billing->rmid());
    EXPECT_EQ(
        (assent::xopen::resource_manager{"again", stock.entries(), stock.info(), declared("x")})
            .rmid(),
        stocks->rmid());
}

TEST_F(switched, OneBranchIsCommittedInOnePhase)
{
    auto tx = tm->begin();
    tx.lease(*stocks);
    stock.add("bolts", -1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(count(stock, switch_call::prepare), 0);
    EXPECT_EQ(stock.value("bolts"), -1);
}

TEST_F(switched, OneBranchIsNeverPreparing)
{
    auto tx = tm->begin();
    tx.lease(*stocks);
    stock.add("bolts", -1);
    std::vector<assent::status> statuses;
    for (auto const each : {switch_call::end, switch_call::commit})
        stock.on(each).before([&] { statuses.push_back(tx.status()); });
    tx.commit();
    EXPECT_THAT(statuses,
                ::testing::ElementsAre(assent::status::committing, assent::status::committing));
    EXPECT_EQ(tx.status(), assent::status::committed);
}

TEST_F(switched, WhatWroteNothingIsNotCommitted)
{
    auto tx = tm->begin();
    tx.lease(*stocks);
    tx.lease(*billing);
    bills.add("alice", 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(count(stock, switch_call::commit), 0);
    EXPECT_EQ(bills.value("alice"), 1);
}

TEST_F(switched, ManyTransactionsUseOneOpeningOfTheirThread)
{
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(begin_work().commit(), outcome::committed);
    expect_work(20);
    // This thread's, and those of the manager's workers.
    EXPECT_LE(count(stock, switch_call::open), 8);
}

class no_votes : public switched, public ::testing::WithParamInterface<xa_code>
{
};

TEST_P(no_votes, RollBothBack)
{
    auto tx = begin_work();
    bills.on(switch_call::prepare).answer(GetParam());
    EXPECT_THROW(tx.commit(), rolled_back_error);
    EXPECT_TRUE(becomes_drained());
    expect_work(0);
    EXPECT_EQ(begin_work().commit(), outcome::committed) << "the thread goes on";
    expect_work(1);
}

TEST_P(no_votes, OfTheEndRollBothBack)
{
    auto tx = begin_work();
    bills.on(switch_call::end).answer(GetParam());
    EXPECT_THROW(tx.commit(), rolled_back_error);
    EXPECT_TRUE(becomes_drained());
    expect_work(0);
    EXPECT_EQ(begin_work().commit(), outcome::committed) << "the thread goes on";
    expect_work(1);
}

TEST_P(no_votes, OfAnEndInOnePhaseCommitNothing)
{
    // After these xa_rollback cannot be asked, so that nobody has confirmed it.
    bool const is_confirmed = GetParam() != xa_code::rmfail && GetParam() != xa_code::nota;
    auto tx = tm->begin();
    tx.lease(*stocks);
    stock.add("bolts", -1);
    stock.on(switch_call::end).answer(GetParam());
    if (is_confirmed) {
        EXPECT_THROW(tx.commit(), rolled_back_error);
        EXPECT_TRUE(becomes_drained());
    } else {
        EXPECT_THROW(tx.commit(), in_doubt_error);
    }
    EXPECT_EQ(stock.value("bolts"), 0);
    EXPECT_EQ(count(stock, switch_call::commit), 0);
}

INSTANTIATE_TEST_SUITE_P(each, no_votes,
                         ::testing::Values(xa_code::rbrollback, xa_code::rbcommfail,
                                           xa_code::rbdeadlock, xa_code::rbintegrity,
                                           xa_code::rbother, xa_code::rbproto, xa_code::rbtimeout,
                                           xa_code::rbtransient, xa_code::rmerr, xa_code::rmfail,
                                           xa_code::nota, xa_code::inval, xa_code::proto,
                                           static_cast<xa_code>(42), static_cast<xa_code>(-1)));

TEST_F(switched, AVoteWhoseAnswerWasLostIsRolledBack)
{
    auto tx = begin_work();
    bills.on(switch_call::prepare).answer_after_effect(xa_code::rmfail);
    EXPECT_THROW(tx.commit(), rolled_back_error);
    EXPECT_TRUE(becomes_drained());
    expect_work(0);
}

/// XA_RDONLY is an answer of xa_prepare's alone.
TEST_F(switched, AnEndThatSaysReadOnlyIsNoVote)
{
    auto tx = begin_work();
    bills.on(switch_call::end).answer(xa_code::rdonly);
    EXPECT_THROW(tx.commit(), rolled_back_error);
    EXPECT_TRUE(becomes_drained());
    expect_work(0);
    EXPECT_EQ(begin_work().commit(), outcome::committed) << "the thread goes on";
}

TEST_F(switched, ARollbackThatSaysReadOnlyIsNoVote)
{
    auto tx = begin_work();
    bills.on(switch_call::end).answer(xa_code::rbdeadlock);
    bills.on(switch_call::rollback).answer_without_effect(xa_code::rdonly);
    EXPECT_THROW(tx.commit(), rolled_back_error);
    EXPECT_TRUE(becomes_drained());
    expect_work(0);
}

TEST_F(switched, AnAnswerWithoutMeaningLeavesNoBranchBehind)
{
    for (xa_code const code : {xa_code::proto, xa_code::retry, static_cast<xa_code>(42)}) {
        {
            auto tx = tm->begin();
            tx.lease(*stocks);
            stock.add("bolts", -1);
            stock.on(switch_call::commit).answer(code);
            stock.on(switch_call::rollback).answer(code);
            EXPECT_THROW(tx.commit(), in_doubt_error);
        }
        {
            auto const dropped = begin_work();
            bills.on(switch_call::rollback).answer(code);
        }
        EXPECT_GT(stock.unfinished() + bills.unfinished(), 0u);
        // The thread asks again when it next leases.
        EXPECT_EQ(begin_work().commit(), outcome::committed);
        EXPECT_TRUE(becomes_drained());
    }
    expect_work(3);
}

/// Nobody else knows of such a branch: no number of answers ends that.
TEST_F(switched, ARollbackAnsweredWithoutMeaningIsAskedForUntilItIsDone)
{
    stock.on(switch_call::rollback).times(8).answer(static_cast<xa_code>(42));
    {
        auto const dropped = begin_work();
    }
    EXPECT_TRUE(becomes_true([this] {
        EXPECT_EQ(begin_work().commit(), outcome::committed);
        return stock.unfinished() == 0;
    }));
    EXPECT_EQ(count(stock, switch_call::rollback), 9);
}

TEST_F(switched, WhereTooManyAreLeftThereTheThreadBeginsNoOther)
{
    stock.on(switch_call::rollback).times(100).answer(static_cast<xa_code>(42));
    std::string why;
    for (int i = 0; i < 100 && why.empty(); ++i) {
        auto tx = tm->begin();
        try {
            tx.lease(*stocks);
            stock.add("bolts", -1);
        } catch (assent::error const& e) {
            why = e.what();
        }
    }
    EXPECT_THAT(why, ::testing::HasSubstr("has not rolled back"));
    EXPECT_EQ(stock.unfinished(), 16u);
    std::thread{[this] { EXPECT_EQ(begin_work().commit(), outcome::committed); }}.join();
    EXPECT_TRUE(becomes_true([this] {
        try {
            return begin_work().commit() == outcome::committed && stock.unfinished() == 0;
        } catch (assent::error const&) {
            return false;
        }
    }));
    EXPECT_TRUE(becomes_true([this] {
        auto const dropped = begin_work();
        return stock.pending() == 0;
    })) << "what is left of the fault";
}

TEST_F(switched, ADecidedBranchThatIsNotKnownAndNotListedIsAHazard)
{
    auto tx = begin_work();
    bills.on(switch_call::commit).before([this] { bills.settle(bills.prepared().front(), false); });
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    EXPECT_EQ(stock.value("bolts"), -1);
    EXPECT_EQ(bills.value("alice"), 0);
    EXPECT_EQ(tm->state().heuristics, 1u);
}

class late_commits : public switched, public ::testing::WithParamInterface<xa_code>
{
};

TEST_P(late_commits, AreRepeatedUntilTheyAreDone)
{
    auto tx = begin_work();
    bills.on(switch_call::commit).times(2).answer_without_effect(GetParam());
    auto const told = tx.commit();
    EXPECT_TRUE(told == outcome::committed || told == outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    expect_work(1);
}

INSTANTIATE_TEST_SUITE_P(each, late_commits,
                         ::testing::Values(xa_code::retry, xa_code::rmfail, xa_code::proto,
                                           xa_code::inval, static_cast<xa_code>(42)));

TEST_F(switched, ACommitWhoseAnswerWasLostIsDoneOnce)
{
    auto tx = begin_work();
    bills.on(switch_call::commit).answer_after_effect(xa_code::rmfail);
    tx.commit();
    EXPECT_TRUE(becomes_drained());
    expect_work(1);
}

TEST_F(switched, AnEndInOnePhaseWhoseRollbackIsNotConfirmedIsInDoubt)
{
    for (xa_code const ended : {xa_code::rmerr, xa_code::rbdeadlock}) {
        for (xa_code const undone :
             {xa_code::rmerr, xa_code::nota, xa_code::rmfail, static_cast<xa_code>(42)}) {
            auto tx = tm->begin();
            tx.lease(*stocks);
            stock.add("bolts", -1);
            stock.on(switch_call::end).answer(ended);
            stock.on(switch_call::rollback).answer_without_effect(undone);
            EXPECT_THROW(tx.commit(), in_doubt_error);
        }
    }
    EXPECT_EQ(stock.value("bolts"), 0);
    EXPECT_EQ(count(stock, switch_call::commit), 0);
}

TEST_F(switched, AnEndInOnePhaseWhoseRollbackIsHeuristicIsToldSo)
{
    auto tx = tm->begin();
    tx.lease(*stocks);
    stock.add("bolts", -1);
    stock.on(switch_call::end).answer(xa_code::rmerr);
    stock.on(switch_call::rollback).answer(xa_code::heurmix);
    EXPECT_THROW(tx.commit(), heuristic_error);
    EXPECT_EQ(stock.value("bolts"), -1);
}

struct heuristic
{
    xa_code code;
    bool is_told;
    bool is_done;
};

class heuristics : public switched, public ::testing::WithParamInterface<heuristic>
{
};

TEST_P(heuristics, AreToldAndForgotten)
{
    auto tx = begin_work();
    bills.on(switch_call::commit).answer(GetParam().code);
    if (GetParam().is_told) {
        EXPECT_THROW(tx.commit(), heuristic_error);
    } else {
        EXPECT_EQ(tx.commit(), outcome::committed);
    }
    EXPECT_TRUE(becomes_drained());
    EXPECT_EQ(stock.value("bolts"), -1);
    EXPECT_EQ(bills.value("alice"), GetParam().is_done ? 1 : 0);
    // XAER_RMERR has rolled the branch back, and forgotten it.
    EXPECT_EQ(count(bills, switch_call::forget), GetParam().code == xa_code::rmerr ? 0 : 1);
    EXPECT_EQ(count(bills, switch_call::commit), 1);
}

INSTANTIATE_TEST_SUITE_P(each, heuristics,
                         ::testing::Values(heuristic{xa_code::heurcom, false, true},
                                           heuristic{xa_code::heurrb, true, false},
                                           heuristic{xa_code::heurmix, true, true},
                                           heuristic{xa_code::heurhaz, true, false},
                                           heuristic{xa_code::rmerr, true, false}));

TEST_F(switched, AOnePhaseCommitWithoutAnAnswerIsInDoubt)
{
    for (xa_code const code : {xa_code::rmfail, xa_code::nota, xa_code::proto, xa_code::retry}) {
        auto tx = tm->begin();
        tx.lease(*stocks);
        stock.add("bolts", -1);
        stock.on(switch_call::commit).answer_after_effect(code);
        auto const e = thrown_by<in_doubt_error>([&] { tx.commit(); });
        EXPECT_EQ(e.resolved_by(), assent::resolver::nobody);
    }
    EXPECT_EQ(stock.value("bolts"), -4);
}

TEST_F(switched, AOnePhaseCommitThatWasRefusedIsRolledBack)
{
    for (xa_code const code : {xa_code::rbdeadlock, xa_code::rmerr}) {
        auto tx = tm->begin();
        tx.lease(*stocks);
        stock.add("bolts", -1);
        stock.on(switch_call::commit).answer(code);
        EXPECT_THROW(tx.commit(), rolled_back_error);
    }
    EXPECT_EQ(stock.value("bolts"), 0);
}

class refused_starts : public switched, public ::testing::WithParamInterface<xa_code>
{
};

TEST_P(refused_starts, LeaveNothingBehind)
{
    {
        auto tx = tm->begin();
        tx.lease(*stocks);
        stock.add("bolts", -1);
        bills.on(switch_call::start).times(2).answer(GetParam());
        EXPECT_EQ(code_of([&] { tx.lease(*billing); }), errc::rollback_only);
        tx.rollback();
    }
    if (bills.pending() != 0) {  // only where it was lost it is asked twice
        auto tx = tm->begin();
        EXPECT_EQ(code_of([&] { tx.lease(*billing); }), errc::rollback_only);
    }
    EXPECT_TRUE(becomes_drained());
    expect_work(0);
    EXPECT_EQ(begin_work().commit(), outcome::committed);
}

INSTANTIATE_TEST_SUITE_P(each, refused_starts,
                         ::testing::Values(xa_code::rbother, xa_code::rmerr, xa_code::rmfail,
                                           xa_code::dupid, xa_code::outside, xa_code::inval,
                                           xa_code::proto, xa_code::retry,
                                           static_cast<xa_code>(42)));

/// Neither the thread nor its locks may stay in a branch that nobody knows of.
TEST_F(switched, AStartAnsweredWithoutMeaningIsTakenBack)
{
    for (xa_code const code : {xa_code::retry, xa_code::rdonly, xa_code::heurcom,
                               xa_code::nomigrate, static_cast<xa_code>(42)}) {
        auto tx = tm->begin();
        bills.on(switch_call::start).answer_after_effect(code);
        EXPECT_EQ(code_of([&] { tx.lease(*billing); }), errc::rollback_only);
        EXPECT_EQ(bills.unfinished(), 0u) << static_cast<int>(code);
    }
    EXPECT_EQ(begin_work().commit(), outcome::committed);
}

TEST_F(switched, WorkOutsideKeepsABranchFromBeginning)
{
    ASSERT_EQ(begin_work().commit(), outcome::committed);
    stock.begin_outside();
    auto tx = tm->begin();
    auto const e = thrown_by<assent::error>([&] { tx.lease(*stocks); });
    EXPECT_EQ(e.why(), errc::rollback_only);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("XAER_OUTSIDE"));
    stock.end_outside();
}

TEST_F(switched, AResourceManagerThatWasRestartedIsOpenedAgain)
{
    ASSERT_EQ(begin_work().commit(), outcome::committed);
    stock.die();
    EXPECT_EQ(begin_work().commit(), outcome::committed);
    expect_work(2);
}

TEST_F(switched, WhatWasAtWorkWhenItDiedIsRolledBack)
{
    auto tx = begin_work();
    bills.die();
    EXPECT_THROW(tx.commit(), rolled_back_error);
    EXPECT_TRUE(becomes_drained());
    expect_work(0);
}

TEST_F(switched, WhatWasDecidedWhenItDiedIsCommittedLater)
{
    auto tx = begin_work();
    bills.on(switch_call::commit).before([this] { bills.stay_dead(); });
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_EQ(bills.prepared().size(), 1u);
    bills.revive();
    EXPECT_TRUE(becomes_drained());
    expect_work(1);
}

TEST_F(switched, ASwitchCannotBeToldHowToBegin)
{
    auto tx = tm->begin(assent::begin_options{}.isolation_level(assent::isolation::serializable));
    auto const e = thrown_by<assent::error>([&] { tx.lease(*stocks); });
    EXPECT_THAT(e.what(), ::testing::HasSubstr("isolation level"));
    EXPECT_EQ(count(stock, switch_call::start), 0);
}

TEST_F(switched, ASwitchTakesPartBesideADatabase)
{
    auto db = api_test::database(api_test::personality::postgresql);
    auto const ledger = tm->add(assent::testing::memory_resource_manager{"ledger", db});
    for (int i = 0; i < 2; ++i) {
        auto tx = tm->begin();
        tx.lease(*stocks);
        stock.add("bolts", -1);
        tx.lease(ledger)->add("sold", 1);
        if (i == 0) stock.on(switch_call::prepare).answer(xa_code::rbintegrity);
        if (i == 0) {
            EXPECT_THROW(tx.commit(), rolled_back_error);
        } else {
            EXPECT_EQ(tx.commit(), outcome::committed);
        }
    }
    EXPECT_EQ(stock.value("bolts"), -1);
    EXPECT_EQ(db.value("sold"), 1);
    tm.reset();  // before the database
}

}  // namespace
}  // namespace xopen_test
