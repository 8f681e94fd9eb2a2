// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commit_row.cpp -- the code of docs/guide/commit-row.md, compiled and run by a test against
// private servers.

#include <libpq-fe.h>
#include <mysql.h>

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

void execute(PGconn* connection, std::string const& sql)
{
    std::unique_ptr<PGresult, decltype(&PQclear)> const result{PQexec(connection, sql.c_str()),
                                                               &PQclear};
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return;
    throw std::runtime_error{PQerrorMessage(connection)};
}

void execute(MYSQL* connection, std::string const& sql)
{
    if (mysql_real_query(connection, sql.data(), sql.size()) == 0) return;
    throw std::runtime_error{mysql_error(connection)};
}

std::string setting(char const* name)
{
    char const* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error{std::string{name} + " is not set"};
    return value;
}

int main()
try {
    assent::transaction_manager tm{
        assent::options{}.log_directory(setting("SHOP_LOG")).node_label("shop-1")};
    auto accounts =
        tm.add(assent::postgresql::resource_manager{"accounts", setting("SHOP_ACCOUNTS")});
    auto orders = tm.add(assent::mysql::resource_manager{"orders", setting("SHOP_ORDERS")});

    // [begin]
    auto tx = tm.begin(assent::begin_options{}.timeout(5s).commit_row(accounts));
    execute(tx.lease(accounts), "UPDATE balance SET amount = amount - 5 WHERE id = 1");
    execute(tx.lease(orders), "UPDATE balance SET amount = amount + 5 WHERE id = 1");
    tx.commit();  // prepares orders, commits accounts and the row, commits orders
    // [begin]

    std::cout << tm.state().forces << " forces of the log\n";
    return tm.state().forces == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
