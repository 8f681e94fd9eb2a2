// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_facts_test.cpp -- what the server does, on which the adapter and recovery are built:
// names, lifetimes, locks, refusals.  A release that fails one of these needs a new look at both.

#include <sys/socket.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/contract/postgresql_said.hpp"

namespace assent::contract {

class postgresql_facts : public postgresql_case
{
protected:
    std::string conninfo(std::string const& more = {}) { return pg().server().conninfo() + more; }

    std::string prepared(std::string const& gid)
    {
        return pg().administer("SELECT count(*) FROM pg_prepared_xacts WHERE gid = '" + gid + "'");
    }

    /// Leaves a prepared transaction that wrote row `key`, and no session.
    void prepare(std::string const& gid, int key)
    {
        plain_connection session{conninfo()};
        session.run("BEGIN");
        session.run("INSERT INTO entry VALUES (" + std::to_string(key) + ")");
        session.run("PREPARE TRANSACTION '" + gid + "'");
    }
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_facts, postgresql_without_replica);

// --- names ---

TEST_P(postgresql_facts, ANameHas199BytesAtMostAndIsAnyTextInALiteral)
{
    listening_connection session{conninfo()};
    auto const refusal = [&](std::string const& literal) {
        session.ask("BEGIN");
        said const answer = session.ask("PREPARE TRANSACTION " + literal);
        session.ask(answer.is_ok() ? "ROLLBACK PREPARED " + literal : "ROLLBACK");
        return answer.sqlstate;
    };

    EXPECT_EQ(refusal("'" + std::string(199, 'x') + "'"), "");
    EXPECT_EQ(refusal("'" + std::string(200, 'x') + "'"), "22023");
    EXPECT_EQ(refusal("'it''s \n\xe2\x82\xac'"), "");
    EXPECT_EQ(refusal("''"), "");
    EXPECT_EQ(refusal("X'61'"), "42601");
    EXPECT_LE(prepare_branch(1).id.text().size(), 199u) << "which ours must fit into";
}

TEST_P(postgresql_facts, ANameThatIsTakenRollsTheNewTransactionBack)
{
    prepare("taken", 1);
    listening_connection session{conninfo()};
    session.ask("BEGIN");
    session.ask("INSERT INTO entry VALUES (2)");

    EXPECT_EQ(session.ask("PREPARE TRANSACTION 'taken'").sqlstate, "42710");

    EXPECT_EQ(PQtransactionStatus(session.get()), PQTRANS_IDLE);
    EXPECT_EQ(pg().count_rows(2), 0);
    EXPECT_EQ(prepared("taken"), "1");
}

TEST_P(postgresql_facts, EverybodySeesWhatIsPreparedInTheWholeCluster)
{
    pg().administer("DROP ROLE IF EXISTS nobody_special; CREATE ROLE nobody_special LOGIN");
    prepare("seen", 1);

    plain_connection other{pg().server().superuser_conninfo("orders") + " user=nobody_special"};

    EXPECT_EQ(other.run("SELECT owner || ' ' || database FROM pg_prepared_xacts"), "shop accounts");
}

// --- a prepared transaction's life ---

TEST_P(postgresql_facts, APreparedTransactionBelongsToNoSession)
{
    plain_connection first{conninfo()};
    listening_connection second{conninfo()};
    first.run("BEGIN");
    first.run("INSERT INTO entry VALUES (1)");
    first.run("PREPARE TRANSACTION 'free'");
    first.run("BEGIN");  // the session is as good as new

    EXPECT_EQ(second.ask("COMMIT PREPARED 'free'").tag, "COMMIT PREPARED");

    EXPECT_EQ(pg().count_rows(1), 1);
    EXPECT_EQ(second.ask("COMMIT PREPARED 'free'").sqlstate, "42704");
    EXPECT_EQ(second.ask("ROLLBACK PREPARED 'free'").sqlstate, "42704");
}

TEST_P(postgresql_facts, ItIsFinishedOnlyOutsideATransactionAndAloneInItsMessage)
{
    prepare("alone", 1);
    listening_connection session{conninfo()};
    session.ask("BEGIN");
    EXPECT_EQ(session.ask("COMMIT PREPARED 'alone'").sqlstate, "25001");
    session.ask("ROLLBACK");
    EXPECT_EQ(session.ask("SELECT 1; COMMIT PREPARED 'alone'").sqlstate, "25001");
    EXPECT_EQ(session.ask("COMMIT PREPARED 'alone'; SELECT 1").sqlstate, "25001");

    EXPECT_EQ(prepared("alone"), "1");
}

TEST_P(postgresql_facts, WithItsSessionAnActiveTransactionGoesAndAPreparedOneStaysWithItsLocks)
{
    prepare("stays", 1);
    {
        plain_connection leaves{conninfo()};
        leaves.run("BEGIN");
        leaves.run("INSERT INTO entry VALUES (2)");
    }

    listening_connection other{conninfo()};
    EXPECT_EQ(other.ask("INSERT INTO entry VALUES (2)").tag, "INSERT 0 1")
        << "once the server has noticed that the session is gone";
    other.ask("SET lock_timeout = '20ms'");
    EXPECT_EQ(other.ask("INSERT INTO entry VALUES (1)").sqlstate, "55P03");
    EXPECT_EQ(other.ask("ALTER TABLE entry ADD note text").sqlstate, "55P03");
    EXPECT_EQ(other.ask("SELECT count(*) > 0 FROM pg_locks WHERE pid IS NULL").value, "t");
}

TEST_P(postgresql_facts, WhatIsPreparedKeepsDeadRowsFromBeingRemoved)
{
    prepare("old", 1);
    listening_connection admin{pg().server().superuser_conninfo()};
    auto const is_kept = [&] {
        std::string const report = admin.ask("VACUUM (VERBOSE) entry").warning;
        EXPECT_NE(report.find(" are dead but not yet removable"), std::string::npos) << report;
        return report.find(" 0 are dead but not yet removable") == std::string::npos;
    };
    admin.ask("INSERT INTO entry VALUES (2)");
    admin.ask("DELETE FROM entry WHERE key = 2");

    EXPECT_TRUE(is_kept());
    admin.ask("ROLLBACK PREPARED 'old'");
    EXPECT_TRUE(eventually([&] { return !is_kept(); })) << "a session may still be on its way out";
}

TEST_P(postgresql_facts, ACrashTakesWhatIsActiveAndNothingThatIsPreparedOrCommitted)
{
    plain_connection reader{conninfo()};
    reader.run("BEGIN");
    reader.run("SELECT count(*) FROM entry");
    reader.run("PREPARE TRANSACTION 'reader'");
    prepare("acknowledged", 2);
    plain_connection active{conninfo()};
    active.run("BEGIN");
    active.run("INSERT INTO entry VALUES (3)");
    // The last words before the crash, on a session that does not wait for the disk.
    plain_connection hasty{conninfo()};
    hasty.run("SET synchronous_commit = off");
    hasty.run("COMMIT PREPARED 'acknowledged'");
    hasty.run("BEGIN");
    hasty.run("INSERT INTO entry VALUES (1)");
    hasty.run("PREPARE TRANSACTION 'writer'");

    pg().crash();
    pg().start();

    EXPECT_EQ(prepared("writer"), "1");
    EXPECT_EQ(prepared("reader"), "1") << "also when it wrote nothing";
    EXPECT_EQ(pg().count_rows(2), 1);
    listening_connection other{conninfo()};
    other.ask("SET lock_timeout = '20ms'");
    EXPECT_EQ(other.ask("INSERT INTO entry VALUES (1)").sqlstate, "55P03");
    EXPECT_TRUE(other.ask("INSERT INTO entry VALUES (3)").is_ok());
    EXPECT_TRUE(other.ask("COMMIT PREPARED 'writer'").is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(postgresql_facts, AStopTellsOpenSessionsAndFewerPlacesThanAreTakenKeepItFromStarting)
{
    prepare("first", 1);
    prepare("second", 2);
    listening_connection open{conninfo()};
    auto& server = pg().server();
    server.stop();
    EXPECT_EQ(open.ask("SELECT 1").sqlstate, "57P01");

    server.set({"max_prepared_transactions=1"});
    std::string why;
    try {
        server.start();
    } catch (std::runtime_error const& error) {
        why = error.what();
    }
    server.set({"max_prepared_transactions=64"});
    server.start();

    EXPECT_NE(why.find("maximum number of prepared transactions reached"), std::string::npos);
    EXPECT_EQ(prepared("first"), "1");
    EXPECT_EQ(prepared("second"), "1");
}

// --- PREPARE where there is nothing to prepare ---

TEST_P(postgresql_facts, OutsideATransactionPrepareAnswersWithTheTagRollback)
{
    listening_connection session{conninfo()};

    said const answer = session.ask("PREPARE TRANSACTION 'nothing'");

    EXPECT_TRUE(answer.is_ok());
    EXPECT_EQ(answer.tag, "ROLLBACK");
    EXPECT_EQ(answer.warning.substr(0, 5), "25P01");
}

TEST_P(postgresql_facts, InAPipelineWithoutBeginWhatHappensDependsOnTheRelease)
{
    plain_connection session{conninfo()};
    ASSERT_EQ(PQenterPipelineMode(session.get()), 1);
    for (char const* sql : {"INSERT INTO entry VALUES (1)", "PREPARE TRANSACTION 'implicit'"}) {
        ASSERT_EQ(PQsendQueryParams(session.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0),
                  1);
    }
    ASSERT_EQ(PQpipelineSync(session.get()), 1);
    std::string tag;
    for (bool is_synchronized = false; !is_synchronized;) {
        PGresult* const result = PQgetResult(session.get());
        is_synchronized = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        if (PQresultStatus(result) == PGRES_COMMAND_OK) tag = PQcmdStatus(result);
        PQclear(result);
    }

    bool const prepares = pg().major_version() >= 18;
    EXPECT_EQ(tag, prepares ? "PREPARE TRANSACTION" : "ROLLBACK") << "which is why BEGIN is sent";
    EXPECT_EQ(prepared("implicit"), prepares ? "1" : "0");
}

// --- what cannot be prepared ---

TEST_P(postgresql_facts, WhatLivesInTheSessionCannotBePrepared)
{
    listening_connection session{conninfo()};
    session.ask("CREATE TEMPORARY TABLE scratch (i int)");
    session.ask("SELECT pg_advisory_lock(7)");
    for (char const* sql :
         {"SELECT count(*) FROM scratch", "CREATE TEMPORARY TABLE more (i int)", "LISTEN news",
          "NOTIFY news", "DECLARE held CURSOR WITH HOLD FOR SELECT 1",
          "SELECT pg_export_snapshot()", "SELECT pg_advisory_xact_lock(7)"}) {
        session.ask("BEGIN");
        ASSERT_TRUE(session.ask(sql).is_ok()) << sql;

        EXPECT_EQ(session.ask("PREPARE TRANSACTION 'never'").sqlstate, "0A000") << sql;

        EXPECT_EQ(PQtransactionStatus(session.get()), PQTRANS_IDLE) << sql;
        EXPECT_EQ(prepared("never"), "0") << sql;
    }
}

TEST_P(postgresql_facts, WhatEndsWithTheTransactionCan)
{
    listening_connection session{conninfo()};
    for (char const* sql :
         {"UNLISTEN news", "DECLARE plain CURSOR FOR SELECT 1", "SET work_mem = '5MB'",
          "SELECT pg_advisory_xact_lock(8)", "SAVEPOINT s"}) {
        session.ask("BEGIN");
        session.ask(sql);

        EXPECT_TRUE(session.ask("PREPARE TRANSACTION 'can'").is_ok()) << sql;

        EXPECT_TRUE(session.ask("ROLLBACK PREPARED 'can'").is_ok()) << sql;
    }
    EXPECT_EQ(session.ask("SHOW work_mem").value, "5MB") << "SET is the session's: it stays";
}

TEST_P(postgresql_facts, AFailureThatWasMetBeforeIsToldByTheTagOnly)
{
    plain_connection holder{conninfo()};
    holder.run("BEGIN");
    holder.run("LOCK TABLE gate");
    listening_connection session{conninfo()};
    session.ask("SET lock_timeout = '20ms'");
    session.ask("BEGIN");
    EXPECT_EQ(session.ask("SELECT count(*) FROM gate").sqlstate, "55P03");

    said const answer = session.ask("PREPARE TRANSACTION 'failed'");

    EXPECT_TRUE(answer.is_ok());
    EXPECT_EQ(answer.tag, "ROLLBACK");
}

// --- the mark ---

TEST_P(postgresql_facts, TheTransactionsStartTellsItFromTheNextOneAndSurvivesAReset)
{
    listening_connection session{conninfo()};
    std::string const start =
        "SELECT CAST(EXTRACT(epoch FROM transaction_timestamp()) * 1000000 AS int8)";
    session.ask("BEGIN");
    session.ask("SET LOCAL assent.mark = 'here'");
    std::string const before = session.ask(start).value;

    session.ask("RESET ALL");
    session.ask("SET TIME ZONE 'Asia/Tokyo'");
    EXPECT_EQ(session.ask(start).value, before);
    EXPECT_EQ(session.ask("SELECT current_setting('assent.mark')").value, "")
        << "a setting is no mark";
    session.ask("COMMIT AND CHAIN");
    EXPECT_NE(session.ask(start).value, before);
}

// --- reading ---

TEST_P(postgresql_facts, ATransactionNumberIsGivenForWritesAndAFewOtherThings)
{
    pg().administer("CREATE SEQUENCE IF NOT EXISTS numbers; GRANT ALL ON numbers TO shop");
    pg().administer("INSERT INTO entry VALUES (1)");
    listening_connection session{conninfo()};
    auto const has_number = [&](std::string const& sql) {
        session.ask("BEGIN");
        session.ask(sql);
        said const answer = session.ask("SELECT pg_current_xact_id_if_assigned() IS NOT NULL");
        session.ask("ROLLBACK");
        return answer.value;
    };

    EXPECT_EQ(has_number("SELECT count(*) FROM entry"), "f");
    EXPECT_EQ(has_number("SELECT pg_advisory_xact_lock(9)"), "f");
    EXPECT_EQ(has_number("DELETE FROM entry WHERE key = 99"), "f");
    EXPECT_EQ(has_number("UPDATE entry SET key = key"), "t");
    EXPECT_EQ(has_number("SELECT * FROM entry FOR UPDATE"), "t");
    EXPECT_EQ(has_number("SAVEPOINT s; DELETE FROM entry; ROLLBACK TO s"), "t");
}

TEST_P(postgresql_facts, ASessionThatIdlesInItsTransactionIsEndedAndAPreparedOneIsNot)
{
    prepare("idle", 1);
    auto const branch = start_branch(2);
    auto const session = branch.session->id();
    // Neither setting is heard of by PREPARE's own messages.
    bool const is_newer = pg().major_version() >= 17;
    apply(*branch.session, is_newer ? "SET transaction_timeout = '30ms'"
                                    : "SET idle_in_transaction_session_timeout = '30ms'");
    auto const manage = open(session_purpose::manage);
    ASSERT_TRUE(eventually([&] {
        return driver().presence(*manage, session, in_seconds(10)) == session_presence::gone;
    }));

    reply const answer = run(*branch.session, verb::prepare, branch.id);

    EXPECT_EQ(answer.code, xa_code::rmfail);
    EXPECT_EQ(answer.detail, reply_detail::reply_lost);
    EXPECT_FALSE(is_listed(branch.id));
    EXPECT_EQ(pg().count_rows(2), 0);
    EXPECT_EQ(prepared("idle"), "1");
}

// --- waiting for a replica ---

TEST_P(postgresql_facts, WhatWaitsForAReplicaIsListedAndBusyAndNotVisibleYet)
{
    prepare("waits", 1);
    listening_connection waiting{conninfo()};
    listening_connection other{conninfo()};
    waiting.ask("SET synchronous_commit = on");
    waiting.send("COMMIT PREPARED 'waits'");
    wait_for_replica(waiting.id());

    EXPECT_EQ(prepared("waits"), "1");
    EXPECT_EQ(pg().count_rows(1), 0);
    said const refused = other.ask("COMMIT PREPARED 'waits'");
    EXPECT_EQ(refused.sqlstate, "55000");
    EXPECT_NE(refused.text.find("is busy"), std::string::npos);

    pg().administer("SELECT pg_cancel_backend(" + std::to_string(waiting.id()) + ")");
    said const answer = waiting.hear();
    EXPECT_TRUE(answer.is_ok()) << "it is done here, and only a warning says that it may be lost";
    EXPECT_EQ(answer.tag, "COMMIT PREPARED");
    EXPECT_NE(answer.warning.find("already committed locally"), std::string::npos);
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(postgresql_facts, ACommitOfAClientThatIsGoneAppearsLaterAndItsKeyIsTheFence)
{
    auto killed = std::make_unique<listening_connection>(conninfo());
    std::uint64_t const id = killed->id();
    killed->ask("SET synchronous_commit = on");
    killed->send("INSERT INTO entry VALUES (1)");
    wait_for_replica(id);
    killed.reset();  // its socket closes, as with a process that dies

    EXPECT_EQ(pg().count_rows(1), 0) << "absence decides nothing";
    listening_connection fence{conninfo()};
    fence.ask("SET lock_timeout = '100ms'");
    EXPECT_EQ(fence.ask("INSERT INTO entry VALUES (1)").sqlstate, "55P03");
    EXPECT_TRUE(waits_for_replica(id));
    pg().administer("SELECT pg_cancel_backend(" + std::to_string(id) + ")");
    fence.ask("SET lock_timeout = 0");
    EXPECT_EQ(fence.ask("INSERT INTO entry VALUES (1)").sqlstate, "23505");
    EXPECT_EQ(pg().count_rows(1), 1);
}

// --- what bounds the rollback of a prepared transaction ---

TEST_P(postgresql_facts, NoBoundTravelsWithTheRollbackOfAPreparedTransaction)
{
    prepare("presumed", 1);
    listening_connection session{conninfo()};

    said const answer =
        session.ask("SET LOCAL statement_timeout = '1s'; ROLLBACK PREPARED 'presumed'");

    EXPECT_EQ(answer.sqlstate, "25001") << "it stands alone in its message";
    EXPECT_EQ(prepared("presumed"), "1");
    EXPECT_TRUE(session.ask("ROLLBACK PREPARED 'presumed'").is_ok());
}

TEST_P(postgresql_facts, ABoundOfTheSessionCountsFromWhenTheServerReadsTheStatement)
{
    prepare("presumed", 1);
    listening_connection session{conninfo()};
    session.ask("SET statement_timeout = '200ms'");
    pg().server().freeze();
    session.send("ROLLBACK PREPARED 'presumed'");
    std::this_thread::sleep_for(std::chrono::milliseconds{600});
    shutdown(PQsocket(session.get()), SHUT_RDWR);  // severed, as by whoever gave up waiting
    pg().server().thaw();

    bool is_gone = false;
    for (int i = 0; i < 100 && !is_gone; ++i) {
        is_gone = prepared("presumed") == "0";
        if (!is_gone) std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    EXPECT_TRUE(is_gone) << "it is carried out, late: ADR 27 says what that may do";
}

}  // namespace assent::contract
