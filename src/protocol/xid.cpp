// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// xid.cpp -- the frozen text layout of gtrid and bqual (see include/assent/xid.hpp).

#include <assent/xid.hpp>

#include <cstring>

namespace assent {
inline namespace v0 {

namespace {

constexpr std::string_view magic = "asn1";

// The texts are made and taken apart many times for each transaction, so eight digits at once, each
// in its own byte of a word: '0' to '9' have their value in the lower half, 'a' to 'f' lack 9 there
// and have the bit 0x40.
constexpr int digits_max = 8;
constexpr std::uint64_t ones = 0x0101010101010101u;

void put_eight(char* at, std::uint32_t value) noexcept
{
    std::uint64_t word = value;
    word = (word | word << 16) & 0x0000ffff0000ffffu;
    word = (word | word << 8) & 0x00ff00ff00ff00ffu;
    word = (word | word << 4) & 15 * ones;
    std::uint64_t const letters = (word + 6 * ones) >> 4 & ones;
    word += '0' * ones + ('a' - '0' - 10) * letters;
    auto const digit = [word](int shift) { return static_cast<char>(word >> shift); };
    char const text[digits_max] = {digit(56), digit(48), digit(40), digit(32),
                                   digit(24), digit(16), digit(8),  digit(0)};
    std::memcpy(at, text, digits_max);
}

/// @pre  `digits` is a multiple of four.
void put_hex(char*& at, std::uint64_t value, int digits) noexcept
{
    for (; digits >= digits_max; digits -= digits_max, at += digits_max)
        put_eight(at, static_cast<std::uint32_t>(value >> 4 * (digits - digits_max)));
    if (digits == 0) return;
    char last[digits_max];
    put_eight(last, static_cast<std::uint32_t>(value & 0xffff));
    std::memcpy(at, last + 4, 4);
    at += 4;
}

std::uint64_t eight_at(char const* at) noexcept
{
    auto const digit = [at](int i) { return std::uint64_t{static_cast<unsigned char>(at[i])}; };
    // Not as a loop: compilers make one load of it.
    std::uint64_t word = digit(0) << 56 | digit(1) << 48 | digit(2) << 40 | digit(3) << 32 |
                         digit(4) << 24 | digit(5) << 16 | digit(6) << 8 | digit(7);
    word = (word & 15 * ones) + 9 * (word >> 6 & ones);
    word = (word | word >> 4) & 0x00ff00ff00ff00ffu;
    word = (word | word >> 8) & 0x0000ffff0000ffffu;
    return (word | word >> 16) & 0xffffffffu;
}

/// Of a text that was made or parsed here.  @pre  `digits` is a multiple of four.
std::uint64_t hex_at(char const* at, int digits) noexcept
{
    std::uint64_t value = 0;
    for (; digits >= digits_max; digits -= digits_max, at += digits_max)
        value = value << 32 | eight_at(at);
    if (digits == 0) return value;
    char last[digits_max] = {'0', '0', '0', '0', at[0], at[1], at[2], at[3]};
    return value << 16 | eight_at(last);
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
