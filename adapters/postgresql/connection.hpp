// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connection.hpp -- opening a connection, by a deadline, and learning who is at its other end.
//
// Connections come from a connection string or from the user's function.  The manager's own get
// settings under which a wait is bounded by the manager and never by the server; a leased one
// keeps the application's.  Invariant: no error text shows the connection string.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_CONNECTION_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_CONNECTION_HPP

#include <memory>
#include <string>

#include <assent/postgresql.hpp>

#include "adapters/dialects/postgresql/session_identity.hpp"
#include "adapters/postgresql/session.hpp"
#include "adapters/postgresql/wire.hpp"

namespace assent::postgresql_adapter {

struct connection_closer
{
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using connection_ptr = std::unique_ptr<PGconn, connection_closer>;

/// Where connections come from: exactly one of the two is set.
struct connect_method
{
    std::string name;  ///< of the resource manager
    std::string conninfo;
    postgresql::connect_function connect;
};

/// @throws driver_error  without the connection string's text: it may hold a password.
void check_conninfo(std::string const& conninfo);

/// @throws driver_error
connection_ptr open_connection(connect_method const& source, session_purpose purpose,
                               deadline until);

/// Asks, with `sql`, for who_columns() first.  @throws driver_error  that begins with `doing`.
row ask_who(wire& connection, deadline until, std::string const& sql, std::string const& doing);

/// Who is at the other end, by the server's answer and by what the client library was told.
session_identity identify(wire const& connection, row const& columns);

/// Who a lent connection is.  It is asked each time, and in few words where its process is known.
session_identity look_at(PGconn* lent, deadline until, std::string const& doing);

/// Gives a fresh connection the settings of its purpose and reads who it is.
session_identity introduce(wire& connection, connect_method const& source, session_purpose purpose,
                           deadline until);

}  // namespace assent::postgresql_adapter

#endif  // ASSENT_ADAPTERS_POSTGRESQL_CONNECTION_HPP
