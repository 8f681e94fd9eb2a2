// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/watch.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>

#include "recovery/cli/text.hpp"

namespace assent::cli {

namespace {

constexpr char escape = '\x1b';

std::vector<std::string> lines_of(std::string const& text)
{
    std::vector<std::string> all;
    std::istringstream from{text};
    for (std::string line; std::getline(from, line);)
        all.push_back(std::move(line));
    return all;
}

/// Without colours.
std::string plain(std::string const& line)
{
    std::string text;
    bool is_inside = false;
    for (char const c : line) {
        if (c == escape) is_inside = true;
        if (!is_inside) text += c;
        if (is_inside && c == 'm') is_inside = false;
    }
    return text;
}

/// A line that wraps would take two, and moving up would miss the first.
std::string clipped(std::string const& line, std::size_t columns)
{
    std::string text;
    std::size_t width = 0;
    bool is_inside = false;
    bool is_coloured = false;
    for (char const c : line) {
        bool const is_continued = (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
        if (c == escape) is_inside = is_coloured = true;
        if (!is_inside && !is_continued && ++width > columns) {
            return text + (is_coloured ? "\x1b[0m" : "");
        }
        text += c;
        if (is_inside && c == 'm') is_inside = false;
    }
    return text;
}

/// The same place of a terminal, over and over.
class canvas
{
public:
    canvas(std::ostream& out, std::function<screen_size()> const& size) : out_(out), size_(size) {}

    void draw(std::vector<std::string> lines)
    {
        auto const size = size_ ? size_() : screen_size{};
        auto const room = std::max<std::size_t>(size.rows, 3) - 1;  // the cursor's own line
        if (lines.size() > room) {
            auto const more = lines.size() - room + 1;
            lines.resize(room - 1);
            lines.push_back("... " + std::to_string(more) + " more lines: assent status");
        }
        // What was drawn before a smaller window cannot be reached any more.
        auto const up = std::min(drawn_, room);
        if (up > 0) out_ << "\x1b[" << up << 'A';
        out_ << "\r\x1b[J";
        for (auto const& line : lines)
            out_ << clipped(line, size.columns) << '\n';
        out_ << std::flush;
        drawn_ = lines.size();
    }

private:
    std::ostream& out_;
    std::function<screen_size()> const& size_;
    std::size_t drawn_ = 0;
};

void append(std::vector<std::string>& into, std::vector<std::string> const& changes,
            std::int64_t unix_ms)
{
    if (changes.empty()) return;
    into.emplace_back();
    into.push_back("changed at " + utc(unix_ms));
    auto const shown = std::min(changes.size(), changes_max);
    into.insert(into.end(), changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(shown));
    if (shown < changes.size()) {
        into.push_back("... and " + std::to_string(changes.size() - shown) + " more");
    }
}

}  // namespace

std::vector<std::string> changes_between(std::string const& before, std::string const& after)
{
    std::map<std::string, int> counts;
    for (auto const& line : lines_of(before))
        ++counts[plain(line)];
    std::vector<std::string> changes;
    for (auto const& each : lines_of(after)) {
        auto const line = plain(each);
        if (counts[line]-- <= 0 && !line.empty()) changes.push_back("+ " + line);
    }
    for (auto const& [line, left] : counts) {
        for (int i = 0; i < left && !line.empty(); ++i)
            changes.push_back("- " + line);
    }
    return changes;
}

exit_code watch(std::function<watched()> const& look, std::ostream& out, watch_options const& how)
{
    canvas screen{out, how.size};
    std::optional<std::string> before;
    std::vector<std::string> changes;
    std::int64_t changed_ms = 0;
    for (;;) {
        auto const now = look();
        auto const fresh = before ? changes_between(*before, now.text) : std::vector<std::string>{};
        if (!fresh.empty()) changed_ms = now.unix_ms;
        // On a terminal the last change stays until the next one.
        if (!fresh.empty() || !how.is_terminal) changes = fresh;
        before = now.text;
        std::vector<std::string> lines;
        if (how.has_changes) lines.push_back(utc(now.unix_ms));
        auto const text = lines_of(now.text);
        lines.insert(lines.end(), text.begin(), text.end());
        if (how.has_changes) append(lines, changes, changed_ms);
        if (how.is_terminal) {
            screen.draw(std::move(lines));
        } else {
            for (auto const& line : lines)
                out << line << '\n';
            out << (how.has_changes ? "\n" : "") << std::flush;
        }
        if (!out) throw failure{exit_code::failed, "the output could not be written"};
        if (!how.wait_for_next()) return now.code;
    }
}

}  // namespace assent::cli
