// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_sqlite_quirks_test.cpp -- what of the contract a database without two phases can keep, and
// what SQLite does of its own, through sqliteodbc.

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <assent/assent.hpp>
#include <assent/testing.hpp>

#include "tests/contract/sqlite_target.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;

}  // namespace

INSTANTIATE_TEST_SUITE_P(sqliteodbc, contract, ::testing::Values(&make_sqlite_target));

class odbc_sqlite : public contract
{
protected:
    sqlite_target& lite() { return *the_sqlite(); }

    std::string preflight_refusal(std::string const& connect_string)
    {
        auto const of = odbc::resource_manager{"ledger", connect_string}.driver();
        try {
            auto const manage = of->connect(session_purpose::manage, in_seconds(10));
            of->preflight(*manage, in_seconds(10));
        } catch (driver_error const& error) {
            return error.what();
        }
        return {};
    }
};
INSTANTIATE_TEST_SUITE_P(sqliteodbc, odbc_sqlite, ::testing::Values(&make_sqlite_target));

// ---- one phase, and no other -----------------------------------------------------------------

TEST_P(odbc_sqlite, ItDeclaresThatItHasNoTwoPhases)
{
    facts();

    EXPECT_FALSE(driver().capabilities().is_two_phase);
    EXPECT_FALSE(driver().capabilities().has_one_phase_witness);
}

TEST_P(odbc_sqlite, PrepareIsANoVoteThatLeavesNothing)
{
    auto const branch = start_branch(1);

    reply const vote = run(*branch.session, verb::prepare, branch.id);

    EXPECT_EQ(vote.code, xa_code::rbproto);
    EXPECT_THAT(vote.text, HasSubstr("no two-phase commit"));
    EXPECT_EQ(lite().count_rows(1), 0);
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(odbc_sqlite, OneSessionCommitsOneBranchAfterAnother)
{
    auto const first = start_branch(1);
    ASSERT_TRUE(run(*first.session, verb::commit_one_phase, first.id).is_ok());
    xid const second = next_xid(*first.session);
    ASSERT_TRUE(run(*first.session, verb::start, second).is_ok());
    lite().write_row(*first.session, 2);

    EXPECT_TRUE(run(*first.session, verb::commit_one_phase, second).is_ok());
    EXPECT_EQ(lite().count_rows(1) + lite().count_rows(2), 2);
}

TEST_P(odbc_sqlite, ACommitThatFindsTheDatabaseLockedIsRolledBackAndMayBeRunAgain)
{
    auto const branch = start_branch(1);
    odbc_client reader{sqlite_string(lite().path())};
    reader.query("BEGIN");
    reader.query("SELECT count(*) FROM entry");

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_EQ(answer.code, xa_code::rbtransient) << answer.text;
    reader.query("ROLLBACK");
    EXPECT_EQ(lite().count_rows(1), 0);
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(odbc_sqlite, ADeferredConstraintThatFailsAtTheEndRollsBack)
{
    auto const session = open(session_purpose::work);
    run_sql(*session, "PRAGMA foreign_keys = 1");
    run_sql(*session, "CREATE TABLE IF NOT EXISTS parent (id INTEGER PRIMARY KEY)");
    run_sql(*session,
            "CREATE TABLE IF NOT EXISTS child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY "
            "DEFERRED)");
    xid const x = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    run_sql(*session, "INSERT INTO child VALUES (7)");

    EXPECT_EQ(run(*session, verb::commit_one_phase, x).code, xa_code::rbintegrity);
    EXPECT_EQ(run_sql(*session, "SELECT count(*) FROM child"), "0");
    EXPECT_TRUE(session->is_reusable());
}

TEST_P(odbc_sqlite, AReadOnlyBranchCannotWriteAndTheNextOneCan)
{
    auto const session = open(session_purpose::work);
    xid const x = next_xid(*session);
    session->declare({{}, access::read_only});
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    EXPECT_NE(odbc_client::try_query(session->native_handle(), "INSERT INTO entry VALUES (1)").text,
              "");
    ASSERT_TRUE(run(*session, verb::commit_one_phase, x).is_ok());
    ASSERT_TRUE(session->is_reusable());

    xid const y = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, y).is_ok());
    lite().write_row(*session, 1);
    EXPECT_TRUE(run(*session, verb::commit_one_phase, y).is_ok());
    EXPECT_EQ(lite().count_rows(1), 1);
}

TEST_P(odbc_sqlite, ALentHandleThatMayNotWriteStaysSoAfterAReadOnlyBranch)
{
    odbc_client client{sqlite_string(lite().path())};
    client.query("PRAGMA synchronous = EXTRA");
    client.query("PRAGMA query_only = 1");
    {
        auto const borrowed = driver().borrow(client.get(), facts(), in_seconds(10));
        xid const x = next_xid(*borrowed);
        borrowed->declare({{}, access::read_only});
        ASSERT_TRUE(run(*borrowed, verb::start, x).is_ok());
        ASSERT_TRUE(run(*borrowed, verb::commit_one_phase, x).is_ok());
    }

    EXPECT_EQ(client.query("PRAGMA query_only"), "1");
}

