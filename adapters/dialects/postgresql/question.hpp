// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// question.hpp -- how the dialect asks a server something, by whatever client library, and how
// the columns of an answer are read.
//
// Each adapter that speaks to these servers derives its own.  Invariant: an answer that did not
// come whole is an exception, never "nothing there".

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_QUESTION_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_QUESTION_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <assent/driver.hpp>

namespace assent::postgresql_dialect {

/// One row of text a row of the result; an absent value is NULL.
using row = std::vector<std::optional<std::string>>;
using table = std::vector<row>;

/// A question to one server.
class question
{
public:
    virtual ~question() = default;
    question() = default;
    question(question const&) = delete;
    question& operator=(question const&) = delete;

    /// Asks, and reads the whole answer.  @throws driver_error that begins with `doing`;
    /// must_close() when the answer did not come whole.
    virtual table ask(std::string const& sql, std::string const& doing) = 0;

    /// The first row's values.  @throws driver_error  when there is none, or too few values.
    row one_row(std::string const& sql, std::size_t width, std::string const& doing);
};

// What a column holds.  An absent value reads as an empty text.
std::string value_of(row const& from, std::size_t index);
/// @throws driver_error  the column holds no number.
std::int64_t number_of(row const& from, std::size_t index);
bool is_true(row const& from, std::size_t index);
bool is_false(row const& from, std::size_t index);

/// The column as the bytes that the server has, in hexadecimal: the client's encoding may lack the
/// letters of a name, or write them otherwise than that of the session that it is compared with.
std::string as_bytes(std::string const& column);
/// What such a column tells.
std::string bytes_of(std::string const& hexadecimal);
/// What somebody else chose, for people to read.
std::string shown(std::string text);

}  // namespace assent::postgresql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_QUESTION_HPP
