// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_question.hpp -- how a SQLite database is asked something, and waited for.
//
// There is no queue: who finds the file locked asks again.  The driver does so for the Timeout of
// its connect string; what may take longer is repeated here, until a moment of the caller's choice
// or until the gate is shut.
//
// Invariant: a question that is not answered throws.

#ifndef ASSENT_ADAPTERS_ODBC_SQLITE_QUESTION_HPP
#define ASSENT_ADAPTERS_ODBC_SQLITE_QUESTION_HPP

#include <functional>
#include <string>

#include <assent/driver.hpp>

#include "adapters/odbc/link.hpp"
#include "adapters/odbc/sqlite_file.hpp"

namespace assent::odbc_adapter {

bool is_busy(execution const& said) noexcept;
bool is_constraint(execution const& said) noexcept;

/// Thread safety: the session's worker alone.
class sqlite_question
{
public:
    sqlite_question(link& asked, std::string const& resource_manager)
        : asked_(asked), name_(resource_manager)
    {
    }

    /// The rows of one statement, which is repeated for a moment while the file is locked.
    table ask(std::string const& sql);
    /// The first value of the first row, or nothing.
    std::string ask_value(std::string const& sql);

    /// One statement, repeated while the file is locked.
    execution repeat(std::string const& sql, deadline until);

    /// Runs `work`, in which nothing is waited for longer than `until`.
    /// @return false when the file was locked.
    bool within(deadline until, std::function<void()> const& work);

    /// `work` in a transaction that writes.
    void write(std::function<void()> const& work);

    /// Notes which file the connection has opened, and on which path.
    void note_place();
    std::string const& path() const noexcept { return path_; }
    /// Whether the path still leads to the file that is open here.
    bool is_in_place() const noexcept;
    /// @throws driver_error  it does not.
    void require_in_place() const;

    /// "sqlite:" and the random value of the table assent_identity, or nothing.
    std::string identity();

    /// Ends whatever is open.  @return whether nothing is, for certain.
    bool undo();
    /// False once undo() has failed.
    bool is_sound() const noexcept { return is_sound_; }

    [[noreturn]] void fail(std::string const& why) const;
    [[noreturn]] void fail(execution const& said) const;

private:
    link& asked_;
    std::string const name_;
    std::string path_;
    file_place place_;
    deadline bound_ = deadline::max();  // of within()
    bool is_sound_ = true;
};

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_SQLITE_QUESTION_HPP
