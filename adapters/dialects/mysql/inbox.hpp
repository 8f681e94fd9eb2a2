// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// inbox.hpp -- the table assent_inbox: see inbox_table.hpp.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_INBOX_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_INBOX_HPP

#include <chrono>
#include <string>

#include <assent/inbox_table.hpp>

#include "adapters/dialects/mysql/tasks.hpp"

namespace assent::mysql_dialect::inbox {

using tasks::branch_question;

void ensure(question& q);
inbox_finding move(branch_question& in, std::string const& database, inbox_move const& what,
                   std::chrono::milliseconds wait);
void set(branch_question& in, std::string const& database, std::string const& name,
         std::string const& position, std::chrono::milliseconds wait);

}  // namespace assent::mysql_dialect::inbox

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_INBOX_HPP
