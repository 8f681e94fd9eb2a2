// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rabbitmq_client.hpp -- a broker as its own client library sees it, for tests of ours.

#ifndef ASSENT_TESTS_CONTRACT_RABBITMQ_CLIENT_HPP
#define ASSENT_TESTS_CONTRACT_RABBITMQ_CLIENT_HPP

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <assent/rabbitmq.hpp>

#include "tests/servers/private_server.hpp"

namespace assent::testing {

inline auto in(std::chrono::seconds time)
{
    return deadline::clock::now() + time;
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
        bool const has_id = (properties._flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0;
        seen made{has_id ? text(properties.message_id) : "",
                  text(came.message.body),
                  {},
                  properties.delivery_mode};
        bool const has_headers = (properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0;
        for (int i = 0; has_headers && i < properties.headers.num_entries; ++i) {
            auto const& each = properties.headers.entries[i];
            // The broker counts how often it gave a message: a number.
            if (each.value.kind != AMQP_FIELD_KIND_UTF8) continue;
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
    void publish(std::string const& queue, std::string const& body)
    {
        amqp_basic_publish(state_, 1, amqp_empty_bytes, amqp_cstring_bytes(queue.c_str()), 0, 0,
                           nullptr, amqp_cstring_bytes(body.c_str()));
    }
    void purge(std::string const& queue)
    {
        amqp_queue_purge(state_, 1, amqp_cstring_bytes(queue.c_str()));
        check();
    }
    void remove(std::string const& queue)
    {
        amqp_queue_delete(state_, 1, amqp_cstring_bytes(queue.c_str()), 0, 0);
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

inline rabbitmq::connect_options at(private_server const& broker)
{
    rabbitmq::connect_options where;
    where.host = "127.0.0.1";
    where.port = static_cast<std::uint16_t>(broker.port());
    where.account = broker.account();
    where.password_file = broker.directory() + "/password";
    where.fan_outs = {"news"};
    return where;
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CONTRACT_RABBITMQ_CLIENT_HPP
