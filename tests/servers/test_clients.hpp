// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// test_clients.hpp -- the least that a test needs to ask a server a question from the side.
//
// Nothing of the library is used here: a test that checks an adapter must not see through it.

#ifndef ASSENT_TESTS_SERVERS_TEST_CLIENTS_HPP
#define ASSENT_TESTS_SERVERS_TEST_CLIENTS_HPP

#include <memory>
#include <string>

namespace assent::testing {

class private_server;

/// Runs `sql` on a connection of its own.
/// @return the first column of the first row, or nothing.
/// @throws std::runtime_error  with the server's text.
std::string query_postgresql(std::string const& conninfo, std::string const& sql);

/// A connection of the account `shop` over TCP (`port` 0: the server's own).
class mariadb_session
{
public:
    mariadb_session(private_server const& server, std::string const& database, int port = 0);
    ~mariadb_session();
    mariadb_session(mariadb_session const&) = delete;
    mariadb_session& operator=(mariadb_session const&) = delete;

    /// As query_postgresql(); several statements in one text are allowed, and all are read.
    std::string query(std::string const& sql);

private:
    struct handle;
    std::unique_ptr<handle> handle_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_TEST_CLIENTS_HPP
