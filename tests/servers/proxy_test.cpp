// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// proxy_test.cpp -- the spoiled network, before real servers.

#include "tests/servers/proxy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <stdexcept>
#include <thread>

#include "tests/servers/private_server.hpp"
#include "tests/servers/test_clients.hpp"

namespace assent::testing {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// One pair of servers for all tests of this file; each test has a proxy of its own.
class Proxy : public ::testing::Test
{
protected:
    static void SetUpTestSuite()
    {
        postgresql_ = private_server::postgresql();
        mariadb_ = private_server::mariadb();
        query_postgresql(postgresql_->conninfo(), "CREATE TABLE t (v INT)");
        mariadb_session(*mariadb_, "accounts").query("CREATE TABLE t (v INT)");
    }
    static void TearDownTestSuite()
    {
        postgresql_.reset();
        mariadb_.reset();
    }

    Proxy()
        : pg_(proxy_.add(wire_protocol::postgresql, postgresql_->port())),
          my_(proxy_.add(wire_protocol::mysql, mariadb_->port()))
    {
        query_postgresql(postgresql_->conninfo(), "DELETE FROM t");
        mariadb_session(*mariadb_, "accounts").query("DELETE FROM t");
    }

    std::string ask_postgresql(std::string const& sql)
    {
        return query_postgresql(postgresql_->conninfo("accounts", proxy_.port(pg_)), sql);
    }
    std::unique_ptr<mariadb_session> connect_mariadb()
    {
        return std::make_unique<mariadb_session>(*mariadb_, "accounts", proxy_.port(my_));
    }
    std::string rows_behind_the_proxy()
    {
        return query_postgresql(postgresql_->conninfo(), "SELECT count(*) FROM t") + " and " +
               mariadb_session(*mariadb_, "accounts").query("SELECT COUNT(*) FROM t");
    }
    // Polls another process; the bound only says when to give up.
    bool becomes_true(std::function<bool()> const& holds)
    {
        auto const end = clock::now() + 20s;
        while (!holds()) {
            if (clock::now() > end) return false;
            std::this_thread::sleep_for(5ms);
        }
        return true;
    }
    wire_message first_reply_after(std::size_t database, wire_message const& request)
    {
        auto const all = proxy_.messages(database);
        auto const found = std::find_if(all.begin(), all.end(), [&](wire_message const& each) {
            return !each.is_request && each.session == request.session && each.at > request.at;
        });
        if (found == all.end()) throw std::runtime_error("no reply to " + request.text);
        return *found;
    }

