// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/databases.hpp"

#include <exception>

#ifdef ASSENT_CLI_HAS_MYSQL
#include <assent/mysql.hpp>
#endif
#ifdef ASSENT_CLI_HAS_ODBC
#include <assent/odbc.hpp>
#endif
#ifdef ASSENT_CLI_HAS_POSTGRESQL
#include <assent/postgresql.hpp>
#endif

#include "recovery/cli/connect_source.hpp"
#include "recovery/cli/failure.hpp"

namespace assent::cli {

namespace {

resource_manager make(configured_database const& which, std::string const& connect)
{
    switch (which.kind) {
        case database_kind::postgresql:
#ifdef ASSENT_CLI_HAS_POSTGRESQL
            return postgresql::resource_manager{
                which.name, connect, {which.allow_non_durable, which.pools_by_session}};
#else
            break;
#endif
        case database_kind::mysql:
        case database_kind::mariadb:
#ifdef ASSENT_CLI_HAS_MYSQL
        {
            auto where = mysql::parse_connect_string(connect);
            where.safety.allow_non_durable |= which.allow_non_durable;
            return mysql::resource_manager{which.name, std::move(where)};
        }
#else
            break;
#endif
        case database_kind::odbc:
#ifdef ASSENT_CLI_HAS_ODBC
        {
            auto where = odbc::parse_connect_string(connect);
            where.safety.allow_non_durable |= which.allow_non_durable;
            return odbc::resource_manager{which.name, std::move(where)};
        }
#else
            break;
#endif
    }
    throw failure{exit_code::misused,
                  "this program was built without support for " + std::string{name_of(which.kind)}};
}

}  // namespace

resource_manager make_resource_manager(configured_database const& which)
{
    auto const connect = resolve(which);
    try {
        return make(which, connect);
    } catch (failure const&) {
        throw;
    } catch (std::exception const& e) {
        throw failure{exit_code::misused,
                      "resource manager \"" + which.name + "\": " + std::string{e.what()}};
    }
}

}  // namespace assent::cli
