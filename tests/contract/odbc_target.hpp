// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_target.hpp -- the servers of the native adapters' targets, reached through ODBC.
//
// What the administrator sees and does stays with the native client; branches, and the
// application's own statements in them, go through the driver.

#ifndef ASSENT_TESTS_CONTRACT_ODBC_TARGET_HPP
#define ASSENT_TESTS_CONTRACT_ODBC_TARGET_HPP

#include <assent/odbc.hpp>

#include <map>
#include <memory>
#include <string>

#include "tests/contract/contract_suite.hpp"
#include "tests/contract/mysql_target.hpp"
#include "tests/contract/odbc_client.hpp"
#include "tests/contract/postgresql_target.hpp"

namespace assent::contract {

/// The application's own SQL on a branch's session.
inline std::string run_sql(driver_session& session, std::string const& sql)
{
    return odbc_client::query(session.native_handle(), sql);
}

/// These drivers read whole results at once.  What branches survive the native adapters' tests see,
/// and starting servers takes time: one crash a driver is among its own tests.
inline bool has_by_odbc(feature what)
{
    return what != feature::busy_handles && what != feature::crash && what != feature::move;
}

/// The handles that a target has lent.
class lent_handles
{
public:
    void* open(std::string const& connect_string);
    bool is_usable(void* handle) const;
    void close(void* handle) { all_.erase(handle); }

private:
    std::map<void*, std::unique_ptr<odbc_client>> all_;
};

class odbc_postgresql_target final : public postgresql_target
{
public:
    using postgresql_target::postgresql_target;

    bool has(feature what) const override { return has_by_odbc(what); }
    std::string why_missing() const override;
    std::string client_version() override;
    std::shared_ptr<resource_manager_driver> driver() override { return driver_with({}); }
    void write_row(driver_session& session, int key) override;
    std::future<bool> run_blocked(driver_session& session) override;
    void* open_handle(handle_kind kind) override;
    bool is_usable(void* handle) override { return lent_.is_usable(handle); }
    void close_handle(void* handle) override { lent_.close(handle); }

    /// A driver with more of a connect string.
    std::shared_ptr<resource_manager_driver> driver_with(std::string const& more);

private:
    lent_handles lent_;
};

class odbc_mysql_target final : public mysql_target
{
public:
    using mysql_target::mysql_target;

    bool has(feature what) const override { return has_by_odbc(what); }
    std::string why_missing() const override;
    std::string client_version() override;
    std::shared_ptr<resource_manager_driver> driver() override { return driver_with({}); }
    void write_row(driver_session& session, int key) override;
    std::future<bool> run_blocked(driver_session& session) override;
    void* open_handle(handle_kind kind) override;
    bool is_usable(void* handle) override { return lent_.is_usable(handle); }
    void close_handle(void* handle) override { lent_.close(handle); }

    std::shared_ptr<resource_manager_driver> driver_with(std::string const& more);
    testing::private_server& server() { return mysql_target::server(); }

private:
    lent_handles lent_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_ODBC_TARGET_HPP
