// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_client.hpp -- a plain connection for the tests' own work, and the tests' servers, by either
// client library.
//
// Nothing of the adapter is used here: what checks it must not see through it.

#ifndef ASSENT_TESTS_CONTRACT_MYSQL_CLIENT_HPP
#define ASSENT_TESTS_CONTRACT_MYSQL_CLIENT_HPP

#include <mysql.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <assent/xid.hpp>

#include "tests/servers/private_server.hpp"

namespace assent::contract {

// Where the two client libraries differ.
#ifdef LIBMARIADB
using client_bool = my_bool;
inline int socket_of(MYSQL* handle)
{
    return static_cast<int>(mysql_get_socket(handle));
}
inline bool reconnects(MYSQL* handle)
{
    client_bool is_on = 0;
    mysql_get_option(handle, MYSQL_OPT_RECONNECT, &is_on);
    return is_on != 0;
}
#else
using client_bool = bool;
inline int socket_of(MYSQL* handle)
{
    return static_cast<int>(handle->net.fd);
}
inline bool reconnects(MYSQL* handle)
{
    return handle->reconnect;
}
#endif

/// "MariaDB Connector/C 3.3.20"
std::string client_version();

enum class server_kind { mariadb, mysql };

/// Those that the client library reaches.
std::vector<server_kind> server_kinds();
char const* name_of(server_kind kind);

/// Why there is none of this kind here; empty where there is.
std::string why_missing(server_kind kind);
std::unique_ptr<testing::private_server> make_server(server_kind kind,
                                                     std::vector<std::string> const& settings = {});

/// "MySQL 9.7.4", as the running server says; without a server, that it is missing.
std::string server_version(server_kind kind);

/// The one that the tests of this program share.
testing::private_server& shared_server(server_kind kind);

/// MYSQL*, closed at the end of its scope.
class mysql_client
{
public:
    /// The account of the tests, over TCP.
    static mysql_client account(testing::private_server const& server, char const* database,
                                unsigned long flags = 0);
    /// root, over the unix socket.
    static mysql_client administrator(testing::private_server const& server);

    mysql_client(mysql_client&& other) noexcept : handle_(other.release()) {}
    mysql_client& operator=(mysql_client&&) = delete;
    ~mysql_client();

    MYSQL* get() const noexcept { return handle_; }
    MYSQL* release() noexcept;

    /// Runs one statement.  @return the first column of the first row, or nothing.
    /// @throws std::runtime_error  with the server's text.
    std::string query(std::string const& sql) { return query(handle_, sql); }
    static std::string query(MYSQL* handle, std::string const& sql);

    /// What XA RECOVER lists, as xa statements want it.
    std::vector<std::string> prepared();

    /// Runs one statement.  @return its error number, 0 when it succeeded.
    unsigned try_query(std::string const& sql) { return try_query(handle_, sql); }
    static unsigned try_query(MYSQL* handle, std::string const& sql);

private:
    explicit mysql_client(MYSQL* handle) : handle_(handle) {}

    MYSQL* handle_;
};

/// A branch's name as XA statements want it; the format is ours unless told otherwise.
std::string xa_name(xid const& x, int format_id = 1);

/// The isolation level of the transaction that the session is in, and has read or written in.
std::string level_of(testing::private_server const& server, std::uint64_t session);

/// Waits until `sql`, asked as an administrator, gives `wanted`; at most ten seconds.
void wait_for(testing::private_server const& server, std::string const& sql,
              std::string const& wanted);

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_MYSQL_CLIENT_HPP
