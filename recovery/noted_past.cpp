// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/noted_past.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace assent::recovery {

namespace {

constexpr char count_mark = '#';

std::vector<std::string> split(std::string const& noted)
{
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= noted.size();) {
        auto const end = std::min(noted.find('|', from), noted.size());
        parts.push_back(noted.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

bool is_count(std::string const& part)
{
    return !part.empty() && part.front() == count_mark;
}

std::string hex(std::uint64_t number)
{
    char digits[16];
    auto const end = std::to_chars(std::begin(digits), std::end(digits), number, 16).ptr;
    return {digits, end};
}

}  // namespace

std::string start_in(std::string const& noted)
{
    return split(noted).front();
}

std::vector<std::string> histories_in(std::string const& noted)
{
    auto parts = split(noted);
    parts.erase(parts.begin());
    parts.erase(std::remove_if(parts.begin(), parts.end(), is_count), parts.end());
    return parts;
}

std::uint64_t count_in(std::string const& noted)
{
    std::uint64_t count = 0;
    for (auto const& part : split(noted)) {
        if (!is_count(part)) continue;
        std::from_chars(part.data() + 1, part.data() + part.size(), count, 16);
    }
    return count;
}

std::string make_note(std::string const& start, std::vector<std::string> const& histories,
                      std::uint64_t count)
{
    std::string text = start;
    for (auto const& each : histories)
        text += '|' + each;
    if (count != 0) text += std::string{'|', count_mark} + hex(count);
    return text;
}

std::string history_of(std::string const& told, kept_past const& kept)
{
    return kept.history == 0 ? told : told + '.' + hex(kept.history);
}

/// The latest note has it, since a count only grows; a note that was forgotten is of an epoch of
/// which nothing is left.
std::uint64_t noted_past::last_count() const
{
    for (auto epoch = current; epoch > 0; --epoch) {
        if (auto const noted = note(epoch)) return count_in(*noted);
    }
    return 0;
}

std::optional<std::string> noted_past::last_history_before() const
{
    for (auto epoch = current; epoch > std::max(rebound_epoch, 1U); --epoch) {
        auto const seen = histories_in(note(epoch - 1).value_or(std::string{}));
        if (!seen.empty()) return seen.back();
    }
    return std::nullopt;
}

bool noted_past::has_other(std::uint32_t epoch, std::optional<std::string> const& now) const
{
    // A person said which database took the old one's place, and not what it has of it.
    if (epoch < rebound_epoch) return true;
    if (!now) return false;
    // An epoch that could note none was in that of the next one that did.
    for (auto each = epoch; each <= current; ++each) {
        if (auto const is_other = is_other_in(each, *now)) return *is_other;
    }
    return false;
}

bool noted_past::has_other_before(std::optional<std::string> const& now) const
{
    if (!now) return false;
    bool is_other = false;  // as the next epoch that noted one says
    for (auto epoch = current; epoch > 0; --epoch) {
        is_other = is_other_in(epoch, *now).value_or(is_other);
        if (is_other && epoch < current) return true;
    }
    return false;
}

/// @return nothing where that epoch noted none.
std::optional<bool> noted_past::is_other_in(std::uint32_t epoch, std::string const& now) const
{
    auto const seen = histories_in(note(epoch).value_or(std::string{}));
    if (seen.empty()) return std::nullopt;
    return std::any_of(seen.begin(), seen.end(),
                       [&now](std::string const& one) { return one != now; });
}

kept_finding compare_kept(kept_past const& found, std::uint64_t known)
{
    if (found.count >= known) return {found, false};
    // A number that was never there before.
    return {{known + 1, known + 1}, true};
}

}  // namespace assent::recovery
