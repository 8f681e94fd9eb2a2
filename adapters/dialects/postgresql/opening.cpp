// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/opening.hpp"

#include "adapters/dialects/row_wait.hpp"

namespace assent::postgresql_dialect {

namespace {

std::string setting(char const* name, std::string const& value)
{
    return std::string{", pg_catalog.set_config('"} + name + "', '" + value + "', false)";
}

}  // namespace

std::string settings_for(session_purpose purpose)
{
    if (purpose == session_purpose::work) return {};
    std::string list =
        setting("statement_timeout", "0") + setting("idle_in_transaction_session_timeout", "0") +
        setting("lock_timeout", std::to_string(dialects::lock_wait.count()) + "s") +
        setting("default_transaction_read_only", "off") +
        setting("default_transaction_isolation", "read committed") +
        setting("default_transaction_deferrable", "off") +
        setting("client_min_messages", "warning") +
        // PostgreSQL 17 and newer have it.
        ", (SELECT pg_catalog.set_config(s.name, '0', false) FROM pg_catalog.pg_settings s"
        " WHERE s.name OPERATOR(pg_catalog.=) 'transaction_timeout')";
    // The guardian's lock must not outlive a manager that is gone without a word.
    bool const is_guardian = purpose == session_purpose::guardian;
    return list + setting("idle_session_timeout", is_guardian ? "10s" : "0");
}

std::string advice_for_opening(driver_error const& failure)
{
    if (failure.sqlstate() != "42501") return {};
    return " (every role may call it unless that was taken away: GRANT EXECUTE ON FUNCTION "
           "pg_catalog.pg_control_system() TO the role, in this database)";
}

}  // namespace assent::postgresql_dialect
