// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql.hpp -- MySQL and MariaDB as resource managers.
//
//   auto orders = manager.add(assent::mysql::resource_manager{"orders",
//       "host=db1 user=shop database=orders password_file=/etc/shop/orders.password"});
//   auto my = tx.lease(orders);                  // XA START was sent; converts to MYSQL*
//   if (mysql_query(my, "update ...") != 0 && assent::mysql::is_retryable(my)) ...
//
// The server is MariaDB 10.5, or MySQL 8.0.30, or later: older ones lose prepared branches.  Only
// transactional tables (InnoDB) are atomic: what was written to MyISAM, Aria or MEMORY tables
// stays written when the branch is rolled back.  docs/adapters/mysql.md and
// docs/adapters/mariadb.md say what to set, what to grant, and what each server does.
//
// On MariaDB one small table, `assent_identity`, is created in the database at first use: the
// server has no identity of its own that survives a change of its port.  Where the account may
// not create tables, the error prints the statements to run.
//
// The account needs no global right on MariaDB; on MySQL it needs XA_RECOVER_ADMIN.  It must stay
// the same while branches are in doubt, because an account sees only its own sessions.

#ifndef ASSENT_MYSQL_HPP
#define ASSENT_MYSQL_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

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

/// Whether a connection is encrypted, and what of the server's certificate is verified.
enum class tls_mode : std::uint8_t {
    by_default = 0,  ///< verify_identity if ssl_ca or ssl_capath is given, else as the library does
    disabled = 1,
    preferred = 2,        ///< encrypted where the server can; an attacker in between can prevent it
    required = 3,         ///< encrypted, by whatever certificate
    verify_ca = 4,        ///< signed by an authority of ssl_ca or ssl_capath; MySQL's library only
    verify_identity = 5,  ///< signed so, and issued for the name that is connected to
};

/// How the connection's messages are compressed.
enum class compression : std::uint8_t {
    off = 0,
    zlib = 1,
    zstd = 2,  ///< MySQL's library only
};

/// Where the server is, and how to log in.
struct connect_options
{
    /// One host, or several with commas between them, which are tried in order.  Each may have a
    /// port of its own, as in "db1:3307,[2001:db8::1]:3307,db2".  All must lead to the same
    /// database; if another one answers, it is refused.  Empty or "localhost": the unix socket.
    std::string host;
    unsigned port = 0;     ///< 0: the client library's default
    std::string socket;    ///< path of the unix socket; empty: the client library's default
    std::string user;      ///< the account; the manager and the application share it
    std::string password;  ///< prefer a password_file
    /// The file with the password, read at every connect, in place of `password`.  It is refused
    /// when others may read it.
    std::string password_file;
    std::string database;                      ///< required: branches belong to one database
    tls_mode ssl_mode = tls_mode::by_default;  ///< whether to encrypt, and what to verify
    std::string ssl_ca;                        ///< file of the authorities' certificates to trust
    std::string ssl_capath;                    ///< directory of such files, named by their hashes
    std::string ssl_cert;  ///< the client's own certificate, where the account requires one
    std::string ssl_key;   ///< and its private key
    /// The character set of leased sessions; empty: utf8mb4.
    std::string character_set;
    compression compress = compression::off;  ///< how messages are compressed
    /// What the server shows of the connection in performance_schema.session_connect_attrs.  Put no
    /// secrets there.
    std::vector<std::pair<std::string, std::string>> attributes;
    safety_options safety;  ///< which risks of the server are accepted
};

/// Opens a connection for the manager, which owns and closes it.  Throws or returns null when it
/// cannot.  Its own timeouts must limit how long it takes.
using connect_function = std::function<handle_type()>;

/// Reads `key=value` pairs separated by blanks: host, port, socket, user, password_file, database,
/// ssl_mode (disabled, preferred, required, verify_ca, verify_identity), ssl_ca, ssl_capath,
/// ssl_cert, ssl_key, character_set, compress (off, zlib, zstd), program_name (an attribute),
/// attributes ('name=value,name=value'), allow_non_durable (yes or no).  A value with blanks stands
/// in single quotes; a backslash there takes the next byte as it is.  There is no key `password`:
/// connect strings end up in process lists and logs, so the password stays in a file of its own.
/// @throws driver_error  errc::bad_argument, naming the key that is wrong; never the value.
/// Safe to retry: the same text fails again.
ASSENT_EXPORT connect_options parse_connect_string(std::string const& text);

/// A MySQL or MariaDB database.
class ASSENT_EXPORT resource_manager : public assent::resource_manager
{
public:
    /// What a lease converts to, and what enlist and join take.
    using handle_type = mysql::handle_type;

    /// `name` is 1 to 64 printable ASCII characters without blanks.  Connects to nothing.
    /// @throws driver_error  errc::bad_argument: the name, or the settings, cannot be used.
    /// Safe to retry: the same call fails again.
    resource_manager(std::string name, connect_options settings);
    /// The same, with settings that parse_connect_string() reads.
    /// @throws driver_error  as above, and as safe to retry.
    resource_manager(std::string name, std::string const& connect_string);
    /// The same.
    /// @throws driver_error  as above, and as safe to retry.
    resource_manager(std::string name, char const* connect_string)
        : resource_manager(std::move(name), std::string(connect_string))
    {
    }
    /// The same, with connections that `connect` opens.
    /// @throws driver_error  errc::bad_argument: the name cannot be used, or `connect` is empty.
    /// Safe to retry: the same call fails again.
    resource_manager(std::string name, connect_function connect, safety_options safety = {});

    /// The same database, whose leases come from the application's own pool.
    /// @throws driver_error  errc::bad_argument: a function of `pool` is missing.
    /// Safe to retry: the same call fails again.
    resource_manager leases_from(connection_source<handle_type> pool) const
    {
        resource_manager with = *this;
        with.lease_from(std::move(pool));
        return with;
    }
};

/// Whether the last error on `handle` says that the transaction was in conflict with others (a
/// deadlock, a lock wait timeout) and may succeed when it is run again from its beginning.
ASSENT_EXPORT bool is_retryable(handle_type handle) noexcept;

}  // namespace mysql
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_MYSQL_HPP
