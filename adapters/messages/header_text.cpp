// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/messages/header_text.hpp"

#include <assent/driver.hpp>

#include "adapters/dialects/hexadecimal.hpp"

namespace assent::messages {

namespace {

bool is_plain(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

[[noreturn]] void is_unreadable()
{
    throw driver_error("the headers of a message cannot be read: they are not as they are written");
}

std::string value_of(std::string_view text)
{
    std::string value;
    while (!text.empty()) {
        if (text.front() != '%') {
            if (!is_plain(text.front())) is_unreadable();
            value += text.front();
            text.remove_prefix(1);
            continue;
        }
        auto const byte = text.size() < 3 ? std::nullopt : dialects::from_digits(text.substr(1, 2));
        if (!byte) is_unreadable();
        value += *byte;
        text.remove_prefix(3);
    }
    return value;
}

}  // namespace

std::string to_text(header_list const& headers)
{
    std::string text;
    for (auto const& [name, value] : headers) {
        text.append(name).append(1, '=');
        for (char const c : value) {
            if (is_plain(c)) {
                text += c;
            } else {
                text.append(1, '%').append(dialects::to_digits({&c, 1}));
            }
        }
        text += '\n';
    }
    return text;
}

header_list from_text(std::string_view text)
{
    header_list headers;
    while (!text.empty()) {
        auto const end = text.find('\n');
        auto const line = text.substr(0, end);
        auto const middle = line.find('=');
        if (end == std::string_view::npos || middle == std::string_view::npos) is_unreadable();
        headers.emplace_back(line.substr(0, middle), value_of(line.substr(middle + 1)));
        text.remove_prefix(end + 1);
    }
    return headers;
}

}  // namespace assent::messages
