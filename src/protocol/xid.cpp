// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// xid.cpp -- the frozen text layout of gtrid and bqual (see include/assent/xid.hpp).

#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

namespace {

constexpr std::string_view magic = "asn1";

void put_hex(char*& at, std::uint64_t value, int digits) noexcept
{
    constexpr char digit[] = "0123456789abcdef";
    for (int i = digits - 1; i >= 0; --i) {
        *at++ = digit[(value >> (4 * i)) & 0xf];
    }
}

/// Reads `digits` lower-case hexadecimal digits; anything else is not one of ours.
bool take_hex(char const*& at, int digits, std::uint64_t& value) noexcept
{
    value = 0;
    for (int i = 0; i < digits; ++i, ++at) {
        unsigned nibble = 0;
        if (*at >= '0' && *at <= '9') {
            nibble = static_cast<unsigned>(*at - '0');
        } else if (*at >= 'a' && *at <= 'f') {
            nibble = static_cast<unsigned>(*at - 'a') + 10;
        } else {
            return false;
        }
        value = value << 4 | nibble;
    }
    return true;
}

std::uint64_t hex_at(char const* at, int digits) noexcept
{
    std::uint64_t value = 0;
    take_hex(at, digits, value);
    return value;
}

bool is_place(char c) noexcept
{
    return c == 'l' || c == 'r' || c == 'x';
}

}  // namespace

gtrid gtrid::make(fields const& parts) noexcept
{
    gtrid made;
    char* at = made.text_.data();
    for (char c : magic)
        *at++ = c;
    *at++ = static_cast<char>(parts.place);
    put_hex(at, parts.place_resource_manager, 4);
    put_hex(at, parts.node, 16);
    put_hex(at, parts.epoch, 8);
    put_hex(at, parts.nonce, 12);
    put_hex(at, parts.sequence, 12);
    return made;
}

std::optional<gtrid> gtrid::parse(std::string_view text) noexcept
{
    if (text.size() != length || text.substr(0, magic.size()) != magic) return std::nullopt;
    if (!is_place(text[magic.size()])) return std::nullopt;
    char const* at = text.data() + magic.size() + 1;
    std::uint64_t ignored = 0;
    for (int digits : {4, 16, 8, 12, 12}) {
        if (!take_hex(at, digits, ignored)) return std::nullopt;
    }
    gtrid parsed;
    std::memcpy(parsed.text_.data(), text.data(), length);
    return parsed;
}

gtrid::fields gtrid::parts() const noexcept
{
    fields parts;
    if (is_null()) return parts;
    char const* at = text_.data() + magic.size();
    parts.place = static_cast<decision_place>(at[0]);
    parts.place_resource_manager = static_cast<std::uint16_t>(hex_at(at + 1, 4));
    parts.node = hex_at(at + 5, 16);
    parts.epoch = static_cast<std::uint32_t>(hex_at(at + 21, 8));
    parts.nonce = hex_at(at + 29, 12);
    parts.sequence = hex_at(at + 41, 12);
    return parts;
}

bqual bqual::make(fields const& parts) noexcept
{
    bqual made;
    char* at = made.text_.data();
    put_hex(at, parts.resource_manager, 4);
    put_hex(at, parts.branch, 4);
    put_hex(at, parts.session, 16);
    return made;
}

std::optional<bqual> bqual::parse(std::string_view text) noexcept
{
    if (text.size() != length) return std::nullopt;
    char const* at = text.data();
    std::uint64_t ignored = 0;
    for (int digits : {4, 4, 16}) {
        if (!take_hex(at, digits, ignored)) return std::nullopt;
    }
    bqual parsed;
    std::memcpy(parsed.text_.data(), text.data(), length);
    return parsed;
}

bqual::fields bqual::parts() const noexcept
{
    char const* at = text_.data();
    fields parts;
    parts.resource_manager = static_cast<std::uint16_t>(hex_at(at, 4));
    parts.branch = static_cast<std::uint16_t>(hex_at(at + 4, 4));
    parts.session = hex_at(at + 8, 16);
    return parts;
}

std::optional<xid> xid::parse(std::string_view text) noexcept
{
    if (text.size() != gtrid::length + 1 + bqual::length || text[gtrid::length] != '.') {
        return std::nullopt;
    }
    auto const global = gtrid::parse(text.substr(0, gtrid::length));
    auto const branch = bqual::parse(text.substr(gtrid::length + 1));
    if (!global || !branch) return std::nullopt;
    return xid{*global, *branch};
}

}  // namespace v0
}  // namespace assent
