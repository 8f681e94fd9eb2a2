// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_votes_test.cpp -- what the server's errors and silences become, each provoked on a
// real server.

#include <chrono>
#include <string>

#include <assent/postgresql.hpp>

#include "tests/contract/postgresql_target.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::contract {

class postgresql_votes : public postgresql_case
{
protected:
    /// A table whose rows, at the end of their transaction, raise the SQLSTATE that they hold.
    void make_raising_table()
    {
        plain_connection{pg().server().conninfo()}.run(R"(
            SET client_min_messages = warning;
            DROP TABLE IF EXISTS raising;
            CREATE TABLE raising(state text);
            CREATE OR REPLACE FUNCTION raise_it() RETURNS trigger LANGUAGE plpgsql AS
                $$BEGIN RAISE 'as asked' USING ERRCODE = NEW.state; END$$;
            CREATE CONSTRAINT TRIGGER raise_late AFTER INSERT ON raising
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_it();)");
    }

    /// A branch whose messages pass `network`, where its server is the only one, number 0.
    started start_behind(testing::proxy& network, int key)
    {
        auto const number = network.add(testing::wire_protocol::postgresql, pg().server().port());
        behind_ = postgresql::resource_manager{"accounts", pg().server().conninfo(
                                                               "accounts", network.port(number)) +
                                                               " sslmode=disable"}
                      .driver();
        return start_on(*behind_, key);
    }

private:
    std::shared_ptr<resource_manager_driver> behind_;
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_votes, postgresql_without_replica);

TEST_P(postgresql_votes, AnErrorAtTheEndIsMappedByItsMeaning)
{
    make_raising_table();
    struct expectation
    {
        char const* sqlstate;
        xa_code code;
    };
    for (auto const& [sqlstate, code] : {
             expectation{"23514", xa_code::rbintegrity},
             expectation{"40P01", xa_code::rbdeadlock},
             expectation{"40001", xa_code::rbtransient},
             expectation{"40002", xa_code::rbintegrity},
             expectation{"53200", xa_code::rbtransient},
             expectation{"57014", xa_code::rbtimeout},
             expectation{"55P03", xa_code::rbtransient},
             expectation{"0A000", xa_code::rbproto},
             expectation{"22012", xa_code::rbother},
             expectation{"P0001", xa_code::rbother},
             // Of the application's own making.
             expectation{"SHOP1", xa_code::rbother},
             expectation{"U0001", xa_code::rbother},
             expectation{"XX000", xa_code::rbother},
             expectation{"58030", xa_code::rbother},
             expectation{"08006", xa_code::rbother},
             expectation{"57P01", xa_code::rbother},
         }) {
        for (verb const end : {verb::prepare, verb::commit_one_phase}) {
            auto const branch = start_branch(1);
            apply(*branch.session, std::string{"INSERT INTO raising VALUES ('"} + sqlstate + "')");

            reply const answer = run(*branch.session, end, branch.id);

            EXPECT_EQ(answer.code, code) << sqlstate;
            EXPECT_EQ(answer.sqlstate, sqlstate);
            EXPECT_EQ(answer.detail, reply_detail::none);
            EXPECT_TRUE(branch.session->is_reusable()) << sqlstate;
            EXPECT_FALSE(is_listed(branch.id));
            EXPECT_EQ(pg().count_rows(1), 0);
        }
    }
}

