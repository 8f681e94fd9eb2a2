// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_transparency_test.cpp -- what an application reads, is told and may do in a branch is
// what it would by hand: nothing of ours takes a snapshot, holds one, or stays.

#include <sys/resource.h>

#include <chrono>
#include <string>
#include <vector>

#include <assent/postgresql.hpp>

#include "tests/contract/answers.hpp"
#include "tests/contract/postgresql_target.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::contract {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

long peak_memory_kb()
{
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}

std::string sqlstate_of(PGresult* result)
{
    char const* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    std::string text = state != nullptr ? state : "";
    PQclear(result);
    return text;
}

}  // namespace

class postgresql_transparency : public postgresql_case
{
protected:
    /// A branch, in which nothing was said yet.
    started begin_branch(std::string const& more = {})
    {
        started made;
        lent_driver_ = pg().driver_for("accounts", more);
        made.session = lent_driver_->connect(session_purpose::work, in_seconds(10));
        made.id = next_xid(*made.session);
        EXPECT_TRUE(run(*made.session, verb::start, made.id).is_ok());
        return made;
    }

    std::string activity(driver_session& of, std::string const& column)
    {
        return pg().administer("SELECT " + column +
                               " FROM pg_stat_activity WHERE pid = " + std::to_string(of.id()));
    }

private:
    std::shared_ptr<resource_manager_driver> lent_driver_;
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_transparency, postgresql_target);

TEST_P(postgresql_transparency, TheApplicationsOwnSetTransactionWorks)
{
    plain_connection exporting{pg().server().conninfo()};
    exporting.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    std::string const snapshot = exporting.run("SELECT pg_export_snapshot()");
    for (std::string const& what :
         {std::string{"ISOLATION LEVEL SERIALIZABLE"},
          std::string{"ISOLATION LEVEL REPEATABLE READ"},
          std::string{"ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE"},
          std::string{"READ WRITE"},
          "ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '" + snapshot + "'"}) {
        auto const branch = begin_branch("options='-c default_transaction_read_only=on'");

        EXPECT_NO_THROW(apply(*branch.session, "SET TRANSACTION " + what)) << what;

        EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok()) << what;
        EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok()) << what;
    }
}

