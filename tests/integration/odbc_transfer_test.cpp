// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_transfer_test.cpp -- one transaction over PostgreSQL and MariaDB, both through ODBC.

#include <assent/odbc.hpp>

#include <cstdlib>
#include <future>

#include "adapters/sql_text/worker.hpp"
#include "tests/contract/odbc_client.hpp"
#include "tests/integration/at_bank.hpp"
#include "tests/integration/cli_desk.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::contract::mysql_string;
using assent::contract::odbc_client;
using assent::contract::postgresql_string;
using assent::odbc::connection;
using ::testing::HasSubstr;

/// As transfer() does, by the drivers.
void transfer(connection accounts, connection orders, std::string const& id, std::int64_t amount,
              int account)
{
    auto const money = std::to_string(amount);
    auto const where = " where id = " + std::to_string(account);
    auto const row = "insert into ledger values ('" + id + "', " + money + ")";
    odbc_client::query(accounts, "update balance set amount = amount - " + money + where);
    odbc_client::query(orders, "update balance set amount = amount + " + money + where);
    odbc_client::query(accounts, row);
    odbc_client::query(orders, row);
}

class OdbcTransfer : public AtBank
{
protected:
    static std::string accounts_string(int port = 0)
    {
        return postgresql_string(bank_->postgresql(), "accounts", port);
    }
    static std::string orders_string(int port = 0)
    {
        return mysql_string(bank_->mariadb(), "orders", port);
    }
    static assent::odbc::resource_manager accounts_by_odbc(int port = 0)
    {
        return {"accounts", accounts_string(port)};
    }
    static assent::odbc::resource_manager orders_by_odbc(int port = 0)
    {
        return {"orders", orders_string(port)};
    }
    void SetUp() override
    {
        if (assent::contract::odbc_drivers::postgresql().empty() ||
            assent::contract::odbc_drivers::mariadb().empty()) {
            GTEST_SKIP() << "there are no ODBC drivers";
        }
    }
};

TEST_F(OdbcTransfer, CommitsInBothDatabases)
{
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const accounts = tm.add(accounts_by_odbc());
    auto const orders = tm.add(orders_by_odbc());
    for (int i = 0; i < 3; ++i) {  // the second uses the pooled sessions of the first
        auto tx = tm.begin();
        transfer(tx.lease(accounts), tx.lease(orders), "odbc-" + std::to_string(i), 7, 1);

        EXPECT_EQ(tx.commit(), assent::outcome::committed);
    }

    EXPECT_EQ(tm.state().forces, 3u);
    EXPECT_EQ(bank_->transfers_in_accounts().count("odbc-2"), 1u);
    expect_whole();
}

TEST_F(OdbcTransfer, RollsBackInBothDatabases)
{
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const accounts = tm.add(accounts_by_odbc());
    auto const orders = tm.add(orders_by_odbc());
    {
        auto tx = tm.begin();
        transfer(tx.lease(accounts), tx.lease(orders), "never", 7, 1);
    }

    EXPECT_EQ(bank_->transfers_in_accounts().count("never"), 0u);
    expect_whole();
}

TEST_F(OdbcTransfer, MixesWithNativeAdapters)
{
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const accounts = tm.add(accounts_by_odbc());
    auto const orders = tm.add(bank_->orders_manager());
    auto tx = tm.begin();
    connection const pg = tx.lease(accounts);
    odbc_client::query(pg, "insert into ledger values ('mixed', 0)");
    execute(tx.lease(orders), "insert into ledger values ('mixed', 0)");

    EXPECT_EQ(tx.commit(), assent::outcome::committed);
    expect_whole();
}

TEST_F(OdbcTransfer, LentHandlesAreGivenBackAndUsable)
{
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const accounts = tm.add(accounts_by_odbc());
    auto const orders = tm.add(orders_by_odbc());
    odbc_client pg{accounts_string()};
    odbc_client my{orders_string()};
    int kept = 0;
    auto const on_release = [&kept](void*, assent::release how) {
        kept += how == assent::release::keep ? 1 : 100;
    };
    auto tx = tm.begin();
    tx.enlist(accounts, connection{pg.get()}, on_release);
    tx.enlist(orders, connection{my.get()}, on_release);
    transfer(connection{pg.get()}, connection{my.get()}, "lent", 3, 2);

    EXPECT_EQ(tx.commit(), assent::outcome::committed);
    EXPECT_EQ(kept, 2);
    EXPECT_EQ(pg.query("select 1"), "1");
    EXPECT_EQ(my.query("select 1"), "1");
    expect_whole();
}

