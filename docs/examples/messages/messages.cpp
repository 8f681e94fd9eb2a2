// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// messages.cpp -- the code of docs/guide/messages.md, compiled and run by a test against private
// servers: money leaves an account with a message, and arrives with the message's end.

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

using assent::message::queue;

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

/// @return whether there was one.
bool handle_one(assent::transaction_manager& tm, queue const& payments,
                assent::mysql::resource_manager const& orders)
{
    // [take]
    using assent::isolation;
    auto tx = tm.begin(assent::begin_options{}.isolation_level(isolation::read_committed));
    auto const payment = payments.take(tx, "shop");
    if (!payment) return false;  // and the transaction is rolled back
    execute(tx.lease(orders),
            "UPDATE balance SET amount = amount + " + payment->body + " WHERE id = 1");
    tx.commit();
    return true;
    // [take]
}

int main()
try {
    assent::transaction_manager tm{
        assent::options{}.log_directory(setting("SHOP_LOG")).node_label("shop-1")};
    auto accounts =
        tm.add(assent::postgresql::resource_manager{"accounts", setting("SHOP_ACCOUNTS")});
    auto orders = tm.add(assent::mysql::resource_manager{"orders", setting("SHOP_ORDERS")});

    // [put]
    queue const payments{accounts};
    auto tx = tm.begin();
    execute(tx.lease(accounts), "UPDATE balance SET amount = amount - 5 WHERE id = 1");
    payments.put(tx, {"shop", "account 1", "5"});  // destination, key, body
    tx.commit();
    // [put]

    int handled = 0;
    while (handle_one(tm, payments, orders))
        ++handled;
    std::cout << handled << " handled\n";
    return handled == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
