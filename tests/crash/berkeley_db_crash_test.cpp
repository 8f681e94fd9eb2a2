// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// berkeley_db_crash_test.cpp -- somebody else's switch: Berkeley DB's, under kill -9 at each step
// of a transaction, and of the recovery after it.
//
// Each transaction takes a bolt from Berkeley DB and gives a bill to a strict switch, so that
// whatever is lost or done twice is seen.

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <assent/testing_switch.hpp>
#include <assent/xopen.hpp>

#include "restored_switch.hpp"
#include "stock.hpp"
#include "tests/crash/processes.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using assent::testing::in_a_process;
using assent::testing::told_commits;

constexpr int transfers = 3;

/// Kills the process at a step: `event@resource manager`, or an event that has none.
class killer final : public assent::observer
{
public:
    void strike_at(std::string point, int nth)
    {
        std::lock_guard const held{mutex_};
        point_ = std::move(point);
        left_ = nth;
    }

    void on(assent::event const& what) override
    {
        std::string reached{what.name};
        if (!what.resource_manager.empty()) reached += "@" + std::string{what.resource_manager};
        std::lock_guard const held{mutex_};
        if (reached == point_ && --left_ == 0) ::kill(::getpid(), SIGKILL);
    }

private:
    std::mutex mutex_;  // guards what follows
    std::string point_;
    int left_ = 0;
};

struct place
{
    api_test::temporary_directory home, bills, log;
};

/// One process's view of it.
struct process
{
    explicit process(place const& at) : bills(options_of(at))
    {
        auto bounds = api_test::quick();
        bounds.scan_interval = 20ms;
        tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                               .log_directory(at.log.path())
                                                               .node_label("crash")
                                                               .limits(bounds)
                                                               .observe(watch)
                                                               .allow_file_system("tmpfs"));
        stocks.emplace(tm->add(
            assent::xopen::resource_manager{"stock", restored_switch(), at.home.path(),
                                            assent::xopen::options{}
                                                .identity_file(at.home.path() + "/assent_identity")
                                                .unguarded()
                                                .sessions_end_within(0ms)}));
        billing.emplace(tm->add(assent::xopen::resource_manager{
            "bills", bills.entries(), bills.info(),
            assent::xopen::options{}.identity("bills").unguarded().sessions_end_within(0ms)}));
    }

    static assent::testing::switch_options options_of(place const& at)
    {
        assent::testing::switch_options chosen;
        chosen.file = at.bills.path() + "/bills";
        return chosen;
    }

    /// Opens the table, once this thread has opened the switch.
    void open_table()
    {
        tm->begin().lease(*stocks);
        table.emplace();
    }

    assent::transaction transfer()
    {
        auto tx = tm->begin();
        tx.lease(*stocks);
        table->add("bolts", -1);
        tx.lease(*billing);
        bills.add("alice", 1);
        return tx;
    }

    bool becomes_drained() const
    {
        return api_test::becomes_true([this] {
            auto const now = tm->state().resource_managers;
            return bills.unfinished() == 0 &&
                   std::all_of(now.begin(), now.end(),
                               [](auto const& rm) { return rm.is_serving && rm.is_drained; });
        });
    }

    std::shared_ptr<killer> watch = std::make_shared<killer>();
    assent::testing::strict_switch bills;
    std::unique_ptr<assent::transaction_manager> tm;
    std::optional<assent::xopen::resource_manager> stocks, billing;
    std::optional<stock_table> table;
};

int work(place const& at, std::string const& point, int nth, told_commits const& told)
{
    process here{at};
    here.open_table();
    here.watch->strike_at(point, nth);
    for (int i = 0; i < transfers; ++i) {
        auto tx = here.transfer();
        if (i == 1) {
            tx.rollback();
        } else if (tx.commit() == assent::outcome::committed) {
            told.tell();
        }
    }
    here.table.reset();
    return 0;
}

/// Is killed when a commit was answered, and the log keeps nothing of it any more.
int work_and_forget(place const& at, bool is_alone, told_commits const& told)
{
    process here{at};
    here.open_table();
    auto tx = here.tm->begin();
    tx.lease(*here.stocks);
    here.table->add("bolts", -1);
    if (!is_alone) {
        tx.lease(*here.billing);
        here.bills.add("alice", 1);
    }
    if (tx.commit() != assent::outcome::committed) return 0;
    told.tell();
    here.watch->strike_at("recovery.horizon@stock", 2);
    for (;;)
        ::pause();
}

int count_bolts(place const& at)
{
    process here{at};
    if (!here.becomes_drained()) return 100;
    here.open_table();
    auto const taken = static_cast<int>(-here.table->count("bolts"));
    here.table.reset();
    return taken;
}

