// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tls_channel.hpp -- one side of a proxy's connection, encrypted: bytes in, bytes out, no socket.
//
//   auto plain = channel.receive(from_the_peer);   // what it said, once the handshake is over
//   channel.say(plain);                            // may come before that, and waits for it
//   send(channel.take_output());                   // after either, also of the handshake itself
//
// So a proxy between two channels reads what a client and its database say to each other.

#ifndef ASSENT_TESTS_SERVERS_TLS_CHANNEL_HPP
#define ASSENT_TESTS_SERVERS_TLS_CHANNEL_HPP

#include <memory>
#include <string>
#include <string_view>

namespace assent::testing {

/// Thread safety: distinct objects safe, one shared object unsafe.
class tls_channel
{
public:
    /// Without OpenSSL there are none.
    static bool are_here() noexcept;

    /// Towards a client, by the certificate of `directory` (private_server::certificates()).
    static tls_channel to_client(std::string const& directory);
    /// Towards a server, whose certificate is not looked at.
    static tls_channel to_server();

    tls_channel(tls_channel&&) noexcept;
    tls_channel& operator=(tls_channel&&) noexcept;
    ~tls_channel();

    std::string receive(std::string_view encrypted);
    void say(std::string_view plain);
    std::string take_output();

private:
    struct impl;
    explicit tls_channel(std::unique_ptr<impl> made) noexcept;
    std::unique_ptr<impl> impl_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_TLS_CHANNEL_HPP
