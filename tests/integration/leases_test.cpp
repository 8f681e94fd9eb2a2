// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// leases_test.cpp -- leases on real servers: of the manager's own pool, which is bounded, replaces
// what has died, and hands out no session that remembers an earlier lease; and of a pool of the
// application's own.

#include <libpq-fe.h>
#include <mysql.h>

#include <mutex>
#include <vector>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::release;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string text(PGconn* on, std::string const& sql)
{
    std::unique_ptr<PGresult, decltype(&PQclear)> const got{PQexec(on, sql.c_str()), &PQclear};
    if (PQresultStatus(got.get()) != PGRES_TUPLES_OK) throw std::runtime_error{PQerrorMessage(on)};
    return PQgetvalue(got.get(), 0, 0);
}

std::string text(MYSQL* on, std::string const& sql)
{
    if (mysql_query(on, sql.c_str()) != 0) throw std::runtime_error{mysql_error(on)};
    std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> const got{mysql_store_result(on),
                                                                       &mysql_free_result};
    auto const row = mysql_fetch_row(got.get());
    return row[0] == nullptr ? "null" : row[0];
}

/// What a session remembers besides its transaction.
std::string remembered(PGconn* on)
{
    return text(on,
                "select concat_ws(',', current_setting('search_path'),"
                " current_setting('default_transaction_isolation'), current_setting('timezone'),"
                " current_setting('statement_timeout'), current_setting('application_name'),"
                " (select count(*) from pg_prepared_statements),"
                " (select count(*) from pg_listening_channels()),"
                " (select count(*) from pg_class where relname = 'scratch'),"
                " (select count(*) from pg_locks where locktype = 'advisory'"
                "   and pid = pg_backend_pid()))");
}

std::string remembered(MYSQL* on)
{
    return text(
        on,
        "select concat_ws(',', database(), @@sql_mode, @@tx_isolation, @@time_zone,"
        " @@character_set_client, @@character_set_results, @@collation_connection,"
        " @@wait_timeout, @@lc_messages, ifnull(@mine, 'none'), is_used_lock('mine') is null)");
}

class Leases : public AtBank
{
protected:
    static assent::options with_log() { return test_options(bank_->new_log_directory()); }
};

TEST_F(Leases, FindNothingOfTheLeaseBeforeInPostgresql)
{
    assent::transaction_manager tm{with_log()};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto first = tm.begin();
    PGconn* const messy = first.lease(accounts);
    int const session = PQbackendPID(messy);
    auto const fresh = remembered(messy);
    execute(messy, "set search_path to pg_catalog");
    execute(messy, "set default_transaction_isolation to 'serializable'");
    execute(messy, "set timezone to 'Asia/Tokyo'");
    execute(messy, "set statement_timeout to '17s'");
    execute(messy, "set application_name to 'mine'");
    execute(messy, "prepare mine as select 1");
    execute(messy, "create temporary table scratch (x int) on commit preserve rows");
    number(messy, "select 1 from (select pg_advisory_lock(42)) as locked");
    ASSERT_NE(remembered(messy), fresh);
    PQsetnonblocking(messy, 1);
    // A branch that touched a temporary table cannot be prepared; alone it commits in one phase.
    ASSERT_EQ(first.commit(), assent::outcome::committed);

    auto second = tm.begin();
    PGconn* const clean = second.lease(accounts);

    EXPECT_EQ(PQbackendPID(clean), session) << "it is the same one";
    EXPECT_EQ(PQisnonblocking(clean), 0);
    EXPECT_EQ(remembered(clean), fresh);
}

/// libpq keeps what it was told in the connection, past any reset at the server.
TEST_F(Leases, DoNotCallTheNoticeProcessorOfTheLeaseBefore)
{
    assent::transaction_manager tm{with_log()};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto first = tm.begin();
    PGconn* const messy = first.lease(accounts);
    int const session = PQbackendPID(messy);
    int calls = 0;
    PQsetNoticeProcessor(
        messy, [](void* count, char const*) { ++*static_cast<int*>(count); }, &calls);
    execute(messy, "do $$ begin raise warning 'first'; end $$");
    ASSERT_EQ(calls, 1);
    ASSERT_EQ(first.commit(), assent::outcome::committed);

    auto second = tm.begin();
    PGconn* const clean = second.lease(accounts);
    execute(clean, "do $$ begin raise warning 'second'; end $$");

    EXPECT_EQ(PQbackendPID(clean), session) << "it is the same one";
    EXPECT_EQ(calls, 1) << "its argument may be gone by now";
}