TEST_P(postgresql_votes, ADeferredConstraintIsANoVote)
{
    plain_connection{pg().server().conninfo()}.run(
        "CREATE TABLE IF NOT EXISTS late(key int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    auto const branch = start_branch(1);
    apply(*branch.session, "INSERT INTO late VALUES (1), (1)");

    reply const answer = run(*branch.session, verb::prepare, branch.id);

    EXPECT_EQ(answer.code, xa_code::rbintegrity);
    EXPECT_EQ(answer.sqlstate, "23505");
    EXPECT_EQ(answer.text.find("(1)"), std::string::npos) << "rows do not belong into replies";
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(postgresql_votes, ASerializationFailureIsANoVoteThatMayBeRetried)
{
    std::string const isolation = "options='-c default_transaction_isolation=serializable'";
    auto const serializable = pg().driver_for("accounts", isolation);
    auto const ours = serializable->connect(session_purpose::work, in_seconds(10));
    xid const x = next_xid(*ours);
    ASSERT_TRUE(run(*ours, verb::start, x).is_ok());
    plain_connection theirs{pg().server().conninfo() + " " + isolation};
    theirs.run("BEGIN");
    theirs.run("SELECT count(*) FROM entry");
    apply(*ours, "SELECT count(*) FROM entry");
    theirs.run("INSERT INTO entry VALUES (2)");
    pg().write_row(*ours, 1);
    theirs.run("COMMIT");

    reply const answer = run(*ours, verb::prepare, x);

    EXPECT_EQ(answer.code, xa_code::rbtransient);
    EXPECT_EQ(answer.sqlstate, "40001");
    EXPECT_TRUE(ours->is_reusable());
}

TEST_P(postgresql_votes, WhatTheServerCannotPrepareIsANoVote)
{
    for (char const* each : {"CREATE TEMPORARY TABLE scratch(i int)", "LISTEN news", "NOTIFY news",
                             "DECLARE held CURSOR WITH HOLD FOR SELECT 1"}) {
        SCOPED_TRACE(each);
        auto const branch = start_branch(1);
        apply(*branch.session, each);

        reply const answer = run(*branch.session, verb::prepare, branch.id);

        EXPECT_EQ(answer.code, xa_code::rbproto);
        EXPECT_EQ(answer.sqlstate, "0A000");
        EXPECT_FALSE(is_listed(branch.id));
    }
}

TEST_P(postgresql_votes, SequencesAreNotRolledBack)
{
    pg().administer("CREATE SEQUENCE IF NOT EXISTS tickets; GRANT ALL ON tickets TO PUBLIC");
    auto const branch = start_branch(1);
    apply(*branch.session, "SELECT setval('tickets', 41)");
    ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());

    ASSERT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());

    auto const after = start_branch(2);
    EXPECT_EQ(apply(*after.session, "DO $$BEGIN ASSERT nextval('tickets') = 42; END$$"), "");
}

TEST_P(postgresql_votes, ANameThatIsTakenIsANoVoteAndTheOtherBranchStays)
{
    auto const first = prepare_branch(1);
    auto const session = open(session_purpose::work);
    ASSERT_TRUE(run(*session, verb::start, first.id).is_ok());
    pg().write_row(*session, 2);

    reply const answer = run(*session, verb::prepare, first.id);

    EXPECT_EQ(answer.code, xa_code::rbother);
    EXPECT_EQ(answer.sqlstate, "42710");
    EXPECT_TRUE(run(*first.session, verb::commit, first.id).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);
    EXPECT_EQ(pg().count_rows(2), 0);
}

