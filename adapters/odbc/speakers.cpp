// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// speakers.cpp -- which speaker is for which kind of database.

#include "adapters/odbc/speakers.hpp"

#include "adapters/dialects/mysql/decisions.hpp"
#include "adapters/dialects/postgresql/decisions.hpp"
#include "adapters/odbc/sqlite_rows.hpp"

namespace assent::odbc_adapter {

std::unique_ptr<speaker> make_speaker(link& on, std::string const& resource_manager,
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

std::string insertion(database_kind kind, std::string const& database, decision_row const& inserted)
{
    switch (kind) {
        case database_kind::postgresql:
            return postgresql_dialect::decisions::insert(inserted);
        case database_kind::mysql:
        case database_kind::mariadb:
            return mysql_dialect::decisions::insert(database, inserted);
        case database_kind::sqlite:
            break;
    }
    return sqlite_rows::insert(inserted);
}

std::string trial(database_kind kind, std::string const& database)
{
    switch (kind) {
        case database_kind::postgresql:
            return "SHOW transaction_read_only";
        case database_kind::mysql:
        case database_kind::mariadb:
            return mysql_dialect::decisions::delete_none(database);
        case database_kind::sqlite:
            break;
    }
    return "PRAGMA query_only";
}

}  // namespace assent::odbc_adapter
