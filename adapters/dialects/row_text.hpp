// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// row_text.hpp -- a commit row as the text of SQL, and back.
//
//   ('asn1r0001...', 'c', '00010001...')
//
// Invariant: nothing becomes SQL here that would have to be quoted.  A name and a content hold
// digits and lower-case letters only; anything else is refused.

#ifndef ASSENT_ADAPTERS_DIALECTS_ROW_TEXT_HPP
#define ASSENT_ADAPTERS_DIALECTS_ROW_TEXT_HPP

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <assent/driver.hpp>

namespace assent::dialects {

inline std::string quoted(std::string_view text)
{
    bool const is_plain = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    });
    if (!is_plain) throw driver_error("a commit row holds a character that ours never have");
    // By appending: the compiler takes what operator+ does here for a copy onto itself.
    std::string sql{"'"};
    return sql.append(text).append("'");
}

/// The values of gtrid, kind and content, in parentheses.
inline std::string values_of(decision_row const& row)
{
    std::string sql{"("};
    sql.append(quoted(row.name.text())).append(", '").append(1, static_cast<char>(row.kind));
    return sql.append("', ").append(quoted(row.content)).append(")");
}

/// @return nothing where this is no row of ours.
inline std::optional<decision_row> row_of(std::string_view name, std::string_view kind,
                                          std::string_view content)
{
    auto const parsed = gtrid::parse(name);
    if (!parsed || kind.size() != 1) return std::nullopt;
    return decision_row{*parsed, static_cast<row_kind>(kind.front()), std::string{content}};
}

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_ROW_TEXT_HPP
