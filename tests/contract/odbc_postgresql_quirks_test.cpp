// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_postgresql_quirks_test.cpp -- what psqlODBC does behind one's back, and that a branch's end
// notices it.

#include <gmock/gmock.h>

#include "tests/contract/odbc_target.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// The driver's option under which a statement that fails aborts its transaction.
constexpr char no_savepoints[] = "A1=7.4-0;";

bool fails(driver_session& session, std::string const& sql)
{
    return !odbc_client::try_query(session.native_handle(), sql).sqlstate.empty();
}

}  // namespace

class odbc_postgresql : public odbc_server
{
protected:
    odbc_postgresql_target& pg() { return dynamic_cast<odbc_postgresql_target&>(target()); }
};

namespace {

auto const psqlodbc = ::testing::Values(&the_only<odbc_postgresql_target, edition::installed>);

}  // namespace

INSTANTIATE_TEST_SUITE_P(psqlodbc, contract, psqlodbc);
INSTANTIATE_TEST_SUITE_P(psqlodbc, odbc_server, psqlodbc);
INSTANTIATE_TEST_SUITE_P(psqlodbc, odbc_postgresql, psqlodbc);

// ---- lending ---------------------------------------------------------------------------------

TEST_P(odbc_postgresql, ARefusedHandleKeepsTheSnapshotThatItsOwnerHasNotTakenYet)
{
    auto const expected = facts();
    odbc_client client{postgresql_string(pg().server())};
    client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("it is in a transaction"));

    plain_connection{pg().server().conninfo()}.run("INSERT INTO entry VALUES (7)");
    EXPECT_EQ(client.query("SELECT count(*) FROM entry WHERE key = 7"), "1");
    client.query("COMMIT");
}

TEST_P(odbc_postgresql, ADeferrableReaderWaitsForASafeSnapshotWhereItsBranchBegins)
{
    odbc_client client{postgresql_string(pg().server())};
    client.query(
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, "
        "DEFERRABLE");
    auto const session = driver().borrow(client.get(), facts(), in_seconds(10));
    plain_connection writer{pg().server().conninfo()};
    writer.run("BEGIN ISOLATION LEVEL SERIALIZABLE");
    writer.run("INSERT INTO entry VALUES (7)");
    xid const x = next_xid(*session);

    session->submit(verb::start, x);
    EXPECT_FALSE(session->collect(deadline::clock::now() + std::chrono::milliseconds{300}))
        << "by libpq it would be the first statement of the application's that waits";
    writer.run("COMMIT");

    auto const said = session->collect(in_seconds(10));
    ASSERT_TRUE(said);
    EXPECT_TRUE(said->is_ok()) << said->text;
    EXPECT_EQ(client.query("SELECT count(*) FROM entry WHERE key = 7"), "0")
        << "the snapshot is as old as the wait";
    EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
}

// ---- facts of the driver on which the adapter is built ---------------------------------------

TEST_P(odbc_postgresql, TheDriverCallsPrepareOfAFailedTransactionASuccess)
{
    odbc_client client{postgresql_string(pg().server()) + no_savepoints};
    client.query("BEGIN");
    ASSERT_EQ(odbc_client::try_query(client.get(), "SELECT 1/0").sqlstate, "22012");

    auto const said = odbc_client::try_query(client.get(), "PREPARE TRANSACTION 'never'");

    EXPECT_EQ(said.sqlstate, "");
    EXPECT_EQ(client.query("SELECT count(*) FROM pg_prepared_xacts"), "0");
}

TEST_P(odbc_postgresql, TheDriverStopsAMessageAtItsFirstFailure)
{
    odbc_client client{postgresql_string(pg().server())};
    client.query("BEGIN");

    auto const said = odbc_client::try_query(
        client.get(), "SELECT CAST('x' AS int4); PREPARE TRANSACTION 'never'");

    EXPECT_EQ(said.sqlstate, "22P02");
    EXPECT_EQ(client.query("SELECT count(*) FROM pg_prepared_xacts"), "0");
}