// ---- marks -----------------------------------------------------------------------------------

TEST_P(odbc_sqlite, TheApplicationsOwnCommitIsNoticedAtEveryEnd)
{
    int key = 0;
    for (verb const end : ends) {
        auto const committed = start_branch(++key);
        run_sql(*committed.session, "COMMIT");
        EXPECT_TRUE(is_left_behind(run(*committed.session, end, committed.id)));
        EXPECT_FALSE(committed.session->is_reusable());

        auto const again = start_branch(++key);
        run_sql(*again.session, "COMMIT");
        run_sql(*again.session, "BEGIN");
        EXPECT_TRUE(is_left_behind(run(*again.session, end, again.id)));
        EXPECT_FALSE(again.session->is_reusable());
    }
}

TEST_P(odbc_sqlite, SqlEndTranIsNothingToATransactionThatWasBegunAsText)
{
    auto const branch = start_branch(1);

    EXPECT_TRUE(
        SQL_SUCCEEDED(SQLEndTran(SQL_HANDLE_DBC, branch.session->native_handle(), SQL_COMMIT)));

    EXPECT_EQ(lite().count_rows(1), 0);
    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
    EXPECT_EQ(lite().count_rows(1), 0);
}

TEST_P(odbc_sqlite, ASeveredSessionHoldsNothing)
{
    auto const branch = start_branch(1);

    branch.session->sever();

    EXPECT_EQ(run(*branch.session, verb::rollback, branch.id).detail, reply_detail::reply_lost);
    EXPECT_TRUE(eventually([&] {
        odbc_client other{sqlite_string(lite().path())};
        return odbc_client::try_query(other.get(), "INSERT INTO entry VALUES (2)").sqlstate.empty();
    }));
    EXPECT_EQ(lite().count_rows(1), 0);
}

// ---- what a database must be -----------------------------------------------------------------

TEST_P(odbc_sqlite, WhatLosesACommitIsRefusedByName)
{
    std::string const driver = "DRIVER=" + odbc_drivers::sqlite() + ";";

    EXPECT_THAT(preflight_refusal(driver + "Database=:memory:"), HasSubstr("in memory"));
    EXPECT_THAT(preflight_refusal(sqlite_string(lite().path()) + "JournalMode=MEMORY;"),
                HasSubstr("journal_mode is memory"));
    EXPECT_EQ(preflight_refusal(sqlite_string(lite().path()) +
                                "JournalMode=MEMORY;ALLOW_NON_DURABLE=yes;"),
              "");
}

TEST_P(odbc_sqlite, AHandleThatMayLoseACommitIsRefused)
{
    odbc_client client{sqlite_string(lite().path())};
    client.query("PRAGMA synchronous = NORMAL");
    try {
        driver().borrow(client.get(), facts(), in_seconds(10));
        ADD_FAILURE() << "it was not refused";
    } catch (driver_error const& error) {
        EXPECT_THAT(error.what(), HasSubstr("synchronous"));
    }
}

/// SQLite allows it before the transaction's first write; kill -9 in the COMMIT would then leave
/// half of the branch, and the mode stays with the session.
TEST_P(odbc_sqlite, ABranchThatPutsItsJournalIntoMemoryIsRolledBackAndItsSessionNotUsedAgain)
{
    for (verb const end : ends) {
        auto const session = open(session_purpose::work);
        xid const x = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        ASSERT_EQ(run_sql(*session, "PRAGMA journal_mode = MEMORY"), "memory");
        lite().write_row(*session, 1);

        reply const said = run(*session, end, x);

        EXPECT_EQ(said.code, end == verb::rollback ? xa_code::ok : xa_code::rbother) << said.text;
        EXPECT_FALSE(session->is_reusable());
        EXPECT_EQ(lite().count_rows(1), 0);
    }
}

TEST_P(odbc_sqlite, ABranchThatSwitchesItsJournalOffIsNeverCalledRolledBack)
{
    for (verb const end : ends) {
        auto const session = open(session_purpose::work);
        xid const x = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        ASSERT_EQ(run_sql(*session, "PRAGMA journal_mode = OFF"), "off");

        EXPECT_TRUE(is_left_behind(run(*session, end, x)));
        EXPECT_FALSE(session->is_reusable());
    }
}

TEST_P(odbc_sqlite, OurOwnSessionsSyncEvenTheDirectory)
{
    auto const session = open(session_purpose::work);

    EXPECT_EQ(run_sql(*session, "PRAGMA synchronous"), "3");
}

TEST_P(odbc_sqlite, TheIdentityIsTheFilesOwnAndStays)
{
    auto const seen = facts();
    EXPECT_EQ(seen.kind, "sqlite");
    EXPECT_THAT(seen.database, HasSubstr("ledger.db"));
    EXPECT_EQ(facts().identity, seen.identity);

    odbc_client{sqlite_string(lite().path() + "-second")}.query("CREATE TABLE t (a)");
    auto const other = odbc::resource_manager{"other", sqlite_string(lite().path() + "-second")};
    auto const manage = other.driver()->connect(session_purpose::manage, in_seconds(10));
    EXPECT_NE(other.driver()->preflight(*manage, in_seconds(10)).identity, seen.identity);
}

