// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_case.hpp -- the fixture of the MySQL adapter's own tests, on each real server that its
// client library reaches.

#ifndef ASSENT_TESTS_CONTRACT_MYSQL_CASE_HPP
#define ASSENT_TESTS_CONTRACT_MYSQL_CASE_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <assent/mysql.hpp>

#include "tests/contract/answers.hpp"
#include "tests/contract/mysql_client.hpp"

namespace assent::contract {

using session_ptr = std::unique_ptr<driver_session>;

/// Submits and collects.  @throws std::runtime_error  when nothing comes in ten seconds.
reply run(driver_session& on, verb v, xid const& x);

/// A name for the next branch, on `session`.
xid next_xid(driver_session const& session);

/// An empty table t(k, v) in the database `accounts`, no session of the account, nothing prepared.
class mysql_case : public ::testing::TestWithParam<server_kind>
{
protected:
    void SetUp() override;

    testing::private_server& server() { return shared_server(GetParam()); }
    static bool is_mariadb() { return GetParam() == server_kind::mariadb; }
    /// A server of the test's own, of the same kind.
    static std::unique_ptr<testing::private_server> another_server(
        std::vector<std::string> const& settings = {});
    mysql::connect_options where_at(testing::private_server const& other) const;
    mysql_client& administrator() { return *administrator_; }

    mysql::connect_options where(std::string const& database = "accounts");
    std::shared_ptr<resource_manager_driver> driver_of(mysql::connect_options const& options);
    resource_manager_driver& driver() { return *driver_; }

    session_ptr open(session_purpose purpose = session_purpose::work);
    server_facts facts();
    session_ptr borrow(mysql_client& handle);

    static MYSQL* handle_of(driver_session& session);
    /// Runs a statement that must succeed.
    static std::string query(driver_session& session, std::string const& sql);
    static unsigned try_query(driver_session& session, std::string const& sql);
    static std::string insert(int key);

    /// Starts a branch on `session`, and writes row `key` in it.
    static xid start(driver_session& session, int key);

    /// ... and prepares it.
    static xid prepare(driver_session& session, int key);
    /// Prepares a branch that only read.
    static xid prepare_read_only(driver_session& session);

    int rows(int key);
    bool is_listed(xid const& x);
    /// Commits or rolls back on a session of the manager's own, until it is done or not listed.
    void finish_elsewhere(verb v, xid const& x);
    void wait_until_gone(std::uint64_t session);
    void kill(driver_session& session);

    /// Makes the active branch on `session` the victim of a deadlock.
    void lose_deadlock(driver_session& session);

private:
    std::unique_ptr<mysql_client> administrator_;
    std::shared_ptr<resource_manager_driver> driver_;
};

}  // namespace assent::contract

/// Runs a fixture's tests on each server.
#define ASSENT_ON_EACH_SERVER(fixture)                                         \
    INSTANTIATE_TEST_SUITE_P(on, fixture, ::testing::ValuesIn(server_kinds()), \
                             [](auto const& of) { return std::string(name_of(of.param)); })

/// Skips a test of what only the other one does.
#define ASSENT_ONLY_ON(kind, why)                                                   \
    if (GetParam() != server_kind::kind) GTEST_SKIP() << "only on " #kind ": " why; \
    static_assert(true)

#endif  // ASSENT_TESTS_CONTRACT_MYSQL_CASE_HPP
