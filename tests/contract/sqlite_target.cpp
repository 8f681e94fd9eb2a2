// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/sqlite_target.hpp"

#include <cstdlib>
#include <stdexcept>

namespace assent::contract {

sqlite_target::sqlite_target()
{
    std::string pattern = std::filesystem::temp_directory_path() / "assent-sqlite-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = pattern;
}

sqlite_target::~sqlite_target()
{
    std::error_code ignored;  // a directory that cannot be removed fails no test
    std::filesystem::remove_all(directory_, ignored);
}

std::string sqlite_target::why_missing() const
{
    return odbc_drivers::sqlite().empty() ? "there is no ODBC driver sqlite3odbc" : "";
}

std::string sqlite_target::client_version()
{
    if (!why_missing().empty()) return {};
    static std::string const known = odbc_driver_version("sqliteodbc", sqlite_string(path()));
    return known;
}

std::string sqlite_target::server_version()
{
    static std::string const known =
        "SQLite " + odbc_client{sqlite_string(path())}.query("SELECT sqlite_version()");
    return known;
}

void sqlite_target::reset()
{
    odbc_client client{sqlite_string(path())};
    client.query("PRAGMA journal_mode = DELETE");
    client.query("CREATE TABLE IF NOT EXISTS entry (key INTEGER PRIMARY KEY)");
    client.query("DELETE FROM entry");
}

std::shared_ptr<resource_manager_driver> sqlite_target::driver_with(std::string const& more)
{
    return odbc::resource_manager{"ledger", sqlite_string(path()) + more}.driver();
}

void sqlite_target::write_row(driver_session& session, int key)
{
    run_sql(session, "INSERT INTO entry VALUES (" + std::to_string(key) + ")");
}

void sqlite_target::make_read_only(driver_session& session)
{
    run_sql(session, "PRAGMA query_only = 1");
}

int sqlite_target::count_rows(int key)
{
    odbc_client client{sqlite_string(path())};
    return std::stoi(client.query("SELECT count(*) FROM entry WHERE key = " + std::to_string(key)));
}

void* sqlite_target::open_handle(handle_kind kind)
{
    bool const is_other = kind == handle_kind::other_server || kind == handle_kind::other_database;
    void* const handle =
        lent_.keep(open_owned(sqlite_string(is_other ? path() + "-other" : path())));
    odbc_client::query(handle, "PRAGMA synchronous = EXTRA");
    if (kind == handle_kind::in_transaction) odbc_client::query(handle, "BEGIN");
    return handle;
}

std::shared_ptr<sqlite_target> the_sqlite()
{
    static auto const target = std::make_shared<sqlite_target>();
    return target;
}

std::shared_ptr<contract_target> make_sqlite_target()
{
    return the_sqlite();
}

}  // namespace assent::contract
