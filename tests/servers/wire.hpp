// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// wire.hpp -- what passes between a client and its database, message by message.
//
//   PostgreSQL   byte type, int32 length, payload; the client's first messages have no type
//   MySQL        int24 length, byte sequence, payload; a command begins at sequence 0
//
// Only as much is understood as a test needs to count messages and to see their SQL.  No
// credential is ever kept: passwords and handshakes are named, not copied.

#ifndef ASSENT_TESTS_SERVERS_WIRE_HPP
#define ASSENT_TESTS_SERVERS_WIRE_HPP

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace assent::testing {

enum class wire_protocol { postgresql, mysql };

/// One message, as it was read off the wire.
struct wire_message
{
    /// Requests: query, parse, execute, sync, startup, ... or the command's number.
    /// Replies: ok, error, complete, ready, data, ... or the message's type.
    /// Both: encryption, which is asked for, and with the text "S" granted.
    std::string kind;
    /// Requests: the SQL text.  Replies: the command tag, or the error's code and text.
    std::string text;
    bool is_request = false;
    std::size_t session = 0;  ///< numbered from 1 by the proxy, over all databases
    std::chrono::steady_clock::time_point at{};
};

/// Cuts both directions of one connection into messages.
///
/// Thread safety: distinct objects safe, one shared object unsafe.
class wire_session
{
public:
    explicit wire_session(wire_protocol protocol) noexcept : protocol_(protocol) {}

    /// @return the messages that `bytes` complete, at most up to one that begins encryption: a
    ///         request of MySQL's, a reply of PostgreSQL's.
    std::vector<wire_message> feed_request(std::string_view bytes);
    std::vector<wire_message> feed_reply(std::string_view bytes);

    /// Whether both sides go on encrypted, and the bytes of the client's that came already.
    bool is_encrypted() const noexcept { return is_encrypted_; }
    std::string take_rest();

private:
    bool take_postgresql_request(wire_message& into);
    bool take_postgresql_reply(wire_message& into);
    bool take_mysql_request(wire_message& into);
    bool take_mysql_reply(wire_message& into);

    wire_protocol protocol_;
    std::string requests_;  ///< not yet a whole message
    std::string replies_;
    bool is_started_ = false;       ///< the client's first message of a session has passed
    bool awaits_one_byte_ = false;  ///< PostgreSQL: encryption was asked for
    bool is_encrypted_ = false;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_WIRE_HPP
