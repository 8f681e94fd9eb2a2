// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/gid.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace assent::postgresql_dialect {

namespace {

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char padding = '=';
constexpr std::size_t bytes_in = 3;     // of a group
constexpr std::size_t letters_out = 4;  // of it

void append_base64(std::string& to, std::string_view bytes)
{
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), bytes_in))) {
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < bytes_in; ++i)
            group = (group << 8U) | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
        for (std::size_t i = 0; i < letters_out; ++i)
            to += i <= bytes.size() ? letters[(group >> (18 - 6 * i)) & 63U] : padding;
    }
}

/// Lenient: what is not exactly as append_base64() writes it is found out by writing it again.
std::string bytes_of_base64(std::string_view text)
{
    std::string bytes;
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (char const c : text.substr(0, text.find(padding))) {
        auto const value = letters.find(c);
        if (value == std::string_view::npos) return {};
        group = (group << 6U) | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>((group >> bits) & 255U);
    }
    return bytes;
}

}  // namespace

std::string gid_of(dialects::branch_name const& name)
{
    std::string gid;
    gid.reserve(gid_bytes_max);
    if (name.is_ours()) return gid.append(name.gtrid()).append(1, '.').append(name.bqual());
    gid = std::to_string(name.format_id());
    gid += '_';
    append_base64(gid, name.gtrid());
    gid += '_';
    append_base64(gid, name.bqual());
    return gid;
}

std::optional<dialects::branch_name> branch_of(std::string_view gid)
{
    auto const first = gid.find('_');
    auto const second = gid.rfind('_');
    if (gid.size() > gid_bytes_max || first == second) return std::nullopt;
    std::int64_t format_id = -1;
    auto const [end, failed] = std::from_chars(gid.data(), gid.data() + first, format_id);
    if (failed != std::errc{} || end != gid.data() + first) return std::nullopt;
    auto const name = dialects::branch_name::foreign(
        format_id, bytes_of_base64(gid.substr(first + 1, second - first - 1)),
        bytes_of_base64(gid.substr(second + 1)));
    if (!name || gid_of(*name) != gid) return std::nullopt;
    return name;
}

}  // namespace assent::postgresql_dialect
