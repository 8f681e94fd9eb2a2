// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tasks.hpp -- the tables of messages, assent_task and assent_key, in SQL.
//
//   put     UPDATE of the slots, which locks them, then INSERT: InnoDB gives an INSERT its ids
//   before
//           anything that it could wait for, so one statement would not do
//   take    SELECT ... FOR UPDATE SKIP LOCKED, then DELETE
//
// Invariant: nothing is written on a session that is not known to be in its branch, where
// it would be permanent at once.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_TASKS_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_TASKS_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/mysql/question.hpp"

namespace assent::mysql_dialect::tasks {

/// A session in its branch.
class branch_question
{
public:
    virtual ~branch_question() = default;
    branch_question() = default;
    branch_question(branch_question const&) = delete;
    branch_question& operator=(branch_question const&) = delete;

    virtual question& of() = 0;
    /// Whose branch it is.
    virtual std::string_view gtrid() const = 0;
    /// At which level the branch was begun; nothing where the session's own holds.
    virtual std::optional<isolation> declared_level() const = 0;
    /// How many rows the last statement has changed.
    virtual std::uint64_t changed() const = 0;
    /// @throws driver_error  the last answer was not given within the branch.
    virtual void require_branch() const = 0;
};

void ensure(question& q);
/// Whether the tables are there; nothing is made.
/// @throws driver_error  they are, and will not do.
bool is_fit(question& q);
void put(branch_question& in, std::string const& database, std::vector<task_row> const& rows,
         std::vector<std::uint16_t> const& slots, std::chrono::milliseconds wait);
std::optional<task_row> take(branch_question& in, std::string const& database, std::string_view to);

}  // namespace assent::mysql_dialect::tasks

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_TASKS_HPP
