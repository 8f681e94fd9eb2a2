// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/html.hpp"

#include <algorithm>
#include <utility>

#include "recovery/cli/text.hpp"

namespace assent::cli {

std::string html(std::string_view text)
{
    std::string safe;
    for (char const c : escaped(text)) {
        switch (c) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe += c;
        }
    }
    return safe;
}

std::string html_code(std::string_view text)
{
    return "<code>" + html(text) + "</code>";
}

std::string html_command(std::string_view text)
{
    std::string words;
    while (!text.empty()) {
        auto const length = std::min(text.find(' '), text.size());
        auto const word = html(text.substr(0, length));
        words += text[0] == '-' ? "<span>" + word + "</span>" : word;
        text.remove_prefix(length);
        if (text.empty()) break;
        words += ' ';
        text.remove_prefix(1);
    }
    return "<code>" + words + "</code>";
}

std::string html_time(std::int64_t unix_ms)
{
    if (unix_ms == 0) return "not known";
    return "<time datetime=\"" + html(iso_utc(unix_ms)) + "\">" + html(utc(unix_ms)) + "</time>";
}

// The roles are said again, because a browser forgets them where the cells become blocks.
html_table::html_table(std::string_view caption, std::vector<std::string> columns)
    : columns_(std::move(columns))
{
    head_ = "<table role=\"table\"><caption>" + html(caption) +
            "</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">";
    for (auto const& column : columns_) {
        head_ += "<th scope=\"col\" role=\"columnheader\">" + html(column) + "</th>";
    }
    head_ += "</tr></thead>\n<tbody role=\"rowgroup\">\n";
}

void html_table::add(std::vector<std::string> const& cells)
{
    if (++size_ > rows_max) return;
    rows_ += "<tr role=\"row\">";
    for (std::size_t i = 0; i < cells.size(); ++i) {
        auto const label = " data-label=\"" + html(columns_.at(i)) + "\">";
        rows_ += i == 0 ? "<th scope=\"row\" role=\"rowheader\"" + label + cells[i] + "</th>"
                        : "<td role=\"cell\"" + label + "<span>" + cells[i] + "</span></td>";
    }
    rows_ += "</tr>\n";
}

std::string html_table::markup() const
{
    auto text = head_ + rows_ + "</tbody></table>\n";
    if (size_ > rows_max) {
        text += "<p class=\"more\">" + std::to_string(size_ - rows_max) +
                " more are not shown: this page shows at most " + std::to_string(rows_max) +
                " in one table.</p>\n";
    }
    return text;
}

}  // namespace assent::cli
