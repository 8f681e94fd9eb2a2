// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_target.hpp -- the servers of the native adapters' targets, reached through ODBC.

#ifndef ASSENT_TESTS_CONTRACT_ODBC_TARGET_HPP
#define ASSENT_TESTS_CONTRACT_ODBC_TARGET_HPP

#include <assent/odbc.hpp>

#include <memory>
#include <string>

#include "tests/contract/client_target.hpp"
#include "tests/contract/mysql_target.hpp"
#include "tests/contract/odbc_client.hpp"
#include "tests/contract/postgresql_target.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::contract {

/// The application's own SQL on a branch's session.
inline std::string run_sql(driver_session& session, std::string const& sql)
{
    return odbc_client::query(session.native_handle(), sql);
}

/// A connection that belongs to its handle.
std::shared_ptr<void> open_owned(std::string const& connect_string);
/// As the driver said it.
sql_answer try_by_odbc(void* handle, std::string const& sql);

/// A driver of ODBC and the server behind it, as the tests of all such drivers see them.
class odbc_target
{
public:
    virtual ~odbc_target() = default;

    /// For the account of the tests; `port` 0 is the server's own.
    virtual std::string connect_string(int port = 0) = 0;
    virtual std::string connect_string_by_socket() = 0;
    /// The same database by the native adapter.
    virtual std::shared_ptr<resource_manager_driver> native() = 0;
    /// The driver's file.
    virtual std::string file() const = 0;
    /// What a one-phase commit sends last before it commits.
    virtual std::string last_before_commit() const = 0;

    /// A driver with more of a connect string.
    std::shared_ptr<resource_manager_driver> driver_with(std::string const& more);
    /// A driver whose messages pass `network`, where its server is the only one, number 0.
    std::shared_ptr<resource_manager_driver> driver_behind(testing::proxy& network);

protected:
    virtual testing::wire_protocol protocol() const = 0;
    virtual int port() = 0;
};

template <class Native>
class odbc_target_of : public client_target<Native>, public odbc_target
{
public:
    using client_target<Native>::client_target;

    std::string why_missing() const override
    {
        if (file().empty()) return std::string{"there is no driver "} + title();
        return Native::why_missing();
    }
    std::string client_version() override
    {
        if (!why_missing().empty()) return {};
        static std::string const known = odbc_driver_version(title(), connect_string(0));
        return known;
    }
    std::shared_ptr<resource_manager_driver> driver() override { return driver_with({}); }
    std::shared_ptr<resource_manager_driver> native() override { return Native::driver(); }
    std::string connect_string(int port) override
    {
        return text_for(this->server(), "accounts", port);
    }

protected:
    virtual char const* title() const = 0;
    virtual std::string text_for(testing::private_server const& server, std::string const& database,
                                 int port) const = 0;
    int port() override { return this->server().port(); }
    std::shared_ptr<void> lend(testing::private_server& server,
                               std::string const& database) override
    {
        return open_owned(text_for(server, database, 0));
    }
    sql_answer try_run(void* handle, std::string const& sql) override
    {
        return try_by_odbc(handle, sql);
    }
};

class odbc_postgresql_target final : public odbc_target_of<postgresql_target>
{
public:
    using odbc_target_of::odbc_target_of;

    std::string connect_string_by_socket() override;
    std::string file() const override { return odbc_drivers::postgresql(); }
    std::string last_before_commit() const override { return "pg_current_xact_id_if_assigned"; }

protected:
    char const* title() const override { return "psqlODBC"; }
    std::string text_for(testing::private_server const& server, std::string const& database,
                         int port) const override
    {
        return postgresql_string(server, database, port);
    }
    testing::wire_protocol protocol() const override { return testing::wire_protocol::postgresql; }
};

class odbc_mysql_target final : public odbc_target_of<mysql_target>
{
public:
    using odbc_target_of::odbc_target_of;

    std::string connect_string_by_socket() override;
    std::string file() const override { return odbc_drivers::mariadb(); }
    std::string last_before_commit() const override { return "XA END"; }

protected:
    char const* title() const override { return "MariaDB Connector/ODBC"; }
    std::string text_for(testing::private_server const& server, std::string const& database,
                         int port) const override
    {
        return mysql_string(server, database, port);
    }
    testing::wire_protocol protocol() const override { return testing::wire_protocol::mysql; }
};

/// The fixture of the tests that every driver of a server passes, and of each driver's own.
class odbc_server : public contract
{
protected:
    odbc_target& by_odbc() { return dynamic_cast<odbc_target&>(target()); }

    /// A branch on a driver with more of a connect string.
    started start_with(std::string const& more, int key)
    {
        driver_ = by_odbc().driver_with(more);
        return start_on(*driver_, key);
    }
    /// A branch whose messages pass `network`.
    started start_behind(testing::proxy& network, int key)
    {
        driver_ = by_odbc().driver_behind(network);
        return start_on(*driver_, key);
    }

private:
    std::shared_ptr<resource_manager_driver> driver_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_ODBC_TARGET_HPP
