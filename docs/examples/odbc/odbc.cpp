// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc.cpp -- the code of docs/adapters/odbc.md, compiled and run by a test against private
// servers.

#include <sql.h>
#include <sqlext.h>

#include <assent/assent.hpp>
#include <assent/odbc.hpp>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>

// [helper]
void execute(SQLHDBC connection, std::string const& sql)
{
    SQLHSTMT statement = SQL_NULL_HSTMT;
    SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement);
    auto* const text = reinterpret_cast<SQLCHAR*>(const_cast<char*>(sql.c_str()));
    SQLRETURN const got = SQLExecDirect(statement, text, SQL_NTS);
    bool const is_done = SQL_SUCCEEDED(got) || got == SQL_NO_DATA;
    bool const is_retryable =
        !is_done && assent::odbc::is_retryable(assent::odbc::statement{statement});
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    if (is_retryable) throw assent::retry_requested{};
    if (!is_done) throw std::runtime_error{"a statement failed"};
}
// [helper]

std::string setting(char const* name)
{
    char const* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error{std::string{name} + " is not set"};
    return value;
}

SQLHDBC open_by_hand(SQLHENV environment, std::string const& connect_string)
{
    SQLHDBC opened = SQL_NULL_HDBC;
    SQLAllocHandle(SQL_HANDLE_DBC, environment, &opened);
    auto* const text = reinterpret_cast<SQLCHAR*>(const_cast<char*>(connect_string.c_str()));
    if (!SQL_SUCCEEDED(SQLDriverConnect(opened, nullptr, text, SQL_NTS, nullptr, 0, nullptr,
                                        SQL_DRIVER_NOPROMPT))) {
        throw std::runtime_error{"no connection"};
    }
    return opened;
}

int main()
try {
    assent::transaction_manager tm{
        assent::options{}.log_directory(setting("SHOP_LOG")).node_label("shop-1")};

    // [lease]
    auto accounts =
        tm.add(assent::odbc::resource_manager{"accounts", setting("SHOP_ACCOUNTS_ODBC")});
    auto orders = tm.add(assent::odbc::resource_manager{"orders", setting("SHOP_ORDERS_ODBC")});

    auto tx = tm.begin();
    assent::odbc::connection const pg = tx.lease(accounts);
    assent::odbc::connection const my = tx.lease(orders);
    execute(pg, "UPDATE balance SET amount = amount - 5 WHERE id = 1");
    execute(my, "UPDATE balance SET amount = amount + 5 WHERE id = 1");
    tx.commit();
    // [lease]

    SQLHENV environment = SQL_NULL_HENV;
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
    SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3),
                  0);
    SQLHDBC const mine = open_by_hand(environment, setting("SHOP_ACCOUNTS_BY_HAND"));

    // [lend]
    auto lent = tm.begin();
    lent.enlist(accounts, assent::odbc::connection{mine});
    execute(mine, "INSERT INTO ledger VALUES ('by hand', 1)");
    execute(lent.lease(orders).get(), "INSERT INTO ledger VALUES ('by hand', 1)");
    lent.commit();
    // [lend]

    SQLDisconnect(mine);
    SQLFreeHandle(SQL_HANDLE_DBC, mine);
    SQLFreeHandle(SQL_HANDLE_ENV, environment);
    std::cout << "done\n";
    return EXIT_SUCCESS;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
