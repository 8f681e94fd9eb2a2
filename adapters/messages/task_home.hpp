// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// task_home.hpp -- the database of a queue.

#ifndef ASSENT_ADAPTERS_MESSAGES_TASK_HOME_HPP
#define ASSENT_ADAPTERS_MESSAGES_TASK_HOME_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/messages/looked_at.hpp"

namespace assent::messages {

/// Thread safety: every member may be called from several threads at once.
class task_home
{
public:
    /// @throws driver_error  errc::bad_argument: it can hold no messages.
    explicit task_home(resource_manager where);

    resource_manager const& manager() const noexcept { return where_.manager(); }
    std::string const& name() const noexcept { return where_.name(); }

    /// Has the tables looked at, and made, unless they were.  @throws error  errc::unavailable.
    void require_tables(gtrid const& for_whom);

    /// As task_table's, on a session that works in a branch.  Where a key is kept the words say by
    /// whom, if that can be known.
    void put(driver_session& session, std::vector<task_row> const& rows,
             std::vector<std::uint16_t> const& slots, deadline until);
    std::optional<task_row> take(driver_session& session, std::string_view to, deadline until);

private:
    task_table& table() const noexcept { return *manager().driver()->tasks(); }
    std::string slot_holder(std::vector<std::uint16_t> const& slots) const;

    looked_at where_;
};

}  // namespace assent::messages

#endif  // ASSENT_ADAPTERS_MESSAGES_TASK_HOME_HPP
