// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_transfer_test.cpp -- the main job over MySQL and the newest PostgreSQL that there is:
// commit and rollback, a server that dies with the decision made, a program that dies there.

#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;

class MysqlTransfer : public AtBank
{
protected:
    static void SetUpTestSuite()
    {
        if (!private_server::mysql_missing().empty()) return;
        bool const is_newest = private_server::newest_postgresql_missing().empty();
        keep(
            new bank{is_newest ? private_server::newest_postgresql() : private_server::postgresql(),
                     private_server::mysql()});
    }
    void SetUp() override
    {
        if (bank_ == nullptr) GTEST_SKIP() << private_server::mysql_missing();
    }

    static void wait_until_nothing_is_prepared()
    {
        EXPECT_TRUE(becomes_true([] { return has_no_branches(); }, 30s)) << "one stays in doubt";
    }

    static assent::options watched(std::string const& log, std::string const& event,
                                   std::function<void()> act)
    {
        return test_options(log).observe(std::make_shared<on_event>(event, std::move(act)));
    }
};

TEST_F(MysqlTransfer, CommitsInBothOrInNeither)
{
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());

    auto committed = tm.begin();
    transfer(committed.lease(accounts), committed.lease(orders), "commits", 7, 1);
    EXPECT_EQ(committed.commit(), assent::outcome::committed);

    auto rolled_back = tm.begin();
    transfer(rolled_back.lease(accounts), rolled_back.lease(orders), "rolls back", 7, 1);
    EXPECT_EQ(rolled_back.rollback(), assent::outcome::rolled_back);

    auto vetoed = tm.begin();
    auto const mine = vetoed.lease(orders);
    PGconn* const pg = vetoed.lease(accounts);
    transfer(pg, mine, "no vote", 7, 1);
    EXPECT_ANY_THROW(execute(pg, "select no_such_column"));
    EXPECT_THROW(vetoed.commit(), assent::rolled_back_error);

    EXPECT_TRUE(is_transferred("commits"));
    EXPECT_EQ(tm.state().forces, 1u);
    expect_whole();
}

TEST_F(MysqlTransfer, ADecisionThatAKilledServerMissedIsCarriedOutThere)
{
    assent::transaction_manager tm{
        watched(bank_->new_log_directory(), "decision.durable", [] { bank_->mariadb().kill(); })};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());

    auto tx = tm.begin();
    transfer(tx.lease(accounts), tx.lease(orders), "killed server", 7, 1);
    EXPECT_EQ(tx.commit(), assent::outcome::committed_pending);
    bank_->mariadb().start();

    wait_until_nothing_is_prepared();
    EXPECT_TRUE(is_transferred("killed server"));
    expect_whole();
    EXPECT_EQ(tm.state().heuristics, 0u);
}

TEST_F(MysqlTransfer, WhatAKilledProgramLeftIsCommittedOrRolledBackByTheNextOne)
{
    for (std::string const event : {"decision.force", "decision.durable"}) {
        SCOPED_TRACE(event);
        auto const log = bank_->new_log_directory();
        bank_->stop_looking();
        pid_t const program = ::fork();
        if (program == 0) {
            // Ends without a word at the event, as kill -9 would have it.
            assent::transaction_manager tm{watched(log, event, [] { ::_exit(0); })};
            auto const accounts = tm.add(bank_->accounts_manager());
            auto const orders = tm.add(bank_->orders_manager());
            auto tx = tm.begin();
            transfer(tx.lease(accounts), tx.lease(orders), event, 7, 1);
            tx.commit();
            ::_exit(1);
        }
        int status = -1;
        ASSERT_EQ(::waitpid(program, &status, 0), program);
        ASSERT_EQ(status, 0) << "it was not killed where it should";
        EXPECT_EQ(bank_->prepared_in_orders(), 1);
        bank_->stop_looking();

        assent::transaction_manager tm{test_options(log)};
        tm.add(bank_->accounts_manager());
        tm.add(bank_->orders_manager());

        wait_until_nothing_is_prepared();
        EXPECT_EQ(is_transferred(event), event == "decision.durable");
        expect_whole();
    }
}

TEST_F(MysqlTransfer, ALeaseFindsNothingOfTheOneBefore)
{
    auto const remembered = [](assent::mysql::handle_type on) {
        // What is to be as it was: 1 for each, so that one number tells.
        return number(
            on,
            "select (database() = 'orders') + (@@sql_mode <> 'ANSI_QUOTES') + "
            "(@@time_zone = 'SYSTEM') + (@@collation_connection <> 'utf8mb4_bin') + "
            "(@@character_set_client = 'utf8mb4') + "
            "(@@wait_timeout = @@global.wait_timeout) + (@@autocommit = 1) + (@mine is null) + "
            "(is_used_lock('mine') is null)");
    };
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const orders = tm.add(bank_->orders_manager());
    auto first = tm.begin();
    assent::mysql::handle_type const messy = first.lease(orders);
    auto const session = number(messy, "select connection_id()");
    ASSERT_EQ(remembered(messy), 9);
    for (auto const* sql : {"set sql_mode = 'ansi_quotes'", "set time_zone = '+09:00'",
                            "set session wait_timeout = 77", "set @mine = 1",
                            "set collation_connection = 'utf8mb4_bin'", "do get_lock('mine', 0)",
                            "use information_schema"}) {
        execute(messy, sql);
    }
    ASSERT_LT(remembered(messy), 4);
    ASSERT_EQ(first.commit(), assent::outcome::committed);

    auto second = tm.begin();
    assent::mysql::handle_type const clean = second.lease(orders);

    EXPECT_EQ(number(clean, "select connection_id()"), session) << "it is the same one";
    EXPECT_EQ(remembered(clean), 9);
    execute(clean, "update balance set amount = amount + 0 where id = 1");
    EXPECT_EQ(second.commit(), assent::outcome::committed);
}

TEST_F(MysqlTransfer, ABranchRefusesWhatWouldCommitItAndLivesOn)
{
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const orders = tm.add(bank_->orders_manager());
    auto tx = tm.begin();
    expect_words_that_commit_are_refused(tx.lease(orders));

    EXPECT_EQ(tx.commit(), assent::outcome::committed);
}

}  // namespace
