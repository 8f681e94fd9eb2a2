// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// inbox.hpp -- the table assent_inbox: see inbox_table.hpp.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_INBOX_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_INBOX_HPP

#include <chrono>
#include <string>
#include <string_view>

#include <assent/inbox_table.hpp>

#include "adapters/dialects/postgresql/server.hpp"

namespace assent::postgresql_dialect::inbox {

void ensure(question& manage, session_identity const& asking);
inbox_finding move(question& working, std::string const& guard, std::string_view gtrid,
                   inbox_move const& what, std::chrono::milliseconds wait);
void set(question& working, std::string const& guard, std::string_view gtrid,
         std::string const& name, std::string const& position, std::chrono::milliseconds wait);

}  // namespace assent::postgresql_dialect::inbox

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_INBOX_HPP
