// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_borrow_test.cpp -- which connections of the application are taken, and how they are left.

#include <fcntl.h>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;

class mysql_borrow : public mysql_case
{
protected:
    // What the refusal of `handle` says, and whether its owner must close it.
    std::string refused(MYSQL* handle, bool& must_close)
    {
        server_facts const expected = facts();
        try {
            driver().borrow(handle, expected, in_ms(10'000));
        } catch (driver_error const& error) {
            must_close = error.must_close();
            return error.what();
        }
        return "it was taken";
    }
};

TEST_P(mysql_borrow, GoodHandleServesATransactionAndStaysItsOwners)
{
    auto lent = mysql_client::account(server(), "accounts");
    {
        auto const session = borrow(lent);
        xid const x = start(*session, 1);
        EXPECT_TRUE(run(*session, verb::prepare, x).is_ok());
        EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
        EXPECT_TRUE(session->is_reusable());
    }
    EXPECT_EQ(rows(1), 1);
    EXPECT_EQ(lent.try_query(insert(2)), 0U);
}

TEST_P(mysql_borrow, SeveralStatementsInOneMessageStayForbidden)
{
    auto lent = mysql_client::account(server(), "accounts");
    auto const session = borrow(lent);
    xid const x = start(*session, 1);

    EXPECT_EQ(lent.try_query("select 1; select 2"), 1064U);
    EXPECT_TRUE(run(*session, verb::commit_one_phase, x).is_ok());
    EXPECT_EQ(lent.try_query("select 1; select 2"), 1064U);
}

TEST_P(mysql_borrow, SocketIsNotInheritedByPrograms)
{
    auto lent = mysql_client::account(server(), "accounts");
    int const socket = socket_of(lent.get());
    ASSERT_EQ(fcntl(socket, F_SETFD, 0), 0);

    auto const session = borrow(lent);

    EXPECT_EQ(session->descriptor(), socket);
    EXPECT_NE(fcntl(socket, F_GETFD) & FD_CLOEXEC, 0);
}

TEST_P(mysql_borrow, AutoReconnectIsRefused)
{
    auto lent = mysql_client::account(server(), "accounts");
    client_bool const on = 1;
    mysql_options(lent.get(), MYSQL_OPT_RECONNECT, &on);
    bool must_close = true;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("MYSQL_OPT_RECONNECT"));

    EXPECT_FALSE(must_close);
}

TEST_P(mysql_borrow, OpenTransactionIsRefused)
{
    auto lent = mysql_client::account(server(), "accounts");
    lent.query("begin");
    bool must_close = true;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("in a transaction"));

    EXPECT_FALSE(must_close);
}

TEST_P(mysql_borrow, OpenBranchOfSomebodyElseIsRefused)
{
    auto lent = mysql_client::account(server(), "accounts");
    lent.query("xa start 'mine'");
    bool must_close = true;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("in a transaction"));

    EXPECT_FALSE(must_close);
}

TEST_P(mysql_borrow, AutocommitOffIsRefusedWithAndWithoutAnEarlierSelect)
{
    for (bool const selects : {false, true}) {
        auto lent = mysql_client::account(server(), "accounts");
        lent.query("set autocommit = 0");
        if (selects) lent.query("select * from t");
        bool must_close = true;

        EXPECT_THAT(refused(lent.get(), must_close),
                    HasSubstr(selects ? "transaction" : "autocommit"));

        EXPECT_FALSE(must_close);
    }
}

TEST_P(mysql_borrow, UnreadResultIsRefused)
{
    auto lent = mysql_client::account(server(), "accounts");
    ASSERT_EQ(mysql_query(lent.get(), "select 1 union select 2"), 0);
    MYSQL_RES* const unread = mysql_use_result(lent.get());
    bool must_close = true;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("not read"));

    EXPECT_FALSE(must_close);
    mysql_free_result(unread);
    EXPECT_EQ(lent.try_query("select 1"), 0U);
}

TEST_P(mysql_borrow, UnreadSecondResultIsRefused)
{
    auto lent = mysql_client::account(server(), "accounts", CLIENT_MULTI_STATEMENTS);
    ASSERT_EQ(mysql_query(lent.get(), "do 1; do 2"), 0);
    bool must_close = true;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("not read"));

    EXPECT_FALSE(must_close);
}

TEST_P(mysql_borrow, AnotherDatabaseIsRefused)
{
    driver_of(where("orders"))
        ->preflight(*driver_of(where("orders"))->connect(session_purpose::manage, in_ms(10'000)),
                    in_ms(10'000));
    auto lent = mysql_client::account(server(), "orders");
    bool must_close = true;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("orders"));

    EXPECT_FALSE(must_close);
    EXPECT_EQ(lent.try_query("select 1"), 0U);
}

TEST_P(mysql_borrow, NoDatabaseIsRefused)
{
    auto lent = mysql_client::account(server(), nullptr);
    bool must_close = true;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("resource manager \"shop-db\""));

    EXPECT_FALSE(must_close);
}

TEST_P(mysql_borrow, AnotherServerIsRefused)
{
    auto const other = another_server();
    mysql::connect_options there = where();
    there.port = static_cast<unsigned>(other->port());
    there.password = other->password();
    auto lent = mysql_client::account(*other, "accounts");
    bool must_close = true;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("another server"));
    auto const its_driver = driver_of(there);
    its_driver->preflight(*its_driver->connect(session_purpose::manage, in_ms(10'000)),
                          in_ms(10'000));
    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("another server"));

    EXPECT_FALSE(must_close);
}

TEST_P(mysql_borrow, ReadOnlyServerIsRefused)
{
    auto lent = mysql_client::account(server(), "accounts");
    server_facts const expected = facts();
    administrator().query("set global read_only = 1");

    std::string const why = refusal([&] { driver().borrow(lent.get(), expected, in_ms(10'000)); });
    scan_result const seen = driver().scan(*open(session_purpose::manage), in_ms(10'000));
    administrator().query("set global read_only = 0");

    EXPECT_THAT(why, HasSubstr("read-only"));
    EXPECT_FALSE(seen.is_writable_primary);
    EXPECT_EQ(seen.identity, expected.identity);
}

TEST_P(mysql_borrow, AnotherAccountIsRefused)
{
    auto lent = mysql_client::administrator(server());
    bool must_close = true;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("account root"));

    EXPECT_FALSE(must_close);
}

TEST_P(mysql_borrow, DeadHandleMustBeClosed)
{
    auto lent = mysql_client::account(server(), "accounts");
    administrator().query("kill connection " + std::to_string(mysql_thread_id(lent.get())));
    wait_until_gone(mysql_thread_id(lent.get()));
    bool must_close = false;

    EXPECT_THAT(refused(lent.get(), must_close), HasSubstr("resource manager \"shop-db\""));

    EXPECT_TRUE(must_close);
}

TEST_P(mysql_borrow, SeveringLeavesTheHandleToItsOwner)
{
    auto lent = mysql_client::account(server(), "accounts");
    auto session = borrow(lent);
    xid const x = prepare(*session, 1);

    session->sever();
    EXPECT_EQ(run(*session, verb::commit, x).detail, reply_detail::reply_lost);
    session.reset();

    finish_elsewhere(verb::commit, x);
    EXPECT_EQ(rows(1), 1);
    unsigned const said = lent.try_query("select 1");
    EXPECT_TRUE(said == 2006 || said == 2013) << said;
}

ASSENT_ON_EACH_SERVER(mysql_borrow);

}  // namespace

}  // namespace assent::contract
