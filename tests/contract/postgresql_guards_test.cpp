// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_guards_test.cpp -- what an application can do to a branch behind the manager's back,
// and that the branch's end notices exactly that.

#include <chrono>
#include <string>

#include "tests/contract/postgresql_target.hpp"

namespace assent::contract {

class postgresql_guards : public postgresql_case
{
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_guards, postgresql_target);

// --- facts of the server on which the adapter is built ---

TEST_P(postgresql_guards, TheServerAnswersPrepareOfAFailedTransactionWithTheTagRollback)
{
    plain_connection session{pg().server().conninfo()};
    session.run("BEGIN");
    PQclear(PQexec(session.get(), "SELECT 1/0"));

    PGresult* const result = PQexec(session.get(), "PREPARE TRANSACTION 'never'");

    EXPECT_EQ(PQresultStatus(result), PGRES_COMMAND_OK);
    EXPECT_STREQ(PQcmdStatus(result), "ROLLBACK");
    PQclear(result);
}

TEST_P(postgresql_guards, TheServerPreparesOutsideABlockWhatCameInTheSameMessage)
{
    plain_connection session{pg().server().conninfo()};

    session.run("INSERT INTO entry VALUES (1); PREPARE TRANSACTION 'implicit'");

    EXPECT_EQ(pg().administer("SELECT count(*) FROM pg_prepared_xacts WHERE gid = 'implicit'"),
              "1");
}

// --- a lost mark, at every end of a branch ---

TEST_P(postgresql_guards, AWayOutOfTheTransactionIsNoticedAtEveryEnd)
{
    for (std::string const way : {"COMMIT; BEGIN", "COMMIT AND CHAIN", "COMMIT", "ROLLBACK",
                                  "ROLLBACK AND CHAIN", "ROLLBACK; BEGIN"}) {
        for (verb const end : ends) {
            pg().reset();
            auto const branch = start_branch(1);
            apply(*branch.session, way);

            reply const answer = run(*branch.session, end, branch.id);

            EXPECT_TRUE(is_left_behind(answer)) << way << ": " << answer.text;
            EXPECT_FALSE(branch.session->is_reusable());
            EXPECT_FALSE(is_listed(branch.id)) << way;
        }
    }
}

TEST_P(postgresql_guards, WhatFollowsALostMarkIsRolledBack)
{
    for (verb const end : ends) {
        pg().reset();
        auto const branch = start_branch(1);
        apply(*branch.session, "COMMIT; BEGIN");
        pg().write_row(*branch.session, 2);

        EXPECT_TRUE(is_left_behind(run(*branch.session, end, branch.id)));

        EXPECT_EQ(pg().count_rows(1), 1);  // which is why it is not "rolled back"
        EXPECT_EQ(pg().count_rows(2), 0);
    }
}

TEST_P(postgresql_guards, ALostMarkIsNoticedEvenInAFailedTransaction)
{
    for (verb const end : ends) {
        pg().reset();
        auto const branch = start_branch(1);
        apply(*branch.session, "COMMIT; BEGIN");
        fail(*branch.session);

        EXPECT_TRUE(is_left_behind(run(*branch.session, end, branch.id)));
        EXPECT_EQ(pg().count_rows(1), 1);
    }
}

TEST_P(postgresql_guards, WorkBetweenTwoTransactionsIsNoticedEvenWhenTheSecondFailed)
{
    auto const branch = start_branch(1);
    apply(*branch.session, "ROLLBACK");
    pg().write_row(*branch.session, 2);  // on its own: permanent
    apply(*branch.session, "BEGIN");
    fail(*branch.session);

    EXPECT_TRUE(is_left_behind(run(*branch.session, verb::rollback, branch.id)));
    EXPECT_EQ(pg().count_rows(2), 1);
}

// --- no false alarm ---

TEST_P(postgresql_guards, WhatAnApplicationMayDoIsNoAlarm)
{
    for (std::string const habit :
         {"RESET ALL", "SET TIME ZONE 'Asia/Tokyo'", "SET extra_float_digits = 0",
          "SET datestyle = 'German, DMY'", "SET LOCAL search_path = ''", "DEALLOCATE ALL",
          "SAVEPOINT s; ROLLBACK TO s; RELEASE s", "SET standard_conforming_strings = off",
          "SET client_encoding = LATIN1", "CLOSE ALL", "SET default_transaction_read_only = on",
          "SET client_min_messages = debug1", "SET bytea_output = escape"}) {
        for (verb const end : ends) {
            pg().reset();
            auto const branch = start_branch(1);
            apply(*branch.session, habit);

            reply const answer = run(*branch.session, end, branch.id);

            EXPECT_TRUE(answer.is_ok()) << habit << ": " << answer.text;
            if (end == verb::prepare) {
                EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok()) << habit;
            }
        }
    }
}

