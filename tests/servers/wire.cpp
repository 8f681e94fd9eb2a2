// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// wire.cpp -- the two message formats.

#include "tests/servers/wire.hpp"

#include <cstdint>
#include <utility>

namespace assent::testing {
namespace {

constexpr std::size_t encryption_request_bytes = 32;

std::uint32_t byte_at(std::string_view from, std::size_t i)
{
    return static_cast<unsigned char>(from[i]);
}

std::uint32_t big_endian(std::string_view from, std::size_t i)
{
    return byte_at(from, i) << 24 | byte_at(from, i + 1) << 16 | byte_at(from, i + 2) << 8 |
           byte_at(from, i + 3);
}

std::string c_string(std::string_view from)
{
    return std::string(from.substr(0, from.find('\0')));
}

std::string_view after_zero(std::string_view from)
{
    auto const zero = from.find('\0');
    return zero == std::string_view::npos ? std::string_view{} : from.substr(zero + 1);
}

// Removes one MySQL packet from `from`, if it is whole.
bool take_packet(std::string& from, std::uint32_t& sequence, std::string& payload)
{
    if (from.size() < 4) return false;
    std::size_t const length = byte_at(from, 0) | byte_at(from, 1) << 8 | byte_at(from, 2) << 16;
    if (from.size() < 4 + length) return false;
    sequence = byte_at(from, 3);
    payload = from.substr(4, length);
    from.erase(0, 4 + length);
    return true;
}

// Removes one typed PostgreSQL message from `from`, if it is whole.
bool take_typed(std::string& from, char& type, std::string& payload)
{
    if (from.size() < 5) return false;
    std::size_t const length = big_endian(from, 1);
    if (from.size() < 1 + length) return false;
    type = from[0];
    payload = length > 4 ? from.substr(5, length - 4) : std::string{};
    from.erase(0, 1 + length);
    return true;
}

// ErrorResponse: fields of one letter and a zero-terminated text each.
std::string error_fields(std::string_view payload)
{
    std::string code;
    std::string text;
    while (!payload.empty() && payload[0] != '\0') {
        if (payload[0] == 'C') code = c_string(payload.substr(1));
        if (payload[0] == 'M') text = c_string(payload.substr(1));
        payload = after_zero(payload);
    }
    return code + " " + text;
}

}  // namespace

std::vector<wire_message> wire_session::feed_request(std::string_view bytes)
{
    requests_.append(bytes);
    std::vector<wire_message> whole;
    for (wire_message next; protocol_ == wire_protocol::postgresql ? take_postgresql_request(next)
                                                                   : take_mysql_request(next);
         next = {}) {
        next.is_request = true;
        bool const is_last = protocol_ == wire_protocol::mysql && next.kind == "encryption";
        whole.push_back(std::move(next));
        if (is_last) break;
    }
    return whole;
}

std::vector<wire_message> wire_session::feed_reply(std::string_view bytes)
{
    replies_.append(bytes);
    std::vector<wire_message> whole;
    for (wire_message next; protocol_ == wire_protocol::postgresql ? take_postgresql_reply(next)
                                                                   : take_mysql_reply(next);
         next = {}) {
        whole.push_back(std::move(next));
    }
    return whole;
}

std::string wire_session::take_rest()
{
    return std::exchange(requests_, {});
}

bool wire_session::take_postgresql_request(wire_message& into)
{
    if (!is_started_) {
        if (requests_.size() < 8) return false;
        std::size_t const length = big_endian(requests_, 0);
        if (requests_.size() < length) return false;
        switch (big_endian(requests_, 4)) {
            case 80877103:  // SSLRequest
            case 80877104:  // GSSENCRequest
                into.kind = "encryption";
                awaits_one_byte_ = true;
                break;
            case 80877102:
                into.kind = "cancel";
                break;
            default:
                into.kind = "startup";
                is_started_ = true;
        }
        requests_.erase(0, length);
        return true;
    }
    char type = 0;
    std::string payload;
    if (!take_typed(requests_, type, payload)) return false;
    switch (type) {
        case 'Q':
            into.kind = "query";
            into.text = c_string(payload);
            break;
        case 'P':
            into.kind = "parse";
            into.text = c_string(after_zero(payload));
            break;
        case 'E':
            into.kind = "execute";
            break;
        case 'S':
            into.kind = "sync";
            break;
        case 'X':
            into.kind = "terminate";
            break;
        case 'p':
            into.kind = "password";
            break;
        default:
            into.kind = std::string(1, type);
    }
    return true;
}

bool wire_session::take_postgresql_reply(wire_message& into)
{
    if (awaits_one_byte_) {
        if (replies_.empty()) return false;
        into.kind = "encryption";
        into.text = replies_.substr(0, 1);
        is_encrypted_ = into.text == "S";
        replies_.erase(0, 1);
        awaits_one_byte_ = false;
        return true;
    }
    char type = 0;
    std::string payload;
    if (!take_typed(replies_, type, payload)) return false;
    switch (type) {
        case 'C':
            into.kind = "complete";
            into.text = c_string(payload);
            break;
        case 'E':
            into.kind = "error";
            into.text = error_fields(payload);
            break;
        case 'D':
            into.kind = "data";
            break;
        case 'Z':
            into.kind = "ready";
            into.text = payload;
            break;
        default:
            into.kind = std::string(1, type);
    }
    return true;
}

bool wire_session::take_mysql_request(wire_message& into)
{
    std::uint32_t sequence = 0;
    std::string payload;
    if (!take_packet(requests_, sequence, payload)) return false;
    if (sequence != 0 || payload.empty()) {
        // The first of a client that wants encryption is cut off before the account's name.
        bool const begins = !is_started_ && payload.size() == encryption_request_bytes;
        into.kind = begins ? "encryption" : "handshake";
        is_started_ = true;
        if (begins) is_encrypted_ = true;
        return true;
    }
    std::string_view rest(payload);
    rest.remove_prefix(1);
    switch (byte_at(payload, 0)) {
        case 0x01:
            into.kind = "quit";
            break;
        case 0x03:
            into.kind = "query";
            // MySQL 8 clients may put "no attributes, one set" before the text.
            if (rest.size() >= 2 && rest[0] == '\0' && rest[1] == '\1') rest.remove_prefix(2);
            into.text = std::string(rest);
            break;
        case 0x0e:
            into.kind = "ping";
            break;
        case 0x11:
            into.kind = "change user";
            break;
        case 0x16:
            into.kind = "parse";
            into.text = std::string(rest);
            break;
        case 0x17:
            into.kind = "execute";
            break;
        case 0x1f:
            into.kind = "reset connection";
            break;
        default:
            into.kind = "command " + std::to_string(byte_at(payload, 0));
    }
    return true;
}

bool wire_session::take_mysql_reply(wire_message& into)
{
    std::uint32_t sequence = 0;
    std::string payload;
    if (!take_packet(replies_, sequence, payload)) return false;
    unsigned const first = payload.empty() ? 0x100 : byte_at(payload, 0);
    // Inside a result set a row may begin with any of these bytes: only a hint there.
    if (first == 0x00) {
        into.kind = "ok";
    } else if (first == 0xff && payload.size() >= 3) {
        into.kind = "error";
        into.text = std::to_string(byte_at(payload, 1) | byte_at(payload, 2) << 8) + " " +
                    payload.substr(3);
    } else if (first == 0xfe && payload.size() < 9) {
        into.kind = "eof";
    } else {
        into.kind = "data";
    }
    return true;
}

}  // namespace assent::testing
