// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/question.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace assent::postgresql_dialect {

namespace {

int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

row question::one_row(std::string const& sql, std::size_t width, std::string const& doing)
{
    table rows = ask(sql, doing);
    if (rows.empty() || rows.front().size() < width) {
        throw driver_error(doing + ": the server's answer has no such row");
    }
    return std::move(rows.front());
}

std::string value_of(row const& from, std::size_t index)
{
    return from[index].value_or(std::string{});
}

std::int64_t number_of(row const& from, std::size_t index)
{
    std::string const text = value_of(from, index);
    std::int64_t number = 0;
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc{} || end != text.data() + text.size()) {
        throw driver_error("the server answered '" + text + "' where a number belongs");
    }
    return number;
}

// libpq gives a boolean as the server writes it; psqlODBC makes a number of it.
bool is_true(row const& from, std::size_t index)
{
    return from[index] == "t" || from[index] == "1";
}

bool is_false(row const& from, std::size_t index)
{
    return from[index] == "f" || from[index] == "0";
}

std::string as_bytes(std::string const& column)
{
    return "pg_catalog.encode(pg_catalog.convert_to(CAST(" + column +
           " AS pg_catalog.text), pg_catalog.getdatabaseencoding()), 'hex')";
}

std::string bytes_of(std::string const& hexadecimal)
{
    std::string bytes;
    for (std::size_t i = 0; i < hexadecimal.size(); i += 2) {
        int const high = digit(hexadecimal[i]);
        int const low = i + 1 < hexadecimal.size() ? digit(hexadecimal[i + 1]) : -1;
        if (high < 0 || low < 0) {
            throw driver_error("the server answered '" + hexadecimal + "' where bytes belong");
        }
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

std::string shown(std::string text)
{
    constexpr std::size_t bytes_max = 64;
    text.resize(std::min(text.size(), bytes_max));
    for (char& c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte < ' ' || byte == 0x7f) c = '?';
    }
    return text;
}

}  // namespace assent::postgresql_dialect
