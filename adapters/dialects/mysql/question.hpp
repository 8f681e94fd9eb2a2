// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// question.hpp -- how the dialect asks a server something, by whatever client library.
//
// Each adapter that speaks to these servers derives its own.  Invariant: a question that
// is not answered in full, by its deadline, throws, and the session is of no use afterwards.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_QUESTION_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_QUESTION_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/mysql/answer.hpp"

namespace assent::mysql_dialect {

/// A question to one server on behalf of one resource manager.
class question
{
public:
    virtual ~question() = default;
    question(question const&) = delete;
    question& operator=(question const&) = delete;

    /// The rows of one statement.
    /// @throws driver_error  with the server's errno as native_code().
    virtual table ask(std::string const& sql) = 0;

    /// Two tables: of the query `identity_sql`, and of XA RECOVER, from one message, so that no
    /// other server can stand behind the connection in between.
    virtual std::vector<table> ask_branches(std::string const& identity_sql) = 0;

    virtual bool is_mariadb() const = 0;

    /// 8.0.36 is 80036.
    virtual unsigned server_version() const = 0;

    /// The session's number, as the client library knows it.
    virtual std::uint64_t session_id() const = 0;

    /// The only row, of at least `columns` columns.
    row one_row(std::string const& sql, std::size_t columns);

    [[noreturn]] void fail(std::string const& why) const;
    [[noreturn]] void fail(answer const& said, std::string const& why) const;

protected:
    explicit question(std::string resource_manager) : resource_manager_(std::move(resource_manager))
    {
    }

private:
    std::string resource_manager_;
};

/// The field, or an empty text for NULL.
std::string_view text_of(row const& from, std::size_t column);
std::uint64_t number_of(row const& from, std::size_t column);

/// "8.0.36-28" is 80036.
unsigned version_number(std::string_view text);

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_QUESTION_HPP
