// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_guards_test.cpp -- a branch that was left behind is never "rolled back", and no vote is
// given that the server has not.

#include <future>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

void expect_left_behind(reply const& said)
{
    EXPECT_TRUE(is_left_behind(said)) << said.text;
}

class mysql_guards : public mysql_case
{
};

TEST_P(mysql_guards, ResetConnectionWhileActiveIsLeftBehindAtEveryEnd)
{
    int key = 0;
    for (verb const end : ends) {
        SCOPED_TRACE(static_cast<int>(end));
        auto const session = open();
        xid const x = start(*session, ++key);
        ASSERT_EQ(mysql_reset_connection(handle_of(*session)), 0);
        query(*session, insert(++key));

        expect_left_behind(run(*session, end, x));

        EXPECT_EQ(rows(key), 1) << "the later statement was permanent at once";
        EXPECT_EQ(rows(key - 1), 0);
        EXPECT_FALSE(session->is_reusable());
    }
}

TEST_P(mysql_guards, ResetRightBeforeTheEndIsLeftBehindToo)
{
    auto const session = open();
    xid const x = start(*session, 1);
    ASSERT_EQ(mysql_reset_connection(handle_of(*session)), 0);

    expect_left_behind(run(*session, verb::prepare, x));

    EXPECT_FALSE(is_listed(x));
}

TEST_P(mysql_guards, SilentReconnectIsLeftBehindAtEveryEnd)
{
    int key = 0;
    for (verb const end : ends) {
        SCOPED_TRACE(static_cast<int>(end));
        auto lent = mysql_client::account(server(), "accounts");
        auto const session = borrow(lent);
        xid const x = start(*session, ++key);
        client_bool const on = 1;
        mysql_options(lent.get(), MYSQL_OPT_RECONNECT, &on);
        kill(*session);
        std::string const later = insert(++key);
        if (lent.try_query(later) != 0) lent.query(later);
        ASSERT_EQ(rows(key), 1) << "the later statement was permanent at once";

        expect_left_behind(run(*session, end, x));

        EXPECT_FALSE(session->is_reusable());
    }
}

TEST_P(mysql_guards, ReconnectSwitchedOnIsOffAgainBeforeTheFirstByteOfAnEnd)
{
    auto lent = mysql_client::account(server(), "accounts");
    auto const session = borrow(lent);
    xid const x = start(*session, 1);
    client_bool const on = 1;
    mysql_options(lent.get(), MYSQL_OPT_RECONNECT, &on);
    kill(*session);

    reply const said = run(*session, verb::prepare, x);

    EXPECT_EQ(said.code, xa_code::rbother) << "nothing was left behind: " << said.text;
}

TEST_P(mysql_guards, ApplicationsOwnXaCommitIsLeftBehindAtEveryEnd)
{
    int key = 0;
    for (verb const end : ends) {
        SCOPED_TRACE(static_cast<int>(end));
        auto const session = open();
        xid const x = start(*session, ++key);
        query(*session, "xa end " + xa_name(x));
        query(*session, "xa commit " + xa_name(x) + " one phase");

        expect_left_behind(run(*session, end, x));

        EXPECT_EQ(rows(key), 1);
    }
}

TEST_P(mysql_guards, AnotherBranchInItsPlaceIsLeftBehindAtEveryEnd)
{
    int key = 0;
    for (bool const is_ended : {false, true}) {
        for (verb const end : ends) {
            SCOPED_TRACE(static_cast<int>(end));
            auto const session = open();
            xid const x = start(*session, ++key);
            // The server may not have noticed yet that the session before is gone.
            std::string const mine = "'mine" + std::to_string(key) + "'";
            query(*session, "xa end " + xa_name(x));
            query(*session, "xa rollback " + xa_name(x));
            query(*session, "xa start " + mine);
            if (is_ended) query(*session, "xa end " + mine);

            expect_left_behind(run(*session, end, x));
        }
    }
}

TEST_P(mysql_guards, ApplicationsOwnXaEndDoesNoHarm)
{
    int key = 0;
    for (verb const end : ends) {
        SCOPED_TRACE(static_cast<int>(end));
        auto const session = open();
        xid const x = start(*session, ++key);
        query(*session, "xa end " + xa_name(x));

        EXPECT_TRUE(run(*session, end, x).is_ok());
        if (end == verb::prepare) {
            EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
        }

        EXPECT_EQ(rows(key), end == verb::rollback ? 0 : 1);
    }
}

TEST_P(mysql_guards, DeadlockVictimVotesNoAndIsGone)
{
    auto const session = open();
    xid const x = start(*session, 1);
    lose_deadlock(*session);

    reply const vote = run(*session, verb::prepare, x);

    EXPECT_TRUE(is_rolled_back(vote)) << vote.text;
    EXPECT_EQ(run(*session, verb::rollback, x).code, xa_code::nota) << "it is gone already";
    EXPECT_EQ(rows(1), 0);
    EXPECT_EQ(try_query(*session, insert(2)), 0U) << "the session is outside of any branch";
}

TEST_P(mysql_guards, DeadlockVictimIsRolledBackInOnePhase)
{
    auto const session = open();
    xid const x = start(*session, 1);
    lose_deadlock(*session);

    reply const said = run(*session, verb::commit_one_phase, x);

    EXPECT_TRUE(is_rolled_back(said)) << said.text;
    EXPECT_EQ(rows(1), 0);
    EXPECT_EQ(try_query(*session, insert(2)), 0U);
}

