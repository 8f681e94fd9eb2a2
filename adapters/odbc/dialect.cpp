// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// dialect.cpp -- which kind of database speaks which dialect.

#include "adapters/odbc/dialect.hpp"

#include "adapters/dialects/mysql/decisions.hpp"
#include "adapters/dialects/postgresql/decisions.hpp"
#include "adapters/odbc/sqlite_rows.hpp"

namespace assent::odbc_adapter {

std::unique_ptr<dialect> make_dialect(link& on, std::string const& resource_manager,
                                      link_opener const& reopen)
{
    switch (on.kind()) {
        case database_kind::postgresql:
            return make_postgresql(on, resource_manager, reopen);
        case database_kind::mysql:
        case database_kind::mariadb:
            return make_mysql(on, resource_manager, reopen);
        case database_kind::sqlite:
            break;
    }
    return make_sqlite(on, resource_manager);
}

std::string insertion(database_kind kind, std::string const& database, decision_row const& what)
{
    switch (kind) {
        case database_kind::postgresql:
            return postgresql_dialect::decisions::insert(what);
        case database_kind::mysql:
        case database_kind::mariadb:
            return mysql_dialect::decisions::insert(database, what);
        case database_kind::sqlite:
            break;
    }
    return sqlite_rows::insert(what);
}

}  // namespace assent::odbc_adapter
