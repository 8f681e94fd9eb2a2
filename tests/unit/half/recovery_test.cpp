// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// recovery_test.cpp -- halves that an earlier run has left.

#include "tests/unit/half/half_fixture.hpp"

namespace half_test {

class Recovered : public sending
{
protected:
    Recovered() : sending(hasty()) {}

    static assent::limits hasty()
    {
        auto all = bounds();
        all.phase2_wait = all.rollback_wait = 50ms;
        return all;
    }
    void expect_released_by_the_next_process()
    {
        tm.reset();
        EXPECT_THAT(broker->halves(), SizeIs(1));
        broker->come_up();
        open();
        EXPECT_TRUE(becomes_drained());
        expect_order(true);
        EXPECT_EQ(tm->state().heuristics, 0u);
        EXPECT_THAT(tm->state().quarantined, IsEmpty());
    }
};

TEST_F(Recovered, AHalfThatTheLogDecidedIsReleasedByTheNextProcess)
{
    leave_decided();
    expect_released_by_the_next_process();
}

TEST_F(Recovered, AHalfThatARowDecidedIsReleasedByTheNextProcess)
{
    leave_decided(by_row());
    expect_released_by_the_next_process();
}

TEST_F(Recovered, AHalfWithoutADecisionIsDroppedByTheNextProcess)
{
    auto tx = begin_work();
    broker->go_down();
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    tm.reset();
    EXPECT_THAT(broker->halves(), SizeIs(1));

    broker->come_up();
    open();
    EXPECT_TRUE(becomes_drained());
    expect_order(false);
}

TEST_F(Recovered, AReleaseWhoseReplyWasLostIsNoHazardToTheNextProcess)
{
    broker->script(request::release, fate::reply_lost);
    broker->on_next(request::release, [this](std::string const&) { broker->go_down(); });
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    tm.reset();
    EXPECT_THAT(broker->halves(), IsEmpty());

    broker->come_up();
    open();
    EXPECT_TRUE(becomes_drained());
    expect_order(true);
    EXPECT_EQ(tm->state().heuristics, 0u);
}

/// Where it is not stated how late a half may come, nothing is called drained after a restart.
TEST_F(Recovered, WithoutAStatementNothingOfAnEarlierRunIsEverCalledOver)
{
    stated = half::options{}.unguarded();
    reopen();
    begin_work().commit();
    EXPECT_TRUE(becomes_settled());
    reopen();
    auto const lists = broker->calls_of(request::list);
    EXPECT_TRUE(becomes_true([&] { return broker->calls_of(request::list) > lists + 3; }));
    for (auto const& each : tm->state().resource_managers) {
        if (each.name == "news") {
            EXPECT_FALSE(each.is_drained);
        }
    }
    begin_work("order 2").commit();
    expect_order(true, "order 2");
}

TEST_F(Recovered, NamesThatAreNobodysAreCountedAndLeftAlone)
{
    broker->store("somebody else's", "");
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed);
    auto const lists = broker->calls_of(request::list);
    EXPECT_TRUE(becomes_true([&] { return broker->calls_of(request::list) > lists + 3; }));
    EXPECT_THAT(broker->halves(), ElementsAre("somebody else's"));
}

TEST_F(Recovered, AnotherBrokerInItsPlaceIsToldNothing)
{
    leave_decided();
    tm.reset();
    auto const old = std::exchange(broker, std::make_shared<fake_broker>("another-broker"));
    open();
    EXPECT_TRUE(becomes_true([this] { return seen->count("resource_manager.unreachable") > 0; }));
    EXPECT_EQ(broker->calls_of(request::release), 0);
    tm.reset();

    broker = old;
    broker->come_up();
    open();
    EXPECT_TRUE(becomes_drained());
    expect_order(true);
}

TEST_F(Recovered, AListThatIsNotAnsweredFinishesNothing)
{
    leave_decided();
    tm.reset();
    broker->come_up();
    broker->script(request::list, fate::lost, 2);
    broker->script(request::list, fate::refused);
    open();
    EXPECT_TRUE(becomes_drained());
    expect_order(true);
}

}  // namespace half_test