TEST_P(mysql_guards, DeadlockVictimCanBeRolledBack)
{
    for (bool const reads_status : {false, true}) {
        auto const session = open();
        xid const x = start(*session, 1);
        lose_deadlock(*session);
        // After this answer the status flag says "in no transaction", and that is no lost mark.
        if (reads_status) query(*session, "select 1");

        EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());

        EXPECT_EQ(rows(1), 0);
        EXPECT_TRUE(session->is_reusable());
    }
}

TEST_P(mysql_guards, TheServersLanguageChangesNothing)
{
    for (std::string const language : {"de_DE", "ru_RU", "zh_CN", "es_ES"}) {
        SCOPED_TRACE(language);
        auto lent = mysql_client::account(server(), "accounts");
        lent.query("set lc_messages = '" + language + "'");
        {
            auto const session = borrow(lent);
            xid const x = start(*session, 1);
            lose_deadlock(*session);
            EXPECT_TRUE(is_rolled_back(run(*session, verb::prepare, x)));
        }
        lent.query("set lc_messages = '" + language + "'");
        auto const session = borrow(lent);
        xid const x = start(*session, 1);
        ASSERT_EQ(mysql_reset_connection(lent.get()), 0);
        lent.query("set lc_messages = '" + language + "'");
        expect_left_behind(run(*session, verb::prepare, x));
    }
}

TEST_P(mysql_guards, TablesWithoutTransactionsKeepWhatABranchWrote)
{
    std::vector<std::string> engines{"MyISAM", "MEMORY"};
    if (is_mariadb()) engines.push_back("Aria");
    for (auto const& engine : engines) {
        SCOPED_TRACE(engine);
        administrator().query("drop table if exists plain");
        administrator().query("create table plain (k int) engine = " + engine);
        auto const session = open();
        xid const x = start(*session, 1);
        unsigned const said = try_query(*session, "insert into plain values (1)");
        if (said == 1785) {
            // MySQL 9's default (enforce_gtid_consistency): nothing is written, nothing is harmed.
            EXPECT_FALSE(is_mariadb());
            EXPECT_TRUE(run(*session, verb::commit_one_phase, x).is_ok());
            administrator().query("delete from t");
            continue;
        }
        ASSERT_EQ(said, 0U);
        ASSERT_TRUE(run(*session, verb::prepare, x).is_ok());

        EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());

        EXPECT_EQ(rows(1), 0);
        EXPECT_EQ(administrator().query("select count(*) from plain"), "1");
    }
    administrator().query("drop table plain");
}

TEST_P(mysql_guards, LockWaitTimeoutLeavesTheBranchAbleToPrepare)
{
    auto rival = mysql_client::administrator(server());
    rival.query("insert into t values (-1, 0)");
    rival.query("begin");
    rival.query("update t set v = 1 where k = -1");
    auto const session = open();
    query(*session, "set innodb_lock_wait_timeout = 1");
    xid const x = start(*session, 1);
    ASSERT_EQ(try_query(*session, "update t set v = 2 where k = -1"), 1205U);
    EXPECT_TRUE(mysql::is_retryable(handle_of(*session)));

    EXPECT_TRUE(run(*session, verb::prepare, x).is_ok());
    EXPECT_TRUE(run(*session, verb::commit, x).is_ok());

    EXPECT_EQ(rows(1), 1);
}

TEST_P(mysql_guards, TransactionStatementsInsideAreRefusedAndDoNoHarm)
{
    auto const session = open();
    xid const x = start(*session, 1);

    for (std::string const sql : {"begin", "commit", "rollback", "create table u (i int)",
                                  "truncate table t", "xa start 'another'"}) {
        EXPECT_EQ(try_query(*session, sql), 1399U) << sql;
    }

    EXPECT_TRUE(run(*session, verb::prepare, x).is_ok());
    EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
    EXPECT_EQ(rows(1), 1);
}

TEST_P(mysql_guards, ResultThatWasNotReadIsNeverAVote)
{
    int key = 0;
    for (verb const end : ends) {
        SCOPED_TRACE(static_cast<int>(end));
        auto const session = open();
        xid const x = start(*session, ++key);
        ASSERT_EQ(mysql_query(handle_of(*session), "select 1"), 0);

        reply const said = run(*session, end, x);

        if (end == verb::rollback) {
            EXPECT_EQ(said.detail, reply_detail::reply_lost);
        } else {
            EXPECT_EQ(said.code, xa_code::rbproto) << "nothing was sent: " << said.text;
        }
        wait_until_gone(session->id());
        EXPECT_EQ(rows(key), 0);
        EXPECT_FALSE(is_listed(x));
    }
}

TEST_P(mysql_guards, AutocommitLeftOffMakesASessionNotReusable)
{
    auto const session = open();
    xid const x = start(*session, 1);
    query(*session, "set autocommit = 0");

    EXPECT_TRUE(run(*session, verb::commit_one_phase, x).is_ok());

    EXPECT_FALSE(session->is_reusable());
}

TEST_P(mysql_guards, DuplicateNameIsRefusedAndTheFirstBranchUnharmed)
{
    auto const first = open();
    xid const x = start(*first, 1);
    auto const second = open();

    EXPECT_EQ(run(*second, verb::start, x).code, xa_code::dupid);

    EXPECT_TRUE(run(*first, verb::commit_one_phase, x).is_ok());
    EXPECT_EQ(rows(1), 1);
}

TEST_P(mysql_guards, ForgetSaysThatThereIsNothing)
{
    auto const session = open();

    EXPECT_EQ(run(*session, verb::forget, next_xid(*session)).code, xa_code::nota);
}

ASSENT_ON_EACH_SERVER(mysql_guards);

}  // namespace

}  // namespace assent::contract
