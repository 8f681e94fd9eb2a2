// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// hosts.hpp -- a connection string that names several hosts, taken apart into one for each.
//
//   host=db1,db2 port=5432,5433 dbname=accounts      ->  db1:5432 and db2:5433
//
// libpq goes to the next host by itself when one refuses.  But when one is silent (its machine is
// gone, or hangs) libpq's asynchronous connect waits for ever, and connect_timeout means nothing to
// it: then the standby that took over would never be asked.  So each host gets a share of the time.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_HOSTS_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_HOSTS_HPP

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace assent::postgresql_adapter {

/// libpq's keywords and values, for one host; a single `dbname` is the whole connection string.
using connection_parameters = std::vector<std::pair<std::string, std::string>>;

struct host_list
{
    /// In the order of the connection string; never empty.
    std::vector<connection_parameters> hosts;
    /// What connect_timeout asks for each; nothing when it does not.
    std::optional<std::chrono::seconds> each_at_most;
};

/// @throws driver_error  without the connection string's text: it may hold a password.
host_list take_apart(std::string const& conninfo);

}  // namespace assent::postgresql_adapter

#endif  // ASSENT_ADAPTERS_POSTGRESQL_HOSTS_HPP