    static std::unique_ptr<private_server> postgresql_;
    static std::unique_ptr<private_server> mariadb_;
    proxy proxy_;
    std::size_t pg_;
    std::size_t my_;
};

std::unique_ptr<private_server> Proxy::postgresql_;
std::unique_ptr<private_server> Proxy::mariadb_;

TEST_F(Proxy, RecordsEachClientMessageWithItsSql)
{
    auto const session = connect_mariadb();
    session->query("XA START 'a'");
    session->query("INSERT INTO t VALUES (1)");
    session->query("XA END 'a'; XA PREPARE 'a'");
    session->query("XA ROLLBACK 'a'");
    ask_postgresql("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'a'");
    ask_postgresql("ROLLBACK PREPARED 'a'");

    auto const my = proxy_.sql(my_);
    auto const pg = proxy_.sql(pg_);
    ASSERT_EQ(my.size(), 4u);
    EXPECT_EQ(my[2].text, "XA END 'a'; XA PREPARE 'a'");
    ASSERT_EQ(pg.size(), 2u);
    EXPECT_EQ(pg[0].text, "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'a'");
    for (std::size_t const database : {pg_, my_}) {
        for (auto const& each : proxy_.messages(database)) {
            EXPECT_EQ(each.text.find(postgresql_->password()), std::string::npos);
            EXPECT_EQ(each.text.find(mariadb_->password()), std::string::npos);
        }
    }
}

TEST_F(Proxy, DelaysRequestsAndReplies)
{
    auto const session = connect_mariadb();
    proxy_.delay(my_, 60ms, 40ms);

    auto const start = clock::now();
    session->query("DO 1");
    auto const slow = clock::now() - start;

    EXPECT_GE(slow, 100ms);
    auto const request = proxy_.sql(my_).at(0);
    EXPECT_GE(first_reply_after(my_, request).at - request.at, 60ms);
}

TEST_F(Proxy, HoldsARequestUntilItIsLetGoAndDoesNotHoldTheOtherDatabase)
{
    auto const session = connect_mariadb();
    proxy_.hold(my_, "DO 1");

    session->query("DO 0");
    auto waiting = std::async(std::launch::async, [&] { session->query("DO 1"); });
    bool const is_sent = becomes_true([&] { return proxy_.sql(my_).size() == 2; });
    ask_postgresql("SELECT 1");
    bool const is_waiting = waiting.wait_for(0ms) == std::future_status::timeout;
    proxy_.let_go(my_);
    waiting.get();
    session->query("DO 1");

    EXPECT_TRUE(is_sent);
    EXPECT_TRUE(is_waiting);

    auto const undelayed = first_reply_after(pg_, proxy_.sql(pg_).at(0));
    EXPECT_LT(undelayed.at, first_reply_after(my_, proxy_.sql(my_).at(1)).at);
}

TEST_F(Proxy, TellsOverlapFromOneAfterTheOther)
{
    std::size_t const other = proxy_.add(wire_protocol::mysql, mariadb_->port());
    auto const left = connect_mariadb();
    mariadb_session right(*mariadb_, "orders", proxy_.port(other));
    auto const overlap = [&] {
        wire_message const first = proxy_.sql(my_).at(0);
        wire_message const second = proxy_.sql(other).at(0);
        return second.at < first_reply_after(my_, first).at &&
               first.at < first_reply_after(other, second).at;
    };

    left->query("DO 1");
    right.query("DO 1");
    EXPECT_FALSE(overlap());

    proxy_.clear();
    proxy_.hold(my_, "DO 2");
    proxy_.hold(other, "DO 2");
    auto first = std::async(std::launch::async, [&] { left->query("DO 2"); });
    auto second = std::async(std::launch::async, [&] { right.query("DO 2"); });
    bool const are_sent =
        becomes_true([&] { return !proxy_.sql(my_).empty() && !proxy_.sql(other).empty(); });
    proxy_.let_go(my_);
    proxy_.let_go(other);
    first.get();
    second.get();
    EXPECT_TRUE(are_sent);
    EXPECT_TRUE(overlap());
}

TEST_F(Proxy, LosesARequestBeforeItArrives)
{
    auto const session = connect_mariadb();
    proxy_.on_request(my_, "INSERT", fault::lose_request);
    proxy_.on_request(pg_, "INSERT", fault::lose_request);

    EXPECT_THROW(session->query("INSERT INTO t VALUES (1)"), std::runtime_error);
    EXPECT_THROW(ask_postgresql("INSERT INTO t VALUES (1)"), std::runtime_error);

    EXPECT_EQ(rows_behind_the_proxy(), "0 and 0");
}

TEST_F(Proxy, LosesAReplyAfterTheRequestWasCarriedOut)
{
    auto const session = connect_mariadb();
    proxy_.on_request(my_, "INSERT", fault::lose_reply);
    proxy_.on_request(pg_, "INSERT", fault::lose_reply);

    session->query("DO 1");
    EXPECT_THROW(session->query("INSERT INTO t VALUES (1)"), std::runtime_error);
    EXPECT_THROW(ask_postgresql("INSERT INTO t VALUES (1)"), std::runtime_error);

    EXPECT_EQ(rows_behind_the_proxy(), "1 and 1");
}

TEST_F(Proxy, DropsTheNextReply)
{
    auto const session = connect_mariadb();
    proxy_.drop_next_reply(my_);

    EXPECT_THROW(session->query("INSERT INTO t VALUES (1)"), std::runtime_error);

    EXPECT_EQ(rows_behind_the_proxy(), "0 and 1");
    connect_mariadb()->query("DO 1");
}

TEST_F(Proxy, FallsSilentWithoutAnEnd)
{
    auto const session = connect_mariadb();
    proxy_.on_request(my_, "INSERT", fault::silence_after);

    auto asking =
        std::async(std::launch::async, [&] { session->query("INSERT INTO t VALUES (1)"); });

    ASSERT_TRUE(becomes_true([&] { return rows_behind_the_proxy() == "0 and 1"; }));
    // That no reply comes can only be seen by waiting for it.
    EXPECT_EQ(asking.wait_for(200ms), std::future_status::timeout);
    EXPECT_EQ(proxy_.open_sessions(my_), 1u);
    proxy_.reset(my_);
    EXPECT_THROW(asking.get(), std::runtime_error);
}

TEST_F(Proxy, ResetsSessionsAndBlackholesThem)
{
    auto const first = connect_mariadb();
    proxy_.reset(my_);
    EXPECT_THROW(first->query("DO 1"), std::runtime_error);

    auto const second = connect_mariadb();
    proxy_.blackhole(my_);
    auto asking = std::async(std::launch::async, [&] { second->query("DO 1"); });
    EXPECT_EQ(asking.wait_for(200ms), std::future_status::timeout);
    connect_mariadb()->query("DO 1");
    proxy_.reset(my_);
    EXPECT_THROW(asking.get(), std::runtime_error);
}

TEST_F(Proxy, HoldsEverythingWhilePaused)
{
    auto const session = connect_mariadb();
    proxy_.pause(my_);

    auto asking = std::async(std::launch::async, [&] { return session->query("SELECT 3"); });
    EXPECT_EQ(asking.wait_for(200ms), std::future_status::timeout);
    proxy_.resume(my_);

    EXPECT_EQ(asking.get(), "3");
}

TEST_F(Proxy, FollowsAServerThatMoved)
{
    auto const elsewhere = private_server::postgresql();
    query_postgresql(elsewhere->conninfo(), "CREATE TABLE here (v INT)");

    proxy_.set_server_port(pg_, elsewhere->port());

    auto const info = elsewhere->conninfo("accounts", proxy_.port(pg_));
    EXPECT_EQ(query_postgresql(info, "SELECT count(*) FROM here"), "0");
}

}  // namespace
}  // namespace assent::testing
