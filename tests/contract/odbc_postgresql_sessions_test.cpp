// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_postgresql_sessions_test.cpp -- connections by psqlODBC that cannot be told apart, are
// behind a proxy, hang, or are not closed.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "adapters/sql_text/worker.hpp"
#include "tests/contract/odbc_target.hpp"
#include "tests/servers/proxy.hpp"
#include "tests/servers/spawn.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A proxy in a process of its own: in ours its sockets would be ours.
class proxy_process
{
public:
    explicit proxy_process(int server_port)
    {
        int to_parent[2];
        int to_child[2];
        if (::pipe(to_parent) != 0 || ::pipe(to_child) != 0) throw std::runtime_error("pipe");
        child_ = ::fork();
        if (child_ == 0) {
            ::close(to_child[1]);
            testing::proxy network;
            int const mine =
                network.port(network.add(testing::wire_protocol::postgresql, server_port));
            char ignored = 0;
            bool const is_told = ::write(to_parent[1], &mine, sizeof mine) == sizeof mine;
            while (is_told && ::read(to_child[0], &ignored, 1) > 0) {
            }
            ::_exit(0);
        }
        ::close(to_child[0]);
        ::close(to_parent[1]);
        end_ = to_child[1];
        if (::read(to_parent[0], &port_, sizeof port_) != sizeof port_) port_ = 0;
        ::close(to_parent[0]);
    }
    proxy_process(proxy_process const&) = delete;
    proxy_process& operator=(proxy_process const&) = delete;
    ~proxy_process()
    {
        ::close(end_);
        ::waitpid(child_, nullptr, 0);
    }

    int port() const { return port_; }

private:
    pid_t child_ = -1;
    int end_ = -1;
    int port_ = 0;
};

}  // namespace

class odbc_postgresql_sessions : public odbc_server
{
protected:
    odbc_postgresql_target& pg() { return dynamic_cast<odbc_postgresql_target&>(target()); }
};
INSTANTIATE_TEST_SUITE_P(psqlodbc, odbc_postgresql_sessions,
                         ::testing::Values(&the_only<odbc_postgresql_target, edition::installed>));

TEST_P(odbc_postgresql_sessions, AHandleWhoseSocketIsDoubtfulIsRefused)
{
    std::string const by_socket = pg().connect_string_by_socket();
    odbc_client client{by_socket};
    odbc_client const another{by_socket};

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("socket cannot be told"));
}

TEST_P(odbc_postgresql_sessions, ASeveredSessionWithoutASocketIsEndedAtTheServer)
{
    // Two connections are made where one is asked for, both by a unix socket: which is which?
    std::string const by_socket = pg().connect_string_by_socket();
    std::vector<std::unique_ptr<odbc_client>> others;
    auto const doubled =
        odbc::resource_manager{"accounts", odbc::connect_function{[&] {
                                   others.push_back(std::make_unique<odbc_client>(by_socket));
                                   return odbc::connection{open_raw(by_socket)};
                               }}};
    auto const from = doubled.driver();
    auto branch = start_on(*from, 1);
    auto const id = branch.session->id();
    ASSERT_NE(id, 0u);
    ASSERT_EQ(branch.session->descriptor(), -1);
    auto const manage = from->connect(session_purpose::manage, in_seconds(10));

    branch.session->sever();

    EXPECT_EQ(run(*branch.session, verb::rollback, branch.id).detail, reply_detail::reply_lost);
    EXPECT_TRUE(eventually(
        [&] { return from->presence(*manage, id, in_seconds(10)) == session_presence::gone; }));
    EXPECT_EQ(pg().count_rows(1), 0);
}

TEST_P(odbc_postgresql_sessions, BehindAProxySessionsHaveNoNumberAndBranchesWork)
{
    proxy_process const network{pg().server().port()};
    auto const behind = odbc::resource_manager{
        "accounts", postgresql_string(pg().server(), "accounts", network.port())};
    auto const branch = start_on(*behind.driver(), 1);
    auto const manage = behind.driver()->connect(session_purpose::manage, in_seconds(10));

    EXPECT_EQ(branch.session->id(), 0u);
    EXPECT_TRUE(behind.driver()->preflight(*manage, in_seconds(10)).is_proxied);
    EXPECT_EQ(behind.driver()->sessions_before(*manage, manage->id(), in_seconds(10)),
              session_presence::unknown);
    EXPECT_THROW(behind.driver()->end_session(*manage, 1, in_seconds(10)), driver_error);
    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);

    odbc_client const lent{postgresql_string(pg().server(), "accounts", network.port())};
    EXPECT_THAT(refusal_of(lent.get()), HasSubstr("socket cannot be told"));
}

