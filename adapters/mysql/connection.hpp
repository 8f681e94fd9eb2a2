// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connection.hpp -- opens a connection of the manager's own, by a deadline.
//
// Under Connector/C the library suspends itself whenever it would block, so a server that accepts
// and then says nothing costs no more than the deadline; only the name look-up is outside of it.
// No error text holds the password or the path's content.

#ifndef ASSENT_ADAPTERS_MYSQL_CONNECTION_HPP
#define ASSENT_ADAPTERS_MYSQL_CONNECTION_HPP

#include <memory>
#include <string>

#include <assent/mysql.hpp>

#include "adapters/mysql/client_options.hpp"
#include "adapters/mysql/wire.hpp"

namespace assent::mysql_adapter {

/// How the manager gets connections: one of the two.
struct connect_method
{
    mysql::connect_options where;
    mysql::connect_function connect;  ///< when set, `where` is not used
};

/// Opens, allows several statements in a message, forbids LOAD DATA LOCAL and reconnecting, and
/// sets FD_CLOEXEC.
/// `at`: of the source's hosts, the one to ask.  `is_work`: it is for a lease.
/// @throws driver_error  naming `resource_manager` and the cause, by `until`.
std::unique_ptr<wire> open_connection(connect_method const& source, host_and_port const& at,
                                      bool is_work, std::string const& resource_manager,
                                      deadline until);

/// Whether the server is a MariaDB, by the greeting that it sent.
bool is_mariadb(MYSQL* handle) noexcept;

/// @throws driver_error  the descriptor cannot be marked.
void set_close_on_exec(int descriptor, std::string const& resource_manager);

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_CONNECTION_HPP
