// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/odbc_target.hpp"

#include <utility>

namespace assent::contract {

namespace {

std::string insert_into(char const* table, int key, char const* more)
{
    return std::string{"INSERT INTO "} + table + " VALUES (" + std::to_string(key) + more + ")";
}

/// Whether a statement was cancelled, or its session ended.
bool is_ended(odbc_client::failure const& said)
{
    return said.sqlstate == "57014" || said.sqlstate == "57P01" ||
           said.sqlstate.substr(0, 2) == "08" || said.native_code == 1317 ||
           said.native_code == 1927 || said.native_code == 2013 || said.native_code == 2006;
}

std::future<bool> run_on_thread(void* handle, std::string sql)
{
    return std::async(std::launch::async, [handle, sql = std::move(sql)] {
        return is_ended(odbc_client::try_query(handle, sql));
    });
}

std::string no_driver(std::string const& driver, char const* name)
{
    return driver.empty() ? std::string{"there is no ODBC driver "} + name : std::string{};
}

}  // namespace

void* lent_handles::open(std::string const& connect_string)
{
    auto opened = std::make_unique<odbc_client>(connect_string);
    void* const handle = opened->get();
    all_.emplace(handle, std::move(opened));
    return handle;
}

bool lent_handles::is_usable(void* handle) const
{
    return odbc_client::try_query(handle, "SELECT 1").sqlstate.empty();
}

// ---- PostgreSQL ------------------------------------------------------------------------------

std::string odbc_postgresql_target::why_missing() const
{
    std::string const driver = no_driver(odbc_drivers::postgresql(), "psqlodbcw");
    return driver.empty() ? postgresql_target::why_missing() : driver;
}

std::string odbc_postgresql_target::client_version()
{
    if (!why_missing().empty()) return {};
    static std::string const known = odbc_driver_version("psqlODBC", postgresql_string(server()));
    return known;
}

std::shared_ptr<resource_manager_driver> odbc_postgresql_target::driver_with(
    std::string const& more)
{
    return odbc::resource_manager{"accounts", postgresql_string(server()) + more}.driver();
}

void odbc_postgresql_target::write_row(driver_session& session, int key)
{
    run_sql(session, insert_into("entry", key, ""));
}

std::future<bool> odbc_postgresql_target::run_blocked(driver_session& session)
{
    block();
    auto running = run_on_thread(session.native_handle(), waits);
    wait_until_blocked(session.id());
    return running;
}

void* odbc_postgresql_target::open_handle(handle_kind kind)
{
    bool const is_other = kind == handle_kind::other_database;
    void* const handle =
        lent_.open(postgresql_string(server_for(kind), is_other ? "orders" : "accounts"));
    if (kind == handle_kind::in_transaction) odbc_client::query(handle, "BEGIN");
    return handle;
}

// ---- MariaDB and MySQL -----------------------------------------------------------------------

std::string odbc_mysql_target::why_missing() const
{
    std::string const driver = no_driver(odbc_drivers::mariadb(), "maodbc");
    return driver.empty() ? mysql_target::why_missing() : driver;
}

std::string odbc_mysql_target::client_version()
{
    if (!why_missing().empty()) return {};
    static std::string const known =
        odbc_driver_version("MariaDB Connector/ODBC", mysql_string(shared_server(kind())));
    return known;
}

std::shared_ptr<resource_manager_driver> odbc_mysql_target::driver_with(std::string const& more)
{
    return odbc::resource_manager{"accounts", mysql_string(server()) + more}.driver();
}

void odbc_mysql_target::write_row(driver_session& session, int key)
{
    run_sql(session, insert_into("t", key, ", 0"));
}

std::future<bool> odbc_mysql_target::run_blocked(driver_session& session)
{
    block();
    auto running = run_on_thread(session.native_handle(), waits);
    wait_until_blocked(session.id());
    return running;
}

void* odbc_mysql_target::open_handle(handle_kind kind)
{
    bool const is_other = kind == handle_kind::other_database;
    void* const handle =
        lent_.open(mysql_string(server_for(kind), is_other ? "orders" : "accounts"));
    if (kind == handle_kind::in_transaction) odbc_client::query(handle, "BEGIN");
    return handle;
}

}  // namespace assent::contract
