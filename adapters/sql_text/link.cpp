// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/sql_text/link.hpp"

#include <iterator>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/postgresql/error.hpp"

namespace assent::sql_text {

namespace {

execution not_sent()
{
    execution cut;
    cut.is_lost = true;
    cut.text = "the connection was cut";
    return cut;
}

}  // namespace

bool is_lost_by_code(database_kind kind, execution const& failed) noexcept
{
    std::string_view const state = failed.sqlstate;
    switch (kind) {
        case database_kind::mysql:
        case database_kind::mariadb:
            return mysql_dialect::is_connection_lost(static_cast<unsigned>(failed.native_code)) ||
                   state.substr(0, 2) == "08";
        case database_kind::postgresql:
            // 08: connection exceptions.
            return state.substr(0, 2) == "08" || postgresql_dialect::ends_session(state);
        case database_kind::sqlite:
            break;
    }
    return false;
}

execution link::execute(std::string const& sql)
{
    return gate_->pass() ? shut_if_lost(run(sql)) : not_sent();
}

execution link::execute_each(std::initializer_list<std::string_view> statements)
{
    execution all;
    all.is_ok = true;
    for (std::string_view const each : statements) {
        execution one = execute(std::string{each});
        std::move(one.tables.begin(), one.tables.end(), std::back_inserter(all.tables));
        one.tables = std::move(all.tables);
        all = std::move(one);
        if (!all.is_ok) break;
    }
    return all;
}

execution link::execute_commit(std::string const& sql)
{
    return gate_->pass_commit() ? shut_if_lost(run(sql)) : not_sent();
}

execution link::execute_anyway(std::string const& sql)
{
    return is_left() ? not_sent() : run(sql);
}

/// A client that reconnects must not carry a conversation on in another session.
execution link::shut_if_lost(execution said)
{
    if (said.is_lost) gate_->cut();
    return said;
}

}  // namespace assent::sql_text
