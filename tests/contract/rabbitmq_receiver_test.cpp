// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rabbitmq_receiver_test.cpp -- what a real broker gives, gives again, and gives to another one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assent/rabbitmq.hpp>

#include "tests/contract/rabbitmq_client.hpp"
#include "tests/unit/message/places.hpp"

namespace {

using namespace std::chrono_literals;
using assent::driver_error;
using assent::errc;
using assent::message::delivery;
using assent::message::to_parcel;
using assent::rabbitmq::receive_options;
using assent::rabbitmq::receiver;
using assent::rabbitmq::transport;
using assent::testing::at;
using assent::testing::at_place;
using assent::testing::delivered;
using assent::testing::in;
using assent::testing::plain_client;
using assent::testing::private_server;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

delivery made(std::string to, unsigned lane, int number, std::string body)
{
    auto one = delivered(std::move(to), lane, number, number - 1);
    one.body = std::move(body);
    return one;
}

receive_options of(std::string const& to, std::string const& queues = {})
{
    receive_options chosen;
    chosen.to = to;
    chosen.queues = queues;
    return chosen;
}

/// The queues are new, and no broker is killed before they are old.
assent::rabbitmq::connect_options quick(private_server const& broker)
{
    auto where = at(broker);
    where.new_queue_wait = 0ms;
    return where;
}

class RabbitmqReceiver : public ::testing::Test
{
protected:
    static void SetUpTestSuite() { broker_ = private_server::rabbitmq(); }
    static void TearDownTestSuite() { broker_.reset(); }
    static private_server& broker() { return *broker_; }