/// Whether a row could be written is asked by something that is no query.
TEST_P(postgresql_transparency, TheApplicationsOwnSetTransactionWorksWhereARowWasAnnounced)
{
    auto const manage = open(session_purpose::manage);
    driver().preflight(*manage, in_seconds(10));
    driver().decisions()->ensure(*manage, in_seconds(10));
    auto const session = open(session_purpose::work);
    xid const x = next_xid(*session);
    driver().decisions()->announce(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());

    EXPECT_EQ(activity(*session, "backend_xmin"), "");
    EXPECT_NO_THROW(apply(*session, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"));

    EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
}

TEST_P(postgresql_transparency, WhatWasCommittedBeforeTheApplicationsLockIsSeen)
{
    auto const branch =
        begin_branch("options='-c default_transaction_isolation=repeatable\\\\ read'");
    plain_connection{pg().server().conninfo()}.run("INSERT INTO entry VALUES (7)");

    apply(*branch.session, "LOCK TABLE entry");

    EXPECT_EQ(apply(*branch.session, "SELECT count(*) FROM entry WHERE key = 7"), "1");
    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
}

TEST_P(postgresql_transparency, AnIdleBranchHoldsNothingThatOthersWaitFor)
{
    for (std::string const level : {"read\\\\ committed", "serializable"}) {
        auto const branch =
            begin_branch("options='-c default_transaction_isolation=" + level + "'");

        EXPECT_EQ(activity(*branch.session, "backend_xmin"), "");
        EXPECT_EQ(activity(*branch.session, "backend_xid"), "");
        EXPECT_EQ(
            pg().administer("SELECT count(*) FROM pg_locks WHERE locktype <> 'virtualxid' AND "
                            "pid = " +
                            std::to_string(branch.session->id())),
            "0");
        EXPECT_EQ(apply(*branch.session,
                        "SELECT (SELECT count(*) FROM pg_cursors) + (SELECT count(*) FROM "
                        "pg_prepared_statements)"),
                  "0");
        EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
    }
}

/// By hand a deferrable reader that asks nothing waits for nobody, whoever else is at work.
TEST_P(postgresql_transparency, ADeferrableReaderThatAsksNothingWaitsForNobody)
{
    plain_connection stranger{pg().server().conninfo()};
    stranger.run("BEGIN ISOLATION LEVEL SERIALIZABLE");
    stranger.run("SELECT count(*) FROM entry");
    std::string const deferrable =
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE";
    std::string const by_default =
        "options='-c default_transaction_isolation=serializable "
        "-c default_transaction_read_only=on -c default_transaction_deferrable=on'";
    for (bool const is_default : {false, true}) {
        auto const branch = begin_branch(is_default ? by_default : "");
        if (!is_default) apply(*branch.session, deferrable);
        EXPECT_TRUE(run(*branch.session, verb::commit_one_phase, branch.id).is_ok()) << is_default;

        auto const reader = open(session_purpose::work);
        xid const x = next_xid(*reader);
        reader->declare({std::nullopt, access::read_only});
        ASSERT_TRUE(run(*reader, verb::start, x).is_ok());
        apply(*reader, deferrable);
        EXPECT_EQ(run(*reader, verb::prepare, x).detail, reply_detail::still_open);
        EXPECT_TRUE(run(*reader, verb::commit_one_phase, x).is_ok()) << is_default;
    }
    plain_connection lent{pg().server().conninfo() + ' ' + by_default};
    auto const expected = facts();
    EXPECT_NO_THROW(driver().borrow(lent.get(), expected, in_seconds(10)));
}

TEST_P(postgresql_transparency, TheUnnamedStatementIsNeverOurs)
{
    plain_connection lent{pg().server().conninfo()};
    PQclear(PQprepare(lent.get(), "", "INSERT INTO entry VALUES (5)", 0, nullptr));
    auto const session = driver().borrow(lent.get(), facts(), in_seconds(10));
    xid const x = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());

    // As after the application's own BEGIN by PQexec: the server forgets it, and says so.
    EXPECT_EQ(sqlstate_of(PQexecPrepared(lent.get(), "", 0, nullptr, nullptr, nullptr, 0)),
              "26000");

    EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
}

TEST_P(postgresql_transparency, TheMessagesOfABranchAreCounted)
{
    testing::proxy network;
    auto const number = network.add(testing::wire_protocol::postgresql, pg().server().port());
    auto const behind =
        postgresql::resource_manager{
            "accounts",
            pg().server().conninfo("accounts", network.port(number)) + " sslmode=disable"}
            .driver();
    auto const manage = behind->connect(session_purpose::manage, in_seconds(10));
    behind->preflight(*manage, in_seconds(10));
    behind->decisions()->ensure(*manage, in_seconds(10));
    auto const count = [&](verb end, branch_modes const& modes = {}, bool is_announced = false) {
        auto const session = behind->connect(session_purpose::work, in_seconds(10));
        xid const x = next_xid(*session);
        session->declare(modes);
        if (is_announced) behind->decisions()->announce(*session);
        network.clear();
        EXPECT_TRUE(run(*session, verb::start, x).is_ok());
        static int key = 0;
        apply(*session, postgresql_target::insert(++key));
        EXPECT_TRUE(run(*session, end, x).is_ok());
        if (end == verb::prepare) {
            EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
        }
        session->submit_reset();
        EXPECT_TRUE(session->collect_reset(in_seconds(10)));
        std::size_t sent = 0;
        for (auto const& each : network.messages(number))
            sent += each.is_request ? 1 : 0;
        return sent;
    };

    // Start, the application's own, the end, and the reset.
    EXPECT_EQ(count(verb::prepare), 5u);
    EXPECT_EQ(count(verb::rollback), 4u);
    EXPECT_EQ(count(verb::commit_one_phase), 5u);
    // However it is begun.
    EXPECT_EQ(count(verb::prepare, {isolation::serializable, access::read_write}), 5u);
    EXPECT_EQ(count(verb::rollback, {isolation::serializable, {}}, true), 4u);
}

TEST_P(postgresql_transparency, ARunningStatementThatNobodyReadsIsCancelledByARollback)
{
    for (std::string const sql : {"LOCK TABLE entry; SELECT pg_sleep(60)",
                                  "LOCK TABLE entry; SELECT pg_sleep(60); SELECT pg_sleep(60)"}) {
        pg().reset();
        auto const branch = begin_branch();
        auto* const handle = static_cast<PGconn*>(branch.session->native_handle());
        ASSERT_EQ(PQsendQuery(handle, sql.c_str()), 1);
        ASSERT_TRUE(
            eventually([&] { return activity(*branch.session, "wait_event") == "PgSleep"; }));
        auto const before = steady_clock::now();

        EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());

        EXPECT_LT(steady_clock::now() - before, std::chrono::seconds(5));
        EXPECT_FALSE(branch.session->is_reusable()) << "a cancel may come late";
        plain_connection other{pg().server().conninfo()};
        EXPECT_NO_THROW(other.run("SET lock_timeout = 1; LOCK TABLE entry"))
            << "its locks are gone";
    }
}

