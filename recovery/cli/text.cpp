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

/// The length of the UTF-8 character that `text` begins with; 0: none does.
std::size_t character_at(std::string_view text)
{
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    std::size_t length = 1;
    if (byte(0) >= 0xf0 && byte(0) < 0xf5) {
        length = 4;
    } else if (byte(0) >= 0xe0) {
        length = 3;
    } else if (byte(0) >= 0xc2) {
        length = 2;
    } else if (byte(0) >= 0x80) {
        return 0;
    }
    if (byte(0) >= 0xf5 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    // Longer than needed, or no character: what looks harmless here may not be so elsewhere.
    bool const is_wrong =
        (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) >= 0xa0) ||
        (byte(0) == 0xf0 && byte(1) < 0x90) || (byte(0) == 0xf4 && byte(1) >= 0x90);
    return is_wrong ? 0 : length;
}

/// Whether a terminal acts upon it instead of showing it: C0, DEL, C1 (U+0080 to U+009F), and what
/// turns the direction of writing (U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
bool is_control(std::string_view character)
{
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
    if (character.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
    if (character.size() != 3 || byte(0) != 0xe2) return false;
    bool const is_mark = byte(1) == 0x80 && (byte(2) == 0x8e || byte(2) == 0x8f);
    bool const is_embedding = byte(1) == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae;
    bool const is_isolate = byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;
    return is_mark || is_embedding || is_isolate;
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

std::string duration(std::chrono::microseconds time)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f ms", static_cast<double>(time.count()) / 1000);
    return text.data();
}

std::string printable(std::string_view text)
{
    std::string clean{text};
    std::replace_if(
        clean.begin(), clean.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    return clean;
}

std::string escaped(std::string_view text)
{
    std::string clean;
    while (!text.empty()) {
        std::size_t const length = character_at(text);
        bool const is_plain = length > 0 && !is_control(text.substr(0, length));
        if (text[0] == '\\') {
            clean += "\\\\";
        } else if (is_plain) {
            clean += text.substr(0, length);
        } else {
            for (unsigned char const c : text.substr(0, std::max<std::size_t>(length, 1))) {
                clean += "\\x" + hex(c, 2);
            }
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
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