TEST_P(postgresql_guards, AFailedStatementIsANoVoteAndLeavesTheSessionReusable)
{
    for (verb const end : {verb::prepare, verb::commit_one_phase}) {
        auto const branch = start_branch(1);
        fail(*branch.session);

        reply const answer = run(*branch.session, end, branch.id);

        EXPECT_EQ(answer.code, xa_code::rbrollback);
        EXPECT_EQ(answer.sqlstate, "25P02");
        EXPECT_TRUE(branch.session->is_reusable());
        EXPECT_EQ(pg().count_rows(1), 0);
    }
    auto const branch = start_branch(1);
    fail(*branch.session);
    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(postgresql_guards, AHostileSearchPathDoesNoHarm)
{
    pg().administer("DROP SCHEMA IF EXISTS hostile CASCADE");
    pg().administer(R"(
        CREATE SCHEMA hostile AUTHORIZATION shop;
        CREATE DOMAIN hostile.int8 AS pg_catalog.int8 CHECK (false);
        CREATE DOMAIN hostile.int4 AS pg_catalog.int4 CHECK (false);
        CREATE DOMAIN hostile.text AS pg_catalog.text CHECK (false);
        CREATE FUNCTION hostile.transaction_timestamp() RETURNS timestamptz LANGUAGE sql
            AS 'SELECT pg_catalog.to_timestamp(1)';
        CREATE FUNCTION hostile.current_database() RETURNS name LANGUAGE sql
            AS $$SELECT 'elsewhere'::pg_catalog.name$$;
        CREATE FUNCTION hostile.pg_current_xact_id_if_assigned() RETURNS xid8 LANGUAGE sql
            AS $$SELECT '3'::pg_catalog.xid8$$;
        CREATE FUNCTION hostile.differs(pg_catalog.int8, pg_catalog.int8) RETURNS boolean
            LANGUAGE sql AS 'SELECT false';
        CREATE OPERATOR hostile.<> (FUNCTION = hostile.differs, LEFTARG = pg_catalog.int8,
            RIGHTARG = pg_catalog.int8);
        CREATE FUNCTION hostile.as_zero(numeric, integer) RETURNS numeric LANGUAGE sql
            AS 'SELECT 0.0';
        CREATE OPERATOR hostile.* (FUNCTION = hostile.as_zero, LEFTARG = numeric,
            RIGHTARG = integer);)");
    std::string const path = "SET search_path = hostile, pg_catalog, public";

    for (verb const end : ends) {
        pg().reset();
        auto const session = open(session_purpose::work);
        apply(*session, path);
        xid const honest = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, honest).is_ok());
        pg().write_row(*session, 1);
        reply const answer = run(*session, end, honest);
        EXPECT_TRUE(answer.is_ok()) << answer.text;
        EXPECT_NE(answer.witness, "3");
        if (end == verb::prepare) {
            ASSERT_TRUE(run(*session, verb::commit, honest).is_ok());
        }
        xid const broken = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, broken).is_ok());
        apply(*session, "COMMIT; BEGIN");
        EXPECT_TRUE(is_left_behind(run(*session, end, broken)));
    }
    pg().administer("DROP SCHEMA hostile CASCADE");
}

// --- the role ---

TEST_P(postgresql_guards, ABranchIsTheLoginsWhateverRoleTheApplicationTook)
{
    pg().administer("DO $$BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN END$$");
    pg().administer("GRANT clerk TO shop");
    pg().administer("GRANT ALL ON entry TO clerk");
    for (std::string const role : {"SET ROLE clerk", "SET LOCAL ROLE clerk"}) {
        for (verb const end : {verb::commit, verb::rollback}) {
            pg().reset();
            auto const branch = start_branch(1);
            apply(*branch.session, role);

            ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
            EXPECT_EQ(pg().administer("SELECT owner FROM pg_prepared_xacts"), "shop");
            EXPECT_TRUE(run(*branch.session, end, branch.id).is_ok());

            EXPECT_EQ(pg().count_rows(1), end == verb::commit ? 1 : 0);
            EXPECT_TRUE(branch.session->is_reusable());
        }
    }
}

