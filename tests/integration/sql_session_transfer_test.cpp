// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sql_session_transfer_test.cpp -- the doors, with connections whose clients show no handle.

#include <cstdlib>

#include "tests/contract/sql_session_target.hpp"
#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::contract::meddled_text;
using assent::contract::open_connector_text;
using assent::contract::open_postgresql_text;
using assent::contract::run_text;
using ::testing::HasSubstr;

class SqlSessionTransfer : public AtManagedBank
{
protected:
    static std::unique_ptr<assent::sql_session> accounts_text()
    {
        return open_postgresql_text(bank_->accounts_conninfo());
    }
    static std::unique_ptr<assent::sql_session> orders_text()
    {
        return open_connector_text(bank_->mariadb(), "orders");
    }
    static void write(assent::sql_session& session, std::string const& id)
    {
        run_text(&session, "insert into ledger values ('" + id + "', 0)");
    }
};

TEST_F(SqlSessionTransfer, CommitsInBothDatabasesAndGivesTheSessionsBack)
{
    auto const pg = accounts_text();
    auto const my = orders_text();
    std::vector<void*> kept;
    auto const on_release = [&kept](void* session, assent::release how) {
        if (how == assent::release::keep) kept.push_back(session);
    };
    auto tx = tm.begin();
    tx.enlist(accounts, *pg, on_release);
    tx.enlist(orders, *my, on_release);
    tx.enlist(orders, *my, on_release);  // the same again is nothing new
    write(*pg, "text");
    write(*my, "text");

    EXPECT_EQ(tx.commit(), assent::outcome::committed);

    EXPECT_THAT(kept, ::testing::ElementsAre(static_cast<void*>(my.get()), pg.get()));
    EXPECT_TRUE(pg->run("select 1").is_ok);
    EXPECT_TRUE(my->run("select 1").is_ok);
    expect_in_both("text");
}

TEST_F(SqlSessionTransfer, RollsBackInBothDatabases)
{
    auto const pg = accounts_text();
    auto const my = orders_text();
    auto tx = tm.begin();
    tx.enlist(accounts, *pg);
    tx.enlist(orders, *my);
    write(*pg, "never");
    write(*my, "never");

    EXPECT_EQ(tx.rollback(), assent::outcome::rolled_back);

    EXPECT_EQ(bank_->transfers_in_accounts().count("never"), 0u);
    expect_whole();
}

TEST_F(SqlSessionTransfer, ACommitWhoseAnswerIsLostIsFinishedByTheManagersOwnConnections)
{
    meddled_text my{orders_text};
    my.after = [](std::string const& sql, assent::sql_answer& answer) {
        if (sql.rfind("XA COMMIT", 0) == 0) answer = {};
    };
    auto const pg = accounts_text();
    assent::release how{};
    auto tx = tm.begin();
    tx.enlist(accounts, *pg);
    tx.enlist(orders, my, [&how](void*, assent::release what) { how = what; });
    write(*pg, "lost answer");
    write(my, "lost answer");

    auto const outcome = tx.commit();

    EXPECT_TRUE(outcome == assent::outcome::committed ||
                outcome == assent::outcome::committed_pending);
    EXPECT_EQ(how, assent::release::must_close);
    EXPECT_TRUE(becomes_true([&] { return tm.state().live_transactions == 0; }, tenfold(3s)));
    expect_in_both("lost answer");
}

TEST_F(SqlSessionTransfer, ASilentDatabaseCostsTheDeadlineAndNoMore)
{
    auto const my = orders_text();
    assent::release how{};
    auto tx = tm.begin(assent::begin_options{}.timeout(2s));
    tx.enlist(orders, *my, [&how](void*, assent::release what) { how = what; });
    write(*my, "silent");
    execute(tx.lease(accounts), "insert into ledger values ('silent', 0)");
    bank_->mariadb().freeze();
    auto const before = steady_clock::now();

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_LT(steady_clock::now() - before, tenfold(2s));
    // Retryable where the client could still say in time that PREPARE had never left.
    EXPECT_THAT(e.what(), HasSubstr("\"orders\" voted no"));
    EXPECT_EQ(how, assent::release::must_close);
    bank_->mariadb().thaw();
    EXPECT_TRUE(becomes_true([&] { return tm.state().live_transactions == 0; }, tenfold(3s)));
    EXPECT_EQ(bank_->transfers_in_orders().count("silent"), 0u);
    expect_whole();
}

TEST_F(SqlSessionTransfer, ACommitRowDoesNotTravelOnIt)
{
    auto const my = orders_text();
    auto tx = tm.begin(assent::begin_options{}.commit_row(orders));

    auto const e = thrown_by<assent::error>([&] { tx.enlist(orders, *my); });

    EXPECT_EQ(e.code(), assent::errc::invalid_state);
    EXPECT_THAT(e.what(), HasSubstr("not by a sql_session"));
    EXPECT_TRUE(my->run("select 1").is_ok);
}

TEST_F(SqlSessionTransfer, AConnectionOfAnotherDatabaseIsRefusedAndStaysUsable)
{
    auto const pg = open_postgresql_text(bank_->postgresql().conninfo("orders"));
    auto tx = tm.begin();

    auto const e = thrown_by<assent::error>([&] { tx.enlist(accounts, *pg); });

    EXPECT_EQ(e.code(), assent::errc::bad_argument);
    EXPECT_TRUE(pg->run("select 1").is_ok);
}

#ifdef ASSENT_CONNECTOR_EXAMPLE
TEST_F(SqlSessionTransfer, TheExampleOfThePageRuns)
{
    ::setenv("SHOP_LOG", bank_->new_log_directory().c_str(), 1);
    ::setenv("SHOP_ACCOUNTS", bank_->accounts_conninfo().c_str(), 1);
    ::setenv("SHOP_ORDERS", bank_->orders_connect_string().c_str(), 1);
    ::setenv("SHOP_ORDERS_PORT", std::to_string(bank_->mariadb().port()).c_str(), 1);
    ::setenv("SHOP_ORDERS_PASSWORD", bank_->mariadb().password().c_str(), 1);

    // NOLINTNEXTLINE(cert-env33-c): a program of this very build, without arguments.
    ASSERT_EQ(std::system(ASSENT_CONNECTOR_EXAMPLE), 0);

    expect_in_both("connector");
    expect_in_both("connector joined");
}
#endif

}  // namespace
