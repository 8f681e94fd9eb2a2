// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_galera_test.cpp -- a MariaDB that is, or may at any time be again, a node of a Galera
// cluster: what it says to XA, and that nobody is let vote there.
//
// A cluster of one node needs no other machine, and refuses XA like any other.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;

// Of Debian's galera-4.
std::string provider()
{
    char const* const chosen = std::getenv("ASSENT_GALERA_PROVIDER");
    return chosen != nullptr ? chosen : "/usr/lib/galera/libgalera_smm.so";
}

int free_port()
{
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    bool const is_bound = ::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0 &&
                          ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0;
    ::close(fd);
    if (!is_bound) throw std::runtime_error("no free port");
    return ntohs(at.sin_port);
}

class mysql_galera : public mysql_case
{
protected:
    void SetUp() override
    {
        mysql_case::SetUp();
        if (IsSkipped()) return;
        if (::access(provider().c_str(), R_OK) != 0) GTEST_SKIP() << "no galera-4 here";
        node_ = another_server({"log_bin=binlog", "binlog_format=ROW"});
        node_->stop();
        node_->set({"innodb_autoinc_lock_mode=2", "wsrep_on=ON", "wsrep_provider=" + provider(),
                    "wsrep_cluster_address=gcomm://", "wsrep_node_address=127.0.0.1",
                    "wsrep_provider_options=gcache.size=1M;gmcast.listen_addr=tcp://127.0.0.1:" +
                        std::to_string(free_port())});
        node_->start();
        root_ = std::make_unique<mysql_client>(mysql_client::administrator(*node_));
        ASSERT_EQ(root_->query("select variable_value from information_schema.global_status where "
                               "variable_name = 'wsrep_ready'"),
                  "ON");
        root_->query("create table accounts.t (k int primary key, v int) engine=innodb");
        its_driver_ = driver_of(where_at(*node_));
    }

    std::string why_refused()
    {
        return refusal([&] {
            its_driver_->preflight(*its_driver_->connect(session_purpose::manage, in_ms(10'000)),
                                   in_ms(10'000));
        });
    }

    std::unique_ptr<testing::private_server> node_;
    std::unique_ptr<mysql_client> root_;
    std::shared_ptr<resource_manager_driver> its_driver_;
};

TEST_P(mysql_galera, ANodeIsRefusedByNameAlsoWhileItIsOffForNow)
{
    EXPECT_THAT(why_refused(), HasSubstr("wsrep_on is ON"));
    {
        auto const session = its_driver_->connect(session_purpose::work, in_ms(10'000));
        reply const begun = run(*session, verb::start, next_xid(*session));
        EXPECT_FALSE(begun.is_ok());
        EXPECT_EQ(begun.native_code, 1235) << begun.text;
    }
    root_->query("set session wsrep_on = 0");
    EXPECT_EQ(root_->try_query("xa start 'by hand'"), 1235U) << "no session leaves the cluster";

    // As an upgrade of a cluster's tables asks for: XA works for that time, on this node alone.
    root_->query("set global wsrep_on = OFF");
    auto other = mysql_client::account(*node_, "accounts");
    for (auto const* sql : {"xa start 'alone'", "insert into t values (1, 0)", "xa end 'alone'",
                            "xa prepare 'alone'", "xa rollback 'alone'"})
        EXPECT_EQ(other.try_query(sql), 0U) << sql;

    EXPECT_THAT(why_refused(), HasSubstr("wsrep_provider"));
}

INSTANTIATE_TEST_SUITE_P(on, mysql_galera, ::testing::Values(server_kind::mariadb));

}  // namespace

}  // namespace assent::contract
