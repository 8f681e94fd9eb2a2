// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/question.hpp"

#include <array>
#include <charconv>

#include "adapters/dialects/subject.hpp"

namespace assent::mysql_dialect {

void question::fail(std::string const& why) const
{
    throw driver_error(dialects::subject(resource_manager_) + why);
}

void question::fail(answer const& said, std::string const& why) const
{
    throw driver_error(dialects::subject(resource_manager_) + why + ": " + said.text, said.sqlstate,
                       static_cast<int>(said.code));
}

row question::one_row(std::string const& sql, std::size_t columns)
{
    // Said in the statement, it holds against a sql_select_limit of the session's.
    table rows = ask(sql + " limit 1");
    if (rows.size() != 1 || rows[0].size() < columns) fail("the server's answer is not complete");
    return std::move(rows[0]);
}

std::string_view text_of(row const& from, std::size_t column)
{
    return from[column] ? std::string_view(*from[column]) : std::string_view();
}

std::uint64_t number_of(row const& from, std::size_t column)
{
    std::string_view const text = text_of(from, column);
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

unsigned version_number(std::string_view text)
{
    std::array<unsigned, 3> parts{};
    for (unsigned& part : parts) {
        auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), part);
        if (error != std::errc{}) break;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.empty() || text.front() != '.') break;
        text.remove_prefix(1);
    }
    return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

}  // namespace assent::mysql_dialect
