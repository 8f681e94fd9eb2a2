// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_mark_test.cpp -- ways to leave a branch's transaction behind the manager's back, and
// ways that look like it, each against what the server itself says.
//
//   control      the session's virtual transaction id before and after, seen by another session;
//                whether a row of the branch is committed by the time its end is asked for
//   one answer   permanent: left behind.  Another transaction: never a yes vote.  The same
//                transaction: no alarm.

#include <dlfcn.h>
#include <libpq-events.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/answers.hpp"
#include "tests/contract/postgresql_target.hpp"

namespace assent::contract {

namespace {

void exec(PGconn* on, std::string const& sql)
{
    PQclear(PQexec(on, sql.c_str()));
}

void drain(PGconn* on)
{
    while (PGresult* const each = PQgetResult(on))
        PQclear(each);
}

void by_parameters(PGconn* on, char const* sql)
{
    PQclear(PQexecParams(on, sql, 0, nullptr, nullptr, nullptr, nullptr, 0));
}

void send_parameters(PGconn* on, char const* sql)
{
    PQsendQueryParams(on, sql, 0, nullptr, nullptr, nullptr, nullptr, 0);
}

void by_pipeline(PGconn* on, std::vector<char const*> const& statements)
{
    PQenterPipelineMode(on);
    for (char const* const each : statements)
        send_parameters(on, each);
    PQpipelineSync(on);
}

void read_pipeline(PGconn* on)
{
    bool is_synchronized = false;
    while (!is_synchronized) {
        PGresult* const each = PQgetResult(on);
        is_synchronized = each != nullptr && PQresultStatus(each) == PGRES_PIPELINE_SYNC;
        PQclear(each);
    }
    PQexitPipelineMode(on);
}

/// libpq 17 and newer have it.
void by_chunks(PGconn* on)
{
    auto const set =
        reinterpret_cast<int (*)(PGconn*, int)>(::dlsym(RTLD_DEFAULT, "PQsetChunkedRowsMode"));
    if (set != nullptr) set(on, 2);
}

int refuses_results(PGEventId id, void*, void*)
{
    return id == PGEVT_RESULTCREATE ? 0 : 1;
}

struct way
{
    std::string name;
    std::function<void(PGconn*)> go;
    /// The mark is not there to be asked, or not certain: a no vote or an alarm for nothing.
    bool may_be_wrongly_refused = false;
};

way say(std::string const& sql)
{
    return {sql, [sql](PGconn* on) { exec(on, sql); }};
}

/// One statement after the other.
way say_each(std::vector<std::string> const& statements)
{
    std::string name;
    for (auto const& each : statements)
        name += each + " | ";
    return {name, [statements](PGconn* on) {
                for (auto const& each : statements)
                    exec(on, each);
            }};
}

std::vector<way> by_statements()
{
    std::vector<way> all;
    for (char const* const sql :
         {"COMMIT", "COMMIT; BEGIN", "END; START TRANSACTION", "/* a */ COMMIT -- b\n; BEGIN",
          "COMMIT AND CHAIN", "COMMIT; COMMIT; BEGIN", "ROLLBACK", "ROLLBACK; BEGIN",
          "ABORT; BEGIN", "ROLLBACK AND CHAIN", "PREPARE TRANSACTION 'own'",
          "PREPARE TRANSACTION 'own'; BEGIN", "COMMIT; INSERT INTO entry VALUES (2); BEGIN",
          "COMMIT; BEGIN; SELECT 1/0", "RESET ALL; COMMIT; BEGIN", "RESET ALL; COMMIT AND CHAIN",
          "SAVEPOINT s; COMMIT; BEGIN", "SAVEPOINT s; COMMIT AND CHAIN",
          // The same transaction all the while.
          "SAVEPOINT s; ROLLBACK TO s", "SAVEPOINT s; RELEASE s", "BEGIN", "START TRANSACTION",
          "RESET ALL", "CLOSE ALL", "DEALLOCATE ALL", "DISCARD PLANS", "DISCARD SEQUENCES",
          "DISCARD ALL", "SELECT 1/0", "CLOSE ALL; SELECT 1/0", "RESET ALL; SELECT 1/0",
          "SET TIME ZONE 'Asia/Tokyo'", "SET ROLE clerk", "SET ROLE clerk; RESET ROLE",
          "SET ROLE clerk; SELECT 1/0", "SET SESSION AUTHORIZATION shop", "SET ROLE none",
          "SET client_min_messages = debug5", "NOTIFY somebody", "DO 'BEGIN COMMIT; END'",
          "DO 'BEGIN PERFORM 1/0; EXCEPTION WHEN OTHERS THEN NULL; END'",
          "SET CONSTRAINTS ALL DEFERRED", "DECLARE c CURSOR FOR SELECT 1", "LISTEN somebody",
          "SET LOCAL search_path = ''", "SELECT pg_catalog.set_config('work_mem', '1MB', true)",
          "COMMENT ON TABLE entry IS 'COMMIT'", "SELECT 'COMMIT; BEGIN'"}) {
        all.push_back(say(sql));
    }
    all.push_back(say_each({"COMMIT", "BEGIN"}));
    all.push_back(say_each({"SELECT 1/0", "COMMIT", "BEGIN"}));
    all.push_back(say_each({"SELECT 1/0", "ROLLBACK", "INSERT INTO entry VALUES (2)", "BEGIN"}));
    all.push_back(say_each(
        {"SELECT 1/0", "ROLLBACK", "INSERT INTO entry VALUES (2)", "BEGIN", "SELECT 1/0"}));
    all.push_back(say_each({"SAVEPOINT s", "SELECT 1/0", "ROLLBACK TO s"}));
    all.push_back(say_each({"SAVEPOINT s", "ROLLBACK", "INSERT INTO entry VALUES (2)", "BEGIN"}));
    all.push_back(say_each(
        {"SAVEPOINT s", "ROLLBACK", "INSERT INTO entry VALUES (2)", "BEGIN", "SELECT 1/0"}));
    all.push_back(say_each({"SAVEPOINT s", "ROLLBACK AND CHAIN"}));
    all.push_back(say_each({"SAVEPOINT s", "SELECT 1/0", "COMMIT AND CHAIN"}));
    all.push_back(say_each({"SAVEPOINT s", "ROLLBACK", "BEGIN"}));
    // A COMMIT that fails has no tag.
    all.push_back(say_each({"INSERT INTO late VALUES (1), (1)", "COMMIT", "BEGIN"}));
    all.push_back(say_each({"INSERT INTO late VALUES (1), (1)", "COMMIT",
                            "INSERT INTO entry VALUES (2)", "BEGIN", "SELECT 1/0"}));
    // It was left, and nothing is permanent.
    way refused = say("ROLLBACK; BEGIN; SELECT 1/0");
    refused.may_be_wrongly_refused = true;
    all.push_back(refused);
    refused = say_each({"SAVEPOINT s", "ROLLBACK TO s", "RESET ALL"});
    refused.may_be_wrongly_refused = true;
    all.push_back(refused);
    refused = say_each({"SAVEPOINT s", "ROLLBACK TO s", "BEGIN", "SELECT 1/0"});
    refused.may_be_wrongly_refused = true;
    all.push_back(refused);
    refused = say("DO 'BEGIN RESET ALL; END'");
    refused.may_be_wrongly_refused = true;
    all.push_back(refused);
    return all;
}

std::vector<way> by_calls()
{
    return {
        {"PQexecParams",
         [](PGconn* on) {
             by_parameters(on, "COMMIT");
             by_parameters(on, "BEGIN");
         }},
        {"PQprepare",
         [](PGconn* on) {
             PQclear(PQprepare(on, "leave", "COMMIT AND CHAIN", 0, nullptr));
             PQclear(PQexecPrepared(on, "leave", 0, nullptr, nullptr, nullptr, 0));
         }},
        {"PQprepare, not run",
         [](PGconn* on) { PQclear(PQprepare(on, "leave", "COMMIT AND CHAIN", 0, nullptr)); }},
        {"PQsendQuery, read",
         [](PGconn* on) {
             PQsendQuery(on, "COMMIT; BEGIN");
             drain(on);
         }},
        {"PQsendQuery, not read", [](PGconn* on) { PQsendQuery(on, "COMMIT; BEGIN"); }},
        {"PQsendQuery of a chain, not read",
         [](PGconn* on) { PQsendQuery(on, "SELECT 1; COMMIT AND CHAIN; SELECT 2"); }},
        {"PQsendQuery, half read, discarded by PQexec",
         [](PGconn* on) {
             PQsendQuery(on, "SELECT 1; COMMIT; BEGIN");
             PQclear(PQgetResult(on));
             exec(on, "SELECT 1");
         }},
        {"PQsendQuery, only consumed",
         [](PGconn* on) {
             PQsendQuery(on, "COMMIT; BEGIN");
             for (int i = 0; i < 100 && PQisBusy(on) != 0; ++i)
                 PQconsumeInput(on);
         }},
        {"single rows, all read",
         [](PGconn* on) {
             PQsendQuery(on, "SELECT generate_series(1, 3); COMMIT; BEGIN");
             PQsetSingleRowMode(on);
             drain(on);
         }},
        {"single rows, one read",
         [](PGconn* on) {
             PQsendQuery(on, "SELECT generate_series(1, 3); COMMIT; BEGIN");
             PQsetSingleRowMode(on);
             PQclear(PQgetResult(on));
         }},
        {"single rows of a query, one read",
         [](PGconn* on) {
             PQsendQuery(on, "SELECT generate_series(1, 3)");
             PQsetSingleRowMode(on);
             PQclear(PQgetResult(on));
         }},
        {"rows in chunks, one read",
         [](PGconn* on) {
             PQsendQuery(on, "SELECT generate_series(1, 9); COMMIT; BEGIN");
             by_chunks(on);
             PQclear(PQgetResult(on));
         }},
        {"a pipeline, read",
         [](PGconn* on) {
             by_pipeline(on, {"COMMIT", "BEGIN"});
             read_pipeline(on);
         }},
        {"a pipeline, not read",
         [](PGconn* on) {
             by_pipeline(on, {"COMMIT", "BEGIN"});
         }},
        {"a pipeline that stays",
         [](PGconn* on) {
             by_pipeline(on, {"SELECT 1", "SELECT 2"});
         }},
        {"behind COPY out, read",
         [](PGconn* on) {
             PQsendQuery(on, "COPY (SELECT 1) TO STDOUT; COMMIT; BEGIN");
             PQclear(PQgetResult(on));
             char* row = nullptr;
             while (PQgetCopyData(on, &row, 0) > 0)
                 PQfreemem(row);
             drain(on);
         }},
        {"behind COPY out, not read",
         [](PGconn* on) { PQsendQuery(on, "COPY (SELECT 1) TO STDOUT; COMMIT; BEGIN"); }},
        {"behind COPY in, finished",
         [](PGconn* on) {
             PQsendQuery(on, "COPY entry FROM STDIN; COMMIT; BEGIN");
             PQclear(PQgetResult(on));
             PQputCopyEnd(on, nullptr);
         }},
        {"behind COPY in, not finished",
         [](PGconn* on) { PQsendQuery(on, "COPY entry FROM STDIN; COMMIT; BEGIN"); }},
        {"PQreset", [](PGconn* on) { PQreset(on); }},
        {"PQreset, BEGIN",
         [](PGconn* on) {
             PQreset(on);
             exec(on, "BEGIN");
         }},
        {"an event procedure that fails",
         [](PGconn* on) {
             PQregisterEventProc(on, &refuses_results, "refuses", nullptr);
             exec(on, "COMMIT; BEGIN");
         }},
        {"an event procedure that fails, and a query",
         [](PGconn* on) {
             PQregisterEventProc(on, &refuses_results, "refuses", nullptr);
             exec(on, "SELECT 1");
         }},
        {"results made by hand",
         [](PGconn* on) {
             PQclear(PQmakeEmptyPGresult(on, PGRES_FATAL_ERROR));
             PGresult* const original = PQexec(on, "SELECT 1");
             PQclear(PQcopyResult(original, PG_COPYRES_EVENTS));
             PQclear(original);
         }},
        {"descriptions",
         [](PGconn* on) {
             PQclear(PQprepare(on, "", "SELECT 1", 0, nullptr));
             PQclear(PQdescribePrepared(on, ""));
             PQclear(PQdescribePortal(on, ""));
         }},
    };
}

}  // namespace

class postgresql_mark : public postgresql_case
{
protected:
    void SetUp() override
    {
        postgresql_case::SetUp();
        if (IsSkipped()) return;
        server_ = std::make_unique<plain_connection>(pg().server().superuser_conninfo("accounts"));
        server_->run("DO $$BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN END$$");
        server_->run("GRANT clerk TO shop");
        server_->run(
            "CREATE TABLE IF NOT EXISTS late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        server_->run("GRANT ALL ON late TO PUBLIC");
    }

    void TearDown() override
    {
        server_.reset();
        postgresql_case::TearDown();
    }

    /// Empty while it is in none.
    std::string transaction_of(PGconn* on)
    {
        return server_->run(
            "SELECT max(virtualtransaction) FROM pg_locks WHERE locktype = 'virtualxid' AND pid "
            "= " +
            std::to_string(PQbackendPID(on)));
    }

    bool is_permanent()
    {
        return server_->run("SELECT count(*) FROM entry WHERE key IN (1, 2)") != "0";
    }

    /// In each way that a branch can be ended.
    void attack(way const& how)
    {
        for (verb const end : ends)
            attack(how, end, {});
        branch_modes without_witness;
        without_witness.has_witness = false;
        attack(how, verb::commit_one_phase, without_witness);
    }

    void attack(way const& how, verb end, branch_modes const& begun)
    {
        SCOPED_TRACE(how.name + ", verb " + std::to_string(static_cast<int>(end)) +
                     (begun.has_witness ? "" : ", no witness"));
        server_->run("DELETE FROM entry");
        auto const branch = start_branch(1, begun);
        auto* const handle = static_cast<PGconn*>(branch.session->native_handle());
        std::string const before = transaction_of(handle);
        how.go(handle);
        // What was not read may still be on its way, and is asked of the same done by hand.
        bool const is_unread = PQtransactionStatus(handle) == PQTRANS_ACTIVE ||
                               PQpipelineStatus(handle) != PQ_PIPELINE_OFF;
        std::string const after = is_unread ? before : transaction_of(handle);
        bool const has_failed = PQtransactionStatus(handle) == PQTRANS_INERROR;
        bool const was_permanent = is_unread ? is_permanent_by_hand(how) : is_permanent();

        reply const answer = run(*branch.session, end, branch.id);

        bool const is_other = before != after && !has_failed;
        if (was_permanent) {
            EXPECT_TRUE(is_left_behind(answer)) << answer.text;
        } else if (is_other) {
            EXPECT_TRUE(end == verb::rollback || !answer.is_ok()) << "a vote for another's work";
        } else if (!how.may_be_wrongly_refused) {
            EXPECT_FALSE(is_left_behind(answer)) << "an alarm for nothing: " << answer.text;
        }
        if (end == verb::prepare && answer.is_ok()) {
            EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
        }
        EXPECT_EQ(server_->run("SELECT count(*) FROM pg_prepared_xacts WHERE gid = '" +
                               branch.id.text() + "'"),
                  "0");
        if (server_->run("SELECT count(*) FROM pg_prepared_xacts") != "0") {
            server_->run("ROLLBACK PREPARED 'own'");
        }
        // What is there now was there before, or was committed by the manager.
        bool const is_committed = end != verb::rollback && answer.is_ok();
        EXPECT_EQ(is_permanent(), was_permanent || is_committed);
    }

    /// On a connection that nobody watches, read to its end.
    bool is_permanent_by_hand(way const& how)
    {
        plain_connection by_hand{pg().server().conninfo()};
        by_hand.run("BEGIN; INSERT INTO entry VALUES (3)");
        how.go(by_hand.get());
        if (PQpipelineStatus(by_hand.get()) != PQ_PIPELINE_OFF) {
            read_pipeline(by_hand.get());
        } else {
            finish_copy(by_hand.get());
        }
        return server_->run(
                   "WITH gone AS (DELETE FROM entry WHERE key = 3 RETURNING 1) SELECT "
                   "count(*) FROM gone") != "0";
    }

private:
    static void finish_copy(PGconn* on)
    {
        while (PGresult* const each = PQgetResult(on)) {
            auto const status = PQresultStatus(each);
            PQclear(each);
            if (status == PGRES_COPY_IN) PQputCopyEnd(on, "given up");
            char* row = nullptr;
            while (status == PGRES_COPY_OUT && PQgetCopyData(on, &row, 0) > 0)
                PQfreemem(row);
        }
    }

    std::unique_ptr<plain_connection> server_;  // as its superuser
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_mark, postgresql_target);

TEST_P(postgresql_mark, IsExactWhateverTheApplicationSays)
{
    for (way const& how : by_statements())
        attack(how);
}

TEST_P(postgresql_mark, IsExactByWhateverCallItIsSaid)
{
    for (way const& how : by_calls())
        attack(how);
}

TEST_P(postgresql_mark, IsNotFooledByALenientCastOfTheSuperusers)
{
    pg().administer(
        "CREATE OR REPLACE FUNCTION lenient(text) RETURNS int4 LANGUAGE sql IMMUTABLE AS 'SELECT "
        "1'");
    pg().administer("CREATE CAST (text AS int4) WITH FUNCTION lenient(text)");
    attack(say("COMMIT; BEGIN"));
    pg().administer("DROP CAST (text AS int4)");
}

TEST_P(postgresql_mark, AConnectionThatIsClosedUnderABranchIsNotTouched)
{
    for (verb const end : ends) {
        auto lent = std::make_unique<plain_connection>(pg().server().conninfo());
        auto const session = driver().borrow(lent->get(), facts(), in_seconds(10));
        xid const x = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        lent.reset();  // as a wrapper's own reconnect does

        EXPECT_TRUE(is_left_behind(run(*session, end, x)));
        EXPECT_FALSE(session->is_reusable());
        EXPECT_EQ(session->descriptor(), -1);
        session->sever();
    }
}

TEST_P(postgresql_mark, WhatWasLeftBeforeTheConnectionBrokeIsNotCalledRolledBack)
{
    for (verb const end : ends) {
        pg().reset();
        auto const branch = start_branch(1);
        apply(*branch.session, "COMMIT; BEGIN");
        pg().kill_session(branch.session->id());

        EXPECT_TRUE(is_left_behind(run(*branch.session, end, branch.id)));
        EXPECT_EQ(pg().count_rows(1), 1);
    }
}

}  // namespace assent::contract
