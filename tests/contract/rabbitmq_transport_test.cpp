// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rabbitmq_transport_test.cpp -- what a real broker keeps, returns, refuses, forgets to say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <assent/rabbitmq.hpp>

#include "tests/contract/rabbitmq_client.hpp"

namespace {

using namespace std::chrono_literals;
using assent::driver_error;
using assent::errc;
using assent::message::parcel;
using assent::testing::at;
using assent::testing::in;
using assent::testing::plain_client;
using assent::testing::private_server;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

parcel made(std::string const& id, std::string const& body, std::string to = "orders",
            unsigned lane = 7)
{
    return {std::move(to), lane, id, {{"assent-position", id}}, body};
}

class RabbitmqTransport : public ::testing::Test
{
protected:
    static void SetUpTestSuite() { broker_ = private_server::rabbitmq(); }
    static void TearDownTestSuite() { broker_.reset(); }

    static private_server& broker() { return *broker_; }

private:
    static inline std::unique_ptr<private_server> broker_;
};

TEST_F(RabbitmqTransport, SendsInOrderByLane)
{
    assent::rabbitmq::transport by{at(broker())};
    by.send(made("1", "a", "orders", 0), in(30s));
    by.send(made("2", "b", "orders", 63), in(30s));
    by.send(made("3", std::string("c\0c", 3), "orders", 0), in(30s));
    auto const told = by.settle(in(30s));
    EXPECT_EQ(told.kept, 3u);
    EXPECT_EQ(told.why, "");
    EXPECT_EQ(by.settle(in(30s)).kept, 0u) << "what was settled is settled";

    plain_client look{broker()};
    plain_client other{broker()};
    auto const first = look.get("orders.00");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->id, "1");
    EXPECT_EQ(first->body, "a");
    EXPECT_EQ(first->headers.at("assent-position"), "1");
    EXPECT_EQ(first->mode, 2) << "persistent";
    EXPECT_THAT(look.bodies("orders.00"), ElementsAre(std::string("c\0c", 3)));
    EXPECT_THAT(other.bodies("orders.63"), ElementsAre("b"));
}

TEST_F(RabbitmqTransport, ManyAtOnceAreKeptAndLargeOnes)
{
    assent::rabbitmq::transport by{at(broker())};
    for (int i = 1; i <= 1000; ++i)
        by.send(made(std::to_string(i), std::to_string(i), "orders", 1), in(30s));
    by.send(made("1001", std::string(1'000'000, 'x'), "orders", 1), in(30s));
    EXPECT_EQ(by.settle(in(60s)).kept, 1001u);
    plain_client look{broker()};
    auto const all = look.bodies("orders.01");
    ASSERT_EQ(all.size(), 1001u);
    for (int i = 1; i <= 1000; ++i)
        EXPECT_EQ(all[static_cast<std::size_t>(i) - 1], std::to_string(i));
    EXPECT_EQ(all.back().size(), 1'000'000u);
}

TEST_F(RabbitmqTransport, WhatIsKeptSurvivesAKillOfTheBroker)
{
    assent::rabbitmq::transport by{at(broker())};
    by.send(made("1", "kept", "orders", 2), in(30s));
    ASSERT_EQ(by.settle(in(30s)).kept, 1u);
    broker().kill();
    EXPECT_THROW(by.send(made("2", "lost", "orders", 2), in(10s)), driver_error);
    EXPECT_EQ(by.settle(in(10s)).kept, 0u);
    broker().start();
    by.send(made("2", "again", "orders", 2), in(30s));
    auto const told = by.settle(in(30s));
    EXPECT_EQ(told.kept, 1u) << told.why;
    EXPECT_THAT(plain_client{broker()}.bodies("orders.02"), ElementsAre("kept", "again"));
}

TEST_F(RabbitmqTransport, WhatTheBrokerDidNotAnswerIsNotKept)
{
    assent::rabbitmq::transport by{at(broker())};
    by.send(made("1", "x", "orders", 3), in(30s));
    ASSERT_EQ(by.settle(in(30s)).kept, 1u);
    broker().freeze();
    by.send(made("2", "y", "orders", 3), in(1s));
    auto const told = by.settle(in(1s));
    EXPECT_EQ(told.kept, 0u);
    EXPECT_THAT(told.why, HasSubstr("no answer in time"));
    EXPECT_THROW(by.send(made("2", "y", "orders", 3), in(1s)), driver_error);
    broker().thaw();
    static_cast<void>(by.settle(in(1s)));
    by.send(made("2", "y", "orders", 3), in(30s));
    EXPECT_EQ(by.settle(in(30s)).kept, 1u);
}

TEST_F(RabbitmqTransport, AfterALossNothingOvertakesWhatWasNotSettled)
{
    assent::rabbitmq::transport by{at(broker())};
    by.send(made("1", "x", "orders", 4), in(30s));
    broker().kill();
    broker().start();
    // The first may be lost; this one would be kept before it is sent again.
    bool is_refused = false;
    for (int i = 0; i < 50 && !is_refused; ++i) {
        try {
            by.send(made("2", "y", "orders", 4), in(10s));
        } catch (driver_error const&) {
            is_refused = true;
        }
    }
    EXPECT_TRUE(is_refused);
    EXPECT_THROW(by.send(made("2", "y", "orders", 4), in(10s)), driver_error);
    auto const kept = by.settle(in(10s)).kept;
    EXPECT_LE(kept, 1u);
}

