// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/xid_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace assent::mysql_dialect {

namespace {

bool is_plain(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    });
}

void append_hexadecimal(std::string& to, std::string_view bytes)
{
    constexpr char digits[] = "0123456789abcdef";
    to += "X'";
    auto at = to.size();
    to.resize(at + 2 * bytes.size() + 1, '\'');
    for (unsigned char const c : bytes) {
        to[at++] = digits[c >> 4];
        to[at++] = digits[c & 15];
    }
}

std::string write(std::string_view global, std::string_view branch, std::int64_t format_id)
{
    std::string text;
    text.reserve(2 * (global.size() + branch.size()) + 32);
    append_hexadecimal(text, global);
    text += ',';
    append_hexadecimal(text, branch);
    text += ',';
    text += std::to_string(format_id);
    return text;
}

template <typename Number>
std::optional<Number> to_number(std::string_view text)
{
    Number value{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::string hexadecimal(std::string_view bytes)
{
    std::string text;
    append_hexadecimal(text, bytes);
    return text;
}

std::optional<std::string> render(std::string_view global, std::string_view branch)
{
    if (!is_plain(global) || !is_plain(branch)) return std::nullopt;
    return write(global, branch, mysql_format_id);
}

std::optional<std::string> render(dialects::branch_name const& x)
{
    if (x.is_ours()) return render(x.gtrid(), x.bqual());
    // Where names are kept as they are, it would be one of ours.
    bool const is_forged =
        x.format_id() == mysql_format_id && gtrid::parse(x.gtrid()) && bqual::parse(x.bqual());
    if (is_forged) return std::nullopt;
    return write(x.gtrid(), x.bqual(), x.format_id());
}

bool is_taken(dialects::branch_name const& x, bool mariadb, unsigned version) noexcept
{
    constexpr unsigned keeps_every_byte = 90000;
    if (mariadb || version >= keeps_every_byte) return true;
    auto const has_nul = [](std::string_view part) {
        return part.find('\0') != std::string_view::npos;
    };
    return !has_nul(x.gtrid()) && !has_nul(x.bqual());
}

std::optional<std::string> render(xid const& x)
{
    return render(x.global.text(), x.branch.text());
}

std::optional<xid> read_listed(std::string_view format_id, std::string_view global_length,
                               std::string_view branch_length, std::string_view data)
{
    if (to_number<long>(format_id) != mysql_format_id) return std::nullopt;
    auto const global_bytes = to_number<std::size_t>(global_length);
    auto const branch_bytes = to_number<std::size_t>(branch_length);
    if (!global_bytes || !branch_bytes || *global_bytes > data.size() ||
        *branch_bytes != data.size() - *global_bytes) {
        return std::nullopt;
    }
    auto const global = gtrid::parse(data.substr(0, *global_bytes));
    auto const branch = bqual::parse(data.substr(*global_bytes));
    if (!global || !branch) return std::nullopt;
    return xid{*global, *branch};
}

std::optional<dialects::branch_name> read_foreign(std::string_view format_id,
                                                  std::string_view global_length,
                                                  std::string_view branch_length,
                                                  std::string_view data)
{
    if (read_listed(format_id, global_length, branch_length, data)) return std::nullopt;
    auto const format = to_number<std::int64_t>(format_id);
    auto const global_bytes = to_number<std::size_t>(global_length);
    auto const branch_bytes = to_number<std::size_t>(branch_length);
    bool const is_whole = format && global_bytes && branch_bytes && *global_bytes <= data.size() &&
                          *branch_bytes == data.size() - *global_bytes;
    if (!is_whole) return std::nullopt;
    return dialects::branch_name::foreign(*format, data.substr(0, *global_bytes),
                                          data.substr(*global_bytes));
}

}  // namespace assent::mysql_dialect
