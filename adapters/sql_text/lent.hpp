// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lent.hpp -- a connection that the application lends by its own sql_session.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_LENT_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_LENT_HPP

#include <memory>

#include <assent/sql_session.hpp>

#include "adapters/sql_text/session.hpp"

namespace assent::sql_text {

/// Wraps it, and checks that it is idle and for work on what `expected` names.
/// @throws driver_error  must_close() where it was not answered in time.
std::unique_ptr<session> borrow(sql_session& lent, database_kind kind,
                                std::shared_ptr<session_family> family,
                                server_facts const& expected, deadline until);

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_LENT_HPP
