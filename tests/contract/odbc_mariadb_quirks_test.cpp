// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_mariadb_quirks_test.cpp -- what MariaDB Connector/ODBC hides, and does behind one's back, on
// MariaDB and on MySQL.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "adapters/sql_text/peer.hpp"
#include "tests/contract/odbc_target.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char reconnecting[] = "AUTO_RECONNECT=1;";

}  // namespace

ASSENT_ON_EACH_MYSQL(contract, odbc_mysql_target);
ASSENT_ON_EACH_MYSQL(odbc_server, odbc_mysql_target);

class odbc_mariadb : public odbc_server
{
protected:
    odbc_mysql_target& my() { return dynamic_cast<odbc_mysql_target&>(target()); }
    bool is_mariadb() { return my().kind() == server_kind::mariadb; }
    mysql_client administrator() { return mysql_client::administrator(my().server()); }

    /// A driver whose connections reconnect by themselves, as only the application can have it.
    std::shared_ptr<resource_manager_driver> reconnecting_driver()
    {
        return odbc::resource_manager{
            "accounts", odbc::connect_function{[text = mysql_string(my().server()) + reconnecting] {
                return odbc::connection{open_raw(text)};
            }}}
            .driver();
    }
};
ASSENT_ON_EACH_MYSQL(odbc_mariadb, odbc_mysql_target);

// ---- sessions, by the server's own numbers ----------------------------------------------------

TEST_P(odbc_mariadb, ASessionBeforeAnotherIsOlderThanIt)
{
    auto const first = open(session_purpose::manage);
    auto const second = open(session_purpose::manage);
    auto const third = open(session_purpose::manage);
    auto const until = in_seconds(10);

    EXPECT_EQ(driver().sessions_before(*third, first->id(), until), session_presence::gone);
    EXPECT_EQ(driver().sessions_before(*third, second->id(), until), session_presence::present);
}

TEST_P(odbc_mariadb, ASessionThatPreparedIsEndedOnlyWhenItIsIdle)
{
    auto const manage = open(session_purpose::manage);
    auto const branch = prepare_branch(1);
    auto const id = branch.session->id();
    EXPECT_FALSE(driver().end_idle_session(*manage, id, in_seconds(10)));
    EXPECT_EQ(driver().presence(*manage, id, in_seconds(10)), session_presence::present);

    EXPECT_TRUE(eventually([&] { return driver().end_idle_session(*manage, id, in_seconds(10)); }));

    EXPECT_TRUE(eventually(
        [&] { return driver().presence(*manage, id, in_seconds(10)) == session_presence::gone; }));
    EXPECT_TRUE(is_listed(branch.id));
    finish_elsewhere(verb::rollback, branch.id);
}

// ---- facts of the driver on which the adapter is built ---------------------------------------

