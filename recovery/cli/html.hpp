// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// html.hpp -- pieces of an HTML page.  What others wrote becomes text here, and never markup.

#ifndef ASSENT_RECOVERY_CLI_HTML_HPP
#define ASSENT_RECOVERY_CLI_HTML_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assent::cli {

/// Text as it stands in an element or in a quoted attribute: nothing in it is markup, a reader sees
/// each control character and each byte that is no UTF-8 as \\xNN.
std::string html(std::string_view text);

/// The same, of an identifier or something that is typed: in a fixed width, wrapped anywhere.
std::string html_code(std::string_view text);

/// The same, of a command; none of its options is broken over two lines.
std::string html_command(std::string_view text);

/// A time for people and for programs; `not known` for 0.
std::string html_time(std::int64_t unix_ms);

/// A table that a screen reader can walk through, and that a narrow screen shows as cards.
class html_table
{
public:
    /// `caption` and `columns` are text.
    html_table(std::string_view caption, std::vector<std::string> columns);

    /// One row of markup; its first cell names it.
    void add(std::vector<std::string> const& cells);
    std::size_t size() const noexcept { return size_; }
    /// Of more rows than `rows_max` only these are shown, and a line says how many are not.
    std::string markup() const;

    static constexpr std::size_t rows_max = 1000;

private:
    std::string head_;
    std::vector<std::string> columns_;
    std::string rows_;
    std::size_t size_ = 0;
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_HTML_HPP
