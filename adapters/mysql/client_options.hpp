// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// client_options.hpp -- the connect options in the words of the client library.
//
// Invariant: an option that the library cannot follow exactly is refused by name, never followed in
// a weaker way: one library cannot check the authority without the name, and neither checks a
// certificate in a mode that only requires encryption.

#ifndef ASSENT_ADAPTERS_MYSQL_CLIENT_OPTIONS_HPP
#define ASSENT_ADAPTERS_MYSQL_CLIENT_OPTIONS_HPP

#include <string>
#include <vector>

#include <assent/mysql.hpp>

#include "adapters/mysql/client.hpp"

namespace assent::mysql_adapter {

struct host_and_port
{
    std::string host;
    unsigned port = 0;  ///< 0: the client library's default
};

/// Those of connect_options::host, in their order; at least one.
/// @throws driver_error  a port is none.
std::vector<host_and_port> hosts_of(mysql::connect_options const& chosen);

/// Refuses what contradicts itself, and what this client library cannot do.
/// @throws driver_error  naming the option.
void check_options(mysql::connect_options const& chosen, std::string const& resource_manager);

/// Before the handle connects.  `is_work`: it is for a lease.
/// @pre  check_options() let them pass.
void apply_options(MYSQL* handle, mysql::connect_options const& chosen, bool is_work);

/// Why the connection is not as secret as the options ask; empty: it is.
std::string why_not_encrypted(MYSQL* handle, mysql::connect_options const& chosen);

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_CLIENT_OPTIONS_HPP
