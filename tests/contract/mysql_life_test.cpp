// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_life_test.cpp -- which of the servers that have one identity answers, and in which of its
// lives.

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include <assent/assent.hpp>

#include "tests/contract/mysql_case.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace assent::contract {

namespace {

class mysql_life : public mysql_case
{
};

TEST_P(mysql_life, SessionScanAndPreflightTellTheSame)
{
    auto const seen = facts();
    EXPECT_FALSE(seen.instance.empty());
    EXPECT_FALSE(seen.server_start.empty());

    EXPECT_EQ(open()->life(), seen.life());
    EXPECT_EQ(open(session_purpose::guardian)->life(), seen.life());
    EXPECT_EQ(driver().scan(*open(session_purpose::manage), in_ms(10'000)).life, seen.life());
    // A lent session is asked for variables only, and none tells the start.
    auto lent = mysql_client::account(server(), "accounts");
    EXPECT_EQ(borrow(lent)->life(), (server_life{seen.instance, {}}));
}

TEST_P(mysql_life, TwoDatabasesOfOneServerAreNotHeldByEachOthersSessions)
{
    using namespace std::chrono_literals;
    testing::temporary_directory const in;
    auto const how =
        options{}.log_directory(in.path() + "/log").node_label("life").presumed_abort_delay(0ms);
    auto const are_all_drained = [](transaction_manager& manager) {
        auto const all = manager.state().resource_managers;
        return all.size() == 2 &&
               std::all_of(all.begin(), all.end(), [](auto const& one) { return one.is_drained; });
    };

    // Behind the first opening a session of before may still prepare a branch of that time.
    for (int opening = 1; opening <= 2; ++opening) {
        mysql::resource_manager accounts{"accounts", where("accounts")};
        mysql::resource_manager orders{"orders", where("orders")};
        transaction_manager manager{how};
        manager.add(accounts);
        manager.add(orders);

        auto const until = std::chrono::steady_clock::now() + 20s;
        while (!are_all_drained(manager) && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(20ms);

        EXPECT_TRUE(are_all_drained(manager)) << "at opening " << opening;
    }
}

/// A COMMIT that is just arriving where an idle session is ended: whichever is first, the branch is
/// committed, or is prepared still and can be committed elsewhere.
TEST_P(mysql_life, EndingAnIdleSessionUndoesNoCommitThatArrives)
{
    constexpr int races = 48;
    std::vector<session_ptr> sessions;
    std::vector<xid> branches;
    auto const manage = open(session_purpose::manage);
    for (int i = 0; i < races; ++i) {
        sessions.push_back(open());
        branches.push_back(prepare(*sessions.back(), i));
    }
    EXPECT_FALSE(driver().end_idle_session(*manage, sessions.back()->id(), in_ms(10'000)))
        << "it was at work a moment ago";
    std::this_thread::sleep_for(std::chrono::milliseconds{3200});

    int ended = 0;
    for (int i = 0; i < races; ++i) {
        auto& session = *sessions[static_cast<std::size_t>(i)];
        auto const& branch = branches[static_cast<std::size_t>(i)];
        std::thread committing{[&] {
            std::this_thread::sleep_for(std::chrono::microseconds{25 * i});
            session.submit(verb::commit, branch);
            static_cast<void>(session.collect(in_ms(10'000)));
        }};
        ended += driver().end_idle_session(*manage, session.id(), in_ms(10'000));
        committing.join();
        finish_elsewhere(verb::commit, branch);
        EXPECT_EQ(rows(i), 1) << "race " << i;
    }
    EXPECT_GT(ended, 0);
}

TEST_P(mysql_life, ASessionBeforeAnotherIsOlderThanIt)
{
    auto const first = open(session_purpose::manage);
    auto const second = open(session_purpose::manage);
    auto const third = open(session_purpose::manage);
    auto const until = in_ms(10'000);

    EXPECT_EQ(driver().sessions_before(*third, first->id(), until), session_presence::gone);
    EXPECT_EQ(driver().sessions_before(*third, second->id(), until), session_presence::present);
    EXPECT_EQ(driver().sessions_before(*second, third->id(), until), session_presence::present)
        << "the asking session's own bound holds too";
    EXPECT_EQ(driver().sessions_before(*first, third->id(), until), session_presence::gone);
}

TEST_P(mysql_life, ARestartIsAnotherLifeOfTheSameInstance)
{
    auto const other = another_server();
    auto const driver = driver_of(where_at(*other));
    auto const before = driver->connect(session_purpose::manage, in_ms(10'000))->life();
    other->stop();
    // Starts are told in seconds.
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    other->start();

    auto const after = driver->connect(session_purpose::manage, in_ms(10'000))->life();

    EXPECT_EQ(after.instance, before.instance);
    EXPECT_NE(after.start, before.start);
}

TEST_P(mysql_life, WhoMayNotKeepThePastIsNotKeptFromWork)
{
    auto const manage = open(session_purpose::manage);
    ASSERT_TRUE(driver().keep_past(*manage, 9, {4, 0}, in_ms(10'000)));
    auto& admin = administrator();
    admin.query("drop user if exists looker@'127.0.0.1'");
    admin.query("create user looker@'127.0.0.1' identified by 'a look'");
    admin.query("grant select on accounts.t to looker@'127.0.0.1'");
    auto options = where();
    options.user = "looker";
    options.password = "a look";
    auto const looking = driver_of(options);

    auto const look = looking->connect(session_purpose::manage, in_ms(10'000));
    EXPECT_FALSE(looking->read_past(*look, 9, in_ms(10'000)));
    EXPECT_FALSE(looking->keep_past(*look, 9, {5, 0}, in_ms(10'000)));
    admin.query("grant select on accounts.assent_past to looker@'127.0.0.1'");
    EXPECT_EQ(looking->read_past(*look, 9, in_ms(10'000))->count, 4U);
    EXPECT_FALSE(looking->keep_past(*look, 9, {5, 0}, in_ms(10'000)));
    EXPECT_EQ(looking->read_past(*look, 9, in_ms(10'000))->count, 4U);
    admin.query("drop user looker@'127.0.0.1'");
}

TEST_P(mysql_life, AWritableReplicaHasThePrimarysIdentityAndIsTheOtherInstance)
{
    ASSENT_ONLY_ON(mariadb, "its identity stands in a table, which replicates");
    auto const primary = another_server({"server-id=1", "log-bin=binlog"});
    auto const replica = another_server({"server-id=2"});
    auto source = mysql_client::administrator(*primary);
    source.query("grant replication slave on *.* to shop@'127.0.0.1'");
    ASSERT_EQ(mysql_query(source.get(), "show master status"), 0);
    MYSQL_RES* const shown = mysql_store_result(source.get());
    MYSQL_ROW const row = mysql_fetch_row(shown);
    ASSERT_NE(row, nullptr);
    std::string const file = row[0];
    std::string const position = row[1];
    mysql_free_result(shown);
    auto follower = mysql_client::administrator(*replica);
    follower.query("change master to master_host = '127.0.0.1', master_port = " +
                   std::to_string(primary->port()) + ", master_user = 'shop', master_password = '" +
                   primary->password() + "', master_log_file = '" + file +
                   "', master_log_pos = " + position);
    follower.query("start slave");
    auto const first = driver_of(where_at(*primary));
    auto const facts =
        first->preflight(*first->connect(session_purpose::manage, in_ms(10'000)), in_ms(10'000));
    wait_for(*replica,
             "select count(*) from information_schema.tables where table_name = "
             "'assent_identity' and table_rows > 0",
             "1");

    auto lent = mysql_client::account(*replica, "accounts");
    EXPECT_THROW(first->borrow(lent.get(), facts, in_ms(10'000)), driver_error);

    auto const second = driver_of(where_at(*replica));
    auto const scanned =
        second->scan(*second->connect(session_purpose::manage, in_ms(10'000)), in_ms(10'000));
    EXPECT_EQ(scanned.identity, facts.identity);
    EXPECT_NE(scanned.life.instance, facts.instance);
}

ASSENT_ON_EACH_SERVER(mysql_life);

}  // namespace

}  // namespace assent::contract
