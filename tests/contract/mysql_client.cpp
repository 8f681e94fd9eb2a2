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

// X'00ff'
std::string literal(std::string const& bytes)
{
    std::string text = "X'";
    for (unsigned char const c : bytes)
        text.append(1, "0123456789abcdef"[c >> 4]).append(1, "0123456789abcdef"[c & 15]);
    return text + "'";
}

}  // namespace

#ifdef LIBMARIADB

std::string client_version()
{
    return std::string("MariaDB Connector/C ") + mysql_get_client_info();
}

std::vector<server_kind> server_kinds()
{
    return {server_kind::mariadb, server_kind::mysql};
}

#else

std::string client_version()
{
    return std::string("libmysqlclient ") + mysql_get_client_info();
}

// MariaDB's accounts use a method that this library no longer has.
std::vector<server_kind> server_kinds()
{
    return {server_kind::mysql};
}

#endif

char const* name_of(server_kind kind)
{
    return kind == server_kind::mariadb ? "mariadb" : "mysql";
}

std::string why_missing(server_kind kind)
{
    return kind == server_kind::mariadb ? "" : testing::private_server::mysql_missing();
}

std::unique_ptr<testing::private_server> make_server(server_kind kind,
                                                     std::vector<std::string> const& settings)
{
    return kind == server_kind::mariadb ? testing::private_server::mariadb(settings)
                                        : testing::private_server::mysql(settings);
}

std::string server_version(server_kind kind)
{
    static std::string known[2];
    std::string& text = known[static_cast<int>(kind)];
    if (!text.empty()) return text;
    text = kind == server_kind::mariadb ? "MariaDB " : "MySQL ";
    if (!why_missing(kind).empty()) return text += "(missing)";
    auto const version = mysql_client::administrator(shared_server(kind)).query("select version()");
    return text += version.substr(0, version.find('-'));
}

testing::private_server& shared_server(server_kind kind)
{
    static std::unique_ptr<testing::private_server> servers[2];
    auto& server = servers[static_cast<int>(kind)];
    if (!server) server = make_server(kind);
    return *server;
}

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

std::vector<std::string> mysql_client::prepared()
{
    if (mysql_query(handle_, "xa recover") != 0) throw std::runtime_error(mysql_error(handle_));
    std::vector<std::string> all;
    MYSQL_RES* const rows = mysql_store_result(handle_);
    while (MYSQL_ROW const row = mysql_fetch_row(rows)) {
        std::string const bytes(row[3], mysql_fetch_lengths(rows)[3]);
        auto const middle = static_cast<std::size_t>(std::stoul(row[1]));
        all.push_back(literal(bytes.substr(0, middle)) + "," + literal(bytes.substr(middle)) + "," +
                      row[0]);
    }
    mysql_free_result(rows);
    return all;
}

unsigned mysql_client::try_query(MYSQL* handle, std::string const& sql)
{
    if (mysql_real_query(handle, sql.data(), sql.size()) != 0) return mysql_errno(handle);
    mysql_free_result(mysql_store_result(handle));
    return mysql_errno(handle);
}

std::string xa_name(xid const& x, int format_id)
{
    return "'" + std::string{x.global.text()} + "','" + std::string{x.branch.text()} + "'," +
           std::to_string(format_id);
}

std::string level_of(testing::private_server const& server, std::uint64_t session)
{
    auto watcher = mysql_client::administrator(server);
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::string level;
    do {
        // Servers renew this table only when nobody has read it for 100 ms.
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        level = watcher.query(
            "select trx_isolation_level from information_schema.innodb_trx where "
            "trx_mysql_thread_id = " +
            std::to_string(session));
    } while (level.empty() && std::chrono::steady_clock::now() < until);
    return level;
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

}  // namespace assent::contract
