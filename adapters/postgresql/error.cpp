// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/postgresql/error.hpp"

namespace assent::postgresql_adapter {

std::string_view sqlstate_of(PGresult const* result) noexcept
{
    char const* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return code != nullptr ? std::string_view{code} : std::string_view{};
}

std::string text_of(PGresult const* result)
{
    char const* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    // Without fields it is the client library's own message, about the connection.
    std::string text = primary != nullptr ? primary : PQresultErrorMessage(result);
    trim(text);
    return text;
}

std::string text_of(PGconn const* connection)
{
    std::string text = PQerrorMessage(connection);
    trim(text);
    return text;
}

bool is_fatal(PGresult const* result) noexcept
{
    char const* severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity == nullptr) return true;
    std::string_view const word{severity};
    return word == "FATAL" || word == "PANIC";
}

reply map_error(phase when, PGresult const* result)
{
    return postgresql_dialect::map_error(when, sqlstate_of(result), text_of(result));
}

}  // namespace assent::postgresql_adapter