TEST_F(Leases, FindNothingOfTheLeaseBeforeInMariadb)
{
    assent::transaction_manager tm{with_log()};
    auto const orders = tm.add(bank_->orders_manager());
    auto first = tm.begin();
    MYSQL* const messy = first.lease(orders);
    auto const session = mysql_thread_id(messy);
    auto const fresh = remembered(messy);
    for (auto const* sql :
         {"set sql_mode = 'ansi_quotes'", "set time_zone = '+09:00'",
          "set session wait_timeout = 77", "set lc_messages = 'de_DE'", "set @mine = 1",
          "set collation_connection = 'utf8mb4_bin'", "do get_lock('mine', 0)"}) {
        execute(messy, sql);
    }
    execute(messy, "use information_schema");
    ASSERT_NE(remembered(messy), fresh);
    ASSERT_EQ(first.commit(), assent::outcome::committed);

    auto second = tm.begin();
    MYSQL* const clean = second.lease(orders);

    EXPECT_EQ(mysql_thread_id(clean), session) << "it is the same one";
    EXPECT_EQ(remembered(clean), fresh);
    execute(clean, "update balance set amount = amount + 0 where id = 1");
    EXPECT_EQ(second.commit(), assent::outcome::committed);
}

/// COM_RESET_CONNECTION leaves the role as it is, on MariaDB and on MySQL.
TEST_F(Leases, DoNotHaveTheRoleOfTheLeaseBefore)
{
    std::unique_ptr<MYSQL, decltype(&mysql_close)> const root{mysql_init(nullptr), &mysql_close};
    ASSERT_NE(mysql_real_connect(root.get(), nullptr, "root", "", nullptr, 0,
                                 bank_->mariadb().socket().c_str(), 0),
              nullptr);
    execute(root.get(), "create role if not exists teller");
    execute(root.get(), "grant teller to shop@'127.0.0.1'");
    assent::transaction_manager tm{with_log()};
    auto const orders = tm.add(bank_->orders_manager());
    auto first = tm.begin();
    MYSQL* const messy = first.lease(orders);
    auto const session = mysql_thread_id(messy);
    auto const before = text(messy, "select current_role()");
    execute(messy, "set role teller");
    ASSERT_NE(text(messy, "select current_role()"), before);
    ASSERT_EQ(first.commit(), assent::outcome::committed);

    auto second = tm.begin();
    MYSQL* const clean = second.lease(orders);

    EXPECT_EQ(mysql_thread_id(clean), session) << "it is the same one";
    EXPECT_EQ(text(clean, "select current_role()"), before);
}

/// A client that quotes by another character set than its session is not given to anybody.
TEST_F(Leases, AChangedCharacterSetCostsTheSession)
{
    assent::transaction_manager tm{with_log()};
    auto const orders = tm.add(bank_->orders_manager());
    auto first = tm.begin();
    MYSQL* const messy = first.lease(orders);
    auto const session = mysql_thread_id(messy);
    ASSERT_EQ(mysql_set_character_set(messy, "gbk"), 0);
    first.commit();

    auto second = tm.begin();
    MYSQL* const clean = second.lease(orders);

    EXPECT_NE(mysql_thread_id(clean), session);
    EXPECT_STREQ(mysql_character_set_name(clean), "utf8mb4");
}

TEST_F(Leases, KeepTheirStateWhereThatIsAskedFor)
{
    assent::transaction_manager tm{with_log().reset_leases(false)};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());
    auto first = tm.begin();
    execute(first.lease(accounts), "prepare mine as select 17");
    execute(first.lease(orders), "set @mine = 17");
    first.commit();

    auto second = tm.begin();

    EXPECT_EQ(number(second.lease(accounts), "execute mine"), 17);
    EXPECT_EQ(number(second.lease(orders), "select @mine"), 17);
}

