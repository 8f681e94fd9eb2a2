// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// configuration.hpp -- which log, and which databases: what the program reads before it acts.
//
//   log_directory = "/var/lib/shop/txlog"
//   node_label = "shop-1"
//
//   [[resource_manager]]
//   name = "accounts"                            # the name that the application gives it
//   kind = "postgresql"                          # postgresql, mysql, mariadb, odbc or xopen
//   connect_file = "/etc/shop/accounts.connect"  # or connect, or connect_env: exactly one
//
//   [[resource_manager]]
//   name = "stock"
//   kind = "xopen"                               # an X/Open switch; connect is its xa_info string
//   library = "libdb-5.3.so"
//   symbol = "db_xa_switch"
//   connect = "/var/lib/shop/stock"
//   identity_file = "/var/lib/shop/stock/assent_identity"
//   sessions_end_within_ms = 0
//   unguarded = true
//
// Invariant: a secret is read only for a command that connects, and is never shown.

#ifndef ASSENT_RECOVERY_CLI_CONFIGURATION_HPP
#define ASSENT_RECOVERY_CLI_CONFIGURATION_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assent::cli {

enum class database_kind : std::uint8_t {
    postgresql = 1,
    mysql = 2,
    mariadb = 3,
    odbc = 4,
    xopen = 5
};

constexpr std::string_view name_of(database_kind what) noexcept
{
    switch (what) {
        case database_kind::postgresql:
            return "postgresql";
        case database_kind::mysql:
            return "mysql";
        case database_kind::mariadb:
            return "mariadb";
        case database_kind::odbc:
            return "odbc";
        case database_kind::xopen:
            return "xopen";
    }
    return "?";
}

/// Where a connect string is to be found.
struct connect_source
{
    enum class place : std::uint8_t { text = 1, file = 2, environment = 3 };

    place where = place::text;
    std::string value;  ///< the string itself, the path of the file, the name of the variable
};

/// What is said of an X/Open switch, in the application's own words: assent::xopen::options.
struct configured_switch
{
    std::string library;        ///< as dlopen() takes it
    std::string symbol;         ///< the xa_switch_t in it
    std::string identity;       ///< empty: identity_file is given
    std::string identity_file;  ///< empty: identity is given
    std::optional<std::chrono::milliseconds> sessions_end_within;
    bool is_unguarded = false;
};

struct configured_database
{
    std::string name;
    database_kind kind = database_kind::postgresql;
    connect_source connect;
    bool allow_non_durable = false;
    bool pools_by_session = false;     ///< PostgreSQL behind a proxy
    bool holds_reservations = false;   ///< its name is that of reservations in this database
    configured_switch of_switch = {};  ///< of database_kind::xopen
};

struct configuration
{
    std::string path;
    std::string log_directory;
    std::string node_label;
    std::string allow_file_system;  ///< empty, or one that is refused otherwise
    std::vector<configured_database> databases;

    configured_database const* find(std::string_view name) const noexcept;
};

/// Reads and checks a configuration file.  Connects to nothing and opens no file that it names.
/// @throws failure  misused, naming the file, the line and the key.
configuration read_configuration(std::string const& path);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_CONFIGURATION_HPP
