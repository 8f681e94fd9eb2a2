// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// opening.hpp -- what the manager's own sessions are told when they are opened.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_OPENING_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_OPENING_HPP

#include <string>

#include <assent/driver.hpp>

namespace assent::postgresql_dialect {

/// What the manager's own sessions run under: further columns of a query, or nothing.
std::string settings_for(session_purpose purpose);

/// What to do where a session could not even say who it is; empty when nothing is known.
std::string advice_for_opening(driver_error const& failure);

}  // namespace assent::postgresql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_OPENING_HPP
