// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// error.hpp -- what libpq says of an error, in the dialect's terms.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_ERROR_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_ERROR_HPP

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include <assent/driver.hpp>

#include "adapters/dialects/postgresql/error.hpp"

namespace assent::postgresql_adapter {

// The adapter speaks the dialect: its words are used here without a prefix.
using namespace postgresql_dialect;

/// The reply for an ERROR of the server.  @pre  the connection is still good.
reply map_error(phase when, PGresult const* result);

/// Whether the server ended the session with this message.
bool is_fatal(PGresult const* result) noexcept;

std::string_view sqlstate_of(PGresult const* result) noexcept;

/// The server's primary message: no detail (it quotes rows) and no statement.
std::string text_of(PGresult const* result);

/// The client library's message, without line ends.
std::string text_of(PGconn const* connection);

}  // namespace assent::postgresql_adapter

#endif  // ASSENT_ADAPTERS_POSTGRESQL_ERROR_HPP
