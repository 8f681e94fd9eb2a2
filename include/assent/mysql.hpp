// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql.hpp -- MySQL and MariaDB as resource managers.
//
//   auto orders = manager.add(assent::mysql::resource_manager{"orders",
//       "host=db1 user=shop database=orders password_file=/etc/shop/orders.password"});
//   auto my = tx.lease(orders);                  // XA START was sent; converts to MYSQL*
//   if (mysql_query(my, "update ...") != 0 && assent::mysql::is_retryable(my)) ...
//
// Requires MariaDB 10.5, or MySQL 8.0.30, or later: older servers lose prepared branches.  Only
// transactional tables (InnoDB) are atomic: what was written to MyISAM, Aria or MEMORY tables
// stays written when the branch is rolled back.  docs/adapters/mysql.md and
// docs/adapters/mariadb.md say what to set, what to grant, and what each server does.
//
// On MariaDB one small table, `assent_identity`, is created in the database at first use: the
// server has no identity of its own that survives a change of its port.  Where the account may
// not create tables, the error prints the statements to run.
//
// The account needs no global right on MariaDB; on MySQL it needs XA_RECOVER_ADMIN.  It must stay
// the same while branches are in doubt, because an account sees the sessions of its own only.

#ifndef ASSENT_MYSQL_HPP
#define ASSENT_MYSQL_HPP

#include <functional>
#include <string>
#include <utility>

#include <assent/export.hpp>
#include <assent/mysql_handle.hpp>
#include <assent/resource_manager.hpp>

namespace assent {
inline namespace v0 {
namespace mysql {

/// The client library's connection, `MYSQL*`.
using handle_type = client_handle*;

/// Settings that do not say where the server is.
struct safety_options
{
    /// Accepts a server that may lose an acknowledged vote at power loss
    /// (innodb_flush_log_at_trx_commit or sync_binlog not 1).  A crash then breaks atomicity.
    bool allow_non_durable = false;
};

/// Where the server is, and how to log in.
struct connect_options
{
    std::string host;    ///< empty or "localhost": the unix socket
    unsigned port = 0;   ///< 0: the client library's default
    std::string socket;  ///< path of the unix socket; empty: the client library's default
    std::string user;
    std::string password;
    /// Read at every connect, in place of `password`; refused when others may read the file.
    std::string password_file;
    std::string database;  ///< required: branches belong to one database
    /// Certificates to trust; when given, TLS is required and the server's name is verified.
    std::string ssl_ca;
    safety_options safety;
};

/// Opens a connection for the manager, which owns and closes it; throws or returns null when it
/// cannot.  Its own timeouts must bound it.
using connect_function = std::function<handle_type()>;

/// Reads `key=value` pairs separated by blanks: host, port, socket, user, password_file, database,
/// ssl_ca, allow_non_durable (yes or no).  A value with blanks stands in single quotes; a
/// backslash there takes the next byte as it is.  There is no `password`: connect strings end up
/// in process lists and logs, so the password stays in a file of its own.
/// @throws driver_error  naming the key that is wrong; never the value.
ASSENT_EXPORT connect_options parse_connect_string(std::string const& text);

/// A MySQL or MariaDB database.
class ASSENT_EXPORT resource_manager : public assent::resource_manager
{
public:
    using handle_type = mysql::handle_type;

    /// @throws driver_error  the name, or the settings, cannot be used.  Connects to nothing.
    resource_manager(std::string name, connect_options where);
    resource_manager(std::string name, std::string const& connect_string);
    resource_manager(std::string name, char const* connect_string)
        : resource_manager(std::move(name), std::string(connect_string))
    {
    }
    resource_manager(std::string name, connect_function connect, safety_options safety = {});

    /// The same database, whose leases come from the application's own pool.
    /// @throws driver_error  a function of `pool` is missing.
    resource_manager leases_from(connection_source<handle_type> pool) const
    {
        resource_manager with = *this;
        with.lease_from(std::move(pool));
        return with;
    }
};

/// Whether the last error on `handle` says that the transaction lost against others (a deadlock, a
/// lock wait timeout) and may succeed when it is run again from its beginning.
ASSENT_EXPORT bool is_retryable(handle_type handle) noexcept;

}  // namespace mysql
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_MYSQL_HPP
