// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connection.hpp -- opening a connection and asking it one question, both by a deadline.
//
// Connections come from a connection string or from the user's function.  The manager's own get
// settings under which a wait is bounded by the manager and never by the server; a leased one
// keeps the application's.  The one invariant: no error text shows the connection string.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_CONNECTION_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_CONNECTION_HPP

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assent/postgresql.hpp>

#include "adapters/postgresql/session.hpp"
#include "adapters/postgresql/wire.hpp"

namespace assent::pg {

struct connection_closer
{
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using connection_ptr = std::unique_ptr<PGconn, connection_closer>;

/// Where connections come from: exactly one of the two is set.
struct connection_source
{
    std::string name;  ///< of the resource manager
    std::string conninfo;
    postgresql::connect_function connect;
};

/// @throws driver_error  without the connection string's text: it may hold a password.
void check_conninfo(std::string const& conninfo);

/// @throws driver_error
connection_ptr open_connection(connection_source const& source, session_purpose purpose,
                               deadline until);

/// One row of text a row of the result; an absent value is NULL.
using row = std::vector<std::optional<std::string>>;
using table = std::vector<row>;

/// Asks one question and reads the whole answer.  @throws driver_error that begins with `doing`;
/// must_close() when the answer did not come whole.
table query(wire& connection, std::string const& sql, deadline until, std::string const& doing);

/// The first row's values.  @throws driver_error  when there is none, or too few values.
row query_row(wire& connection, std::string const& sql, std::size_t width, deadline until,
              std::string const& doing);

/// Gives a fresh connection the settings of its purpose and reads who it is.
session_identity introduce(wire& connection, connection_source const& source,
                           session_purpose purpose, deadline until);

}  // namespace assent::pg

#endif  // ASSENT_ADAPTERS_POSTGRESQL_CONNECTION_HPP
