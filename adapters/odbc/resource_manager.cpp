// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.cpp -- what the public header promises.

#include <memory>
#include <type_traits>
#include <utility>

#include <assent/error.hpp>
#include <assent/odbc.hpp>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/subject.hpp"
#include "adapters/odbc/client.hpp"
#include "adapters/odbc/driver.hpp"
#include "adapters/odbc/error.hpp"

namespace assent {
inline namespace v0 {
namespace odbc {

static_assert(std::is_same_v<SQLHDBC, void*>, "connection stands for it");
static_assert(std::is_same_v<SQLHSTMT, void*>, "statement stands for it");

namespace {

std::shared_ptr<resource_manager_driver> make(std::string name, connect_options settings)
{
    auto const safety = settings.safety;
    return std::make_shared<odbc_adapter::driver>(
        std::move(name), odbc_adapter::connect_method{std::move(settings), {}}, safety);
}

std::shared_ptr<resource_manager_driver> make(std::string name, connect_function connect,
                                              safety_options safety)
{
    dialects::require_connect_function(name, connect);
    return std::make_shared<odbc_adapter::driver>(
        std::move(name), odbc_adapter::connect_method{{}, std::move(connect)}, safety);
}

// SQLite's SQLITE_BUSY and SQLITE_LOCKED.
bool is_sqlite_contention(odbc_adapter::diagnosis const& said)
{
    return said.sqlstate == "HY000" && (said.native_code == 5 || said.native_code == 6);
}

}  // namespace

resource_manager::resource_manager(std::string name, connect_options settings)
    : assent::resource_manager(make(std::move(name), std::move(settings)))
{
}

resource_manager::resource_manager(std::string name, std::string const& connect_string)
    : resource_manager(std::move(name), parse_connect_string(connect_string))
{
}

resource_manager::resource_manager(std::string name, connect_function connect,
                                   safety_options safety)
    : assent::resource_manager(make(std::move(name), std::move(connect), safety))
{
}

bool is_retryable(statement failed) noexcept
{
    try {
        auto const said = odbc_adapter::diagnose(SQL_HANDLE_STMT, failed);
        if (!said) return false;
        return is_retryable_sqlstate(said->sqlstate) || is_sqlite_contention(*said) ||
               mysql_dialect::is_retryable(static_cast<unsigned>(said->native_code), said->text);
    } catch (std::exception const&) {
        return false;  // without memory nobody can tell
    }
}

}  // namespace odbc
}  // namespace v0
}  // namespace assent