TEST_P(postgresql_transparency, AnUnreadResultIsNotGatheredInMemory)
{
#if defined(ASSENT_SANITIZED)
    GTEST_SKIP() << "a sanitizer keeps what was freed";
#endif
    constexpr char many[] = "SELECT repeat('x', 8000) FROM generate_series(1, 40000)";  // 320 MB
    for (bool const was_looked_at : {false, true}) {
        for (verb const end : ends) {
            auto const branch = begin_branch();
            auto* const handle = static_cast<PGconn*>(branch.session->native_handle());
            auto const before = peak_memory_kb();
            ASSERT_EQ(PQsendQuery(handle, many), 1);
            if (was_looked_at) {  // so that libpq has begun to gather rows
                ASSERT_TRUE(eventually(
                    [&] { return activity(*branch.session, "wait_event") == "ClientWrite"; }));
                PQconsumeInput(handle);
                EXPECT_EQ(PQisBusy(handle), 1);
            }

            reply const answer = run(*branch.session, end, branch.id);

            // Read to its end where that costs no memory; else given up.
            bool const is_given_up = was_looked_at && end != verb::rollback;
            EXPECT_EQ(answer.is_ok(), !is_given_up) << answer.text;
            EXPECT_TRUE(answer.is_ok() || is_rolled_back(answer));
            EXPECT_LT(peak_memory_kb() - before, 160L * 1024);
            if (end == verb::prepare && answer.is_ok()) {
                EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
            }
        }
    }
}

TEST_P(postgresql_transparency, NamesOutsideAsciiAreComparedWhateverTheClientsEncoding)
{
    pg().administer(
        "DO $$BEGIN CREATE ROLE \"b\xc3\xbcro\" LOGIN; EXCEPTION WHEN duplicate_object THEN END$$");
    pg().administer("GRANT ALL ON entry TO \"b\xc3\xbcro\"");
    std::string const as_role =
        pg().server().superuser_conninfo("accounts") + " user=b\xc3\xbcro client_encoding=";
    auto const driver = postgresql::resource_manager{"accounts", as_role + "UTF8"}.driver();
    auto const manage = driver->connect(session_purpose::manage, in_seconds(10));
    auto const seen = driver->preflight(*manage, in_seconds(10));
    EXPECT_EQ(seen.user, "b\xc3\xbcro");
    plain_connection lent{as_role + "LATIN1"};

    auto const session = driver->borrow(lent.get(), seen, in_seconds(10));
    xid const x = next_xid(*session);
    EXPECT_TRUE(run(*session, verb::start, x).is_ok());
    lent.run("INSERT INTO entry VALUES (1)");
    EXPECT_TRUE(run(*session, verb::prepare, x).is_ok());
    EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);
}

}  // namespace assent::contract
