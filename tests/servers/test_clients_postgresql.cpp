// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// test_clients_postgresql.cpp -- one question over libpq.

#include <libpq-fe.h>

#include <memory>
#include <stdexcept>

#include "tests/servers/test_clients.hpp"

namespace assent::testing {

std::string query_postgresql(std::string const& conninfo, std::string const& sql)
{
    std::unique_ptr<PGconn, decltype(&PQfinish)> const connection(PQconnectdb(conninfo.c_str()),
                                                                  &PQfinish);
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        throw std::runtime_error(PQerrorMessage(connection.get()));
    }
    std::unique_ptr<PGresult, decltype(&PQclear)> const result(
        PQexec(connection.get(), sql.c_str()), &PQclear);
    switch (PQresultStatus(result.get())) {
        case PGRES_TUPLES_OK:
            return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
        case PGRES_COMMAND_OK:
            return "";
        default:
            throw std::runtime_error(PQerrorMessage(connection.get()));
    }
}

}  // namespace assent::testing