TEST_F(OdbcTransfer, RequestsToBothDatabasesOverlap)
{
    network net{*bank_};
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const accounts = tm.add(accounts_by_odbc(net.wire.port(net.accounts)));
    auto const orders = tm.add(orders_by_odbc(net.wire.port(net.orders)));
    auto tx = tm.begin();
    transfer(tx.lease(accounts), tx.lease(orders), "odbc overlap", 1, 0);
    net.wire.clear();
    meeting const first_phase{net, "OPERATOR(pg_catalog./)", "XA END"};  // the guard before PREPARE
    meeting const second_phase{net, "COMMIT PREPARED", "XA COMMIT"};

    auto committing = std::async(std::launch::async, [&] { return tx.commit(); });
    EXPECT_TRUE(first_phase.takes_place()) << "the votes";
    EXPECT_TRUE(second_phase.takes_place()) << "phase 2";

    EXPECT_EQ(committing.get(), assent::outcome::committed);
    expect_whole();
}

TEST_F(OdbcTransfer, ASilentDatabaseCostsTheDeadlineAndNoMore)
{
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const accounts = tm.add(accounts_by_odbc());
    auto const orders = tm.add(orders_by_odbc());
    odbc_client my{orders_string()};
    assent::release how{};
    auto tx = tm.begin(assent::begin_options{}.timeout(2s));
    tx.enlist(orders, connection{my.get()}, [&how](void*, assent::release what) { how = what; });
    transfer(tx.lease(accounts), connection{my.get()}, "silent", 1, 0);
    bank_->mariadb().freeze();
    auto const before = steady_clock::now();

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_LT(steady_clock::now() - before, tenfold(2s));
    // Whether its XA PREPARE is known not to have left, which makes the rollback a confirmed one,
    // is between the worker that sends and the cut; either way nothing of it can commit.
    EXPECT_NE(e.code(), assent::errc::in_doubt);
    EXPECT_EQ(how, assent::release::must_close);
    bank_->mariadb().thaw();
    EXPECT_TRUE(becomes_true([&] { return tm.state().live_transactions == 0; }, tenfold(3s)));
    EXPECT_TRUE(
        becomes_true([] { return assent::sql_text::worker::stuck_count() == 0; }, tenfold(3s)));
    EXPECT_EQ(bank_->transfers_in_orders().count("silent"), 0u);
    expect_whole();
}

TEST_F(OdbcTransfer, ACommitWhoseReplyWasLostIsFinishedByTheManager)
{
    network net{*bank_};
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const accounts = tm.add(accounts_by_odbc(net.wire.port(net.accounts)));
    auto const orders = tm.add(orders_by_odbc(net.wire.port(net.orders)));
    auto tx = tm.begin();
    transfer(tx.lease(accounts), tx.lease(orders), "lost reply", 1, 0);
    net.wire.on_request(net.accounts, "COMMIT PREPARED", fault::lose_request);
    net.wire.on_request(net.orders, "XA COMMIT", fault::lose_reply);

    auto const how = tx.commit();

    EXPECT_TRUE(how == assent::outcome::committed || how == assent::outcome::committed_pending);
    EXPECT_TRUE(becomes_true([&] { return tm.state().live_transactions == 0; }, tenfold(3s)));
    expect_in_both("lost reply");
}

TEST_F(OdbcTransfer, WhatOdbcLeftDecidedTheNativeAdaptersFinish)
{
    auto const log = bank_->new_log_directory();
    {
        network net{*bank_};
        auto options = test_options(log);
        auto bounds = options.given().limits;
        bounds.close = 100ms;
        assent::transaction_manager tm{options.limits(bounds)};
        auto const accounts = tm.add(accounts_by_odbc(net.wire.port(net.accounts)));
        auto const orders = tm.add(orders_by_odbc(net.wire.port(net.orders)));
        auto tx = tm.begin();
        transfer(tx.lease(accounts), tx.lease(orders), "handed over", 1, 0);
        net.wire.set_server_port(net.orders, 1);  // where nobody listens
        net.wire.on_request(net.orders, "XA COMMIT", fault::lose_request);
        EXPECT_EQ(tx.commit(), assent::outcome::committed_pending);
    }

    assent::transaction_manager tm{test_options(log)};
    tm.add(bank_->accounts_manager());
    tm.add(bank_->orders_manager());

    EXPECT_TRUE(becomes_true([] { return bank_->prepared_in_orders() == 0; }, tenfold(3s)));
    expect_in_both("handed over");
}