    static void send(std::vector<delivery> const& all)
    {
        transport by{quick(broker())};
        for (auto const& each : all)
            by.send(to_parcel(each), in(60s));
        auto const told = by.settle(in(60s));
        ASSERT_EQ(told.kept, all.size()) << told.why;
    }
    /// So many, or all that come within a while.
    static std::vector<std::string> bodies(receiver& from, std::size_t wanted, bool to_keep = true)
    {
        std::vector<std::string> all;
        while (all.size() < wanted) {
            auto const one = from.next(in(20s));
            if (!one) break;
            all.push_back(one->body);
            if (to_keep) from.acknowledge(*one);
        }
        return all;
    }

private:
    static inline std::unique_ptr<private_server> broker_;
};

TEST_F(RabbitmqReceiver, GivesWhatWasSentWholeAndInOrder)
{
    auto first = made("whole", 7, 1, std::string("a\0\xff", 3));
    first.headers = {{"colour", "red"}, {"empty", ""}};
    first.gtrid = "a transaction";
    first.key = "a key";
    send({first, made("whole", 7, 2, ""), made("whole", 7, 3, std::string(1'000'000, 'x'))});
    receiver from{quick(broker()), of("whole")};

    auto const one = from.next(in(30s));
    ASSERT_TRUE(one);
    EXPECT_EQ(one->at.to, "whole");
    EXPECT_EQ(one->at.lane, 7u);
    EXPECT_EQ(one->at.position, at_place(1));
    EXPECT_EQ(one->at.previous, at_place(0));
    EXPECT_EQ(one->at.source, first.at.source);
    EXPECT_EQ(one->id, "1");
    EXPECT_EQ(one->gtrid, "a transaction");
    EXPECT_EQ(one->key, "a key");
    EXPECT_EQ(one->headers, first.headers);
    EXPECT_EQ(one->body, first.body);
    from.acknowledge(*one);
    EXPECT_THAT(bodies(from, 2), ElementsAre("", std::string(1'000'000, 'x')));
    EXPECT_FALSE(from.next(in(1s)));
}

TEST_F(RabbitmqReceiver, GivesAgainWhatWasNotAcknowledged)
{
    send({made("again", 1, 1, "done"), made("again", 1, 2, "left")});
    {
        receiver from{quick(broker()), of("again")};
        auto const done = from.next(in(30s));
        ASSERT_TRUE(done);
        from.acknowledge(*done);
        EXPECT_TRUE(from.next(in(30s)));
    }
    receiver next{quick(broker()), of("again")};
    EXPECT_THAT(bodies(next, 1), ElementsAre("left"));
    EXPECT_FALSE(next.next(in(1s)));
}

TEST_F(RabbitmqReceiver, AcknowledgesWithAMessageWhatCameBeforeIt)
{
    // As when one of them was held back, and came again behind the one that it waited for.
    send({made("late", 1, 2, "2"), made("late", 1, 1, "1"), made("late", 1, 2, "2")});
    {
        receiver from{quick(broker()), of("late")};
        EXPECT_THAT(bodies(from, 2, false), ElementsAre("2", "1"));
        auto const last = from.next(in(30s));
        ASSERT_TRUE(last);
        from.acknowledge(*last);
    }
    receiver next{quick(broker()), of("late")};
    EXPECT_FALSE(next.next(in(3s)));
}

TEST_F(RabbitmqReceiver, TakesOverWhenTheOneBeforeItIsGone)
{
    send({made("after", 1, 1, "1")});
    auto first = std::make_unique<receiver>(quick(broker()), of("after"));
    EXPECT_TRUE(first->next(in(30s)));
    receiver second{quick(broker()), of("after")};
    EXPECT_FALSE(second.next(in(1s))) << "one at a time";
    first.reset();
    EXPECT_THAT(bodies(second, 1), ElementsAre("1"));
}

TEST_F(RabbitmqReceiver, RefusesAWindowThatItsPrefetchDoesNotHold)
{
    send({made("narrow", 1, 1, "1")});
    auto chosen = of("narrow");
    chosen.prefetch = 256;
    {
        receiver from{quick(broker()), chosen};
        try {
            from.next(in(30s));
            ADD_FAILURE() << "256 messages may be held back";
        } catch (driver_error const& e) {
            EXPECT_EQ(e.why(), errc::bad_argument);
            EXPECT_THAT(e.what(), HasSubstr("raise receive_options::prefetch"));
        }
        EXPECT_FALSE(from.next(in(1s)));
    }
    receiver wide{quick(broker()), of("narrow")};
    EXPECT_THAT(bodies(wide, 1), ElementsAre("1")) << "it went back";
}

/// Nothing can be asked of the broker any more by then; with the connection all goes back.
TEST_F(RabbitmqReceiver, RefusesByNameWhereItsTimeIsOver)
{
    send({made("polled", 1, 1, "1")});
    auto chosen = of("polled");
    chosen.prefetch = 256;
    receiver from{quick(broker()), chosen};
    auto const end = in(60s);
    std::string said;
    while (said.empty() && std::chrono::steady_clock::now() < end) {
        try {
            from.next(in(0s));
        } catch (driver_error const& e) {
            said = e.what();
            EXPECT_EQ(e.why(), errc::bad_argument);
        }
    }
    EXPECT_THAT(said, HasSubstr("raise receive_options::prefetch"));
    receiver wide{quick(broker()), of("polled")};
    EXPECT_THAT(bodies(wide, 1), ElementsAre("1"));
}

TEST_F(RabbitmqReceiver, StopsALaneInWhichSomethingStrangeLies)
{
    send({made("strange", 2, 1, "good")});
    plain_client other{broker()};
    other.publish("strange.01", "who are you?");
    receiver from{quick(broker()), of("strange")};
    int refused = 0;
    std::vector<std::string> seen;
    for (int i = 0; i < 3; ++i) {
        try {
            auto const one = from.next(in(2s));
            if (one) seen.push_back(one->body);
        } catch (driver_error const& e) {
            ++refused;
            EXPECT_THAT(e.what(), HasSubstr("strange.01 is not received any more"));
        }
    }
    EXPECT_EQ(refused, 1) << "told once";
    EXPECT_THAT(seen, ElementsAre("good"));
    plain_client look{broker()};
    EXPECT_THAT(look.bodies("strange.01"), ElementsAre("who are you?")) << "nothing is thrown away";
}

/// A queue that it made would look old to the sender, who would not wait before he uses it.
TEST_F(RabbitmqReceiver, LeavesTheMakingOfQueuesToWhoeverSends)
{
    receiver from{quick(broker()), of("early")};
    try {
        from.next(in(1s));
        ADD_FAILURE() << "nobody has made the queues";
    } catch (driver_error const& e) {
        EXPECT_THAT(e.what(), HasSubstr("\"early.00\" is not there yet: whoever sends makes it"));
    }
    send({made("early", 1, 1, "1")});
    EXPECT_THAT(bodies(from, 1), ElementsAre("1"));
}

TEST_F(RabbitmqReceiver, BindsItsOwnQueuesWhenTheyAreOld)
{
    auto slow = at(broker());
    slow.new_queue_wait = 3s;
    receiver from{slow, of("news", "reading")};
    EXPECT_THROW(from.next(in(1s)), driver_error);
    transport by{quick(broker())};
    by.send(to_parcel(made("news", 9, 1, "too early")), in(60s));
    EXPECT_FALSE(from.next(in(5s)));
    EXPECT_THAT(by.settle(in(60s)).why, HasSubstr("no queue takes"));
}

TEST_F(RabbitmqReceiver, StopsAndResumesALane)
{
    send({made("stop", 1, 1, "1"), made("stop", 1, 2, "2")});
    receiver from{quick(broker()), of("stop")};
    EXPECT_THAT(bodies(from, 1, false), ElementsAre("1"));
    from.stop_lane(1, in(30s));
    EXPECT_FALSE(from.next(in(1s)));
    from.resume_lane(1, in(30s));
    EXPECT_THAT(bodies(from, 2), ElementsAre("1", "2"));
    EXPECT_THROW(from.stop_lane(64, in(1s)), driver_error);
}

/// What the broker had sent ahead is not given any more, nor before what went back.
TEST_F(RabbitmqReceiver, BeginsAgainWithTheOldestOfALaneThatItResumesAtOnce)
{
    send({made("atonce", 1, 1, "1"), made("atonce", 1, 2, "2"), made("atonce", 1, 3, "3")});
    receiver from{quick(broker()), of("atonce")};
    EXPECT_THAT(bodies(from, 1, false), ElementsAre("1"));
    from.stop_lane(1, in(30s));
    from.resume_lane(1, in(30s));
    EXPECT_THAT(bodies(from, 3), ElementsAre("1", "2", "3"));
    EXPECT_FALSE(from.next(in(1s)));
}

/// More than a prefetch lies there: whoever got what follows first could do nothing of it.
TEST_F(RabbitmqReceiver, HandsAStoppedLaneToTheNextOneFromTheOldestOn)
{
    std::vector<delivery> all;
    std::vector<std::string> expected;
    for (int i = 1; i <= 600; ++i) {
        expected.push_back(std::to_string(i));
        all.push_back(made("handed", 1, i, expected.back()));
    }
    send(all);
    auto chosen = of("handed");
    chosen.prefetch = 257;
    receiver first{quick(broker()), chosen};
    EXPECT_THAT(bodies(first, 1, false), ElementsAre("1"));
    receiver second{quick(broker()), chosen};
    EXPECT_FALSE(second.next(in(1s)));
    first.stop_lane(1, in(30s));
    EXPECT_EQ(bodies(second, 600), expected);
    EXPECT_FALSE(first.next(in(1s)));
}

TEST_F(RabbitmqReceiver, TakesTheLanesThatItChose)
{
    send({made("lanes", 1, 1, "one"), made("lanes", 2, 1, "two"), made("lanes", 3, 1, "three")});
    auto ones = of("lanes");
    ones.lanes = {1};
    auto twos = of("lanes");
    twos.lanes = {2, 63};
    receiver first{quick(broker()), ones};
    receiver second{quick(broker()), twos};
    EXPECT_THAT(bodies(first, 1), ElementsAre("one"));
    EXPECT_FALSE(first.next(in(1s)));
    EXPECT_THAT(bodies(second, 1), ElementsAre("two"));
    EXPECT_FALSE(second.next(in(1s)));
    second.resume_lane(3, in(30s));
    EXPECT_THAT(bodies(second, 1), ElementsAre("three"));
}

TEST_F(RabbitmqReceiver, SaysThatAQueueWasDeletedAndGoesOnWithTheNextOne)
{
    send({made("deleted", 0, 1, "1")});
    receiver from{quick(broker()), of("deleted")};
    EXPECT_THAT(bodies(from, 1), ElementsAre("1"));
    plain_client other{broker()};
    other.remove("deleted.00");
    try {
        from.next(in(5s));
        ADD_FAILURE() << "a queue is gone";
    } catch (driver_error const& e) {
        EXPECT_EQ(e.why(), errc::unavailable);
        EXPECT_THAT(e.what(), HasSubstr("\"deleted.00\" is not there yet"));
    }
    send({made("deleted", 0, 2, "2")});
    EXPECT_THAT(bodies(from, 1), ElementsAre("2"));
}

TEST_F(RabbitmqReceiver, GivesEachOfTwoReadersEverything)
{
    receiver one{quick(broker()), of("news", "billing")};
    receiver two{quick(broker()), of("news", "shipping")};
    EXPECT_FALSE(one.next(in(1s)));
    EXPECT_FALSE(two.next(in(1s)));
    send({made("news", 3, 1, "1"), made("news", 3, 2, "2")});
    EXPECT_THAT(bodies(one, 2), ElementsAre("1", "2"));
    EXPECT_THAT(bodies(two, 2), ElementsAre("1", "2"));
}

TEST_F(RabbitmqReceiver, GoesOnWhenTheBrokerWasKilled)
{
    {
        transport by{at(broker())};  // waits until the queues are old
        by.send(to_parcel(made("killed", 1, 1, "1")), in(60s));
        by.send(to_parcel(made("killed", 1, 2, "2")), in(60s));
        ASSERT_EQ(by.settle(in(60s)).kept, 2u);
    }
    receiver from{quick(broker()), of("killed")};
    auto const first = from.next(in(60s));
    ASSERT_TRUE(first);
    broker().kill();
    broker().start();
    from.acknowledge(*first);  // of a connection that is gone
    auto again = from.next(in(60s));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->body, "1") << "nobody has heard that it was done";
    from.acknowledge(*again);
    EXPECT_THAT(bodies(from, 1), ElementsAre("2"));
}

