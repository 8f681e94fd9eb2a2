// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/mysql_client.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace assent::contract {

namespace {

MYSQL* open(char const* host, std::string const& user, std::string const& password,
            char const* database, int port, char const* socket, unsigned long flags)
{
    MYSQL* const handle = mysql_init(nullptr);
    if (mysql_real_connect(handle, host, user.c_str(), password.c_str(), database,
                           static_cast<unsigned>(port), socket, flags) == nullptr) {
        std::string const why = mysql_error(handle);
        mysql_close(handle);
        throw std::runtime_error(why);
    }
    return handle;
}

}  // namespace

mysql_client mysql_client::account(testing::private_server const& server, char const* database,
                                   unsigned long flags)
{
    return mysql_client{open("127.0.0.1", server.account(), server.password(), database,
                             server.port(), nullptr, flags)};
}

mysql_client mysql_client::administrator(testing::private_server const& server)
{
    return mysql_client{open("localhost", "root", "", "accounts", 0, server.socket().c_str(), 0)};
}

mysql_client::~mysql_client()
{
    if (handle_ != nullptr) mysql_close(handle_);
}

MYSQL* mysql_client::release() noexcept
{
    MYSQL* const released = handle_;
    handle_ = nullptr;
    return released;
}

std::string mysql_client::query(MYSQL* handle, std::string const& sql)
{
    if (mysql_real_query(handle, sql.data(), sql.size()) != 0) {
        throw std::runtime_error(sql + ": " + mysql_error(handle));
    }
    std::string first;
    if (MYSQL_RES* const rows = mysql_store_result(handle)) {
        MYSQL_ROW const row = mysql_fetch_row(rows);
        if (row != nullptr && row[0] != nullptr) first = row[0];
        mysql_free_result(rows);
    }
    return first;
}

unsigned mysql_client::try_query(MYSQL* handle, std::string const& sql)
{
    if (mysql_real_query(handle, sql.data(), sql.size()) != 0) return mysql_errno(handle);
    mysql_free_result(mysql_store_result(handle));
    return mysql_errno(handle);
}

void wait_for(testing::private_server const& server, std::string const& sql,
              std::string const& wanted)
{
    auto watcher = mysql_client::administrator(server);
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (watcher.query(sql) != wanted) {
        if (std::chrono::steady_clock::now() > until) {
            throw std::runtime_error("never came true: " + sql + " = " + wanted);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

testing::private_server& shared_mariadb()
{
    static std::unique_ptr<testing::private_server> const server =
        testing::private_server::mariadb();
    return *server;
}

}  // namespace assent::contract
