// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_answers_test.cpp -- what the caller of commit() is told when PostgreSQL refuses:
// rolled back everywhere, whether to run it again, and the server's own SQLSTATE.

#include <atomic>
#include <memory>
#include <string>

#include "tests/contract/postgresql_doors.hpp"

namespace assent::contract {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Pair;

class postgresql_answers : public postgresql_doors
{
protected:
    /// Both branches write row 1; `misuse` runs in accounts; the commit must fail.
    rolled_back_error refused(std::string const& misuse)
    {
        auto tx = begin();
        PGconn* const pg = tx.lease(*accounts_);
        write_row(pg, 1);
        write_row(tx.lease(*orders_), 1);
        plain_connection::run(pg, misuse);
        auto told = thrown_by<rolled_back_error>([&] { tx.commit(); });
        EXPECT_THAT(rows(1), Pair(0, 0)) << misuse;
        EXPECT_EQ(prepared(), "0") << misuse;
        EXPECT_EQ(tm_->state().live_transactions, 0u) << misuse;
        return told;
    }
    static std::string sqlstate_at(error const& told, std::string const& name)
    {
        for (auto const& each : told.branches()) {
            if (each.resource_manager == name) return each.sqlstate;
        }
        return "no such branch";
    }
    void restart_with(std::string const& setting)
    {
        pg().server().stop();
        pg().server().set({setting});
        pg().server().start();
    }
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_answers, postgresql_without_replica);

TEST_P(postgresql_answers, ADeferredConstraintIsNotWorthAnotherRun)
{
    plain_connection{conninfo("accounts")}.run(R"(
        SET client_min_messages = warning; DROP TABLE IF EXISTS child;
        CREATE TABLE child(parent int REFERENCES entry DEFERRABLE INITIALLY DEFERRED))");
    open_manager();

    auto const told = refused("INSERT INTO child VALUES (77)");

    EXPECT_FALSE(told.is_retryable());
    EXPECT_EQ(sqlstate_at(told, "accounts"), "23503");
    EXPECT_THAT(told.what(), HasSubstr("\"accounts\" voted no: insert or update on table"));
    EXPECT_THAT(told.what(), ::testing::Not(HasSubstr("77"))) << "rows do not belong into errors";
    plain_connection{conninfo("accounts")}.run("DROP TABLE child");
}

TEST_P(postgresql_answers, AnErrorOfTheApplicationsOwnMakingIsToldAsItsOwn)
{
    for (char const* const database : {"accounts", "orders"}) {
        plain_connection{conninfo(database)}.run(R"(
            SET client_min_messages = warning; DROP TABLE IF EXISTS own CASCADE;
            CREATE TABLE own (state text);
            CREATE OR REPLACE FUNCTION own_error() RETURNS trigger LANGUAGE plpgsql AS
                $$BEGIN RAISE 'no goods left' USING ERRCODE = NEW.state; END$$;
            CREATE CONSTRAINT TRIGGER late AFTER INSERT ON own
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION own_error();)");
    }
    open_manager();
    for (std::string const state : {"SHOP1", "U0001"}) {
        for (bool const is_alone : {false, true}) {
            for (bool const has_row : {false, true}) {
                int runs = 0;
                std::uint64_t before = 0;
                auto options = run_options{};
                if (has_row) options.commit_row(*accounts_);
                auto const told = thrown_by<rolled_back_error>([&] {
                    tm_->run(options, [&](transaction& tx) {
                        ++runs;
                        PGconn* const pg = tx.lease(*accounts_);
                        before = static_cast<std::uint64_t>(PQbackendPID(pg));
                        plain_connection::run(pg, "INSERT INTO own VALUES ('" + state + "')");
                        if (!is_alone) write_row(tx.lease(*orders_), 1);
                    });
                });

                EXPECT_EQ(runs, 1);
                EXPECT_FALSE(told.is_retryable());
                EXPECT_EQ(sqlstate_at(told, "accounts"), state);
                EXPECT_THAT(told.what(), HasSubstr("no goods left"));
                auto tx = begin();
                EXPECT_EQ(PQbackendPID(tx.lease(*accounts_)), static_cast<int>(before))
                    << "the connection lives";
                tx.rollback();
            }
        }
    }
    EXPECT_THAT(rows(1), Pair(0, 0));
}

TEST_P(postgresql_answers, WhatIsToldToOneLeaseIsNotHeardByTheNext)
{
    open_manager();
    int process = 0;
    {
        auto tx = begin();
        PGconn* const pg = tx.lease(*accounts_);
        process = PQbackendPID(pg);
        plain_connection::run(pg, "LISTEN news; NOTIFY news, 'of the first'");
        tx.commit();
    }
    auto tx = begin();
    PGconn* const pg = tx.lease(*accounts_);
    ASSERT_EQ(PQbackendPID(pg), process) << "the same session";
    plain_connection::run(pg, "SELECT 1");
    PQconsumeInput(pg);
    PGnotify* const heard = PQnotifies(pg);

    EXPECT_EQ(heard, nullptr);
    PQfreemem(heard);
    tx.rollback();
}

TEST_P(postgresql_answers, WhatCannotBePreparedIsNotWorthAnotherRun)
{
    open_manager();
    for (char const* sql :
         {"CREATE TEMPORARY TABLE scratch (i int) ON COMMIT DROP", "LISTEN news", "NOTIFY news",
          "DECLARE held CURSOR WITH HOLD FOR SELECT 1", "SELECT pg_export_snapshot()"}) {
        auto const told = refused(sql);

        EXPECT_FALSE(told.is_retryable()) << sql;
        EXPECT_EQ(sqlstate_at(told, "accounts"), "0A000") << sql;
        EXPECT_THAT(told.what(), HasSubstr("cannot PREPARE a transaction that has")) << sql;
    }
}

TEST_P(postgresql_answers, InOneDatabaseAloneNothingIsPreparedAndEverythingGoes)
{
    open_manager();
    auto tx = begin();
    PGconn* const pg = tx.lease(*accounts_);
    plain_connection::run(pg, "CREATE TEMPORARY TABLE scratch (i int) ON COMMIT DROP");
    plain_connection::run(pg, "NOTIFY news");
    write_row(pg, 1);

    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(rows(1), Pair(1, 0));
}

TEST_P(postgresql_answers, ASerializationFailureIsRunAgain)
{
    std::string const isolation = " options='-c default_transaction_isolation=serializable'";
    open_manager({"accounts", conninfo("accounts") + isolation},
                 {"orders", conninfo("orders") + isolation});
    // Each reads what the other writes, and the other commits first.
    auto const work = [&](transaction& tx, int key, bool is_contended) {
        PGconn* const pg = tx.lease(*accounts_);
        write_row(tx.lease(*orders_), key);
        plain_connection::run(pg, "SELECT count(*) FROM entry");
        if (!is_contended) return write_row(pg, key);
        plain_connection rival{conninfo("accounts") + isolation};
        rival.run("BEGIN");
        rival.run("SELECT count(*) FROM entry");
        write_row(rival.get(), 100 + key);
        write_row(pg, key);
        rival.run("COMMIT");
    };

    auto tx = begin();
    work(tx, 1, true);
    auto const told = thrown_by<rolled_back_error>([&] { tx.commit(); });
    EXPECT_TRUE(told.is_retryable());
    EXPECT_EQ(sqlstate_at(told, "accounts"), "40001");
    EXPECT_THAT(rows(1), Pair(0, 0));

    int runs = 0;
    EXPECT_EQ(tm_->run([&](transaction& each) { work(each, 2, ++runs == 1); }), outcome::committed);
    EXPECT_EQ(runs, 2);
    EXPECT_THAT(rows(2), Pair(1, 1));
}

TEST_P(postgresql_answers, AServerWithoutAPlaceLeftIsWorthAnotherRun)
{
    restart_with("max_prepared_transactions=2");
    open_manager();
    plain_connection other{conninfo("accounts")};
    other.run("BEGIN");
    other.run("PREPARE TRANSACTION 'takes a place'");
    auto const commit = [&] {
        auto tx = begin();
        write_row(tx.lease(*accounts_), 1);
        write_row(tx.lease(*orders_), 1);
        return tx.commit();
    };

    auto const told = thrown_by<rolled_back_error>(commit);

    EXPECT_TRUE(told.is_retryable());
    std::string const states = sqlstate_at(told, "accounts") + sqlstate_at(told, "orders");
    EXPECT_THAT(states, HasSubstr("53200"));
    EXPECT_THAT(told.what(), HasSubstr("raise max_prepared_transactions"));
    EXPECT_THAT(rows(1), Pair(0, 0));
    EXPECT_EQ(prepared(), "1") << "nothing of it is left";
    other.run("ROLLBACK PREPARED 'takes a place'");
    EXPECT_EQ(commit(), outcome::committed);
    tm_.reset();
    restart_with("max_prepared_transactions=64");
}

TEST_P(postgresql_answers, AServerThatCannotPrepareSaysWhatToSet)
{
    restart_with("max_prepared_transactions=0");
    tm_.emplace(quick_options(log_.path()));
    auto const accounts = tm_->add(postgresql::resource_manager{"accounts", conninfo("accounts")});
    ASSERT_TRUE(eventually(
        [&] { return state_of(*tm_, "accounts").why.find("max_prepared") != std::string::npos; }));
    auto tx = begin(1s);

    auto const refused = thrown_by<error>([&] { tx.lease(accounts); });

    EXPECT_EQ(refused.code(), errc::unavailable);
    EXPECT_THAT(refused.what(), HasSubstr("max_prepared_transactions is 0"));
    EXPECT_THAT(state_of(*tm_, "accounts").why, HasSubstr("set it to at least"));
    restart_with("max_prepared_transactions=64");
    EXPECT_TRUE(eventually([&] { return state_of(*tm_, "accounts").is_serving; }))
        << "without a restart of the program";
}

// --- roles ---

TEST_P(postgresql_answers, ALentConnectionOfAnotherRoleIsRefusedAndTheTransactionGoesOn)
{
    open_manager();
    pg().administer(
        "DO $$BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN END$$; "
        "GRANT clerk TO shop");
    plain_connection lent{conninfo("accounts")};
    lent.run("SET ROLE clerk");
    auto tx = begin();
    write_row(tx.lease(*orders_), 1);

    auto const refused = thrown_by<error>([&] { tx.enlist(*accounts_, lent.get()); });

    EXPECT_EQ(refused.code(), errc::bad_argument);
    EXPECT_THAT(refused.what(), HasSubstr("its role is 'clerk'"));
    lent.run("RESET ROLE");
    tx.enlist(*accounts_, lent.get());
    write_row(lent.get(), 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(rows(1), Pair(1, 1));
}

TEST_P(postgresql_answers, ARoleTakenInTheBranchIsCommittedEverywhere)
{
    open_manager();
    pg().administer(
        "DO $$BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN END$$; "
        "GRANT clerk TO shop");

    {
        auto committing = begin();
        PGconn* const pg = committing.lease(*accounts_);
        write_row(pg, 1);
        write_row(committing.lease(*orders_), 1);
        plain_connection::run(pg, "SET ROLE clerk");
        EXPECT_EQ(committing.commit(), outcome::committed);
    }
    EXPECT_THAT(rows(1), Pair(1, 1));
    // The next one finds the session as it was opened.
    auto tx = begin();
    PGconn* const next = tx.lease(*accounts_);
    EXPECT_EQ(plain_connection::run(next, "SELECT current_user"), "shop");
}

TEST_P(postgresql_answers, ConnectionsThatAreNotTheManagersAccountAreNotLeased)
{
    open_manager();
    tm_.reset();
    // A function that gives the manager one account, and the application another.
    std::string const shop = conninfo("accounts");
    std::string const other = pg().server().superuser_conninfo();
    auto const is_managers = std::make_shared<std::atomic<bool>>(true);
    tm_.emplace(quick_options(log_.path()));
    auto const accounts = tm_->add(postgresql::resource_manager{
        "accounts", [=] { return PQconnectdb((*is_managers ? shop : other).c_str()); }});
    auto first = begin(5s);
    auto const kept = first.lease(accounts);  // by now the manager has what it needs to serve
    *is_managers = false;
    auto tx = begin(5s);

    auto const refused = thrown_by<error>([&] { tx.lease(accounts); });
    first.rollback();

    EXPECT_EQ(refused.code(), errc::unavailable);
    EXPECT_THAT(refused.what(), HasSubstr("its role is 'postgres', and that of the manager's own"));
}

}  // namespace assent::contract