TEST_F(RabbitmqTransport, WhatNoQueueTakesIsNotKeptAndEndsTheCount)
{
    plain_client look{broker()};
    assent::rabbitmq::transport by{at(broker())};
    by.send(made("1", "lost", "news", 3), in(30s));
    auto told = by.settle(in(30s));
    EXPECT_EQ(told.kept, 0u) << "it is acknowledged, after it was returned";
    EXPECT_THAT(told.why, HasSubstr("no queue takes 1"));

    look.declare_short("readers", 2);
    look.bind("readers", "news", "03");
    by.send(made("1", "a", "news", 3), in(30s));
    by.send(made("2", std::string(300'000, 'b'), "news", 4), in(30s));  // returned, in pieces
    by.send(made("3", "c", "news", 3), in(30s));
    told = by.settle(in(30s));
    EXPECT_EQ(told.kept, 1u) << "the third is the broker's, and is sent again all the same";
    EXPECT_THAT(told.why, HasSubstr("no queue takes 2"));
    EXPECT_THAT(look.bodies("readers"), ElementsAre("a", "c"));
}

TEST_F(RabbitmqTransport, WhatAFullQueueRefusesIsNotKept)
{
    plain_client look{broker()};
    assent::rabbitmq::transport by{at(broker())};
    look.declare_short("full", 1);
    by.send(made("0", "", "news", 5), in(30s));  // which declares the exchange
    EXPECT_EQ(by.settle(in(30s)).kept, 0u);
    look.bind("full", "news", "05");
    for (int i = 1; i <= 5; ++i)
        by.send(made(std::to_string(i), std::to_string(i), "news", 5), in(30s));
    auto const told = by.settle(in(30s));
    EXPECT_EQ(told.kept, 1u);
    EXPECT_THAT(told.why, HasSubstr("the broker refused 2"));
}

TEST_F(RabbitmqTransport, AQueueWithOtherArgumentsIsRefusedByName)
{
    plain_client{broker()}.declare_short("other.07", 10);
    assent::rabbitmq::transport by{at(broker())};
    try {
        by.send(made("1", "x", "other"), in(30s));
        FAIL() << "it would lose what comes after ten";
    } catch (driver_error const& e) {
        EXPECT_EQ(e.why(), errc::unavailable);
        EXPECT_THAT(e.what(), HasSubstr("other.07"));
        EXPECT_THAT(e.what(), HasSubstr("inequivalent arg"));
    }
    EXPECT_EQ(by.settle(in(10s)).kept, 0u);
    by.send(made("1", "x", "orders"), in(30s));
    EXPECT_EQ(by.settle(in(30s)).kept, 1u) << "other destinations go on";
}

TEST_F(RabbitmqTransport, AnIdleConnectionThatTheBrokerGaveUpIsMadeAgain)
{
    assent::rabbitmq::transport by{at(broker())};
    by.send(made("1", "x", "orders", 5), in(30s));
    ASSERT_EQ(by.settle(in(30s)).kept, 1u);
    broker().stop();
    broker().start();
    by.send(made("2", "y", "orders", 5), in(30s));
    EXPECT_EQ(by.settle(in(30s)).kept, 1u);
}

TEST_F(RabbitmqTransport, ABadLoginIsToldInPlainWords)
{
    auto where = at(broker());
    where.account = "nobody";
    assent::rabbitmq::transport by{where};
    try {
        by.send(made("1", "x"), in(30s));
        FAIL();
    } catch (driver_error const& e) {
        EXPECT_THAT(e.what(), HasSubstr("refuses the login"));
    }
    EXPECT_EQ(by.settle(in(1s)).kept, 0u);

    where = at(broker());
    where.password_file = broker().directory() + "/open";
    std::ofstream{where.password_file} << "secret";
    ::chmod(where.password_file.c_str(), 0644);
    EXPECT_THROW(assent::rabbitmq::transport{where}.send(made("1", "x"), in(30s)), driver_error);

    where = at(broker());
    where.port = 1;
    EXPECT_THROW(assent::rabbitmq::transport{where}.send(made("1", "x"), in(5s)), driver_error);
}

TEST_F(RabbitmqTransport, WhatCannotBeUsedIsRefusedBeforeAnythingIsSent)
{
    auto const code = [](assent::rabbitmq::connect_options const& where) {
        try {
            assent::rabbitmq::transport{where};
        } catch (driver_error const& e) {
            return e.why();
        }
        return errc{};
    };
    auto where = at(broker());
    where.host = "broker.example";
    EXPECT_EQ(code(where), errc::bad_argument) << "the password would go over the network in clear";
    where = at(broker());
    where.account.clear();
    EXPECT_EQ(code(where), errc::bad_argument);
    where = at(broker());
    where.heartbeat = 0s;
    EXPECT_EQ(code(where), errc::bad_argument);

    assent::rabbitmq::transport by{at(broker())};
    EXPECT_THROW(by.send(made("", "x"), in(5s)), driver_error);
    EXPECT_THROW(by.send(made("1", "x", "orders", 64), in(5s)), driver_error);
    EXPECT_THROW(by.send(made("1", "x", std::string(300, 'o')), in(30s)), driver_error);
    EXPECT_THROW(by.send(made("1", "x", ""), in(30s)), driver_error);
    by.send(made("1", "x"), in(30s));
    EXPECT_EQ(by.settle(in(30s)).kept, 1u) << "and nothing of it was sent";
}

TEST(RabbitmqTransportEncrypted, TheBrokersCertificateIsChecked)
{
    auto const broker = private_server::rabbitmq({"tls=on"});
    auto where = at(*broker);
    where.host = "localhost";  // the library looks at names only, not at addresses
    where.authority = broker->authority();
    assent::rabbitmq::transport by{where};
    by.send(made("1", "x"), in(30s));
    EXPECT_EQ(by.settle(in(30s)).kept, 1u);

    where.authority = "/etc/ssl/certs/ca-certificates.crt";
    EXPECT_THROW(assent::rabbitmq::transport{where}.send(made("1", "x"), in(30s)), driver_error);
}

}  // namespace
