// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_switch_crash_test.cpp -- the full circle: our manager drives the switches that we
// export, of a real PostgreSQL and a real MariaDB, and is killed at each step, and in the recovery
// after it.
//
//   transaction_manager --> assent::xopen --> assent_*_switch --> the adapters' sessions

#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assent/mysql_switch.h>
#include <assent/postgresql_switch.h>
#include <assent/xopen.hpp>

#include "tests/crash/point_watch.hpp"
#include "tests/crash/processes.hpp"
#include "tests/integration/bank.hpp"

namespace {

using namespace std::chrono_literals;
using namespace assent::testing;

/// Where a process kills itself.
struct point
{
    std::string name;
    int occurrence = 1;
};

/// What a run must pass through, of each of the two; a name that no longer occurs fails the test.
std::vector<std::string> const points_of_a_run{
    "branch.start",         "branch.start.reply",   "branch.prepare",       "branch.prepare.sent",
    "branch.prepare.reply", "branch.commit",        "branch.commit.sent",   "branch.commit.reply",
    "branch.rollback",      "branch.rollback.sent", "branch.rollback.reply"};
std::vector<std::string> const points_of_both{"decision.force", "decision.durable",
                                              "transaction.ended"};

constexpr int transfers = 2;  // and one that is rolled back

/// One process's view.
struct process
{
    process(bank const& money, std::string const& log, std::optional<point> const& strike)
        : watch(std::make_shared<point_watch>()),
          tm(test_options(log).observe(watch)),
          accounts(
              tm.add(by_switch("accounts", assent_postgresql_switch, money.accounts_conninfo()))),
          orders(tm.add(by_switch("orders", assent_mysql_switch, money.orders_connect_string())))
    {
        if (strike) watch->strike_at(strike->name, strike->occurrence, kill_self);
    }

    static assent::xopen::resource_manager by_switch(char const* name, xa_switch_t const& entries,
                                                     std::string const& info)
    {
        // A server may yet carry out what a process asked for that was killed.
        return {name, entries, info,
                assent::xopen::options{}.identity(name).unguarded().sessions_end_within(500ms)};
    }

    void transfer(assent::transaction& tx, std::string const& id, std::int64_t amount)
    {
        tx.lease(accounts);
        tx.lease(orders);
        assent::testing::transfer(
            assent_postgresql_switch_handle(accounts.rmid()),
            static_cast<assent::mysql::handle_type>(assent_mysql_switch_handle(orders.rmid())), id,
            amount, 1);
    }

    bool becomes_drained()
    {
        auto const until = std::chrono::steady_clock::now() + 60s;
        return watch->wait_for("resource_manager.drained@accounts", 1, until) &&
               watch->wait_for("resource_manager.drained@orders", 1, until);
    }

    std::shared_ptr<point_watch> const watch;
    assent::transaction_manager tm;
    assent::xopen::resource_manager const accounts, orders;
};

class ExportedSwitchCrash : public ::testing::Test
{
protected:
    static void SetUpTestSuite() { money_ = new bank; }
    static void TearDownTestSuite()
    {
        delete money_;
        money_ = nullptr;
    }
    void SetUp() override
    {
        if (auto const why = bank::why_missing(); !why.empty()) GTEST_SKIP() << why;
        prefix_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    }

    /// Two transfers, and one that is given up.
    int work(std::string const& log, std::optional<point> const& strike, told_commits const& told,
             point_watch* counted = nullptr)
    {
        process here{*money_, log, strike};
        for (int i = 0; i <= transfers; ++i) {
            auto tx = here.tm.begin();
            here.transfer(tx, id(i), i + 1);
            if (i == 1) {
                tx.rollback();
            } else if (tx.commit() == assent::outcome::committed) {
                told.tell();
            }
        }
        if (counted == nullptr) return 0;
        for (auto const& name : points_of_a_run) {
            if (here.watch->count(name + "@accounts") == 0) return 1;
            if (here.watch->count(name + "@orders") == 0) return 2;
        }
        for (auto const& name : points_of_both) {
            if (here.watch->count(name) == 0) return 3;
        }
        return 0;
    }

