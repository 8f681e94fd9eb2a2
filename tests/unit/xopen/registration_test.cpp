// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// registration_test.cpp -- a switch that registers asks for its branch when it is first used.

#include <thread>

#include <xopen/xa.h>

#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

/// The stock registers, the bills do not.
class registering : public switched
{
protected:
    void SetUp() override
    {
        assent::testing::switch_options chosen;
        chosen.file = home.path() + "/registering";
        chosen.registers = true;
        shelf = std::make_unique<strict_switch>(chosen);
        shelves.emplace(tm->add(assent::xopen::resource_manager{
            "shelf", shelf->entries(), shelf->info(), declared("the shelf")}));
    }
    void TearDown() override
    {
        EXPECT_THAT(shelf->violations(), ::testing::IsEmpty());
        EXPECT_TRUE(becomes_true([this] { return shelf->unfinished() == 0; }));
        tm.reset();
    }

    assent::transaction begin_work_there()
    {
        auto tx = tm->begin();
        tx.lease(*shelves);
        shelf->add("nuts", -1);
        tx.lease(*billing);
        bills.add("alice", 1);
        return tx;
    }

    std::unique_ptr<strict_switch> shelf;
    std::optional<assent::xopen::resource_manager> shelves;
};

TEST_F(registering, IsCommittedAndRolledBackLikeTheOthers)
{
    EXPECT_EQ(begin_work_there().commit(), outcome::committed);
    begin_work_there().rollback();
    {
        auto const dropped = begin_work_there();
    }
    EXPECT_EQ(begin_work_there().commit(), outcome::committed);
    EXPECT_EQ(shelf->value("nuts"), -2);
    EXPECT_EQ(bills.value("alice"), 2);
    EXPECT_EQ(count(*shelf, switch_call::start), 0);
}

TEST_F(registering, WhatIsNeverUsedIsNeverAsked)
{
    for (bool const is_committed : {true, false}) {
        auto tx = tm->begin();
        tx.lease(*shelves);
        tx.lease(*billing);
        bills.add("alice", 1);
        if (is_committed) {
            EXPECT_EQ(tx.commit(), outcome::committed);
        } else {
            tx.rollback();
        }
    }
    {
        auto tx = tm->begin();
        tx.lease(*shelves);
        EXPECT_EQ(tx.commit(), outcome::committed) << "in one phase";
    }
    EXPECT_EQ(bills.value("alice"), 1);
    EXPECT_EQ(count(*shelf, switch_call::end) + count(*shelf, switch_call::prepare) +
                  count(*shelf, switch_call::commit) + count(*shelf, switch_call::rollback),
              0);
    EXPECT_EQ(begin_work_there().commit(), outcome::committed) << "the thread is free";
}

TEST_F(registering, WorkWithoutALeaseIsTheThreadsOwn)
{
    begin_work_there().rollback();
    auto tx = tm->begin();
    shelf->add("nuts", 5);
    EXPECT_EQ(shelf->value("nuts"), 5) << "at once";

    auto const e = thrown_by<assent::error>([&] { tx.lease(*shelves); });
    EXPECT_THAT(e.what(), ::testing::HasSubstr("XAER_OUTSIDE"));
    tx.rollback();
    shelf->end_outside();
    EXPECT_EQ(begin_work_there().commit(), outcome::committed);
    EXPECT_EQ(shelf->value("nuts"), 4);
}

TEST_F(registering, AxRegIsAnsweredAsXaSays)
{
    XID given{};
    int const rmid = shelves->rmid();
    EXPECT_EQ(ax_reg(99'999, &given, TMNOFLAGS), TMER_INVAL);
    EXPECT_EQ(ax_unreg(99'999, TMNOFLAGS), TMER_INVAL);
    begin_work_there().rollback();
    EXPECT_EQ(ax_reg(billing->rmid(), &given, TMNOFLAGS), TMER_INVAL) << "it does not register";
    EXPECT_EQ(ax_unreg(billing->rmid(), TMNOFLAGS), TMER_INVAL);
    EXPECT_EQ(ax_reg(rmid, nullptr, TMNOFLAGS), TMER_INVAL);
    EXPECT_EQ(ax_reg(rmid, &given, TMJOIN), TMER_INVAL);
    EXPECT_EQ(ax_unreg(rmid, TMJOIN), TMER_INVAL);
    EXPECT_EQ(ax_unreg(rmid, TMNOFLAGS), TMER_PROTO) << "nothing is registered";

    EXPECT_EQ(ax_reg(rmid, &given, TMNOFLAGS), TM_OK);
    EXPECT_EQ(given.formatID, -1);
    EXPECT_EQ(ax_reg(rmid, &given, TMNOFLAGS), TMER_PROTO);
    EXPECT_EQ(ax_unreg(rmid, TMNOFLAGS), TM_OK);

    auto tx = begin_work_there();
    EXPECT_EQ(ax_reg(rmid, &given, TMNOFLAGS), TMER_PROTO) << "it is registered";
    EXPECT_EQ(ax_unreg(rmid, TMNOFLAGS), TMER_PROTO) << "in a branch";
    std::thread{[&] { EXPECT_EQ(ax_reg(rmid, &given, TMNOFLAGS), TMER_INVAL); }}.join();
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST_F(registering, WhatIsDestroyedElsewhereItsThreadGivesUp)
{
    auto used = std::make_unique<assent::transaction>(begin_work_there());
    std::thread{[&] { used.reset(); }}.join();
    EXPECT_EQ(shelf->unfinished(), 1u);
    EXPECT_EQ(begin_work_there().commit(), outcome::committed);

    auto unused = std::make_unique<assent::transaction>(tm->begin());
    unused->lease(*shelves);
    std::thread{[&] { unused.reset(); }}.join();
    EXPECT_EQ(begin_work_there().commit(), outcome::committed);
    EXPECT_EQ(shelf->value("nuts"), -2);
}

TEST_F(registering, WorkDoesNotEnterWhatWasDestroyedElsewhere)
{
    auto dead = std::make_unique<assent::transaction>(tm->begin());
    dead->lease(*shelves);
    std::thread{[&] { dead.reset(); }}.join();
    shelf->add("nuts", 5);
    EXPECT_EQ(shelf->value("nuts"), 5) << "the thread's own";
    shelf->end_outside();
}

TEST_F(registering, AFailureFreesTheThread)
{
    auto tx = begin_work_there();
    shelf->die();
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    EXPECT_EQ(begin_work_there().commit(), outcome::committed);
    EXPECT_EQ(shelf->value("nuts"), -1);
}

}  // namespace
}  // namespace xopen_test