TEST_F(OdbcTransfer, TheLogKnowsADatabaseByWhateverAdapterItIsReached)
{
    auto const log = bank_->new_log_directory();
    {
        assent::transaction_manager tm{test_options(log)};
        auto const accounts = tm.add(accounts_by_odbc());
        auto tx = tm.begin();
        connection const pg = tx.lease(accounts);
        odbc_client::query(pg, "select 1");
        tx.commit();
    }
    assent::transaction_manager tm{test_options(log)};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto tx = tm.begin();

    execute(tx.lease(accounts), "select 1");

    EXPECT_NO_THROW(tx.commit());
}

TEST_F(OdbcTransfer, AFailedStatementSaysWhetherTheWholeMayBeRunAgain)
{
    odbc_client blocker{orders_string()};
    blocker.query("begin");
    blocker.query("update balance set amount = amount where id = 9");
    odbc_client waiter{orders_string()};
    waiter.query("set innodb_lock_wait_timeout = 1");
    SQLHSTMT statement = SQL_NULL_HSTMT;
    SQLAllocHandle(SQL_HANDLE_STMT, waiter.get(), &statement);
    auto const run = [&](char const* sql) {
        return SQLExecDirect(statement, reinterpret_cast<SQLCHAR*>(const_cast<char*>(sql)),
                             SQL_NTS);
    };

    EXPECT_FALSE(SQL_SUCCEEDED(run("update balance set amount = amount where id = 9")));
    EXPECT_TRUE(assent::odbc::is_retryable(assent::odbc::statement{statement}));
    EXPECT_FALSE(SQL_SUCCEEDED(run("select no_such_column from balance")));
    EXPECT_FALSE(assent::odbc::is_retryable(assent::odbc::statement{statement}));
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    EXPECT_FALSE(assent::odbc::is_retryable(assent::odbc::statement{nullptr}));
}

TEST_F(OdbcTransfer, TheProgramRecoversThroughOdbcWithoutASecretInItsConfiguration)
{
    desk const here;
    auto const log = bank_->new_log_directory();
    auto const without_password = [](std::string const& connect_string) {
        return connect_string.substr(0, connect_string.find("PWD="));
    };
    auto const database = [&](std::string const& name, std::string const& connect_string,
                              std::string const& password) {
        auto const secret = here.file(name + ".password", password + "\n");
        return "[[resource_manager]]\nname = '" + name + "'\nkind = 'odbc'\nconnect = '" +
               without_password(connect_string) + "PASSWORD_FILE=" + secret + "'\n";
    };
    auto const config =
        here.file("assent.toml",
                  "log_directory = '" + log + "'\nnode_label = 'test'\n" +
                      database("accounts", accounts_string(), bank_->postgresql().password()) +
                      database("orders", orders_string(), bank_->mariadb().password()),
                  0644);
    auto const id = victim::killed_at(*bank_, log, "decision.durable");
    bank_->stop_looking();

    auto const seen = run_assent({"--config", config, "--json", "scan"});
    auto const done = run_assent({"--config", config, "--json", "recover"});

    EXPECT_EQ(seen.status, 4) << seen.err;
    EXPECT_THAT(seen.out, HasSubstr(id));
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    expect_whole();
    EXPECT_EQ(bank_->transfers_in_orders(), bank_->transfers_in_accounts());
}

TEST_F(OdbcTransfer, TheExampleOfThePageRuns)
{
    ::setenv("SHOP_LOG", bank_->new_log_directory().c_str(), 1);
    ::setenv("SHOP_ACCOUNTS_ODBC", accounts_string().c_str(), 1);
    ::setenv("SHOP_ORDERS_ODBC", orders_string().c_str(), 1);
    ::setenv("SHOP_ACCOUNTS_BY_HAND", accounts_string().c_str(), 1);

    // NOLINTNEXTLINE(cert-env33-c): a program of this very build, without arguments.
    ASSERT_EQ(std::system(ASSENT_ODBC_EXAMPLE), 0);

    expect_in_both("by hand");
}

}  // namespace
