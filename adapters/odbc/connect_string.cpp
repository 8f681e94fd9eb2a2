// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/connect_string.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <utility>

#include "ports/password_file.hpp"

namespace assent::odbc_adapter {

namespace {

[[noreturn]] void fail(std::string const& why)
{
    throw driver_error(errc::bad_argument, "connect string: " + why);
}

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string capitals(std::string_view text)
{
    std::string upper{text};
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return upper;
}

/// Reads a value from `at` on, to the semicolon or the end.
std::string read_value(std::string const& text, std::size_t& at, std::string const& key)
{
    std::string value;
    if (at == text.size() || text[at] != '{') {
        auto const end = std::min(text.find(';', at), text.size());
        value = text.substr(at, end - at);
        at = end;
        return value;
    }
    for (++at; at < text.size(); ++at) {
        if (text[at] == '}') {
            if (at + 1 == text.size() || text[at + 1] != '}') break;
            ++at;  // two of them are one that belongs to the value
        }
        value.push_back(text[at]);
    }
    if (at == text.size()) fail("the value of " + key + " has no closing brace");
    ++at;
    while (at < text.size() && is_blank(text[at]))
        ++at;
    if (at < text.size() && text[at] != ';') fail("a semicolon must follow the value of " + key);
    return value;
}

}  // namespace

std::vector<attribute> split(std::string const& connect_string)
{
    std::vector<attribute> found;
    std::size_t at = 0;
    for (;;) {
        while (at < connect_string.size() &&
               (is_blank(connect_string[at]) || connect_string[at] == ';'))
            ++at;
        if (at == connect_string.size()) return found;
        std::size_t const begin = at;
        auto const equals = connect_string.find('=', at);
        auto const semicolon = connect_string.find(';', at);
        if (equals == std::string::npos || equals > semicolon || equals == at) {
            // What stands there may be half of a value, so it is not shown.
            fail("expected KEY=value at byte " + std::to_string(begin));
        }
        std::string key = capitals(connect_string.substr(at, equals - at));
        while (!key.empty() && is_blank(key.back()))
            key.pop_back();
        at = equals + 1;
        std::string value = read_value(connect_string, at, key);
        if (value.find('\0') != std::string::npos) fail("the value of " + key + " holds a NUL");
        found.push_back(
            {std::move(key), std::move(value), connect_string.substr(begin, at - begin)});
    }
}

std::string quoted(std::string_view value)
{
    std::string text = "{";
    for (char const c : value) {
        text.push_back(c);
        if (c == '}') text.push_back(c);
    }
    return text + "}";
}

std::string complete(odbc::connect_options const& chosen, session_purpose purpose, unsigned seconds)
{
    auto const given = split(chosen.connect);
    auto const is_given = [&given](char const* key) {
        return std::any_of(given.begin(), given.end(),
                           [key](attribute const& each) { return each.key == key; });
    };
    // sqliteodbc, which alone knows Timeout and NoCreat, waits by default for 100 seconds where a
    // file is locked, and makes one that is missing.  The first of several values counts.
    std::string text;
    if (purpose != session_purpose::work) text += "Timeout=200;";  // we ask again ourselves
    text += chosen.connect;
    if (!text.empty() && text.back() != ';') text += ';';
    if (!chosen.password_file.empty()) {
        text += "PWD=" + quoted(ports::read_password(chosen.password_file)) + ";";
    }
    if (!is_given("CONN_TIMEOUT")) text += "CONN_TIMEOUT=" + std::to_string(seconds) + ";";
    if (!is_given("TIMEOUT") && !is_given("DSN")) text += "Timeout=5000;";
    if (!is_given("NOCREAT")) text += "NoCreat=1;";
    // No driver knows this key.  Where the driver manager pools connections it gives them out again
    // by their strings: to nobody else, whose pool would then hold connections that we have cut.
    static std::atomic<unsigned> count{0};
    return text + "ASSENT_SESSION=" + std::to_string(++count) + ";";
}

}  // namespace assent::odbc_adapter

namespace assent {
inline namespace v0 {
namespace odbc {

connect_options parse_connect_string(std::string const& text)
{
    connect_options where;
    bool has_password = false;
    for (auto const& each : odbc_adapter::split(text)) {
        if (each.key == "PASSWORD_FILE") {
            if (!where.password_file.empty()) {
                throw driver_error(errc::bad_argument,
                                   "connect string: PASSWORD_FILE is given twice");
            }
            if (each.value.empty())
                throw driver_error(errc::bad_argument, "connect string: PASSWORD_FILE is empty");
            where.password_file = each.value;
        } else if (each.key == "ALLOW_NON_DURABLE") {
            if (each.value != "yes" && each.value != "no") {
                throw driver_error(errc::bad_argument,
                                   "connect string: ALLOW_NON_DURABLE must be yes or no");
            }
            where.safety.allow_non_durable = each.value == "yes";
        } else if (each.key == "AUTO_RECONNECT" && each.value != "0") {
            throw driver_error(
                errc::bad_argument,
                "connect string: AUTO_RECONNECT would leave a branch without telling, and makes "
                "MariaDB's driver crash: switch it off");
        } else {
            has_password = has_password || each.key == "PWD" || each.key == "PASSWORD";
            where.connect += each.text + ";";
        }
    }
    if (has_password && !where.password_file.empty()) {
        throw driver_error(errc::bad_argument,
                           "connect string: both a password and a PASSWORD_FILE are given");
    }
    return where;
}

}  // namespace odbc
}  // namespace v0
}  // namespace assent
