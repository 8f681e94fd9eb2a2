// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connect_string.cpp -- key=value pairs, as libpq writes them.

#include <algorithm>
#include <charconv>
#include <iterator>
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
    throw driver_error(errc::bad_argument, "connect string: " + why);
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

tls_mode to_tls_mode(std::string const& value)
{
    if (value == "disabled") return tls_mode::disabled;
    if (value == "preferred") return tls_mode::preferred;
    if (value == "required") return tls_mode::required;
    if (value == "verify_ca") return tls_mode::verify_ca;
    if (value == "verify_identity") return tls_mode::verify_identity;
    fail("ssl_mode must be disabled, preferred, required, verify_ca or verify_identity");
}

compression to_compression(std::string const& value)
{
    if (value == "off") return compression::off;
    if (value == "zlib") return compression::zlib;
    if (value == "zstd") return compression::zstd;
    fail("compress must be off, zlib or zstd");
}

/// "name=value,name=value"
pairs to_attributes(std::string const& value)
{
    pairs all;
    for (std::size_t from = 0; from <= value.size();) {
        auto const end = std::min(value.find(',', from), value.size());
        auto const equals = value.find('=', from);
        if (equals >= end || equals == from) fail("attributes must be name=value,name=value");
        all.emplace_back(value.substr(from, equals - from),
                         value.substr(equals + 1, end - equals - 1));
        from = end + 1;
    }
    return all;
}

struct text_key
{
    char const* name;
    std::string connect_options::*member;
};

constexpr text_key text_keys[] = {
    {"host", &connect_options::host},
    {"socket", &connect_options::socket},
    {"user", &connect_options::user},
    {"password_file", &connect_options::password_file},
    {"database", &connect_options::database},
    {"ssl_ca", &connect_options::ssl_ca},
    {"ssl_capath", &connect_options::ssl_capath},
    {"ssl_cert", &connect_options::ssl_cert},
    {"ssl_key", &connect_options::ssl_key},
    {"character_set", &connect_options::character_set},
};

bool take_text(connect_options& into, std::string const& key, std::string const& value)
{
    auto const* const found = std::find_if(std::begin(text_keys), std::end(text_keys),
                                           [&](auto const& each) { return key == each.name; });
    if (found == std::end(text_keys)) return false;
    into.*(found->member) = value;
    return true;
}

}  // namespace

connect_options parse_connect_string(std::string const& text)
{
    connect_options where;
    for (auto const& [key, value] : split(text)) {
        if (take_text(where, key, value)) continue;
        if (key == "port") {
            where.port = to_port(value);
        } else if (key == "ssl_mode") {
            where.ssl_mode = to_tls_mode(value);
        } else if (key == "compress") {
            where.compress = to_compression(value);
        } else if (key == "program_name") {
            where.attributes.emplace_back(key, value);
        } else if (key == "attributes") {
            for (auto& each : to_attributes(value))
                where.attributes.push_back(std::move(each));
        } else if (key == "allow_non_durable") {
            where.safety.allow_non_durable = to_bool(key, value);
        } else if (key == "password") {
            fail("put the password into a file of mode 0600 and name it as password_file");
        } else {
            fail("unknown key " + key +
                 "; known are host, port, socket, user, password_file, database, ssl_mode, ssl_ca, "
                 "ssl_capath, ssl_cert, ssl_key, character_set, compress, program_name, attributes "
                 "and allow_non_durable");
        }
    }
    return where;
}

}  // namespace mysql
}  // namespace v0
}  // namespace assent
