// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_tls_test.cpp -- encryption changes nothing: deadlines, overlap, severing, and what a server
// that is frozen, or has closed the connection, does to a program.

#include <csignal>

#include <chrono>

#include "tests/contract/mysql_case.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::contract {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class mysql_tls : public ::testing::TestWithParam<server_kind>
{
protected:
    void SetUp() override
    {
        if (auto const why = why_missing(GetParam()); !why.empty()) GTEST_SKIP() << why;
        static std::unique_ptr<testing::private_server> servers[2];
        auto& server = servers[static_cast<int>(GetParam())];
        if (!server) server = make_server(GetParam(), {"tls=on"});
        server_ = server.get();
        administrator_ = std::make_unique<mysql_client>(mysql_client::administrator(*server_));
        administrator_->query("drop table if exists t");
        administrator_->query("create table t (k int primary key, v int) engine=innodb");
        driver_ = driver_at(server_->port());
    }
    void TearDown() override
    {
        if (server_) server_->thaw();
    }

    std::shared_ptr<resource_manager_driver> driver_at(int port) const
    {
        mysql::connect_options where;
        where.host = "127.0.0.1";
        where.port = static_cast<unsigned>(port);
        where.user = server_->account();
        where.password = server_->password();
        where.database = "accounts";
        where.ssl_ca = server_->authority();
        return mysql::resource_manager{"shop-db", where}.driver();
    }

    /// Of the application's own, encrypted.
    MYSQL* lend()
    {
        MYSQL* const lent = mysql_init(nullptr);
        mysql_options(lent, MYSQL_OPT_SSL_CA, server_->authority().c_str());
#ifdef LIBMARIADB
        client_bool const yes = 1;
        mysql_options(lent, MYSQL_OPT_SSL_ENFORCE, &yes);
#endif
        EXPECT_NE(
            mysql_real_connect(lent, "127.0.0.1", "shop", server_->password().c_str(), "accounts",
                               static_cast<unsigned>(server_->port()), nullptr, 0),
            nullptr)
            << mysql_error(lent);
        EXPECT_NE(mysql_get_ssl_cipher(lent), nullptr);
        return lent;
    }

    session_ptr open(session_purpose purpose = session_purpose::work)
    {
        auto opened = driver_->connect(purpose, in_ms(10'000));
        EXPECT_NE(mysql_get_ssl_cipher(static_cast<MYSQL*>(opened->native_handle())), nullptr);
        return opened;
    }

    /// Each way to get a session: leased, borrowed.
    session_ptr get(bool borrowed, MYSQL*& lent)
    {
        if (!borrowed) return open();
        lent = lend();
        auto const facts = driver_->preflight(*open(session_purpose::manage), in_ms(10'000));
        return driver_->borrow(lent, facts, in_ms(10'000));
    }

    static xid start(driver_session& on, int key)
    {
        xid const x = next_xid(on);
        EXPECT_TRUE(run(on, verb::start, x).is_ok());
        mysql_client::query(static_cast<MYSQL*>(on.native_handle()),
                            "insert into t values (" + std::to_string(key) + ", 0)");
        return x;
    }

    int rows(int key)
    {
        return std::stoi(
            administrator_->query("select count(*) from t where k = " + std::to_string(key)));
    }

    testing::private_server* server_ = nullptr;
    std::unique_ptr<mysql_client> administrator_;
    std::shared_ptr<resource_manager_driver> driver_;
};

TEST_P(mysql_tls, AFrozenServerCostsNoMoreThanTheDeadline)
{
    for (bool const borrowed : {false, true}) {
        SCOPED_TRACE(borrowed ? "borrowed" : "leased");
        MYSQL* lent = nullptr;
        auto session = get(borrowed, lent);
        int const key = borrowed ? 2 : 1;
        xid const x = start(*session, key);
        auto const number = session->id();
        server_->freeze();

        auto const began = steady_clock::now();
        session->submit(verb::prepare, x);
        auto const said = session->collect(in_ms(300));
        auto const took = steady_clock::now() - began;
        session->sever();
        auto const cut = session->collect(in_ms(300));

        EXPECT_FALSE(said);
        EXPECT_LT(took, milliseconds(5000));
        EXPECT_GE(took, milliseconds(290));
        ASSERT_TRUE(cut);
        EXPECT_FALSE(cut->is_ok());
        auto const closing = steady_clock::now();
        session.reset();
        if (lent != nullptr) mysql_close(lent);
        EXPECT_LT(steady_clock::now() - closing, milliseconds(5000)) << "closing waits for nobody";
        EXPECT_THROW(driver_->connect(session_purpose::manage, in_ms(300)), driver_error);
        EXPECT_LT(steady_clock::now() - closing, milliseconds(10000)) << "nor does a connection";

        server_->thaw();
        // Until its session has ended, the PREPARE that it was sent may be carried out.
        wait_for(*server_,
                 "select count(*) from information_schema.processlist where id = " +
                     std::to_string(number),
                 "0");
        auto const manage = open(session_purpose::manage);
        for (int i = 0; i < 500; ++i) {
            if (run(*manage, verb::rollback, x).is_ok()) break;
            if (administrator_->prepared().empty()) break;
        }
        EXPECT_EQ(rows(key), 0);
    }
}

TEST_P(mysql_tls, IsAgreedUponOverASlowLine)
{
    testing::proxy line;
    auto const far = line.add(testing::wire_protocol::mysql, server_->port());
    line.delay(far, milliseconds{150}, milliseconds{150});
    auto const driver = driver_at(line.port(far));

    auto const session = driver->connect(session_purpose::work, in_ms(30'000));

    EXPECT_NE(mysql_get_ssl_cipher(static_cast<MYSQL*>(session->native_handle())), nullptr);
    EXPECT_THROW(driver->connect(session_purpose::work, in_ms(400)), driver_error);
}

TEST_P(mysql_tls, TwoVotesOverlap)
{
    auto const first = open();
    auto const second = open();
    xid const x = start(*first, 1);
    xid const y = start(*second, 2);
    server_->freeze();

    auto const began = steady_clock::now();
    first->submit(verb::prepare, x);
    second->submit(verb::prepare, y);
    auto const took = steady_clock::now() - began;
    server_->thaw();

    EXPECT_LT(took, milliseconds(2000)) << "submit does not wait";
    for (auto const* each : {&first, &second}) {
        auto const said = (*each)->collect(in_ms(10'000));
        ASSERT_TRUE(said);
        EXPECT_TRUE(said->is_ok()) << said->text;
    }
    EXPECT_TRUE(run(*first, verb::commit, x).is_ok());
    EXPECT_TRUE(run(*second, verb::rollback, y).is_ok());
    EXPECT_EQ(rows(1), 1);
    EXPECT_EQ(rows(2), 0);
    EXPECT_TRUE(first->is_reusable());
}

TEST_P(mysql_tls, ASeveredSessionLetsGoOfItsBranch)
{
    for (bool const borrowed : {false, true}) {
        MYSQL* lent = nullptr;
        auto session = get(borrowed, lent);
        int const key = borrowed ? 4 : 3;
        xid const x = start(*session, key);
        ASSERT_TRUE(run(*session, verb::prepare, x).is_ok());
        auto const number = session->id();

        session->sever();

        wait_for(*server_,
                 "select count(*) from information_schema.processlist where id = " +
                     std::to_string(number),
                 "0");
        auto const manage = open(session_purpose::manage);
        reply said;
        for (int i = 0; i < 500 && (i == 0 || !said.is_ok()); ++i)
            said = run(*manage, verb::commit, x);
        EXPECT_TRUE(said.is_ok()) << said.text;
        EXPECT_EQ(rows(key), 1);
        session.reset();
        if (lent != nullptr) mysql_close(lent);
    }
}

TEST_P(mysql_tls, AClosedConnectionNeverEndsTheProcess)
{
    signal(SIGPIPE, SIG_DFL);  // as in a program that never heard of it; the libraries set it
    for (bool const borrowed : {false, true}) {
        MYSQL* lent = nullptr;
        auto session = get(borrowed, lent);
        signal(SIGPIPE, SIG_DFL);
        int const key = borrowed ? 6 : 5;
        xid const x = start(*session, key);
        administrator_->query("kill connection " + std::to_string(session->id()));
        wait_for(*server_,
                 "select count(*) from information_schema.processlist where id = " +
                     std::to_string(session->id()),
                 "0");

        reply const said = run(*session, verb::commit_one_phase, x);

        EXPECT_TRUE(is_rolled_back(said)) << "nothing was sent: " << said.text;
        EXPECT_EQ(rows(key), 0);
        // Past what is seen beforehand: the client library itself writes.
        session->submit(verb::rollback, x);
        session->collect(in_ms(1000));
        session.reset();
        // What the application does with its handle is its own: Connector/C's mysql_close() writes.
        signal(SIGPIPE, SIG_IGN);
        if (lent != nullptr) mysql_close(lent);
    }
}

ASSENT_ON_EACH_SERVER(mysql_tls);

}  // namespace

}  // namespace assent::contract
