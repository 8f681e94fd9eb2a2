// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "api/exposition.hpp"

#include <array>
#include <charconv>

namespace assent::api {

void exposition::family(std::string_view name, std::string_view help)
{
    constexpr std::string_view grows = "_total";
    bool const is_counter =
        name.size() > grows.size() && name.substr(name.size() - grows.size()) == grows;
    name_ = name;
    text_.append("# HELP ").append(name_).append(" ");
    put(help, false);
    text_.append("\n# TYPE ").append(name_).append(is_counter ? " counter\n" : " gauge\n");
}

void exposition::sample(double value, labels const& of)
{
    std::array<char, 32> digits{};
    auto const written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    put_sample({digits.data(), static_cast<std::size_t>(written.ptr - digits.data())}, of);
}

void exposition::put_sample(std::string_view value, labels const& of)
{
    text_ += name_;
    char before = '{';
    for (auto const& [name, text] : of) {
        text_.append(1, std::exchange(before, ',')).append(name).append("=\"");
        put(text, true);
        text_ += '"';
    }
    text_.append(of.empty() ? " " : "} ").append(value) += '\n';
}

void exposition::put(std::string_view text, bool is_quoted)
{
    for (char const c : text) {
        if (c == '\n') {
            text_ += "\\n";
            continue;
        }
        if (c == '\\' || (c == '"' && is_quoted)) text_ += '\\';
        text_ += c;
    }
}

}  // namespace assent::api