TEST_P(postgresql_guards, ALentHandleKeepsTheRoleThatItTookWithinTheBranch)
{
    pg().administer("DO $$BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN END$$");
    pg().administer("GRANT clerk TO shop");
    for (verb const end : {verb::commit, verb::rollback}) {
        plain_connection lent{pg().server().conninfo()};
        auto const session = driver().borrow(lent.get(), facts(), in_seconds(10));
        xid const x = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        lent.run("SET ROLE clerk");

        ASSERT_TRUE(run(*session, verb::prepare, x).is_ok());
        EXPECT_EQ(lent.run("SELECT current_user"), "clerk");
        EXPECT_TRUE(run(*session, end, x).is_ok());

        EXPECT_EQ(lent.run("SELECT current_user || ' ' || session_user"), "clerk shop");
        EXPECT_TRUE(session->is_reusable());
    }
}

TEST_P(postgresql_guards, DeferredTriggersRunAsTheApplicationsRole)
{
    pg().administer("DO $$BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN END$$");
    pg().administer("GRANT clerk TO shop");
    pg().administer(R"(
        CREATE TABLE IF NOT EXISTS ran_as (who text);
        GRANT ALL ON ran_as, entry TO PUBLIC;
        TRUNCATE ran_as;
        CREATE OR REPLACE FUNCTION tell_role() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN INSERT INTO ran_as VALUES (current_user); RETURN NULL; END$$;
        CREATE CONSTRAINT TRIGGER tells AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION tell_role();)");
    auto const session = open(session_purpose::work);
    xid const x = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    apply(*session, "SET ROLE clerk");
    pg().write_row(*session, 1);

    EXPECT_TRUE(run(*session, verb::prepare, x).is_ok());
    EXPECT_TRUE(run(*session, verb::commit, x).is_ok());

    EXPECT_EQ(pg().administer("SELECT string_agg(who, ' ') FROM ran_as"), "clerk");
    pg().administer("DROP TRIGGER tells ON entry");
}

TEST_P(postgresql_guards, ABranchDoesNotStartInsideATransaction)
{
    auto const session = open(session_purpose::work);
    apply(*session, "BEGIN");

    EXPECT_EQ(run(*session, verb::start, next_xid(*session)).code, xa_code::outside);
    EXPECT_FALSE(session->is_reusable());
}

// --- what the application left unread ---

TEST_P(postgresql_guards, UnreadResultsAreReadAtTheBranchsEnd)
{
    for (verb const end : ends) {
        pg().reset();
        auto const branch = start_branch(1);
        auto* const handle = static_cast<PGconn*>(branch.session->native_handle());
        ASSERT_EQ(PQsendQuery(handle, "SELECT repeat('x', 9000) FROM generate_series(1, 2000)"), 1);

        EXPECT_TRUE(run(*branch.session, end, branch.id).is_ok());
        EXPECT_EQ(PQisnonblocking(handle), 0);
    }
}

TEST_P(postgresql_guards, AnUnreadErrorIsANoVote)
{
    auto const branch = start_branch(1);
    ASSERT_EQ(PQsendQuery(static_cast<PGconn*>(branch.session->native_handle()), "SELECT 1/0"), 1);

    EXPECT_TRUE(is_rolled_back(run(*branch.session, verb::prepare, branch.id)));
    EXPECT_FALSE(is_listed(branch.id));
}

TEST_P(postgresql_guards, ACopyThatWasNeverFinishedIsNotCommitted)
{
    auto const branch = start_branch(1);
    auto* const handle = static_cast<PGconn*>(branch.session->native_handle());
    PQclear(PQexec(handle, "COPY entry FROM STDIN"));
    ASSERT_EQ(PQputCopyData(handle, "2\n", 2), 1);

    EXPECT_TRUE(is_rolled_back(run(*branch.session, verb::prepare, branch.id)));
    EXPECT_TRUE(branch.session->is_reusable());
    EXPECT_EQ(pg().count_rows(2), 0);
}

