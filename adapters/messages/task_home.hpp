// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// task_home.hpp -- the database of a queue, whose tables are looked at before they are used.
//
// The look is on a connection of its own, which is closed again: a session of the manager's would
// have to be asked for, and a branch is no place to make tables in.

#ifndef ASSENT_ADAPTERS_MESSAGES_TASK_HOME_HPP
#define ASSENT_ADAPTERS_MESSAGES_TASK_HOME_HPP

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

namespace assent::messages {

/// Thread safety: every member may be called from several threads at once.
class task_home
{
public:
    /// @throws driver_error  errc::bad_argument: it can hold no messages.
    explicit task_home(resource_manager where);

    resource_manager const& manager() const noexcept { return where_; }
    std::string const& name() const noexcept { return where_.name(); }

    /// Has the tables looked at, and made, unless they were.  A look that failed is not repeated
    /// at once: an account that the server refuses would be locked by many of them.
    /// @throws error  errc::unavailable.
    void require_tables(gtrid const& for_whom);

    /// As task_table's, on a session that works in a branch.  Where a key is kept the words say by
    /// whom, if that can be known; where a table is missing the next one looks again.
    void put(driver_session& session, std::vector<task_row> const& rows,
             std::vector<std::uint16_t> const& slots, deadline until);
    std::optional<task_row> take(driver_session& session, std::string_view to, deadline until);

private:
    template <class Ask>
    auto ask(std::chrono::milliseconds at_most, Ask const& what) const;

    task_table& table() const noexcept { return *where_.driver()->tasks(); }
    void doubt_tables(driver_error const& why) noexcept;
    std::string slot_holder(std::vector<std::uint16_t> const& slots) const;

    resource_manager const where_;
    std::mutex mutex_;  // guards the three below
    bool is_fit_ = false;
    std::string why_not_;
    deadline again_at_{};
};

}  // namespace assent::messages

#endif  // ASSENT_ADAPTERS_MESSAGES_TASK_HOME_HPP
