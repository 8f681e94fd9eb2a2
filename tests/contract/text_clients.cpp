// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// text_clients.cpp -- clients as an application would wrap them: SQL in, text out, and no handle.

#include <stdexcept>

#include "tests/contract/sql_session_target.hpp"

#ifdef ASSENT_CONNECTOR_CPP
#include <mysql_driver.h>

#include "docs/examples/connector_cpp/connector_session.hpp"
#endif

namespace assent::contract {

namespace {

std::optional<std::string> text(char const* value, unsigned long length)
{
    if (value == nullptr) return std::nullopt;
    return std::string{value, length};
}

class postgresql_text final : public sql_session
{
public:
    explicit postgresql_text(std::string const& conninfo)
        : connection_(PQconnectdb(conninfo.c_str()))
    {
        if (PQstatus(connection_) == CONNECTION_OK) return;
        std::string const why = PQerrorMessage(connection_);
        PQfinish(connection_);
        throw std::runtime_error("the application could not connect: " + why);
    }
    postgresql_text(postgresql_text const&) = delete;
    postgresql_text& operator=(postgresql_text const&) = delete;
    ~postgresql_text() override { PQfinish(connection_); }

    sql_answer run(std::string const& sql) override
    {
        sql_answer answer;
        PGresult* const result = PQexec(connection_, sql.c_str());
        auto const status = PQresultStatus(result);
        answer.is_ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        answer.is_lost = PQstatus(connection_) != CONNECTION_OK;
        char const* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (state != nullptr) answer.sqlstate = state;
        answer.text = PQresultErrorMessage(result);
        for (int i = 0; i < PQntuples(result); ++i) {
            auto& row = answer.rows.emplace_back();
            for (int j = 0; j < PQnfields(result); ++j) {
                bool const is_null = PQgetisnull(result, i, j) != 0;
                row.push_back(text(is_null ? nullptr : PQgetvalue(result, i, j),
                                   static_cast<unsigned long>(PQgetlength(result, i, j))));
            }
        }
        PQclear(result);
        return answer;
    }

private:
    PGconn* connection_;
};

class mysql_text final : public sql_session
{
public:
    explicit mysql_text(mysql_client connected) : connection_(std::move(connected)) {}

    sql_answer run(std::string const& sql) override
    {
        MYSQL* const on = connection_.get();
        sql_answer answer;
        bool is_done = mysql_query(on, sql.c_str()) == 0;
        MYSQL_RES* const result = is_done ? mysql_store_result(on) : nullptr;
        is_done = is_done && mysql_errno(on) == 0;
        answer.is_ok = is_done;
        if (!is_done) {
            answer.sqlstate = mysql_sqlstate(on);
            answer.native_code = static_cast<int>(mysql_errno(on));
            answer.text = mysql_error(on);
        }
        if (result == nullptr) return answer;
        while (MYSQL_ROW const values = mysql_fetch_row(result)) {
            auto& row = answer.rows.emplace_back();
            for (unsigned i = 0; i < mysql_num_fields(result); ++i)
                row.push_back(text(values[i], mysql_fetch_lengths(result)[i]));
        }
        mysql_free_result(result);
        return answer;
    }

private:
    mysql_client connection_;
};

}  // namespace

std::unique_ptr<sql_session> open_postgresql_text(std::string const& conninfo)
{
    return std::make_unique<postgresql_text>(conninfo);
}

std::unique_ptr<sql_session> open_mysql_text(testing::private_server const& server,
                                             std::string const& database)
{
    return std::make_unique<mysql_text>(mysql_client::account(server, database.c_str()));
}

#ifdef ASSENT_CONNECTOR_CPP

namespace {

/// The application's connection and what wraps it, in one.
class owning_connector final : public sql_session
{
public:
    explicit owning_connector(sql::Connection* opened) : connection_(opened), session_(*opened) {}

    sql_answer run(std::string const& sql) override { return session_.run(sql); }

private:
    std::unique_ptr<sql::Connection> connection_;
    connector_session session_;
};

}  // namespace

std::unique_ptr<sql_session> open_connector_text(testing::private_server const& server,
                                                 std::string const& database)
{
    sql::ConnectOptionsMap options;
    options["hostName"] = sql::SQLString{"tcp://127.0.0.1:" + std::to_string(server.port())};
    options["userName"] = sql::SQLString{server.account()};
    options["password"] = sql::SQLString{server.password()};
    options["schema"] = sql::SQLString{database};
    options["OPT_RECONNECT"] = false;
    try {
        return std::make_unique<owning_connector>(
            sql::mysql::get_mysql_driver_instance()->connect(options));
    } catch (sql::SQLException& error) {
        throw std::runtime_error(std::string{"the application could not connect: "} + error.what());
    }
}

std::string connector_version()
{
    auto* const driver = sql::mysql::get_mysql_driver_instance();
    return "MySQL Connector/C++ " + std::to_string(driver->getMajorVersion()) + '.' +
           std::to_string(driver->getMinorVersion()) + '.' +
           std::to_string(driver->getPatchVersion());
}

#else

std::unique_ptr<sql_session> open_connector_text(testing::private_server const& server,
                                                 std::string const& database)
{
    return open_mysql_text(server, database);
}

std::string connector_version()
{
    return {};
}

#endif

}  // namespace assent::contract
