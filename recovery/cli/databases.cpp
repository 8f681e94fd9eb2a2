// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/databases.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
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
#ifdef ASSENT_CLI_HAS_XOPEN
#include <assent/xopen.hpp>
#endif

#include <assent/tcc.hpp>

#include "recovery/cli/connect_source.hpp"
#include "recovery/cli/failure.hpp"

namespace assent::cli {

namespace {

#ifdef ASSENT_CLI_HAS_XOPEN
resource_manager make_switch(configured_database const& which, std::string const& xa_info)
{
    auto const& of = which.of_switch;
    xopen::options declared;
    if (!of.identity.empty()) declared.identity(of.identity);
    if (!of.identity_file.empty()) declared.identity_file(of.identity_file);
    if (of.sessions_end_within) declared.sessions_end_within(*of.sessions_end_within);
    if (of.is_unguarded) declared.unguarded();
    return xopen::resource_manager{which.name, xopen::library{of.library, of.symbol}, xa_info,
                                   declared};
}
#endif

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
        case database_kind::xopen:
#ifdef ASSENT_CLI_HAS_XOPEN
            return make_switch(which, connect);
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
        auto made = make(which, connect);
        if (which.holds_reservations) return tcc::resource_manager{which.name, made};
        return made;
    } catch (failure const&) {
        throw;
    } catch (std::exception const& e) {
        throw failure{exit_code::misused,
                      "resource manager \"" + which.name + "\": " + std::string{e.what()}};
    }
}

void require_identity(configured_database const& which)
{
    auto const& file = which.of_switch.identity_file;
    if (file.empty() || ::access(file.c_str(), F_OK) == 0) return;
    throw failure{exit_code::misused,
                  "resource manager \"" + which.name + "\": its identity_file \"" + file +
                      "\" is not there (" + std::strerror(errno) +
                      "): the application makes it when it first starts, in the resource manager's "
                      "own home; correct the path, or bring the file back"};
}

}  // namespace assent::cli