TEST_P(postgresql_votes, ABranchThatIsBusyMeansAskAgain)
{
    auto const branch = start_branch(1);
    auto const manage = open(session_purpose::manage);
    apply(*branch.session, "SET synchronous_commit = on");
    branch.session->submit(verb::prepare, branch.id);
    wait_for_replica(branch.session->id());

    EXPECT_TRUE(is_listed(branch.id));
    for (verb const end : {verb::commit, verb::rollback}) {
        reply const answer = run(*manage, end, branch.id);
        EXPECT_EQ(answer.code, xa_code::retry);
        EXPECT_EQ(answer.detail, reply_detail::busy);
        EXPECT_EQ(answer.sqlstate, "55000");
    }

    // A cancel cannot take back what is durable: the server answers yes, with a warning.
    driver().cancel_statement(*manage, branch.session->id(), in_seconds(10));
    EXPECT_TRUE(branch.session->collect(in_seconds(10))->is_ok());
    EXPECT_TRUE(run(*manage, verb::commit, branch.id).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(postgresql_votes, APrepareWhoseSessionIsEndedWhileItWaitsIsLostAndMayBePrepared)
{
    auto const branch = start_branch(1);
    apply(*branch.session, "SET synchronous_commit = on");
    branch.session->submit(verb::prepare, branch.id);
    wait_for_replica(branch.session->id());

    pg().kill_session(branch.session->id());

    auto const answer = branch.session->collect(in_seconds(10));
    EXPECT_TRUE(answer && is_lost(*answer));
    EXPECT_TRUE(is_listed(branch.id));
    finish_elsewhere(verb::rollback, branch.id);
    EXPECT_EQ(pg().count_rows(1), 0);
}

TEST_P(postgresql_votes, ACommitThatWaitsForAReplicaIsDoneWhateverBecomesOfItsSession)
{
    for (bool const is_ended : {false, true}) {
        SCOPED_TRACE(is_ended ? "ended" : "cancelled");
        pg().reset();
        auto const branch = prepare_branch(1);
        auto const manage = open(session_purpose::manage);
        apply(*branch.session, "SET synchronous_commit = on");
        branch.session->submit(verb::commit, branch.id);
        wait_for_replica(branch.session->id());

        if (is_ended) {
            driver().end_session(*manage, branch.session->id(), in_seconds(10));
        } else {
            driver().cancel_statement(*manage, branch.session->id(), in_seconds(10));
        }

        auto const answer = branch.session->collect(in_seconds(10));
        ASSERT_TRUE(answer);
        if (is_ended) {
            EXPECT_TRUE(is_lost(*answer)) << answer->text;
            // Repeated, as after any lost reply: unknown, and a scan lacks it.
            EXPECT_EQ(run(*manage, verb::commit, branch.id).code, xa_code::nota);
        } else {
            EXPECT_TRUE(answer->is_ok()) << answer->text;
        }
        EXPECT_FALSE(is_listed(branch.id));
        EXPECT_EQ(pg().count_rows(1), 1);
    }
}

// --- one phase ---

TEST_P(postgresql_votes, TheWitnessOfALostCommitTellsItsFateWhenItIsOver)
{
    auto const branch = start_branch(1);
    auto const manage = open(session_purpose::manage);
    apply(*branch.session, "SET synchronous_commit = on");
    branch.session->submit(verb::commit_one_phase, branch.id);
    // collect is what sends COMMIT, once the witness has arrived.
    ASSERT_TRUE(eventually([&] {
        auto const soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
        EXPECT_FALSE(branch.session->collect(soon).has_value());
        return waits_for_replica(branch.session->id());
    }));

    branch.session->sever();
    auto const answer = branch.session->collect(in_seconds(10));

    ASSERT_TRUE(answer && is_lost(*answer));
    ASSERT_FALSE(answer->witness.empty());
    EXPECT_EQ(driver().ask_witness(*manage, answer->witness, in_seconds(10)),
              witness_state::in_progress);
    pg().kill_session(branch.session->id());
    EXPECT_EQ(driver().ask_witness(*manage, answer->witness, in_seconds(10)),
              witness_state::committed);
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(postgresql_votes, ACommitWhoseReplyTheNetworkLosesKeepsItsWitness)
{
    testing::proxy network;
    auto const branch = start_behind(network, 1);
    network.on_request(0, "COMMIT", testing::fault::lose_reply);

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_TRUE(is_lost(answer)) << answer.text;
    auto const manage = open(session_purpose::manage);
    EXPECT_EQ(driver().ask_witness(*manage, answer.witness, in_seconds(10)),
              witness_state::committed);
}

TEST_P(postgresql_votes, ACommitThatNeverArrivesHasAWitnessThatSaysSo)
{
    testing::proxy network;
    auto const branch = start_behind(network, 1);
    network.on_request(0, "COMMIT", testing::fault::lose_request);

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_TRUE(is_lost(answer)) << answer.text;
    auto const manage = open(session_purpose::manage);
    EXPECT_TRUE(eventually([&] {
        return driver().ask_witness(*manage, answer.witness, in_seconds(10)) ==
               witness_state::rolled_back;
    }));
    EXPECT_EQ(pg().count_rows(1), 0);
}

TEST_P(postgresql_votes, ACommitThatWasNeverSentIsRolledBack)
{
    testing::proxy network;
    auto const branch = start_behind(network, 1);
    network.on_request(0, "pg_current_xact_id_if_assigned", testing::fault::lose_reply);

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_EQ(answer.code, xa_code::rbother) << answer.text;
    EXPECT_EQ(pg().count_rows(1), 0);
}

TEST_P(postgresql_votes, ABranchThatWroteNothingHasNoWitness)
{
    auto const session = open(session_purpose::work);
    xid const x = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    apply(*session, "SELECT count(*) FROM entry");

    reply const answer = run(*session, verb::commit_one_phase, x);

    EXPECT_TRUE(answer.is_ok());
    EXPECT_TRUE(answer.witness.empty());
}

TEST_P(postgresql_votes, AWitnessOfAnotherServerIsUnknown)
{
    auto const manage = open(session_purpose::manage);

    EXPECT_EQ(driver().ask_witness(*manage, "999999999999", in_seconds(10)),
              witness_state::unknown);
    EXPECT_EQ(driver().ask_witness(*manage, "3'; DROP TABLE entry; --", in_seconds(10)),
              witness_state::unknown);
    EXPECT_TRUE(manage->is_reusable());
}

TEST_P(postgresql_votes, AOnePhaseCommitIsDurableEvenWhereTheApplicationDidNotAskForIt)
{
    plain_connection{pg().server().conninfo()}.run(R"(
        SET client_min_messages = warning;
        DROP TABLE IF EXISTS noted;
        CREATE TABLE noted(setting text);
        CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN INSERT INTO noted SELECT current_setting('synchronous_commit')
                WHERE pg_trigger_depth() = 1; RETURN NULL; END$$;
        DROP TRIGGER IF EXISTS note_late ON entry;
        CREATE CONSTRAINT TRIGGER note_late AFTER INSERT ON entry
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();)");
    for (bool const has_witness : {true, false}) {
        branch_modes begun;
        begun.has_witness = has_witness;
        pg().administer("TRUNCATE noted");
        auto const branch = start_branch(1, begun);
        apply(*branch.session, "SET synchronous_commit = off");

        ASSERT_TRUE(run(*branch.session, verb::commit_one_phase, branch.id).is_ok());

        EXPECT_EQ(pg().administer("SELECT setting FROM noted"), "local");
        EXPECT_EQ(apply(*branch.session, "SHOW synchronous_commit"), "off");
        pg().reset();
    }
    pg().administer("DROP TRIGGER note_late ON entry");
}

// --- scans ---

TEST_P(postgresql_votes, AForeignNameThatCannotBeReadDoesNotStopAScan)
{
    auto const branch = prepare_branch(1);
    plain_connection session{pg().server().conninfo()};
    session.run("BEGIN");
    session.run("PREPARE TRANSACTION 'asn1 \u20ac'");  // a euro sign: not in LATIN1
    auto const latin = pg().driver_for("accounts", "client_encoding=LATIN1");
    auto const manage = latin->connect(session_purpose::manage, in_seconds(10));

    auto const seen = latin->scan(*manage, in_seconds(10));

    EXPECT_EQ(seen.ours.size(), 1u);
    EXPECT_EQ(seen.foreign_count, 1u);
}

// --- phase 2 by the wrong one ---

TEST_P(postgresql_votes, AnotherDatabaseCannotFinishABranchAndDoesNotSayItIsUnknown)
{
    auto const branch = prepare_branch(1);
    auto const orders = pg().driver_for("orders");
    auto const elsewhere = orders->connect(session_purpose::manage, in_seconds(10));

    reply const answer = run(*elsewhere, verb::commit, branch.id);

    EXPECT_EQ(answer.code, xa_code::proto);
    EXPECT_EQ(answer.sqlstate, "0A000");
    EXPECT_TRUE(orders->scan(*elsewhere, in_seconds(10)).ours.empty());
    EXPECT_TRUE(is_listed(branch.id));
}

TEST_P(postgresql_votes, AnotherRoleCannotFinishABranch)
{
    pg().administer(
        "DO $$BEGIN CREATE ROLE stranger LOGIN; EXCEPTION WHEN duplicate_object THEN "
        "END$$");
    auto const branch = prepare_branch(1);
    postgresql::resource_manager const other{"accounts",
                                             pg().server().superuser_conninfo() + " user=stranger"};
    auto const session = other.driver()->connect(session_purpose::manage, in_seconds(10));

    reply const answer = run(*session, verb::commit, branch.id);

    EXPECT_EQ(answer.code, xa_code::proto);
    EXPECT_EQ(answer.sqlstate, "42501");
    EXPECT_NE(answer.text.find("role that prepared it"), std::string::npos);
    EXPECT_TRUE(is_listed(branch.id));
    EXPECT_THROW(other.driver()->end_session(*session, branch.session->id(), in_seconds(10)),
                 driver_error);
    EXPECT_THROW(other.driver()->cancel_statement(*session, branch.session->id(), in_seconds(10)),
                 driver_error);
}

TEST_P(postgresql_votes, ASuperuserEndsAndCancelsNoSessionThatIsNotItsOwn)
{
    auto const branch = start_branch(1);
    postgresql::resource_manager const super{"accounts", pg().server().superuser_conninfo()};
    auto const manage = super.driver()->connect(session_purpose::manage, in_seconds(10));

    EXPECT_THROW(super.driver()->end_session(*manage, branch.session->id(), in_seconds(10)),
                 driver_error);
    EXPECT_THROW(super.driver()->cancel_statement(*manage, branch.session->id(), in_seconds(10)),
                 driver_error);

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
}

}  // namespace assent::contract
