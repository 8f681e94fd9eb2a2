// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/paragraphs.hpp"

#include <algorithm>

namespace assent::cli {

std::string pairs(std::vector<std::pair<std::string, std::string>> const& all, painter const& paint)
{
    std::size_t widest = 0;
    for (auto const& [name, value] : all)
        widest = std::max(widest, name.size());
    std::string text;
    for (auto const& [name, value] : all) {
        text += paint(colour::bold, name) + std::string(widest - name.size() + 2, ' ') +
                printable(value) + "\n";
    }
    return text;
}

std::string attention(any_report const& told, painter const& paint)
{
    std::string text;
    for (auto const& sentence : told.attention) {
        text += paint(colour::red, "!") + " " + printable(sentence) + "\n";
    }
    return text.empty() ? text : "\n" + text;
}

std::string heading(std::string const& text, painter const& paint)
{
    return "\n" + paint(colour::bold, text) + "\n";
}

}  // namespace assent::cli
