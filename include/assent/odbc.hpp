// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc.hpp -- databases behind ODBC as resource managers, by unixODBC.
//
//   auto ledger = manager.add(assent::odbc::resource_manager{"ledger",
//       "DRIVER=PostgreSQL Unicode;SERVER=db1;DATABASE=ledger;UID=shop;"
//       "PASSWORD_FILE=/etc/shop/ledger.password"});
//   auto tx = manager.begin();
//   auto lease = tx.lease(ledger);
//   SQLHSTMT statement = SQL_NULL_HSTMT;
//   SQLAllocHandle(SQL_HANDLE_STMT, lease.get(), &statement);     // plain ODBC
//
// The adapter supports PostgreSQL (by psqlODBC), MariaDB and MySQL (by MariaDB Connector/ODBC), and
// SQLite (by sqliteodbc), which has no two-phase commit.  Where a native adapter exists it is the
// better choice: ODBC hides what the manager would need to be as fast, and a part of what it would
// check.  See docs/adapters/odbc.md.
//
// Inside a branch leave the transaction to the manager: no SQLEndTran, no change of
// SQL_ATTR_AUTOCOMMIT (psqlODBC commits at that), no COMMIT or ROLLBACK as text.  They are
// detected at the branch's end, never repaired.

#ifndef ASSENT_ODBC_HPP
#define ASSENT_ODBC_HPP

#include <functional>
#include <string>
#include <utility>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>

namespace assent {
inline namespace v0 {
namespace odbc {

/// A connection handle, SQLHDBC.  ODBC's own type is `void*`, to which every pointer converts, so
/// this class names it: `enlist(rm, connection{dbc})`.  It converts to an SQLHDBC.
class connection
{
public:
    constexpr connection() noexcept = default;
    /// `handle` is an SQLHDBC.
    constexpr explicit connection(void* handle) noexcept : handle_(handle) {}

    /// The SQLHDBC.
    constexpr operator void*() const noexcept { return handle_; }

private:
    void* handle_ = nullptr;
};

/// A statement handle, SQLHSTMT, which is a `void*` as well.
class statement
{
public:
    /// `handle` is an SQLHSTMT.
    constexpr explicit statement(void* handle) noexcept : handle_(handle) {}

    /// The SQLHSTMT.
    constexpr operator void*() const noexcept { return handle_; }

private:
    void* handle_;
};

/// Settings that do not say where the database is.
struct safety_options
{
    /// Accepts a database that may lose an acknowledged vote, or a commit, at power loss.
    bool allow_non_durable = false;
};

/// Where the database is, and how to log in.
struct connect_options
{
    /// What SQLDriverConnect is given: DRIVER or DSN, and the driver's own keys.
    std::string connect;
    /// The file with the password, read at every connect, and handed over as PWD.  It is refused
    /// when others may read it.
    std::string password_file;
    safety_options safety;  ///< which risks of the database are accepted
};

/// Opens a connection for the manager, which disconnects and frees it.  The ODBC environment stays
/// the application's, and must outlive the manager.  May be called from several threads.
using connect_function = std::function<connection()>;

/// Reads an ODBC connect string.  Two keys are taken out of it, because no driver knows them:
/// PASSWORD_FILE=path, and ALLOW_NON_DURABLE=yes or no.  AUTO_RECONNECT is refused.
/// @throws driver_error  errc::bad_argument, naming the key that is wrong; never a value.
/// Safe to retry: the same text fails again.
ASSENT_EXPORT connect_options parse_connect_string(std::string const& text);

/// A database behind ODBC.  Cheap to copy; nothing is connected before the manager needs it.  The
/// driver tells which kind of database it is.
class ASSENT_EXPORT resource_manager : public assent::resource_manager
{
public:
    /// What a lease converts to, and what enlist and join take.
    using handle_type = connection;

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

/// Whether the last error on `failed` says that the transaction was in conflict with others (a
/// deadlock, a serialization failure, a lock that could not be had) and may succeed when it is run
/// again from its beginning.
ASSENT_EXPORT bool is_retryable(statement failed) noexcept;

}  // namespace odbc
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_ODBC_HPP
