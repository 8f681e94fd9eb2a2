// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/odbc_client.hpp"

#include <stdexcept>

namespace assent::contract {

namespace {

SQLPOINTER number(std::uintptr_t value)
{
    return reinterpret_cast<SQLPOINTER>(value);
}

SQLCHAR* characters(std::string const& text)
{
    return reinterpret_cast<SQLCHAR*>(const_cast<char*>(text.c_str()));
}

odbc_client::failure diagnose(SQLSMALLINT kind, SQLHANDLE of)
{
    SQLCHAR state[6] = {};
    SQLINTEGER native = 0;
    SQLCHAR text[512] = {};
    SQLSMALLINT length = 0;
    odbc_client::failure said{"HY000", 0, "no diagnosis"};
    if (SQL_SUCCEEDED(SQLGetDiagRec(kind, of, 1, state, &native, text, sizeof text, &length))) {
        said = {reinterpret_cast<char*>(state), static_cast<int>(native),
                reinterpret_cast<char*>(text)};
    }
    return said;
}

/// Runs `sql`, and reads everything that comes of it.
odbc_client::failure run(SQLHDBC on, std::string const& sql, std::string& first)
{
    SQLHSTMT statement = SQL_NULL_HSTMT;
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, on, &statement))) {
        return diagnose(SQL_HANDLE_DBC, on);
    }
    odbc_client::failure said;
    SQLRETURN got = SQLExecDirect(statement, characters(sql), SQL_NTS);
    bool is_first = true;
    while (is_first || got != SQL_NO_DATA) {
        if (!SQL_SUCCEEDED(got) && got != SQL_NO_DATA) {
            said = diagnose(SQL_HANDLE_STMT, statement);
            break;
        }
        SQLSMALLINT columns = 0;
        SQLNumResultCols(statement, &columns);
        while (columns > 0 && SQL_SUCCEEDED(SQLFetch(statement))) {
            char value[1024] = {};
            SQLLEN length = 0;
            SQLGetData(statement, 1, SQL_C_CHAR, value, sizeof value, &length);
            if (first.empty() && length != SQL_NULL_DATA) first = value;
        }
        is_first = false;
        got = SQLMoreResults(statement);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    return said;
}

SQLHDBC connect(SQLHENV environment, std::string const& connect_string)
{
    SQLHDBC made = SQL_NULL_HDBC;
    SQLAllocHandle(SQL_HANDLE_DBC, environment, &made);
    SQLRETURN const got = SQLDriverConnect(made, nullptr, characters(connect_string), SQL_NTS,
                                           nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT);
    if (SQL_SUCCEEDED(got)) return made;
    auto const why = diagnose(SQL_HANDLE_DBC, made);
    SQLFreeHandle(SQL_HANDLE_DBC, made);
    throw std::runtime_error("the test could not connect: " + why.text);
}

std::string string_for(std::string const& driver, testing::private_server const& server,
                       std::string const& database, int port)
{
    return "DRIVER=" + driver +
           ";SERVER=127.0.0.1;PORT=" + std::to_string(port != 0 ? port : server.port()) +
           ";DATABASE=" + database + ";UID=" + server.account() + ";PWD=" + server.password() + ";";
}

}  // namespace

std::string odbc_drivers::postgresql()
{
    return ASSENT_ODBC_POSTGRESQL;
}

std::string odbc_drivers::mariadb()
{
    return ASSENT_ODBC_MARIADB;
}

std::string odbc_drivers::sqlite()
{
    return ASSENT_ODBC_SQLITE;
}

std::string postgresql_string(testing::private_server const& server, std::string const& database,
                              int port)
{
    return string_for(odbc_drivers::postgresql(), server, database, port);
}

std::string mysql_string(testing::private_server const& server, std::string const& database,
                         int port)
{
    return string_for(odbc_drivers::mariadb(), server, database, port);
}

std::string sqlite_string(std::string const& path)
{
    return "DRIVER=" + odbc_drivers::sqlite() + ";Database=" + path + ";Timeout=300;";
}

odbc_client::odbc_client(std::string const& connect_string)
{
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment_);
    SQLSetEnvAttr(environment_, SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
    try {
        connection_ = connect(environment_, connect_string);
    } catch (std::runtime_error const&) {
        SQLFreeHandle(SQL_HANDLE_ENV, environment_);
        throw;
    }
}

SQLHDBC open_raw(std::string const& connect_string)
{
    static SQLHENV const environment = [] {
        SQLHENV made = SQL_NULL_HENV;
        SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &made);
        SQLSetEnvAttr(made, SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
        return made;
    }();
    return connect(environment, connect_string);
}

odbc_client::~odbc_client()
{
    SQLDisconnect(connection_);
    SQLFreeHandle(SQL_HANDLE_DBC, connection_);
    SQLFreeHandle(SQL_HANDLE_ENV, environment_);
}

std::string odbc_client::query(SQLHDBC on, std::string const& sql)
{
    std::string first;
    auto const said = run(on, sql, first);
    if (!said.sqlstate.empty()) throw std::runtime_error(sql + ": " + said.text);
    return first;
}

odbc_client::failure odbc_client::try_query(SQLHDBC on, std::string const& sql)
{
    std::string ignored;
    return run(on, sql, ignored);
}

void odbc_client::set_autocommit(SQLHDBC on, bool is_on)
{
    auto const value = number(is_on ? SQL_AUTOCOMMIT_ON : SQL_AUTOCOMMIT_OFF);
    if (!SQL_SUCCEEDED(SQLSetConnectAttr(on, SQL_ATTR_AUTOCOMMIT, value, 0))) {
        throw std::runtime_error("autocommit: " + diagnose(SQL_HANDLE_DBC, on).text);
    }
}

std::string odbc_driver_version(std::string const& name, std::string const& connect_string)
{
    odbc_client const client{connect_string};
    char version[64] = {};
    SQLSMALLINT length = 0;
    SQLGetInfo(client.get(), SQL_DRIVER_VER, version, sizeof version, &length);
    return name + " " + version;
}

}  // namespace assent::contract
