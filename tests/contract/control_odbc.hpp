// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_odbc.hpp -- a side of a control experiment that speaks ODBC.

#ifndef ASSENT_TESTS_CONTRACT_CONTROL_ODBC_HPP
#define ASSENT_TESTS_CONTRACT_CONTROL_ODBC_HPP

#include <memory>
#include <string>
#include <utility>

#include "tests/contract/control.hpp"
#include "tests/contract/odbc_client.hpp"

namespace assent::contract {

inline std::unique_ptr<control_side> by_odbc(std::shared_ptr<odbc_client> const& client,
                                             std::unique_ptr<control_side> side)
{
    side->run = [client](std::string const& sql) -> std::string {
        // A statement that must not be run twice fails in its first run, or not at all.
        SQLHSTMT statement = SQL_NULL_HSTMT;
        if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, client->get(), &statement))) {
            return "error of the driver";
        }
        auto* const words = reinterpret_cast<SQLCHAR*>(const_cast<char*>(sql.c_str()));
        SQLRETURN const got = SQLExecDirect(statement, words, SQL_NTS);
        std::string text;
        if (!SQL_SUCCEEDED(got) && got != SQL_NO_DATA) {
            SQLCHAR state[6] = {};
            SQLINTEGER native = 0;
            SQLGetDiagRec(SQL_HANDLE_STMT, statement, 1, state, &native, nullptr, 0, nullptr);
            text = "error " + std::to_string(native);
        } else {
            SQLSMALLINT columns = 0;
            SQLNumResultCols(statement, &columns);
            while (columns > 0 && SQL_SUCCEEDED(SQLFetch(statement))) {
                for (SQLUSMALLINT i = 1; i <= static_cast<SQLUSMALLINT>(columns); ++i) {
                    SQLCHAR value[256] = {};
                    SQLLEN length = 0;
                    SQLGetData(statement, i, SQL_C_CHAR, value, sizeof value, &length);
                    text += length == SQL_NULL_DATA ? "NULL" : reinterpret_cast<char*>(value);
                    text += " ";
                }
            }
        }
        SQLFreeHandle(SQL_HANDLE_STMT, statement);
        return text;
    };
    // Of the rest some drivers keep their connection locked when they are asked.
    side->client_view = [client] {
        std::string text;
        for (SQLINTEGER const each : {SQL_ATTR_AUTOCOMMIT, SQL_ATTR_TXN_ISOLATION}) {
            SQLUINTEGER value = 0;
            bool const is_told = SQL_SUCCEEDED(
                SQLGetConnectAttr(client->get(), each, &value, sizeof value, nullptr));
            text += (is_told ? std::to_string(value) : "none") + " ";
        }
        return text;
    };
    return side;
}

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_CONTROL_ODBC_HPP
