// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rabbitmq_transport_test.cpp -- what a real broker keeps, returns, refuses, forgets to say.

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <assent/rabbitmq.hpp>

#include "tests/servers/private_server.hpp"

namespace {

using namespace std::chrono_literals;
using assent::driver_error;
using assent::errc;
using assent::message::parcel;
using assent::testing::private_server;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

auto in(std::chrono::seconds time)
{
    return assent::deadline::clock::now() + time;
}

/// A client by the library alone: what there is without the transport.
class plain_client
{
public:
    explicit plain_client(private_server const& broker) : state_(amqp_new_connection())
    {
        auto* const socket = amqp_tcp_socket_new(state_);
        if (amqp_socket_open(socket, "127.0.0.1", broker.port()) != AMQP_STATUS_OK)
            throw std::runtime_error("cannot connect");
        auto const reply = amqp_login(state_, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN,
                                      broker.account().c_str(), broker.password().c_str());
        if (reply.reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error("cannot log in");
        amqp_channel_open(state_, 1);
        check();
    }
    plain_client(plain_client const&) = delete;
    plain_client& operator=(plain_client const&) = delete;
    ~plain_client() { amqp_destroy_connection(state_); }

    struct seen
    {
        std::string id, body;
        std::map<std::string, std::string> headers;
        int mode = 0;
    };
    /// The oldest of a queue, which it is taken from.  (A queue with a single active consumer gives
    /// nothing to who only asks.)
    std::optional<seen> get(std::string const& queue)
    {
        if (consumed_ != queue) {
            amqp_basic_consume(state_, 1, amqp_cstring_bytes(queue.c_str()), amqp_empty_bytes, 0, 1,
                               0, amqp_empty_table);
            check();
            consumed_ = queue;
        }
        timeval const patience{2, 0};
        amqp_envelope_t came;
        auto const got = amqp_consume_message(state_, &came, &patience, 0);
        if (got.reply_type != AMQP_RESPONSE_NORMAL) return std::nullopt;
        auto const text = [](amqp_bytes_t of) {
            return std::string(static_cast<char const*>(of.bytes), of.len);
        };
        auto const& properties = came.message.properties;
        seen made{
            text(properties.message_id), text(came.message.body), {}, properties.delivery_mode};
        for (int i = 0; i < properties.headers.num_entries; ++i) {
            auto const& each = properties.headers.entries[i];
            made.headers[text(each.key)] = text(each.value.value.bytes);
        }
        amqp_destroy_envelope(&came);
        return made;
    }
    std::vector<std::string> bodies(std::string const& queue)
    {
        std::vector<std::string> all;
        while (auto const one = get(queue))
            all.push_back(one->body);
        return all;
    }
    /// A classic queue, of `length` messages at the most; more are refused.
    void declare_short(std::string const& queue, int length)
    {
        amqp_table_entry_t arguments[2]{};
        arguments[0].key = amqp_cstring_bytes("x-max-length");
        arguments[0].value.kind = AMQP_FIELD_KIND_I32;
        arguments[0].value.value.i32 = length;
        arguments[1].key = amqp_cstring_bytes("x-overflow");
        arguments[1].value.kind = AMQP_FIELD_KIND_UTF8;
        arguments[1].value.value.bytes = amqp_cstring_bytes("reject-publish");
        amqp_queue_declare(state_, 1, amqp_cstring_bytes(queue.c_str()), 0, 1, 0, 0,
                           {2, arguments});
        check();
    }
    void bind(std::string const& queue, std::string const& exchange, std::string const& key)
    {
        amqp_queue_bind(state_, 1, amqp_cstring_bytes(queue.c_str()),
                        amqp_cstring_bytes(exchange.c_str()), amqp_cstring_bytes(key.c_str()),
                        amqp_empty_table);
        check();
    }

private:
    void check() const
    {
        if (amqp_get_rpc_reply(state_).reply_type != AMQP_RESPONSE_NORMAL)
            throw std::runtime_error("the broker refuses");
    }
    amqp_connection_state_t state_;
    std::string consumed_;
};

assent::rabbitmq::connect_options at(private_server const& broker)
{
    assent::rabbitmq::connect_options where;
    where.host = "127.0.0.1";
    where.port = static_cast<std::uint16_t>(broker.port());
    where.account = broker.account();
    where.password_file = broker.directory() + "/password";
    where.fan_outs = {"news"};
    return where;
}

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
