// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connector_session.hpp -- MySQL Connector/C++ 1.1, whose sql::Connection shows no MYSQL*, as a
// sql_session: copy it, or write the like for a wrapper of your own.

#ifndef ASSENT_DOCS_EXAMPLES_CONNECTOR_CPP_CONNECTOR_SESSION_HPP
#define ASSENT_DOCS_EXAMPLES_CONNECTOR_CPP_CONNECTOR_SESSION_HPP

#include <cppconn/connection.h>
#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>

#include <assent/sql_session.hpp>
#include <memory>
#include <string>

// [session]
class connector_session final : public assent::sql_session
{
public:
    explicit connector_session(sql::Connection& connection) : connection_(connection) {}

    assent::sql_answer run(std::string const& sql) override
    {
        assent::sql_answer answer;
        try {
            std::unique_ptr<sql::Statement> const statement{connection_.createStatement()};
            if (statement->execute(sql)) {
                std::unique_ptr<sql::ResultSet> const rows{statement->getResultSet()};
                answer.rows = all(*rows);
            }
            answer.is_ok = true;
        } catch (sql::SQLException& e) {
            answer.sqlstate = e.getSQLState();
            answer.native_code = e.getErrorCode();
            answer.text = e.what();
        }
        return answer;
    }

private:
    static std::vector<assent::sql_answer::row> all(sql::ResultSet& from)
    {
        std::vector<assent::sql_answer::row> rows;
        unsigned const width = from.getMetaData()->getColumnCount();
        while (from.next()) {
            auto& row = rows.emplace_back();
            for (unsigned i = 1; i <= width; ++i) {
                std::string value = from.getString(i);
                if (from.wasNull()) {
                    row.emplace_back();
                } else {
                    row.emplace_back(std::move(value));
                }
            }
        }
        return rows;
    }

    sql::Connection& connection_;
};
// [session]

#endif  // ASSENT_DOCS_EXAMPLES_CONNECTOR_CPP_CONNECTOR_SESSION_HPP
