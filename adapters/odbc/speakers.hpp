// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// speakers.hpp -- which speaker is for which kind of database behind ODBC.

#ifndef ASSENT_ADAPTERS_ODBC_SPEAKERS_HPP
#define ASSENT_ADAPTERS_ODBC_SPEAKERS_HPP

#include <memory>
#include <string>

#include "adapters/sql_text/speaker.hpp"

namespace assent::odbc_adapter {

using namespace sql_text;

std::unique_ptr<speaker> make_sqlite(link& on, std::string const& resource_manager);

/// The one that `on` speaks.
std::unique_ptr<speaker> make_speaker(link& on, std::string const& resource_manager,
                                      link_opener const& reopen);

/// The statement that inserts a commit row, whatever the session of the branch is set to.
/// @param database  server_facts::database
std::string insertion(database_kind kind, std::string const& database,
                      decision_row const& inserted);

/// The statement by which a start finds out that no commit row could be inserted.
std::string trial(database_kind kind, std::string const& database);

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_SPEAKERS_HPP