TEST_F(Leases, AreReplacedWhenTheServerEndedThemIdle)
{
    assent::transaction_manager tm{with_log()};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());
    auto first = tm.begin();
    auto const pg = PQbackendPID(first.lease(accounts));
    auto const my = mysql_thread_id(first.lease(orders));
    transfer(first.lease(accounts), first.lease(orders), "before", 1, 1);
    ASSERT_EQ(first.commit(), assent::outcome::committed);
    number(bank_->look_accounts(), "select pg_terminate_backend(" + std::to_string(pg) + ")::int");
    execute(bank_->look_orders(), "kill " + std::to_string(my));
    auto const is_gone = [&] {
        return number(bank_->look_accounts(), "select count(*) from pg_stat_activity where pid = " +
                                                  std::to_string(pg)) == 0 &&
               number(bank_->look_orders(),
                      "select count(*) from information_schema.processlist where id = " +
                          std::to_string(my)) == 0;
    };
    ASSERT_TRUE(becomes_true(is_gone, tenfold(1s)));

    auto second = tm.begin();
    transfer(second.lease(accounts), second.lease(orders), "after", 1, 1);

    EXPECT_EQ(second.commit(), assent::outcome::committed);
    EXPECT_TRUE(is_transferred("after"));
    expect_whole();
}

TEST_F(Leases, AreNeverMoreSessionsThanThePoolMayHave)
{
    constexpr int threads_max = 8;
    assent::transaction_manager tm{with_log().pooled_sessions_max(2)};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());
    std::mutex mutex;
    std::set<int> pg_sessions;
    std::set<unsigned long> my_sessions;
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_max; ++t) {
        threads.emplace_back([&, t] {
            for (int n = 0; n < 5; ++n) {
                auto tx = tm.begin();
                PGconn* const pg = tx.lease(accounts);
                MYSQL* const my = tx.lease(orders);
                {
                    std::lock_guard const held{mutex};
                    pg_sessions.insert(PQbackendPID(pg));
                    my_sessions.insert(mysql_thread_id(my));
                }
                transfer(pg, my, "of many " + std::to_string(t) + '.' + std::to_string(n), 1, t);
                tx.commit();
            }
        });
    }
    for (auto& each : threads)
        each.join();

    EXPECT_LE(pg_sessions.size(), 2u);
    EXPECT_LE(my_sessions.size(), 2u);
    for (auto const& each : tm.state().resource_managers) {
        EXPECT_EQ(each.sessions_leased, 0u) << each.name;
        EXPECT_LE(each.sessions_idle, 2u) << each.name;
    }
    expect_whole();
}

TEST_F(Leases, ABranchRefusesWhatWouldCommitItAndLivesOn)
{
    assent::transaction_manager tm{with_log()};
    auto const orders = tm.add(bank_->orders_manager());
    auto tx = tm.begin();
    expect_words_that_commit_are_refused(tx.lease(orders));

    EXPECT_EQ(tx.commit(), assent::outcome::committed);
}

// ---- the application's own pool --------------------------------------------------------------

/// A pool as applications have them, of one connection at a time.
template <class Handle>
struct own_pool
{
    using connection = std::unique_ptr<std::remove_pointer_t<Handle>, void (*)(Handle)>;

    assent::connection_source<Handle> source()
    {
        assent::connection_source<Handle> both;
        both.acquire = [this](assent::deadline) {
            ++acquired;
            if (!idle) idle.emplace(open());
            return idle->get();
        };
        both.give_back = [this](Handle handle, release what) {
            EXPECT_EQ(handle, idle->get());
            EXPECT_EQ(std::this_thread::get_id(), owner);
            given_back.push_back(what);
            if (what == release::must_close) idle.reset();
        };
        return both;
    }

    std::function<connection()> open;
    std::optional<connection> idle;
    int acquired = 0;
    std::vector<release> given_back;
    std::thread::id const owner = std::this_thread::get_id();
};

class LentLeases : public AtBank
{
protected:
    LentLeases()
    {
        pg.open = [] { return own_accounts(*bank_); };
        my.open = [] { return own_orders(*bank_); };
        accounts.emplace(tm.add(bank_->accounts_manager().leases_from(pg.source())));
        orders.emplace(tm.add(bank_->orders_manager().leases_from(my.source())));
    }
    void move(assent::transaction& tx, std::string const& id)
    {
        transfer(tx.lease(*accounts), tx.lease(*orders), id, 3, 2);
    }

