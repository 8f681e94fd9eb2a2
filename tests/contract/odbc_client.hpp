// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_client.hpp -- a plain ODBC connection for the tests' own work, and where the drivers are.
//
// Drivers are named by their files, so that no test depends on the machine's odbcinst.ini.

#ifndef ASSENT_TESTS_CONTRACT_ODBC_CLIENT_HPP
#define ASSENT_TESTS_CONTRACT_ODBC_CLIENT_HPP

#include <sql.h>
#include <sqlext.h>

#include <string>

#include "tests/servers/private_server.hpp"

namespace assent::contract {

/// The files of the drivers; empty where one is not installed.
struct odbc_drivers
{
    static std::string postgresql();
    static std::string mariadb();
    static std::string sqlite();
};

/// Connect strings for the account of the tests, over TCP; `port` 0 is the server's own.
std::string postgresql_string(testing::private_server const& server,
                              std::string const& database = "accounts", int port = 0);
std::string mysql_string(testing::private_server const& server,
                         std::string const& database = "accounts", int port = 0);
std::string sqlite_string(std::string const& path);

/// A connection, closed at the end of its scope.
class odbc_client
{
public:
    /// @throws std::runtime_error
    explicit odbc_client(std::string const& connect_string);
    odbc_client(odbc_client const&) = delete;
    odbc_client& operator=(odbc_client const&) = delete;
    ~odbc_client();

    SQLHDBC get() const noexcept { return connection_; }

    /// Runs one statement.  @return the first column of the first row, or nothing.
    /// @throws std::runtime_error
    std::string query(std::string const& sql) { return query(connection_, sql); }
    static std::string query(SQLHDBC on, std::string const& sql);

    struct failure
    {
        std::string sqlstate;  ///< empty: it succeeded
        int native_code = 0;
        std::string text;
    };
    static failure try_query(SQLHDBC on, std::string const& sql);

    void set_autocommit(bool is_on) { set_autocommit(connection_, is_on); }
    static void set_autocommit(SQLHDBC on, bool is_on);

private:
    SQLHENV environment_ = SQL_NULL_HENV;
    SQLHDBC connection_ = SQL_NULL_HDBC;
};

/// A connection that somebody else will disconnect and free; its environment is never freed.
SQLHDBC open_raw(std::string const& connect_string);

/// "psqlODBC 13.02.0000"
std::string odbc_driver_version(std::string const& name, std::string const& connect_string);

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_ODBC_CLIENT_HPP