TEST_P(odbc_postgresql_sessions, ASessionDoesNotLiveOnInTheDriverManagersPool)
{
    std::string const directory = pg().server().directory() + "-pool";
    ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
    std::ofstream{directory + "/odbcinst.ini"} << "[ODBC]\nPooling = Yes\n";
    ::setenv("POOL_USER_WHERE", postgresql_string(pg().server()).c_str(), 1);
    auto const sessions = [&] {
        return pg().administer("SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'");
    };
    for (char const* const who : {"application", "manager"}) {
        ASSERT_TRUE(eventually([&] { return sessions() == "0"; }));
        int input[2];
        int output[2];
        ASSERT_EQ(::pipe2(input, O_CLOEXEC), 0);
        ASSERT_EQ(::pipe2(output, O_CLOEXEC), 0);
        pid_t const user =
            testing::spawn({"/usr/bin/env", "ODBCSYSINI=" + directory, ASSENT_ODBC_POOL_USER, who},
                           input[0], output[1]);
        ::close(input[0]);
        ::close(output[1]);
        char said[4] = {};
        ASSERT_EQ(::read(output[0], said, sizeof said), 4);
        EXPECT_EQ(std::string(said, 4), "done");

        bool const is_manager = std::string{who} == "manager";
        EXPECT_TRUE(eventually([&] { return sessions() == (is_manager ? "0" : "1"); })) << who;
        ::close(input[1]);
        int status = -1;
        EXPECT_EQ(::waitpid(user, &status, 0), user);
        EXPECT_EQ(status, 0) << who;
        ::close(output[0]);
    }
    ::unlink((directory + "/odbcinst.ini").c_str());
    ::rmdir(directory.c_str());
}

TEST_P(odbc_postgresql_sessions, ConnectionsThatHangInTheDriverAreLeftAndReturn)
{
    pg().freeze();
    for (int i = 0; i < 3; ++i) {
        EXPECT_THROW(driver().connect(session_purpose::work, in_ms(50)), driver_error);
    }
    pg().thaw();

    EXPECT_TRUE(eventually([] { return sql_text::worker::stuck_count() == 0; }));
}

TEST_P(odbc_postgresql_sessions, APasswordComesFromItsFileWhateverIsInIt)
{
    std::string const password = "a;b}c {d}=e";
    pg().administer("DROP ROLE IF EXISTS odd");
    pg().administer("CREATE ROLE odd LOGIN PASSWORD '" + password + "'");
    std::string const path = pg().server().directory() + "-odd";
    std::ofstream{path} << password << "\n";
    ::chmod(path.c_str(), 0600);
    odbc::connect_options where = odbc::parse_connect_string(
        "DRIVER=" + odbc_drivers::postgresql() + ";SERVER=127.0.0.1;PORT=" +
        std::to_string(pg().server().port()) + ";DATABASE=accounts;UID=odd;PASSWORD_FILE=" + path);

    auto const session = odbc::resource_manager{"accounts", where}.driver()->connect(
        session_purpose::work, in_seconds(10));
    EXPECT_EQ(run_sql(*session, "SELECT current_user"), "odd");

    std::ofstream{path} << "wrong-" << password;
    try {
        odbc::resource_manager{"accounts", where}.driver()->connect(session_purpose::work,
                                                                    in_seconds(10));
        ADD_FAILURE() << "a wrong password was accepted";
    } catch (driver_error const& error) {
        EXPECT_THAT(error.what(), Not(HasSubstr("wrong-")));
        EXPECT_THAT(error.what(), HasSubstr("accounts"));
    }
    ::unlink(path.c_str());
}

}  // namespace assent::contract