TEST_P(odbc_postgresql, TheDriverCommitsWhenAutocommitIsSwitchedOff)
{
    odbc_client client{postgresql_string(pg().server())};
    client.query("BEGIN");
    client.query("INSERT INTO entry VALUES (1)");

    client.set_autocommit(false);

    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(odbc_postgresql, TheDriverPutsSavepointsOfItsOwnIntoATransactionThatWasBegunAsText)
{
    odbc_client client{postgresql_string(pg().server())};
    client.query("BEGIN");
    EXPECT_EQ(odbc_client::try_query(client.get(), "SELECT 1/0").sqlstate, "22012");

    EXPECT_EQ(client.query("SELECT 1"), "1") << "the failed statement was undone alone";
    client.query("COMMIT; BEGIN");
    EXPECT_EQ(odbc_client::try_query(client.get(), "SELECT 1").sqlstate, "3B001")
        << "it did not notice that its savepoint was gone";
}

// ---- votes -----------------------------------------------------------------------------------

TEST_P(odbc_postgresql, AFailedStatementAloneDoesNotDoomItsBranchByDefault)
{
    auto const branch = start_branch(1);
    ASSERT_TRUE(fails(*branch.session, "INSERT INTO entry VALUES (1)"));

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(odbc_postgresql, AFailedTransactionIsANoVoteAndNothingIsPrepared)
{
    for (verb const end : {verb::prepare, verb::commit_one_phase}) {
        auto const branch = start_with(no_savepoints, 1);
        ASSERT_TRUE(fails(*branch.session, "SELECT 1/0"));

        reply const vote = run(*branch.session, end, branch.id);

        EXPECT_EQ(vote.code, xa_code::rbrollback) << vote.text;
        EXPECT_FALSE(is_listed(branch.id));
        EXPECT_EQ(pg().count_rows(1), 0);
        EXPECT_TRUE(branch.session->is_reusable());
    }
}

TEST_P(odbc_postgresql, AFailedTransactionIsRolledBack)
{
    auto const branch = start_with(no_savepoints, 1);
    ASSERT_TRUE(fails(*branch.session, "SELECT 1/0"));

    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(odbc_postgresql, ADeferredConstraintThatFailsAtTheEndIsANoVote)
{
    pg().administer("CREATE TABLE IF NOT EXISTS parent(id int PRIMARY KEY)");
    pg().administer(
        "CREATE TABLE IF NOT EXISTS child(id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
    pg().administer("GRANT ALL ON parent, child TO shop");
    for (verb const end : {verb::prepare, verb::commit_one_phase}) {
        auto const branch = start_branch(1);
        run_sql(*branch.session, "INSERT INTO child VALUES (77)");

        reply const vote = run(*branch.session, end, branch.id);

        EXPECT_EQ(vote.code, xa_code::rbintegrity) << vote.text;
        EXPECT_EQ(vote.sqlstate, "23503");
        EXPECT_THAT(vote.text, Not(HasSubstr("77"))) << "a row's values are nobody's business";
        EXPECT_FALSE(is_listed(branch.id));
        EXPECT_EQ(pg().count_rows(1), 0);
        EXPECT_TRUE(branch.session->is_reusable());
    }
}

TEST_P(odbc_postgresql, ARoleThatTheManagerCouldNotFinishForIsANoVote)
{
    pg().administer("DROP ROLE IF EXISTS other", "accounts");
    pg().administer("CREATE ROLE other; GRANT other TO shop; GRANT ALL ON entry TO other");
    auto const branch = start_branch(1);
    run_sql(*branch.session, "SET ROLE other");

    reply const vote = run(*branch.session, verb::prepare, branch.id);

    EXPECT_TRUE(is_rolled_back(vote)) << vote.text;
    EXPECT_FALSE(is_listed(branch.id));
    EXPECT_EQ(pg().count_rows(1), 0);
    pg().administer("REVOKE ALL ON entry FROM other; DROP ROLE other");
}

TEST_P(odbc_postgresql, AnUnassignedTransactionHasNoWitness)
{
    auto const session = open(session_purpose::work);
    xid const x = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    run_sql(*session, "SELECT 1");

    EXPECT_EQ(run(*session, verb::commit_one_phase, x).witness, "");
}

// ---- marks -----------------------------------------------------------------------------------

TEST_P(odbc_postgresql, TheApplicationsOwnCommitIsNoticedAtEveryEnd)
{
    for (char const* const more : {"", no_savepoints}) {
        for (char const* const meddling : {"COMMIT", "COMMIT; BEGIN", "COMMIT AND CHAIN"}) {
            int key = 0;
            for (verb const end : ends) {
                auto const branch = start_with(more, ++key);
                run_sql(*branch.session, meddling);

                reply const answer = run(*branch.session, end, branch.id);

                EXPECT_TRUE(is_left_behind(answer)) << more << meddling << ": " << answer.text;
                EXPECT_FALSE(branch.session->is_reusable());
                EXPECT_FALSE(is_listed(branch.id));
            }
            pg().reset();
        }
    }
}

TEST_P(odbc_postgresql, ASecondTransactionThatFailedIsNoticedAsWell)
{
    for (verb const end : ends) {
        auto const branch = start_with(no_savepoints, 1 + static_cast<int>(end));
        run_sql(*branch.session, "COMMIT; BEGIN");
        ASSERT_TRUE(fails(*branch.session, "SELECT 1/0"));

        EXPECT_TRUE(is_left_behind(run(*branch.session, end, branch.id)));
    }
}

TEST_P(odbc_postgresql, SwitchingAutocommitInsideABranchIsNoticed)
{
    int key = 0;
    for (verb const end : ends) {
        auto const branch = start_on(driver(), ++key);
        odbc_client::set_autocommit(branch.session->native_handle(), false);

        EXPECT_TRUE(is_left_behind(run(*branch.session, end, branch.id)));
        EXPECT_FALSE(branch.session->is_reusable());
    }
}

TEST_P(odbc_postgresql, SqlEndTranInsideABranchIsNoticedOrHarmless)
{
    auto const branch = start_branch(1);
    SQLEndTran(SQL_HANDLE_DBC, branch.session->native_handle(), SQL_COMMIT);
    bool const did_commit = pg().count_rows(1) == 1;

    reply const vote = run(*branch.session, verb::prepare, branch.id);

    EXPECT_EQ(is_left_behind(vote), did_commit) << vote.text;
    EXPECT_EQ(vote.is_ok(), !did_commit) << vote.text;
}

TEST_P(odbc_postgresql, ABranchDoesNotStartInsideATransactionOfTheApplications)
{
    auto const session = open(session_purpose::work);
    run_sql(*session, "BEGIN");

    EXPECT_EQ(run(*session, verb::start, next_xid(*session)).code, xa_code::outside);
    EXPECT_FALSE(session->is_reusable());
}

TEST_P(odbc_postgresql, AHandleInAFailedTransactionIsRefused)
{
    odbc_client client{postgresql_string(pg().server()) + no_savepoints};
    client.query("BEGIN");
    odbc_client::try_query(client.get(), "SELECT 1/0");

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("transaction"));
}

// ---- replies that are lost -------------------------------------------------------------------

TEST_P(odbc_postgresql, AOnePhaseCommitWhoseReplyIsLostLeavesItsWitness)
{
    testing::proxy network;
    auto const branch = start_behind(network, 1);
    network.on_request(0, "COMMIT", testing::fault::lose_reply);

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_EQ(answer.detail, reply_detail::reply_lost) << answer.text;
    ASSERT_FALSE(answer.witness.empty());
    auto const manage = open(session_purpose::manage);
    EXPECT_EQ(driver().ask_witness(*manage, answer.witness, in_seconds(10)),
              witness_state::committed);
    EXPECT_TRUE(driver().capabilities().has_one_phase_witness);
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(odbc_postgresql, APrepareWhoseReplyIsLostIsLost)
{
    testing::proxy network;
    auto const branch = start_behind(network, 1);
    network.on_request(0, "PREPARE TRANSACTION", testing::fault::lose_reply);

    reply const answer = run(*branch.session, verb::prepare, branch.id);

    EXPECT_TRUE(is_lost(answer)) << answer.text;
    finish_elsewhere(verb::rollback, branch.id);
    EXPECT_EQ(pg().count_rows(1), 0);
}

}  // namespace assent::contract
