// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// test_clients_mariadb.cpp -- one connection over the MySQL or MariaDB client library.

#include <mysql.h>

#include <stdexcept>

#include "tests/servers/private_server.hpp"
#include "tests/servers/test_clients.hpp"

namespace assent::testing {

struct mariadb_session::handle
{
    MYSQL value{};

    [[noreturn]] void fail() { throw std::runtime_error(mysql_error(&value)); }
    ~handle() { mysql_close(&value); }
};

mariadb_session::mariadb_session(private_server const& server, std::string const& database,
                                 int port)
    : handle_(std::make_unique<handle>())
{
    MYSQL* const client = &handle_->value;
    mysql_init(client);
    unsigned const port_number = static_cast<unsigned>(port != 0 ? port : server.port());
    if (mysql_real_connect(client, "127.0.0.1", "shop", server.password().c_str(), database.c_str(),
                           port_number, nullptr, CLIENT_MULTI_STATEMENTS) == nullptr) {
        handle_->fail();
    }
}

mariadb_session::~mariadb_session() = default;

std::string mariadb_session::query(std::string const& sql)
{
    MYSQL* const client = &handle_->value;
    if (mysql_real_query(client, sql.data(), sql.size()) != 0) handle_->fail();
    std::string first;
    for (bool is_first = true;; is_first = false) {
        MYSQL_RES* const rows = mysql_store_result(client);
        if (rows != nullptr) {
            MYSQL_ROW const row = mysql_fetch_row(rows);
            if (is_first && row != nullptr && row[0] != nullptr) first = row[0];
            mysql_free_result(rows);
        } else if (mysql_field_count(client) != 0) {
            handle_->fail();
        }
        int const next = mysql_next_result(client);
        if (next < 0) return first;
        if (next > 0) handle_->fail();
    }
}

}  // namespace assent::testing
