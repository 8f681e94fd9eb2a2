// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// hexadecimal.hpp -- bytes as digits, which no server has to be kept from reading otherwise.

#ifndef ASSENT_ADAPTERS_DIALECTS_HEXADECIMAL_HPP
#define ASSENT_ADAPTERS_DIALECTS_HEXADECIMAL_HPP

#include <optional>
#include <string>
#include <string_view>

namespace assent::dialects {

inline std::string to_digits(std::string_view bytes)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (unsigned char const c : bytes)
        text.append(1, digits[c >> 4]).append(1, digits[c & 15]);
    return text;
}

/// @return nothing where these are no digits, or one is missing.
inline std::optional<std::string> from_digits(std::string_view text)
{
    auto const value = [](char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
    };
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        int const high = value(text[i]);
        int const low = value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    return bytes;
}

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_HEXADECIMAL_HPP
