// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// dialect.hpp -- which kind of database behind ODBC speaks which dialect.

#ifndef ASSENT_ADAPTERS_ODBC_DIALECT_HPP
#define ASSENT_ADAPTERS_ODBC_DIALECT_HPP

#include <memory>
#include <string>

#include "adapters/sql_text/dialect.hpp"

namespace assent::odbc_adapter {

using namespace sql_text;

std::unique_ptr<dialect> make_sqlite(link& on, std::string const& resource_manager);

/// The one that `on` speaks.
std::unique_ptr<dialect> make_dialect(link& on, std::string const& resource_manager,
                                      link_opener const& reopen);

/// The statement that inserts a commit row, whatever the session of the branch is set to.
/// @param database  server_facts::database
std::string insertion(database_kind kind, std::string const& database, decision_row const& what);

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_DIALECT_HPP