TEST_P(odbc_mariadb, TheDriverShowsNothingOfXaRecoverAsText)
{
    auto const branch = prepare_branch(1);
    std::string const where = mysql_string(my().server());

    pid_t const child = ::fork();
    if (child == 0) {
        ::close(STDERR_FILENO);
        bool is_shown = false;
        try {
            odbc_client client{where};
            is_shown = !client.query("XA RECOVER").empty();
        } catch (std::exception const&) {
            ::_exit(0);
        }
        ::_exit(is_shown ? 1 : 0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << "the driver shows it now";

    EXPECT_TRUE(is_listed(branch.id));
    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
}

TEST_P(odbc_mariadb, TheDriverLeavesItsSocketsToChildrenAndTheAdapterDoesNot)
{
    auto const before = sql_text::open_sockets();
    odbc_client const plain{mysql_string(my().server())};
    auto const session = open(session_purpose::work);

    bool is_left = false;
    for (auto const& each : sql_text::open_sockets()) {
        bool const is_old = std::find(before.begin(), before.end(), each) != before.end();
        bool const is_closed = (::fcntl(each.descriptor, F_GETFD) & FD_CLOEXEC) != 0;
        if (!is_old && !is_closed) is_left = true;
        if (each.descriptor == session->descriptor()) {
            EXPECT_TRUE(is_closed);
        }
    }
    EXPECT_TRUE(is_left) << "the driver has learned it: this test and the page may go";
    ASSERT_GE(session->descriptor(), 0);
}

// ---- votes -----------------------------------------------------------------------------------

TEST_P(odbc_mariadb, APreparedBranchIsFreeAtOnceOnMysqlOnly)
{
    facts();

    EXPECT_EQ(driver().capabilities().stays_attached_after_prepare, is_mariadb());
}

TEST_P(odbc_mariadb, AFailedStatementAloneDoesNotDoomItsBranch)
{
    auto const branch = start_branch(1);
    EXPECT_EQ(odbc_client::try_query(branch.session->native_handle(), "insert into t values (1, 0)")
                  .native_code,
              1062);

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(my().count_rows(1), 1);
}

TEST_P(odbc_mariadb, ABranchThatTheApplicationEndedIsPreparedAllTheSame)
{
    auto const branch = start_branch(1);
    run_sql(*branch.session, "XA END " + xa_name(branch.id));

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
}

TEST_P(odbc_mariadb, SqlEndTranInsideABranchIsRefusedByTheServerAndHarmless)
{
    for (SQLSMALLINT const how : {SQL_COMMIT, SQL_ROLLBACK}) {
        auto const branch = start_branch(1 + how);
        EXPECT_FALSE(
            SQL_SUCCEEDED(SQLEndTran(SQL_HANDLE_DBC, branch.session->native_handle(), how)));

        EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
        EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
        EXPECT_EQ(my().count_rows(1 + how), 1);
    }
}

TEST_P(odbc_mariadb, ABranchWithAutocommitOffEndsAndItsSessionIsNotReused)
{
    auto const branch = start_branch(1);
    SQLSetConnectAttr(branch.session->native_handle(), SQL_ATTR_AUTOCOMMIT,
                      reinterpret_cast<SQLPOINTER>(SQL_AUTOCOMMIT_OFF), 0);

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(my().count_rows(1), 1);
    EXPECT_FALSE(branch.session->is_reusable());
}

// ---- marks -----------------------------------------------------------------------------------

TEST_P(odbc_mariadb, ASilentReconnectInsideABranchIsNoticedAtEveryEnd)
{
    auto const from = reconnecting_driver();
    int key = 0;
    for (verb const end : ends) {
        auto const branch = start_on(*from, ++key);
        my().kill_session(branch.session->id());
        // The first call fails; what comes after it may be permanent at once.
        odbc_client::try_query(branch.session->native_handle(), "set @unused = 1");
        odbc_client::try_query(branch.session->native_handle(),
                               "insert into t values (" + std::to_string(key + 100) + ", 0)");
        bool const is_permanent = my().count_rows(key + 100) == 1;

        reply const answer = run(*branch.session, end, branch.id);

        EXPECT_EQ(my().count_rows(key), 0);
        EXPECT_FALSE(answer.is_ok());
        EXPECT_FALSE(is_permanent && !is_left_behind(answer)) << answer.text;
        EXPECT_FALSE(branch.session->is_reusable());
    }
}

TEST_P(odbc_mariadb, ASessionThatWasReplacedStartsNoBranch)
{
    auto const from = reconnecting_driver();
    auto const session = from->connect(session_purpose::work, in_seconds(10));
    my().kill_session(session->id());
    odbc_client::try_query(session->native_handle(), "set @unused = 1");

    EXPECT_FALSE(run(*session, verb::start, next_xid(*session)).is_ok());
    EXPECT_FALSE(session->is_reusable());
}

TEST_P(odbc_mariadb, ABranchThatTheApplicationRolledBackIsLeftBehind)
{
    for (verb const end : ends) {
        auto const branch = start_branch(1);
        run_sql(*branch.session, "XA END " + xa_name(branch.id));
        run_sql(*branch.session, "XA ROLLBACK " + xa_name(branch.id));

        EXPECT_TRUE(is_left_behind(run(*branch.session, end, branch.id)));
        EXPECT_FALSE(branch.session->is_reusable());
    }
}

// ---- what the application sees ---------------------------------------------------------------

TEST_P(odbc_mariadb, AModeThatIsChosenForTheBranchAloneHoldsInIt)
{
    odbc_client client{mysql_string(my().server())};
    for (bool const by_hand : {true, false}) {
        client.query("SET TRANSACTION READ ONLY");
        std::unique_ptr<driver_session> held;
        xid id;
        if (by_hand) {
            client.query("XA START 'by hand'");
        } else {
            held = driver().borrow(client.get(), facts(), in_seconds(10));
            id = next_xid(*held);
            ASSERT_TRUE(run(*held, verb::start, id).is_ok());
        }

        EXPECT_EQ(odbc_client::try_query(client.get(), "INSERT INTO t VALUES (1, 1)").native_code,
                  1792);

        if (by_hand) {
            client.query("XA END 'by hand'");
            client.query("XA ROLLBACK 'by hand'");
        } else {
            EXPECT_TRUE(run(*held, verb::rollback, id).is_ok());
        }
    }
}

// ---- connections -----------------------------------------------------------------------------

TEST_P(odbc_mariadb, AnXaBranchOfTheApplicationsIsATransactionToo)
{
    odbc_client client{mysql_string(my().server())};
    client.query("XA START 'mine'");

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("transaction"));
}

TEST_P(odbc_mariadb, AOnePhaseCommitWhoseReplyIsLostIsLost)
{
    testing::proxy network;
    auto const branch = start_behind(network, 1);
    network.on_request(0, "ONE PHASE", testing::fault::lose_reply);

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_TRUE(is_lost(answer)) << answer.text;
    EXPECT_EQ(my().count_rows(1), 1);
}

// ---- recovery on MySQL: a procedure ----------------------------------------------------------

TEST_P(odbc_mariadb, OnMysqlAProcedureThatAsksOtherwiseIsReplaced)
{
    if (is_mariadb()) GTEST_SKIP() << "MariaDB needs no procedure";
    facts();
    auto root = administrator();
    root.query("drop procedure accounts.assent_recover");
    root.query(
        "create definer = shop@'127.0.0.1' procedure accounts.assent_recover() sql security "
        "invoker begin select 'of another version'; end");
    auto const branch = prepare_branch(1);

    EXPECT_TRUE(is_listed(branch.id));
    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
}

TEST_P(odbc_mariadb, OnMysqlTheErrorPrintsTheProcedureThatCannotBeCreated)
{
    if (is_mariadb()) GTEST_SKIP() << "MariaDB needs no procedure";
    auto root = administrator();
    root.query("drop procedure if exists accounts.assent_recover");
    root.query("create user if not exists poor@'127.0.0.1' identified by 'secret'");
    root.query("grant select, execute on accounts.* to poor@'127.0.0.1'");
    root.query("grant xa_recover_admin on *.* to poor@'127.0.0.1'");
    auto const poor =
        odbc::resource_manager{
            "accounts", "DRIVER=" + odbc_drivers::mariadb() +
                            ";SERVER=127.0.0.1;PORT=" + std::to_string(my().server().port()) +
                            ";DATABASE=accounts;UID=poor;PWD=secret"}
            .driver();
    auto const manage = poor->connect(session_purpose::manage, in_seconds(10));

    try {
        poor->preflight(*manage, in_seconds(10));
        ADD_FAILURE() << "preflight passed though recovery is impossible";
    } catch (driver_error const& error) {
        EXPECT_THAT(error.what(), HasSubstr("CREATE PROCEDURE assent_recover()"));
        EXPECT_THAT(error.what(), HasSubstr("native adapter"));
        EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
    }
}

}  // namespace assent::contract
