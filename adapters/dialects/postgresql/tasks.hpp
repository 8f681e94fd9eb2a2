// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tasks.hpp -- the tables of messages, public.assent_task and public.assent_key, in SQL.
//
//   put     guard; locks of the slots; INSERT; the wait's limit as it was      one message
//   take    SELECT ... FOR UPDATE SKIP LOCKED and DELETE                       one statement
//
// `guard` is an expression that fails where the transaction is not the branch's any more: without
// it a session that was left in no transaction would make the rows permanent at once.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_TASKS_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_TASKS_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/postgresql/server.hpp"

namespace assent::postgresql_dialect::tasks {

void ensure(question& manage, session_identity const& asking);
/// Whether the tables are there; nothing is made.
/// @throws driver_error  they are, and will not do.
bool is_fit(question& manage);
void put(question& working, std::string const& guard, std::string_view gtrid,
         std::vector<task_row> const& rows, std::vector<std::uint16_t> const& slots,
         std::chrono::milliseconds wait);
std::optional<task_row> take(question& working, std::string const& guard, std::string_view to);
std::string slot_holder(question& manage, std::vector<std::uint16_t> const& slots);

}  // namespace assent::postgresql_dialect::tasks

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_TASKS_HPP
