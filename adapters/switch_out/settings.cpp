// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/switch_out/settings.hpp"

#include <algorithm>
#include <charconv>

#include <assent/error.hpp>

namespace assent::switch_out {

namespace {

constexpr std::string_view timeout_is = "timeout=";
constexpr int timeout_seconds_max = 3600;

[[noreturn]] void fail(std::string const& why)
{
    throw driver_error(errc::bad_argument, "xa_info: " + why);
}

std::chrono::seconds to_timeout(std::string_view text)
{
    int seconds = 0;
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    bool const is_number = failed == std::errc{} && end == text.data() + text.size();
    if (!is_number || seconds < 1 || seconds > timeout_seconds_max) {
        fail("timeout is a number of seconds from 1 to " + std::to_string(timeout_seconds_max));
    }
    return std::chrono::seconds{seconds};
}

void take(settings& into, std::string_view word)
{
    if (word.substr(0, timeout_is.size()) == timeout_is) {
        into.timeout = to_timeout(word.substr(timeout_is.size()));
    } else if (word == "allow_non_durable") {
        into.allow_non_durable = true;
    } else {
        // It may be a part of a connect string, so it is not shown.
        fail("a word in the brackets is neither timeout=SECONDS nor allow_non_durable");
    }
}

}  // namespace

settings read_settings(std::string_view xa_info)
{
    settings read;
    if (!xa_info.empty() && xa_info.front() == '[') {
        auto const closed = xa_info.find(']');
        if (closed == std::string_view::npos) fail("the bracket is not closed");
        auto words = xa_info.substr(1, closed - 1);
        xa_info.remove_prefix(closed + 1);
        while (!words.empty()) {
            auto const word = words.substr(0, words.find(' '));
            if (!word.empty()) take(read, word);
            words.remove_prefix(std::min(words.size(), word.size() + 1));
        }
    }
    read.connect = xa_info.substr(std::min(xa_info.find_first_not_of(' '), xa_info.size()));
    return read;
}

}  // namespace assent::switch_out
