// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// text.hpp -- times, tables and colours, for people.

#ifndef ASSENT_RECOVERY_CLI_TEXT_HPP
#define ASSENT_RECOVERY_CLI_TEXT_HPP

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assent::cli {

/// `2026-01-01 12:00:00 UTC`; `-` for 0, which means that it is not known.
std::string utc(std::int64_t unix_ms);
/// `2026-01-01T12:00:00.123Z`
std::string iso_utc(std::int64_t unix_ms);

/// `digits` lower-case hexadecimal digits.
std::string hex(std::uint64_t number, int digits);

/// `16.0 MiB`
std::string bytes(std::uint64_t number);

/// `0.213 ms`
std::string duration(std::chrono::microseconds time);

/// What others wrote (a server's words, a person's), without control characters.
std::string printable(std::string_view text);

/// The same, with nothing lost: control characters, those that turn the direction of writing, and
/// bytes that are no UTF-8 are written as \\xNN, and a backslash as two.
std::string escaped(std::string_view text);

enum class colour : std::uint8_t { plain = 0, bold = 1, red = 31, green = 32, yellow = 33 };

/// Paints, or leaves as it is: only a terminal gets colours.
class painter
{
public:
    explicit painter(bool is_on) : is_on_(is_on) {}
    std::string operator()(colour with, std::string const& text) const;

private:
    bool is_on_;
};

/// Columns side by side, each as wide as its widest cell.
class table
{
public:
    explicit table(std::vector<std::string> header) : rows_{{std::move(header), {}}} {}

    /// One row; `painted` is the colour of its last cell that has a text.
    void add(std::vector<std::string> cells, colour painted = colour::plain);
    bool is_empty() const noexcept { return rows_.size() == 1; }

    /// Every line indented by `indent` blanks.
    std::string text(painter const& paint, std::size_t indent = 0) const;

private:
    struct row
    {
        std::vector<std::string> cells;
        colour painted = colour::plain;
    };
    std::vector<row> rows_;
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_TEXT_HPP