TEST_P(postgresql_guards, ACopyThatWasNeverReadIsReadAtTheBranchsEnd)
{
    auto const branch = start_branch(1);
    auto* const handle = static_cast<PGconn*>(branch.session->native_handle());
    PQclear(
        PQexec(handle, "COPY (SELECT repeat('x', 99) FROM generate_series(1, 99999)) TO STDOUT"));

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(postgresql_guards, AForgottenPipelineIsEmptiedAtTheBranchsEnd)
{
    for (verb const end : ends) {
        pg().reset();
        auto const branch = start_branch(1);
        auto* const handle = static_cast<PGconn*>(branch.session->native_handle());
        ASSERT_EQ(PQenterPipelineMode(handle), 1);
        for (char const* sql : {"INSERT INTO entry VALUES (2)", "SELECT 3"}) {
            ASSERT_EQ(PQsendQueryParams(handle, sql, 0, nullptr, nullptr, nullptr, nullptr, 0), 1);
        }

        EXPECT_TRUE(run(*branch.session, end, branch.id).is_ok());
        EXPECT_EQ(PQpipelineStatus(handle), PQ_PIPELINE_OFF);
    }
}

// --- lending ---

TEST_P(postgresql_guards, AHandleInPipelineModeIsRefused)
{
    plain_connection lent{pg().server().conninfo()};
    ASSERT_EQ(PQenterPipelineMode(lent.get()), 1);

    try {
        driver().borrow(lent.get(), facts(), in_seconds(10));
        ADD_FAILURE() << "borrowed a handle in pipeline mode";
    } catch (driver_error const& error) {
        EXPECT_NE(std::string{error.what()}.find("pipeline"), std::string::npos);
        EXPECT_FALSE(error.must_close());
    }
}

TEST_P(postgresql_guards, AHandleOfAnotherRoleIsRefused)
{
    plain_connection lent{pg().server().superuser_conninfo()};

    try {
        driver().borrow(lent.get(), facts(), in_seconds(10));
        ADD_FAILURE() << "borrowed a handle of another role";
    } catch (driver_error const& error) {
        EXPECT_NE(std::string{error.what()}.find("role"), std::string::npos);
        EXPECT_FALSE(error.must_close());
    }
    EXPECT_EQ(lent.run("SELECT 1"), "1");
}

TEST_P(postgresql_guards, AHandleThatDoesNotAnswerMustBeClosed)
{
    plain_connection lent{pg().server().conninfo()};
    auto const expected = facts();
    pg().freeze();

    try {
        driver().borrow(lent.get(), expected,
                        std::chrono::steady_clock::now() + std::chrono::milliseconds(100));
        ADD_FAILURE() << "borrowed a handle that does not answer";
    } catch (driver_error const& error) {
        EXPECT_TRUE(error.must_close());
    }
    pg().thaw();
}

TEST_P(postgresql_guards, AHandleThatTookAnotherRoleSinceIsRefused)
{
    pg().administer(
        "DO $$BEGIN CREATE ROLE teller; EXCEPTION WHEN duplicate_object THEN END$$; "
        "GRANT teller TO shop");
    plain_connection lent{pg().server().conninfo()};
    auto const expected = facts();
    driver().borrow(lent.get(), expected, in_seconds(10));

    lent.run("SET ROLE teller");
    EXPECT_THROW(driver().borrow(lent.get(), expected, in_seconds(10)), driver_error);
    lent.run("RESET ROLE");
    EXPECT_NO_THROW(driver().borrow(lent.get(), expected, in_seconds(10)));
}

TEST_P(postgresql_guards, ALentHandleKeepsItsOwnersBlockingMode)
{
    for (int const mode : {0, 1}) {
        plain_connection lent{pg().server().conninfo()};
        ASSERT_EQ(PQsetnonblocking(lent.get(), mode), 0);
        auto const session = driver().borrow(lent.get(), facts(), in_seconds(10));
        xid const x = next_xid(*session);

        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        EXPECT_EQ(PQisnonblocking(lent.get()), mode);
        ASSERT_TRUE(run(*session, verb::rollback, x).is_ok());
        EXPECT_EQ(PQisnonblocking(lent.get()), mode);
    }
}

}  // namespace assent::contract
