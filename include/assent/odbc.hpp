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
// Spoken are PostgreSQL (psqlODBC), MariaDB and MySQL (MariaDB Connector/ODBC), and SQLite
// (sqliteodbc), which has no two-phase commit.  Where a native adapter exists it is the better
// choice: ODBC hides what it would need to be as quick, and a part of what it would check.  See
// docs/adapters/odbc.md.
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

/// A connection handle, SQLHDBC.  That is a `void*`, which any pointer would pass for, so it is
/// named: `enlist(rm, connection{dbc})`.  Stands wherever an SQLHDBC is wanted.
class connection
{
public:
    constexpr connection() noexcept = default;
    constexpr explicit connection(void* handle) noexcept : handle_(handle) {}

    constexpr operator void*() const noexcept { return handle_; }

private:
    void* handle_ = nullptr;
};

/// A statement handle, SQLHSTMT, which is a `void*` as well.
class statement
{
public:
    constexpr explicit statement(void* handle) noexcept : handle_(handle) {}

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
    /// Read at every connect, and handed over as PWD; refused when others may read the file.
    std::string password_file;
    safety_options safety;
};

/// Opens a connection for the manager, which disconnects and frees it; its environment stays the
/// application's, and must outlive the manager.  May be called from several threads.
using connect_function = std::function<connection()>;

/// Reads an ODBC connect string.  Two keys are taken out of it, as they are none of a driver's:
/// PASSWORD_FILE=path, and ALLOW_NON_DURABLE=yes or no.  AUTO_RECONNECT is refused.
/// @throws driver_error  naming the key that is wrong; never a value.
ASSENT_EXPORT connect_options parse_connect_string(std::string const& text);

/// A database behind ODBC.  Cheap to copy; nothing is connected before the manager needs it.  Which
/// kind of database it is, its driver says.
class ASSENT_EXPORT resource_manager : public assent::resource_manager
{
public:
    /// What a lease converts to, and what enlist and join take.
    using handle_type = connection;

    /// @throws driver_error  the name, or the settings, cannot be used.
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

/// Whether the last error on `failed` says that the transaction lost against others (a deadlock, a
/// serialization failure, a lock that was not to be had) and may succeed when it is run again from
/// its beginning.
ASSENT_EXPORT bool is_retryable(statement failed) noexcept;

}  // namespace odbc
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_ODBC_HPP