    int recover(std::string const& log, std::optional<point> const& strike)
    {
        process here{*money_, log, strike};
        return here.becomes_drained() ? 0 : 1;
    }

    /// @return whether both strikes were reached.
    bool try_at(point const& strike, std::optional<point> const& in_recovery)
    {
        SCOPED_TRACE(strike.name + " " + std::to_string(strike.occurrence) +
                     (in_recovery ? ", then " + in_recovery->name : ""));
        ++round_;
        auto const log = money_->new_log_directory();
        money_->stop_looking();  // no child may have what looks
        told_commits told;
        int const ended = in_a_process([&] { return work(log, strike, told); });
        EXPECT_TRUE(ended == -SIGKILL || ended == 0) << ended;
        bool is_reached = ended == -SIGKILL;
        if (is_reached && in_recovery) {
            int const again = in_a_process([&] { return recover(log, in_recovery); });
            EXPECT_TRUE(again == -SIGKILL || again == 0) << again;
            is_reached = again == -SIGKILL;
        }
        EXPECT_EQ(in_a_process([&] { return recover(log, std::nullopt); }), 0);
        expect_whole(told.count());
        return is_reached;
    }

    void expect_whole(int told)
    {
        EXPECT_EQ(money_->prepared_in_accounts(), 0);
        EXPECT_EQ(money_->prepared_in_orders(), 0);
        EXPECT_EQ(money_->money(), 2 * bank::accounts * bank::first_balance);
        auto const in_accounts = money_->transfers_in_accounts();
        EXPECT_EQ(in_accounts, money_->transfers_in_orders());
        EXPECT_EQ(in_accounts.count(id(1)), 0U) << "it was rolled back";
        int const done = static_cast<int>(in_accounts.count(id(0)) + in_accounts.count(id(2)));
        EXPECT_GE(done, told) << "what was told to be committed is not there";
    }

    std::string id(int number) const
    {
        return prefix_ + "-" + std::to_string(round_) + "-" + std::to_string(number);
    }

    static bank* money_;
    std::string prefix_;
    int round_ = 0;
};

bank* ExportedSwitchCrash::money_ = nullptr;

TEST_F(ExportedSwitchCrash, WorkThatIsNotKilledIsWhole)
{
    auto const log = money_->new_log_directory();
    money_->stop_looking();
    told_commits told;
    point_watch counted;

    EXPECT_EQ(in_a_process([&] { return work(log, std::nullopt, told, &counted); }), 0);

    EXPECT_EQ(told.count(), transfers);
    expect_whole(transfers);
}

TEST_F(ExportedSwitchCrash, AKillAtEachStepLosesNothing)
{
    int reached = 0;
    int tried = 0;
    for (auto const& name : points_of_a_run) {
        for (char const* of : {"@accounts", "@orders"}) {
            ++tried;
            reached += try_at({name + of, 1}, std::nullopt) ? 1 : 0;
            if (HasFailure()) return;
        }
    }
    for (auto const& name : points_of_both) {
        ++tried;
        reached += try_at({name, 1}, std::nullopt) ? 1 : 0;
        if (HasFailure()) return;
    }
    EXPECT_EQ(reached, tried);
    std::cout << reached << " crashes\n";
}

TEST_F(ExportedSwitchCrash, AKillInTheRecoveryLosesNothing)
{
    point const undecided{"decision.force", 1};
    point const decided{"decision.durable", 1};
    point const half_committed{"branch.commit.reply", 1};
    int reached = 0;
    for (char const* of : {"@accounts", "@orders"}) {
        for (char const* how : {"", ".sent", ".reply"}) {
            auto const commit = std::string{"recovery.commit"} + how + of;
            auto const rollback = std::string{"recovery.rollback"} + how + of;
            reached += try_at(undecided, point{rollback, 1}) ? 1 : 0;
            reached += try_at(decided, point{commit, 1}) ? 1 : 0;
            if (HasFailure()) return;
        }
    }
    EXPECT_EQ(reached, 12);
    try_at(half_committed, point{"recovery.commit.sent@orders", 1});
    std::cout << reached << " pairs\n";
}

}  // namespace