/// Recovers, and looks: no branch is left, and the two agree.
int recover(place const& at, std::string const& point, int told)
{
    process here{at};
    here.watch->strike_at(point, 1);
    if (!here.becomes_drained()) {
        for (auto const& rm : here.tm->state().resource_managers) {
            std::cerr << rm.name << ": serving " << rm.is_serving << ", drained " << rm.is_drained
                      << ": " << rm.why << "; " << rm.undrained << '\n';
        }
        return 1;
    }
    here.open_table();
    auto const given = here.bills.value("alice");
    auto const taken = -here.table->count("bolts");
    here.table.reset();
    if (!here.bills.violations().empty()) return 2;
    if (taken != given) return 3;  // one of the two was done alone
    if (given < told) return 4;    // what was told to be committed is not there
    return given <= transfers - 1 ? 0 : 5;
}

/// @return whether all points were reached.
bool try_at(std::string const& point, int nth, std::string const& in_recovery = {})
{
    SCOPED_TRACE(point + ", time " + std::to_string(nth) + "; recovery: " + in_recovery);
    place const at;
    told_commits told;
    int const ended = in_a_process([&] { return work(at, point, nth, told); });
    EXPECT_TRUE(ended == -SIGKILL || ended == 0) << ended;
    bool is_reached = ended == -SIGKILL;
    int const count = told.count();
    if (is_reached && !in_recovery.empty()) {
        int const again = in_a_process([&] { return recover(at, in_recovery, count); });
        EXPECT_TRUE(again == -SIGKILL || again == 0) << again;
        is_reached = again == -SIGKILL;
    }
    EXPECT_EQ(in_a_process([&] { return recover(at, {}, count); }), 0);
    return is_reached;
}

class killed_at : public ::testing::TestWithParam<char const*>
{
};

TEST_P(killed_at, LosesNothing)
{
    EXPECT_TRUE(try_at(GetParam(), 1)) << "the work never came to this step";
    EXPECT_TRUE(try_at(GetParam(), 2));
}

INSTANTIATE_TEST_SUITE_P(each, killed_at,
                         ::testing::Values("branch.start@stock", "branch.start.reply@stock",
                                           "branch.start@bills", "branch.prepare@stock",
                                           "branch.prepare.reply@stock",
                                           "branch.prepare.reply@bills", "decision.force",
                                           "decision.durable", "branch.commit@stock",
                                           "branch.commit.reply@stock", "branch.commit.reply@bills",
                                           "transaction.ended"));

TEST(BerkeleyDb, AKillInARollbackLosesNothing)
{
    EXPECT_TRUE(try_at("branch.rollback@stock", 1));
    EXPECT_TRUE(try_at("branch.rollback.reply@stock", 1));
}

TEST(BerkeleyDb, AKillInTheRecoveryLosesNothing)
{
    EXPECT_TRUE(try_at("branch.prepare.reply@bills", 1, "recovery.rollback@stock"));
    EXPECT_TRUE(try_at("branch.prepare.reply@bills", 1, "recovery.rollback.reply@stock"));
    EXPECT_TRUE(try_at("decision.durable", 1, "recovery.commit@stock"));
    EXPECT_TRUE(try_at("decision.durable", 1, "recovery.commit.reply@stock"));
    EXPECT_TRUE(try_at("decision.durable", 1, "recovery.scanned@stock"));
}

TEST(BerkeleyDb, WhatWasToldIsThereAfterAKill)
{
    for (bool const is_alone : {true, false}) {
        SCOPED_TRACE(is_alone ? "in one phase" : "in two");
        place const at;
        told_commits told;
        EXPECT_EQ(in_a_process([&] { return work_and_forget(at, is_alone, told); }), -SIGKILL);
        ASSERT_EQ(told.count(), 1);
        EXPECT_EQ(in_a_process([&] { return count_bolts(at); }), 1);
    }
}

TEST(BerkeleyDb, WorkThatIsNotKilledIsWhole)
{
    place const at;
    told_commits told;
    ASSERT_EQ(in_a_process([&] { return work(at, {}, 1, told); }), 0);
    int const count = told.count();
    EXPECT_EQ(count, transfers - 1);
    EXPECT_EQ(in_a_process([&] { return recover(at, {}, count); }), 0);
}

TEST(BerkeleyDb, TheExampleRuns)
{
    place const at;
    std::string const run =
        std::string{ASSENT_BERKELEY_DB_EXAMPLE} + " " + at.home.path() + " " + at.log.path();
    // NOLINTNEXTLINE(cert-env33-c): a program of this very build, with directories of ours.
    EXPECT_EQ(std::system(run.c_str()), 0);
}

}  // namespace
