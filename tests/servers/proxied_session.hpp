// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// proxied_session.hpp -- one connection through the proxy: two sockets, what is on its way between
// them, and what was seen of it.
//
// Where it is encrypted each side speaks to a channel of its own, so that what waits in the lanes
// is encrypted for its receiver, in order.

#ifndef ASSENT_TESTS_SERVERS_PROXIED_SESSION_HPP
#define ASSENT_TESTS_SERVERS_PROXIED_SESSION_HPP

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/servers/sockets.hpp"
#include "tests/servers/tls_channel.hpp"
#include "tests/servers/wire.hpp"

namespace assent::testing {

/// Bytes on their way in one direction.
struct lane
{
    struct chunk
    {
        std::chrono::steady_clock::time_point release;
        std::string bytes;
    };
    std::deque<chunk> waiting;
    bool has_ended = false;     ///< the sender has closed
    bool is_shut_down = false;  ///< and the receiver was told
};

struct proxied_session
{
    proxied_session(std::size_t id, wire_protocol protocol, descriptor from, descriptor to)
        : number(id), client(std::move(from)), server(std::move(to)), wire(protocol)
    {
    }

    std::size_t number;
    descriptor client;
    descriptor server;
    wire_session wire;
    lane requests;
    lane replies;
    bool is_silent = false;
    bool is_silent_after_requests = false;  ///< once what waits was delivered
    bool swallows_reply = false;
    bool is_over = false;

    bool is_encrypted() const noexcept { return to_client_.has_value(); }
    /// Both sides have just agreed to go on encrypted.
    bool is_to_be_encrypted(std::string const& certificates) const noexcept
    {
        return !is_encrypted() && wire.is_encrypted() && !certificates.empty();
    }
    void begin_encryption(std::string const& certificates)
    {
        to_client_ = tls_channel::to_client(certificates);
        to_server_ = tls_channel::to_server();
        flush();
    }

    /// What a side sent; and what that brings about is on its way.
    std::string decrypt(bool is_request, std::string_view bytes)
    {
        auto plain = (is_request ? to_client_ : to_server_)->receive(bytes);
        flush();
        return plain;
    }
    /// For the other side; nothing while its handshake lasts, after which it is sent all the same.
    std::string encrypt(bool is_request, std::string_view plain)
    {
        tls_channel& to = is_request ? *to_server_ : *to_client_;
        to.say(plain);
        return to.take_output();
    }

    void reset() noexcept
    {
        client.reset();
        server.reset();
        is_over = true;
    }

private:
    /// What the channels themselves have to say, and what waited for their handshakes.
    void flush()
    {
        for (bool const is_request : {true, false}) {
            std::string bytes = (is_request ? to_server_ : to_client_)->take_output();
            if (bytes.empty()) continue;
            auto& waiting = (is_request ? requests : replies).waiting;
            auto const after =
                waiting.empty() ? std::chrono::steady_clock::now() : waiting.back().release;
            waiting.push_back({after, std::move(bytes)});
        }
    }

    std::optional<tls_channel> to_client_;  // both, or none
    std::optional<tls_channel> to_server_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_PROXIED_SESSION_HPP
