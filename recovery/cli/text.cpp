// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

namespace assent::cli {

namespace {

std::string format_utc(std::int64_t unix_ms, char const* form)
{
    // Rounded down, also before 1970.
    std::int64_t const ms = ((unix_ms % 1000) + 1000) % 1000;
    auto const seconds = static_cast<std::time_t>((unix_ms - ms) / 1000);
    std::tm parts{};
    if (::gmtime_r(&seconds, &parts) == nullptr) return std::to_string(unix_ms) + " ms";
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), form, &parts);
    return text.data();
}

/// Characters, not bytes: the names in our tables are ASCII, a server's words may be UTF-8.
std::size_t width(std::string const& text)
{
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string utc(std::int64_t unix_ms)
{
    return unix_ms == 0 ? "-" : format_utc(unix_ms, "%Y-%m-%d %H:%M:%S UTC");
}

std::string iso_utc(std::int64_t unix_ms)
{
    std::array<char, 8> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                  static_cast<int>(((unix_ms % 1000) + 1000) % 1000));
    return format_utc(unix_ms, "%Y-%m-%dT%H:%M:%S") + fraction.data();
}

std::string hex(std::uint64_t number, int digits)
{
    std::string text;
    for (int i = digits; i-- > 0;)
        text += "0123456789abcdef"[number >> (4 * i) & 15];
    return text;
}

std::string bytes(std::uint64_t number)
{
    constexpr std::array<char const*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(number);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit)
        value /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text.data();
}

std::string printable(std::string_view text)
{
    std::string clean{text};
    std::replace_if(
        clean.begin(), clean.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    return clean;
}

std::string painter::operator()(colour with, std::string const& text) const
{
    if (!is_on_ || with == colour::plain || text.empty()) return text;
    return "\x1b[" + std::to_string(static_cast<int>(with)) + "m" + text + "\x1b[0m";
}

void table::add(std::vector<std::string> cells, colour painted)
{
    for (auto& cell : cells)
        cell = printable(cell);
    rows_.push_back({std::move(cells), painted});
}

std::string table::text(painter const& paint, std::size_t indent) const
{
    std::vector<std::size_t> widths;
    for (auto const& [cells, painted] : rows_) {
        widths.resize(std::max(widths.size(), cells.size()));
        for (std::size_t i = 0; i < cells.size(); ++i) {
            widths[i] = std::max(widths[i], width(cells[i]));
        }
    }
    std::string all;
    for (auto const& each : rows_) {
        auto const end = std::find_if(each.cells.rbegin(), each.cells.rend(),
                                      [](auto const& cell) { return !cell.empty(); });
        auto const count = static_cast<std::size_t>(each.cells.rend() - end);
        std::string line(indent, ' ');
        for (std::size_t i = 0; i < count; ++i) {
            bool const is_last = i + 1 == count;
            auto const with =
                &each == &rows_.front() ? colour::bold : (is_last ? each.painted : colour::plain);
            line += paint(with, each.cells[i]);
            // No blanks at the end of a line.
            if (!is_last) line.append(widths[i] - width(each.cells[i]) + 2, ' ');
        }
        all += line + "\n";
    }
    return all;
}

}  // namespace assent::cli
