// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// ending_test.cpp -- releases and drops that are lost, refused, late, and a broker that is down.

#include "tests/unit/half/half_fixture.hpp"

namespace half_test {

using Endings = sending;

TEST_F(Endings, AReleaseWhoseRequestIsLostIsSentAgain)
{
    broker->script(request::release, fate::lost);
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    expect_order(true);
    EXPECT_EQ(tm->state().heuristics, 0u);
}

TEST_F(Endings, AReleaseWhoseReplyIsLostIsNeitherCalledDoneNorShownTwice)
{
    broker->script(request::release, fate::reply_lost);
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending) << "unknown is never success";
    EXPECT_TRUE(becomes_drained());
    expect_order(true);
    EXPECT_EQ(tm->state().heuristics, 0u) << "that it is not there any more was to be expected";
}

TEST_F(Endings, AReleaseThatComesLateBehindItsRepetitionDoesNothing)
{
    broker->script(request::release, fate::late);
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    broker->arrive();
    expect_order(true);
}

TEST_F(Endings, ARefusedReleaseIsAskedForUntilItIsDone)
{
    broker->script(request::release, fate::refused, 3);
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    expect_order(true);
    EXPECT_GE(seen->count("branch.handler_failed"), 1) << "somebody must know";
}

TEST_F(Endings, ADropWhoseRequestOrReplyIsLostIsSentAgain)
{
    for (auto const met : {fate::lost, fate::reply_lost, fate::late}) {
        broker->script(request::drop, met);
        auto tx = begin_work();
        EXPECT_EQ(tx.rollback(), outcome::rolled_back);
        EXPECT_TRUE(becomes_drained());
        broker->arrive();
        expect_order(false);
    }
}

TEST_F(Endings, ABrokerThatIsDownThroughPhaseTwoIsToldWhenItIsBack)
{
    auto tx = begin_work();
    broker->go_down();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    auto dropped = [&] {
        // What cannot be told now holds nobody: XA work goes on.
        auto other = tm->begin();
        other.lease(*orders)->set("other", 1);
        return other.commit();
    }();
    EXPECT_EQ(dropped, outcome::committed);
    EXPECT_THAT(broker->shown(), IsEmpty());

    broker->come_up();
    EXPECT_TRUE(becomes_drained());
    expect_order(true);
}

TEST_F(Endings, ABrokerThatIsDownBeforeTheHalfIsRefusedByName)
{
    broker->go_down();
    EXPECT_TRUE(becomes_true([this] { return seen->count("resource_manager.unreachable") > 0; }));
    auto tx = tm->begin(assent::begin_options{}.timeout(300ms));
    EXPECT_THROW(half::send(tx, *news, {"orders", "order 1"}), assent::error);
    tx.rollback();
    broker->come_up();
    EXPECT_TRUE(becomes_drained());
}

/// The broker lost it, or somebody settled it: what was promised cannot be kept, and is not hidden.
TEST_F(Endings, AHalfThatIsGoneWhenItIsReleasedForTheFirstTimeIsAHazardOnRecord)
{
    auto tx = begin_work();
    broker->lose(broker->halves().at(0));
    EXPECT_NE(tx.commit(), outcome::committed);
    EXPECT_TRUE(becomes_true([this] { return tm->state().heuristics == 1; }));
    EXPECT_THAT(broker->shown(), IsEmpty());
    EXPECT_EQ(shop.value("order 1"), 1);
}

}  // namespace half_test