TEST_F(RabbitmqReceiver, IsRefusedInPlainWords)
{
    plain_client other{broker()};
    other.declare_short("short.00", 5);
    receiver from{quick(broker()), of("short")};
    try {
        from.next(in(2s));
        ADD_FAILURE() << "it is another queue";
    } catch (driver_error const& e) {
        EXPECT_THAT(e.what(), HasSubstr("\"short.00\" must be declared by this receiver"));
    }
    auto const is_refused = [](assent::rabbitmq::connect_options const& where,
                               receive_options const& chosen) {
        try {
            receiver const made{where, chosen};
        } catch (driver_error const& e) {
            return e.why() == errc::bad_argument;
        }
        return false;
    };
    auto const good = at(broker());
    EXPECT_TRUE(is_refused(good, of("")));
    EXPECT_TRUE(is_refused(good, of("news"))) << "an exchange needs queues";
    EXPECT_TRUE(is_refused(good, of("shop", "billing"))) << "no exchange";
    auto none = of("shop");
    none.prefetch = 0;
    EXPECT_TRUE(is_refused(good, none));
    auto beyond = of("shop");
    beyond.lanes = {0, 64};
    EXPECT_TRUE(is_refused(good, beyond));
    auto late = good;
    late.new_queue_wait = std::chrono::minutes{11};
    EXPECT_TRUE(is_refused(late, of("shop")));
    auto unknown = good;
    unknown.account = "nobody";
    try {
        receiver{unknown, of("shop")}.next(in(2s));
        ADD_FAILURE() << "nobody has no account";
    } catch (driver_error const& e) {
        EXPECT_THAT(e.what(), HasSubstr("refuses the login"));
    }
    receiver away{[&] {
                      auto where = good;
                      where.port = 1;
                      return where;
                  }(),
                  of("shop")};
    EXPECT_THROW(away.next(in(1s)), driver_error);
}

}  // namespace
