// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_row.cpp -- the code of docs/guide/commit-row.md on SQLite, compiled and run by a test
// against a private server.

#include <libpq-fe.h>
#include <sql.h>
#include <sqlext.h>

#include <assent/assent.hpp>
#include <assent/odbc.hpp>
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

void execute(assent::odbc::connection connection, std::string const& sql)
{
    SQLHSTMT statement = SQL_NULL_HSTMT;
    SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement);
    auto* const text = reinterpret_cast<SQLCHAR*>(const_cast<char*>(sql.c_str()));
    SQLRETURN const got = SQLExecDirect(statement, text, SQL_NTS);
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    if (!SQL_SUCCEEDED(got) && got != SQL_NO_DATA) throw std::runtime_error{"a statement failed"};
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

    // [sqlite]
    // DRIVER=SQLite3;Database=/var/lib/shop/till.db
    auto till = tm.add(assent::odbc::resource_manager{"till", setting("SHOP_TILL")});
    auto accounts =
        tm.add(assent::postgresql::resource_manager{"accounts", setting("SHOP_ACCOUNTS")});

    auto tx = tm.begin(assent::begin_options{}.timeout(5s).commit_row(till));
    execute(tx.lease(accounts), "UPDATE balance SET amount = amount - 5 WHERE id = 1");
    execute(tx.lease(till), "INSERT INTO sale VALUES ('book', 5)");
    tx.commit();  // prepares accounts, commits the file with the row, commits accounts
    // [sqlite]

    std::cout << tm.state().forces << " forces of the log\n";
    return tm.state().forces == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
