// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/postgresql_said.hpp"

#include <stdexcept>

namespace assent::contract {

namespace {

std::string field(PGresult const* result, int which)
{
    char const* const text = PQresultErrorField(result, which);
    return text != nullptr ? text : "";
}

}  // namespace

listening_connection::listening_connection(std::string const& conninfo) : connection_(conninfo)
{
    PQsetNoticeReceiver(
        connection_.get(),
        [](void* to, PGresult const* notice) {
            *static_cast<std::string*>(to) = field(notice, PG_DIAG_SQLSTATE) + " " +
                                             field(notice, PG_DIAG_MESSAGE_PRIMARY) + " " +
                                             field(notice, PG_DIAG_MESSAGE_DETAIL);
        },
        &warning_);
}

said listening_connection::ask(std::string const& sql)
{
    send(sql);
    return hear();
}

void listening_connection::send(std::string const& sql)
{
    warning_.clear();
    if (PQsendQuery(get(), sql.c_str()) != 1) throw std::runtime_error(PQerrorMessage(get()));
}

said listening_connection::hear()
{
    said heard;
    bool is_first_error = true;
    while (PGresult* const result = PQgetResult(get())) {
        heard.status = PQresultStatus(result);
        heard.tag = PQcmdStatus(result);
        if (heard.status == PGRES_TUPLES_OK && PQntuples(result) > 0) {
            heard.value = PQgetvalue(result, 0, 0);
        }
        if (heard.status == PGRES_FATAL_ERROR && is_first_error) {
            is_first_error = false;
            heard.sqlstate = field(result, PG_DIAG_SQLSTATE);
            heard.text = PQresultErrorMessage(result);
        }
        PQclear(result);
        if (PQstatus(get()) == CONNECTION_BAD) break;
    }
    heard.warning = warning_;
    return heard;
}

}  // namespace assent::contract
