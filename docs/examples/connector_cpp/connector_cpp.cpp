// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connector_cpp.cpp -- the code of docs/adapters/sql_session.md: MySQL Connector/C++ and PostgreSQL
// in one transaction, compiled and run by a test against private servers.

#include <libpq-fe.h>
#include <mysql_driver.h>

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "docs/examples/connector_cpp/connector_session.hpp"

namespace {

std::string setting(char const* name)
{
    char const* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error{std::string{name} + " is not set"};
    return value;
}

void execute(PGconn* connection, char const* sql)
{
    PGresult* const result = PQexec(connection, sql);
    bool const is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!is_done) throw std::runtime_error{PQerrorMessage(connection)};
}

std::unique_ptr<sql::Connection> connect()
{
    // [connect]
    sql::ConnectOptionsMap options;
    options["hostName"] = sql::SQLString{"tcp://127.0.0.1:" + setting("SHOP_ORDERS_PORT")};
    options["userName"] = sql::SQLString{"shop"};
    options["password"] = sql::SQLString{setting("SHOP_ORDERS_PASSWORD")};
    options["schema"] = sql::SQLString{"orders"};
    options["OPT_RECONNECT"] = false;  // it would leave a branch without telling
    std::unique_ptr<sql::Connection> connection{
        sql::mysql::get_mysql_driver_instance()->connect(options)};
    // [connect]
    return connection;
}

/// Old code, deep in the call stack, which knows nothing of the transaction but its manager.
void post(assent::transaction_manager& tm, assent::mysql::resource_manager const& orders,
          connector_session& session, sql::Connection& connection)
{
    // [join]
    assent::join(tm, orders, session);
    std::unique_ptr<sql::Statement> const statement{connection.createStatement()};
    statement->execute("INSERT INTO ledger VALUES ('connector joined', 1)");
    // [join]
}

}  // namespace

int main()
try {
    assent::transaction_manager tm{
        assent::options{}.log_directory(setting("SHOP_LOG")).node_label("shop-1")};
    auto accounts =
        tm.add(assent::postgresql::resource_manager{"accounts", setting("SHOP_ACCOUNTS")});
    auto orders = tm.add(assent::mysql::resource_manager{"orders", setting("SHOP_ORDERS")});
    auto const connection = connect();
    bool is_sound = true;

    // [enlist]
    connector_session session{*connection};
    auto tx = tm.begin();
    tx.enlist(orders, session, [&is_sound](assent::sql_session*, assent::release what) {
        is_sound = what == assent::release::keep;  // else: close the connection
    });
    std::unique_ptr<sql::Statement> const statement{connection->createStatement()};
    statement->execute("INSERT INTO ledger VALUES ('connector', 1)");
    execute(tx.lease(accounts), "INSERT INTO ledger VALUES ('connector', 1)");
    tx.commit();
    // [enlist]

    assent::user_transaction user{tm};
    user.begin();
    post(tm, orders, session, *connection);
    execute(tm.current()->lease(accounts), "INSERT INTO ledger VALUES ('connector joined', 1)");
    user.commit();

    std::cout << "done\n";
    return is_sound ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (sql::SQLException& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
