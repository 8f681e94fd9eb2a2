// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// json_text.hpp -- the pieces of JSON that results for programs are put together from.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_JSON_TEXT_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_JSON_TEXT_HPP

#include <cmath>
#include <cstdio>
#include <string>

namespace assent::bench {

/// No name here has anything to be escaped but these two.
inline std::string quoted(std::string const& text)
{
    std::string made = "\"";
    for (char const each : text) {
        if (each == '"' || each == '\\') made += '\\';
        made += each;
    }
    return made + '"';
}

inline std::string number(double value)
{
    if (!std::isfinite(value)) return "null";
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

inline std::string member(char const* name, std::string const& value)
{
    return quoted(name) + ": " + value;
}

inline std::string member(char const* name, double value)
{
    return member(name, number(value));
}

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_JSON_TEXT_HPP
