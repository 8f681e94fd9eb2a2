// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_locks_test.cpp -- locks on the manager's own tables: a backup's, an ALTER's, somebody's
// transaction that is not over.  The server gives up before the manager does, so that the session
// stays of use; and what can wait keeps nobody from work.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <assent/assent.hpp>

#include "tests/contract/mysql_case.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace assent::contract {

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t node = 9;

// limits::server_call, less what a slow network takes.
deadline call_end()
{
    return std::chrono::steady_clock::now() + limits{}.server_call - 300ms;
}

class mysql_locks : public mysql_case
{
protected:
    /// What holds a lock, until it is destroyed.
    std::unique_ptr<mysql_client> locked(std::vector<std::string> const& statements)
    {
        auto holder = std::make_unique<mysql_client>(mysql_client::administrator(server()));
        holder->query("use accounts");
        for (auto const& each : statements)
            holder->query(each);
        return holder;
    }
    decision_table& table() { return *driver().decisions(); }

    static gtrid next_name()
    {
        static std::uint64_t sequence = 0;
        gtrid::fields parts;
        parts.place = decision_place::commit_row;
        parts.node = node;
        parts.epoch = 1;
        parts.nonce = 1;
        parts.sequence = ++sequence;
        return gtrid::make(parts);
    }
};

std::string error_of(std::function<void()> const& work)
{
    try {
        work();
    } catch (driver_error const& error) {
        return error.what();
    }
    return {};
}

TEST_P(mysql_locks, ThePastIsNotKeptAndTheSessionIsOfUse)
{
    auto const manage = open(session_purpose::manage);
    ASSERT_TRUE(driver().keep_past(*manage, node, {4, 0}, in_ms(10'000)));
    {
        auto const holder = locked({"lock tables assent_past read"});
        EXPECT_FALSE(driver().keep_past(*manage, node, {5, 0}, call_end()));
        EXPECT_EQ(driver().read_past(*manage, node, call_end())->count, 4u);
        EXPECT_TRUE(manage->is_reusable());
    }

    auto const holder = locked({"lock tables assent_past write"});
    EXPECT_THAT(error_of([&] { driver().read_past(*manage, node, call_end()); }),
                HasSubstr("ock wait timeout"));
    EXPECT_TRUE(manage->is_reusable());
}

TEST_P(mysql_locks, OfCommitRowsEndBeforeTheDeadline)
{
    auto const manage = open(session_purpose::manage);
    administrator().query("drop table if exists accounts.assent_decision");
    {
        auto const holder = locked({"flush tables with read lock"});
        auto const said = error_of([&] { table().ensure(*manage, call_end()); });
        EXPECT_THAT(said, HasSubstr("ock wait timeout"));
        EXPECT_THAT(said, Not(HasSubstr("administrator"))) << "which would not help";
        EXPECT_TRUE(manage->is_reusable());
    }
    table().ensure(*manage, in_ms(10'000));
    auto const horizon = next_name();
    decision_row const row{horizon, row_kind::horizon, "0001"};
    table().prune(*manage, row, {}, in_ms(10'000));
    std::vector<std::vector<std::string>> const locks = {
        {"lock tables assent_decision read"},
        {"begin", "select * from assent_decision for update"},
    };
    for (auto const& each : locks) {
        auto const holder = locked(each);

        EXPECT_THAT(error_of([&] { table().prune(*manage, row, {next_name()}, call_end()); }),
                    HasSubstr("ock wait timeout"))
            << each.back();
        EXPECT_FALSE(table().fence(*manage, next_name(), in_ms(2'000)));
        EXPECT_TRUE(manage->is_reusable());
    }
    EXPECT_EQ(table().list(*manage, horizon.text(), 1, in_ms(10'000)).size(), 1u);
}

TEST_P(mysql_locks, WhatAPruningFailedByIsNotReplacedByItsRollback)
{
    auto const manage = open(session_purpose::manage);
    table().ensure(*manage, in_ms(10'000));
    decision_row const row{next_name(), row_kind::horizon, "0001"};
    table().prune(*manage, row, {}, in_ms(10'000));
    auto const holder = locked({"begin", "select * from assent_decision for update"});

    EXPECT_THAT(error_of([&] { table().prune(*manage, row, {}, in_ms(300)); }),
                HasSubstr("did not answer within the deadline"));
    EXPECT_FALSE(manage->is_reusable());
}

TEST_P(mysql_locks, OnThePastKeepNobodyFromWork)
{
    testing::temporary_directory const log;
    limits bounds;
    bounds.server_call = 1s;  // ends before any wait of the server's
    bounds.scan_interval = 300ms;
    bounds.presumed_abort_delay = 0ms;
    transaction_manager manager{
        options{}.log_directory(log.path()).node_label("locks").limits(bounds)};
    auto const accounts = manager.add(mysql::resource_manager{"accounts", where()});
    int key = 0;
    auto const work = [&] {
        auto tx = manager.begin();
        MYSQL* const handle = tx.lease(accounts);
        EXPECT_EQ(mysql_query(handle, insert(++key).c_str()), 0);
        EXPECT_EQ(tx.commit(), outcome::committed);
    };
    work();
    auto const count = [&] {
        return std::stoul(administrator().query("select sum(kept) from accounts.assent_past"));
    };
    auto const before = count();
    {
        auto const holder = locked({"lock tables assent_past read"});
        auto const until = std::chrono::steady_clock::now() + 4s;
        while (std::chrono::steady_clock::now() < until) {
            ASSERT_NO_THROW(work());
            std::this_thread::sleep_for(20ms);
        }
        EXPECT_EQ(count(), before);
    }
    bool is_raised = false;
    for (auto const until = std::chrono::steady_clock::now() + 10s;
         !is_raised && std::chrono::steady_clock::now() < until;) {
        work();
        std::this_thread::sleep_for(50ms);
        is_raised = count() > before;
    }
    EXPECT_TRUE(is_raised);
}

ASSENT_ON_EACH_SERVER(mysql_locks);

}  // namespace

}  // namespace assent::contract