    own_pool<PGconn*> pg;
    own_pool<MYSQL*> my;
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    std::optional<assent::postgresql::resource_manager> accounts;
    std::optional<assent::mysql::resource_manager> orders;
};

TEST_F(LentLeases, AreTheApplicationsConnectionsAndServeAgainAfterwards)
{
    for (auto const* id : {"lent once", "lent twice"}) {
        auto tx = tm.begin();
        move(tx, id);
        EXPECT_EQ(tx.lease(*accounts).get(), pg.idle->get());
        EXPECT_EQ(tx.commit(), assent::outcome::committed);
        EXPECT_TRUE(is_transferred(id));
    }

    EXPECT_EQ(pg.acquired, 2);
    EXPECT_EQ(my.acquired, 2);
    EXPECT_THAT(pg.given_back, ElementsAre(release::keep, release::keep));
    EXPECT_THAT(my.given_back, ElementsAre(release::keep, release::keep));
    // The application's own work, between transactions.
    EXPECT_EQ(number(pg.idle->get(), "select 17"), 17);
    EXPECT_EQ(number(my.idle->get(), "select 17"), 17);
    expect_whole();
}

TEST_F(LentLeases, ThatRollBackAreKept)
{
    auto tx = tm.begin();
    move(tx, "lent and undone");

    EXPECT_EQ(tx.rollback(), assent::outcome::rolled_back);

    EXPECT_THAT(pg.given_back, ElementsAre(release::keep));
    EXPECT_THAT(my.given_back, ElementsAre(release::keep));
    EXPECT_FALSE(is_transferred("lent and undone"));
    expect_whole();
}

TEST_F(LentLeases, ThatAreInATransactionAreRefusedAndMustBeClosed)
{
    pg.idle.emplace(own_accounts(*bank_));
    execute(pg.idle->get(), "begin");
    my.idle.emplace(own_orders(*bank_));
    execute(my.idle->get(), "start transaction");
    auto tx = tm.begin();

    auto const from_pg = thrown_by<assent::error>([&] { tx.lease(*accounts); });
    auto const from_my = thrown_by<assent::error>([&] { tx.lease(*orders); });

    EXPECT_EQ(from_pg.code(), assent::errc::unavailable);
    EXPECT_THAT(from_pg.what(), HasSubstr("in a transaction"));
    EXPECT_EQ(from_my.code(), assent::errc::unavailable);
    EXPECT_THAT(from_my.what(), HasSubstr("in a transaction"));
    EXPECT_THAT(pg.given_back, ElementsAre(release::must_close));
    EXPECT_THAT(my.given_back, ElementsAre(release::must_close));
    move(tx, "lent anew");  // the pools open others, and the transaction is as good as before
    EXPECT_EQ(tx.commit(), assent::outcome::committed);
    expect_whole();
}

TEST_F(LentLeases, WhoseSessionDiesMustBeClosed)
{
    auto tx = tm.begin();
    move(tx, "lent and lost");
    auto const session = std::to_string(mysql_thread_id(my.idle->get()));
    execute(bank_->look_orders(), "kill " + session);
    ASSERT_TRUE(becomes_true(
        [&] {
            return number(bank_->look_orders(),
                          "select count(*) from information_schema.processlist where id = " +
                              session) == 0;
        },
        tenfold(1s)));

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    EXPECT_THAT(pg.given_back, ElementsAre(release::keep));
    EXPECT_THAT(my.given_back, ElementsAre(release::must_close));
    auto again = tm.begin();
    move(again, "lent after a loss");
    EXPECT_EQ(again.commit(), assent::outcome::committed);
    expect_whole();
}

TEST_F(LentLeases, WhatAcquireThrowsIsSaid)
{
    pg.open = []() -> own_pool<PGconn*>::connection { throw std::runtime_error{"no more"}; };
    auto tx = tm.begin();

    EXPECT_THAT(thrown_by<assent::error>([&] { tx.lease(*accounts); }).what(),
                HasSubstr("\"accounts\": its connection source: no more"));
    EXPECT_THAT(pg.given_back, IsEmpty());
}

}  // namespace