TEST_P(odbc_sqlite, TheGuardianLockIsOneAmongProcessesAndNotInherited)
{
    constexpr std::uint64_t node = 0x5eed;
    auto holder = open(session_purpose::guardian);
    ASSERT_TRUE(driver().try_guard(*holder, node, in_seconds(10)));
    auto const try_in_child = [&] {
        pid_t const child = ::fork();
        if (child == 0) {
            try {
                // A process of its own has opened nothing yet; the library's threads are not in it.
                auto const fresh =
                    odbc::resource_manager{"ledger", sqlite_string(lite().path())}.driver();
                auto const session = fresh->connect(session_purpose::guardian, in_seconds(10));
                ::_exit(fresh->try_guard(*session, node + 0, in_seconds(10)) ? 1 : 0);
            } catch (std::exception const&) {
                ::_exit(2);
            }
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    };

    EXPECT_EQ(try_in_child(), 0);
    holder.reset();
    EXPECT_EQ(try_in_child(), 1);
}

// ---- through the doors -----------------------------------------------------------------------

class odbc_sqlite_doors : public odbc_sqlite
{
protected:
    void SetUp() override
    {
        odbc_sqlite::SetUp();
        if (IsSkipped()) return;
        static int number = 0;
        std::string const log = lite().directory() + "/log-" + std::to_string(++number);
        tm_ = std::make_unique<transaction_manager>(
            options{}.log_directory(log).node_label("sqlite").allow_file_system("overlay"));
    }

    transaction_manager& tm() { return *tm_; }
    odbc::resource_manager add_ledger()
    {
        return tm().add(odbc::resource_manager{"ledger", sqlite_string(lite().path())});
    }

    static void insert(odbc::connection on, int key)
    {
        odbc_client::query(on, "INSERT INTO entry VALUES (" + std::to_string(key) + ")");
    }

private:
    std::unique_ptr<transaction_manager> tm_;
};
INSTANTIATE_TEST_SUITE_P(sqliteodbc, odbc_sqlite_doors, ::testing::Values(&make_sqlite_target));

TEST_P(odbc_sqlite_doors, AsTheOnlyDatabaseItCommitsAndRollsBack)
{
    auto const ledger = add_ledger();
    auto first = tm().begin();
    insert(first.lease(ledger), 1);
    EXPECT_EQ(first.commit(), outcome::committed);

    auto second = tm().begin();
    insert(second.lease(ledger), 2);
    second.rollback();

    EXPECT_EQ(lite().count_rows(1), 1);
    EXPECT_EQ(lite().count_rows(2), 0);
    EXPECT_EQ(tm().state().forces, 0u) << "one phase needs no decision";
}

TEST_P(odbc_sqlite_doors, BesideAnotherDatabaseItIsRefusedUnlessItsRowDecides)
{
    auto const ledger = add_ledger();  // not even connected yet
    assent::testing::memory_database bank;
    auto const accounts = tm().add(assent::testing::memory_resource_manager{"accounts", bank});

    auto tx = tm().begin();
    tx.lease(accounts)->add("alice", 1);
    try {
        tx.lease(ledger);
        ADD_FAILURE() << "it was not refused";
    } catch (error const& e) {
        EXPECT_THAT(e.what(), HasSubstr("commit_row(ledger)"));
    }
    tx.rollback();
    EXPECT_FALSE(bank.value("alice"));

    auto by_row = tm().begin(begin_options{}.commit_row(ledger));
    by_row.lease(accounts)->add("alice", 1);
    insert(by_row.lease(ledger), 1);
    EXPECT_EQ(by_row.commit(), outcome::committed);
    EXPECT_EQ(lite().count_rows(1), 1);
    EXPECT_TRUE(bank.value("alice"));
    EXPECT_EQ(tm().state().forces, 0u) << "the row decides";
}

TEST_P(odbc_sqlite_doors, ItIsDrained)
{
    add_ledger();

    EXPECT_TRUE(eventually([&] {
        auto const all = tm().state().resource_managers;
        return all.size() == 1 && all[0].is_drained;
    }));
}

TEST_P(odbc_sqlite_doors, ALentHandleServesATransactionAndIsGivenBack)
{
    auto const ledger = add_ledger();
    odbc_client mine{sqlite_string(lite().path())};
    mine.query("PRAGMA synchronous = EXTRA");
    auto tx = tm().begin();
    int kept = 0;

    tx.enlist(ledger, odbc::connection{mine.get()},
              [&kept](void*, release how) { kept += how == release::keep ? 1 : 100; });
    insert(odbc::connection{mine.get()}, 1);
    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(kept, 1);
    EXPECT_EQ(mine.query("SELECT count(*) FROM entry"), "1");
}

}  // namespace assent::contract
