// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connect_string.cpp -- key=value pairs, as libpq writes them.

#include <charconv>
#include <utility>
#include <vector>

#include <assent/mysql.hpp>

namespace assent {
inline namespace v0 {
namespace mysql {

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void fail(std::string const& why)
{
    throw driver_error("connect string: " + why);
}

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string read_value(std::string const& text, std::size_t& at, std::string const& key)
{
    std::string value;
    bool const is_quoted = at < text.size() && text[at] == '\'';
    if (is_quoted) ++at;
    for (; at < text.size(); ++at) {
        char c = text[at];
        if (is_quoted ? c == '\'' : is_blank(c)) break;
        if (c == '\\') {
            if (++at == text.size()) fail("the value of " + key + " ends in a backslash");
            c = text[at];
        }
        if (c == '\0') fail("the value of " + key + " holds a NUL byte");
        value.push_back(c);
    }
    if (is_quoted) {
        if (at == text.size()) fail("the value of " + key + " has no closing quote");
        ++at;
        if (at < text.size() && !is_blank(text[at]))
            fail("a blank must follow the value of " + key);
    }
    return value;
}

pairs split(std::string const& text)
{
    pairs found;
    std::size_t at = 0;
    for (;;) {
        while (at < text.size() && is_blank(text[at]))
            ++at;
        if (at == text.size()) return found;
        std::size_t const begin = at;
        while (at < text.size() && ((text[at] >= 'a' && text[at] <= 'z') || text[at] == '_'))
            ++at;
        std::string key = text.substr(begin, at - begin);
        if (key.empty() || at == text.size() || text[at] != '=') {
            // What stands there may be half of a value, so it is not shown.
            fail("expected key=value at byte " + std::to_string(begin));
        }
        ++at;
        std::string value = read_value(text, at, key);
        for (auto const& [earlier, ignored] : found) {
            if (earlier == key) fail(key + " is given twice");
        }
        found.emplace_back(std::move(key), std::move(value));
    }
}

unsigned to_port(std::string const& value)
{
    unsigned port = 0;
    auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), port);
    if (error != std::errc{} || end != value.data() + value.size() || port == 0 || port > 65535) {
        fail("port must be a number from 1 to 65535");
    }
    return port;
}

bool to_bool(std::string const& key, std::string const& value)
{
    if (value != "yes" && value != "no") fail(key + " must be yes or no");
    return value == "yes";
}

}  // namespace

connect_options parse_connect_string(std::string const& text)
{
    connect_options where;
    for (auto& [key, value] : split(text)) {
        if (key == "host") {
            where.host = std::move(value);
        } else if (key == "port") {
            where.port = to_port(value);
        } else if (key == "socket") {
            where.socket = std::move(value);
        } else if (key == "user") {
            where.user = std::move(value);
        } else if (key == "database") {
            where.database = std::move(value);
        } else if (key == "password_file") {
            where.password_file = std::move(value);
        } else if (key == "ssl_ca") {
            where.ssl_ca = std::move(value);
        } else if (key == "allow_non_durable") {
            where.safety.allow_non_durable = to_bool(key, value);
        } else if (key == "password") {
            fail("put the password into a file of mode 0600 and name it as password_file");
        } else {
            fail("unknown key " + key +
                 "; known are host, port, socket, user, password_file, database, ssl_ca and "
                 "allow_non_durable");
        }
    }
    return where;
}

}  // namespace mysql
}  // namespace v0
}  // namespace assent
