// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// wire_test.cpp -- messages are seen whole, however the bytes arrive.

#include "tests/servers/wire.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace assent::testing {
namespace {

std::string number(std::uint32_t value)
{
    return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
            static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string postgresql_message(char type, std::string const& payload)
{
    return type + number(static_cast<std::uint32_t>(payload.size() + 4)) + payload;
}

std::string mysql_packet(unsigned sequence, std::string const& payload)
{
    std::size_t const size = payload.size();
    return std::string{static_cast<char>(size), static_cast<char>(size >> 8),
                       static_cast<char>(size >> 16), static_cast<char>(sequence)} +
           payload;
}

std::string const zero(1, '\0');

std::vector<wire_message> byte_by_byte(
    wire_session& session, std::string const& bytes,
    std::vector<wire_message> (wire_session::*feed)(std::string_view))
{
    std::vector<wire_message> all;
    for (char const byte : bytes) {
        for (auto& each : (session.*feed)(std::string_view(&byte, 1)))
            all.push_back(each);
    }
    return all;
}

TEST(Wire, ReadsPostgresqlRequestsAfterStartup)
{
    wire_session session(wire_protocol::postgresql);
    std::string const bytes =
        number(8) + number(80877103) + number(14) + number(196608) + std::string("user\0\0", 6) +
        postgresql_message('p', "secret" + zero) +
        postgresql_message('Q', "SELECT 1; SELECT 2" + zero) +
        postgresql_message('P', "name" + zero + "SELECT $1" + zero) + postgresql_message('X', "");

    auto const seen = byte_by_byte(session, bytes, &wire_session::feed_request);

    ASSERT_EQ(seen.size(), 6u);
    EXPECT_EQ(seen[0].kind, "encryption");
    EXPECT_EQ(seen[1].kind, "startup");
    EXPECT_EQ(seen[2].kind, "password");
    EXPECT_EQ(seen[2].text, "");
    EXPECT_EQ(seen[3].kind, "query");
    EXPECT_EQ(seen[3].text, "SELECT 1; SELECT 2");
    EXPECT_EQ(seen[4].kind, "parse");
    EXPECT_EQ(seen[4].text, "SELECT $1");
    EXPECT_EQ(seen[5].kind, "terminate");
    EXPECT_TRUE(seen[5].is_request);
}

TEST(Wire, ReadsPostgresqlRepliesAfterARefusedEncryption)
{
    wire_session session(wire_protocol::postgresql);
    session.feed_request(number(8) + number(80877103));
    std::string const bytes =
        "N" + postgresql_message('C', "PREPARE TRANSACTION" + zero) +
        postgresql_message('E', "SERROR" + zero + "C42704" + zero + "Mno such" + zero + zero) +
        postgresql_message('Z', "I");

    auto const seen = byte_by_byte(session, bytes, &wire_session::feed_reply);

    ASSERT_EQ(seen.size(), 4u);
    EXPECT_EQ(seen[1].kind, "complete");
    EXPECT_EQ(seen[1].text, "PREPARE TRANSACTION");
    EXPECT_EQ(seen[2].kind, "error");
    EXPECT_EQ(seen[2].text, "42704 no such");
    EXPECT_EQ(seen[3].kind, "ready");
    EXPECT_FALSE(seen[3].is_request);
}

TEST(Wire, StopsWhereEncryptionBegins)
{
    wire_session my(wire_protocol::mysql);
    std::string const hello{"\x16\x03\x01 a handshake"};
    EXPECT_FALSE(my.is_encrypted());

    auto const asked = my.feed_request(mysql_packet(1, std::string(32, 'c')) + hello);

    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].kind, "encryption");
    EXPECT_TRUE(my.is_encrypted());
    EXPECT_EQ(my.take_rest(), hello);
    auto const account = my.feed_request(mysql_packet(2, std::string(32, 'c')));
    ASSERT_EQ(account.size(), 1u);
    EXPECT_EQ(account[0].kind, "handshake") << "only the first of a session";

    wire_session pg(wire_protocol::postgresql);
    pg.feed_request(number(8) + number(80877103));
    EXPECT_FALSE(pg.is_encrypted()) << "not before the server has said so";
    EXPECT_EQ(pg.feed_reply("S").at(0).text, "S");
    EXPECT_TRUE(pg.is_encrypted());
}

TEST(Wire, ReadsMysqlCommandsAndTheirReplies)
{
    wire_session session(wire_protocol::mysql);

    auto const requests = byte_by_byte(
        session,
        mysql_packet(1, "credentials") + mysql_packet(0, "\x03XA END 'a'; XA PREPARE 'a'") +
            mysql_packet(0, "\x03" + zero + "\x01" + "SELECT 1") + mysql_packet(0, "\x1f"),
        &wire_session::feed_request);
    auto const replies = byte_by_byte(
        session, mysql_packet(1, zero + zero) + mysql_packet(1, "\xff\x75\x05#XAE04Unknown"),
        &wire_session::feed_reply);

    ASSERT_EQ(requests.size(), 4u);
    EXPECT_EQ(requests[0].kind, "handshake");
    EXPECT_EQ(requests[0].text, "");
    EXPECT_EQ(requests[1].text, "XA END 'a'; XA PREPARE 'a'");
    EXPECT_EQ(requests[2].text, "SELECT 1");
    EXPECT_EQ(requests[3].kind, "reset connection");
    ASSERT_EQ(replies.size(), 2u);
    EXPECT_EQ(replies[0].kind, "ok");
    EXPECT_EQ(replies[1].text, "1397 #XAE04Unknown");
}

}  // namespace
}  // namespace assent::testing
