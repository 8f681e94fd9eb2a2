// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// switch_crash_test.cpp -- kill -9 before and after each call of two X/Open switches, and again in
// the recovery after it.
//
//   a process works, and is killed  -->  a process recovers, and may be killed  -->  one recovers
//
// The switches keep what is prepared in their files, as resource managers do.  Each transaction
// takes from one and gives to the other, so that whatever is lost or done twice is seen.

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <assent/testing_switch.hpp>
#include <assent/xopen.hpp>

#include "tests/crash/processes.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using assent::testing::in_a_process;
using assent::testing::strict_switch;
using assent::testing::switch_call;
using assent::testing::told_commits;

constexpr int transfers = 3;

/// Where a process kills itself.
struct kill_point
{
    bool is_of_bills = false;
    switch_call what = switch_call::start;
    int nth = 1;
    bool is_before = true;

    std::string text() const
    {
        return std::string{is_of_bills ? "bills" : "stock"} + ", call " +
               std::to_string(static_cast<int>(what)) + ", time " + std::to_string(nth) +
               (is_before ? ", before" : ", after");
    }
};

/// What the next process finds.
struct place
{
    api_test::temporary_directory home, log;
};

/// One process's view of it.
struct process
{
    explicit process(place const& at)
        : stock(options_of(at, "stock")), bills(options_of(at, "bills")), log(at.log.path())
    {
    }

    static assent::testing::switch_options options_of(place const& at, std::string const& name)
    {
        assent::testing::switch_options chosen;
        chosen.file = at.home.path() + "/" + name;
        return chosen;
    }

    void be_killed_at(kill_point const& where)
    {
        auto fault = (where.is_of_bills ? bills : stock).on(where.what);
        fault.nth(where.nth);
        auto const die = [] { ::kill(::getpid(), SIGKILL); };
        if (where.is_before) {
            fault.before(die);
        } else {
            fault.after(die);
        }
    }

    void open()
    {
        auto bounds = api_test::quick();
        bounds.scan_interval = 20ms;
        tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                               .log_directory(log)
                                                               .node_label("crash")
                                                               .limits(bounds)
                                                               .allow_file_system("tmpfs"));
        auto const declared = [](char const* name) {
            return assent::xopen::options{}.identity(name).unguarded().sessions_end_within(0ms);
        };
        stocks.emplace(tm->add(assent::xopen::resource_manager{"stock", stock.entries(),
                                                               stock.info(), declared("stock")}));
        billing.emplace(tm->add(assent::xopen::resource_manager{"bills", bills.entries(),
                                                                bills.info(), declared("bills")}));
    }

    assent::transaction transfer()
    {
        auto tx = tm->begin();
        tx.lease(*stocks);
        stock.add("bolts", -1);
        tx.lease(*billing);
        bills.add("alice", 1);
        return tx;
    }

    bool becomes_drained() const
    {
        return api_test::becomes_true([this] {
            auto const now = tm->state().resource_managers;
            return stock.unfinished() == 0 && bills.unfinished() == 0 &&
                   std::all_of(now.begin(), now.end(),
                               [](auto const& rm) { return rm.is_serving && rm.is_drained; });
        });
    }

    strict_switch stock, bills;
    std::string const log;
    std::optional<assent::xopen::resource_manager> stocks, billing;
    std::unique_ptr<assent::transaction_manager> tm;
};

int work(place const& at, std::optional<kill_point> const& where, told_commits const& told)
{
    process here{at};
    if (where) here.be_killed_at(*where);
    here.open();
    for (int i = 0; i < transfers; ++i) {
        auto tx = here.transfer();
        if (i == 1) {
            tx.rollback();
            continue;
        }
        if (tx.commit() == assent::outcome::committed) told.tell();
    }
    return 0;
}

int recover(place const& at, std::optional<kill_point> const& where)
{
    process here{at};
    if (where) here.be_killed_at(*where);
    here.open();
    if (!here.becomes_drained()) return 1;
    here.tm.reset();
    if (!here.stock.violations().empty() || !here.bills.violations().empty()) return 2;
    return 0;
}

void expect_whole(place const& at, int told)
{
    process const seen{at};
    auto const given = seen.bills.value("alice");
    EXPECT_EQ(seen.stock.value("bolts"), -given) << "one of the two was done alone";
    EXPECT_GE(given, told) << "what was told to be committed is not there";
    EXPECT_LE(given, transfers - 1);
}

/// @return whether the point was reached at all.
bool try_at(kill_point const& where, std::optional<kill_point> const& in_recovery)
{
    SCOPED_TRACE(where.text() + (in_recovery ? "; recovery: " + in_recovery->text() : ""));
    place const at;
    told_commits told;
    int const ended = in_a_process([&] { return work(at, where, told); });
    EXPECT_TRUE(ended == -SIGKILL || ended == 0) << ended;
    bool is_reached = ended == -SIGKILL;
    if (is_reached && in_recovery) {
        int const again = in_a_process([&] { return recover(at, in_recovery); });
        EXPECT_TRUE(again == -SIGKILL || again == 0) << again;
        is_reached = again == -SIGKILL;
    }
    EXPECT_EQ(in_a_process([&] { return recover(at, std::nullopt); }), 0);
    expect_whole(at, told.count());
    return is_reached;
}

constexpr switch_call verbs[] = {switch_call::open,    switch_call::start,  switch_call::end,
                                 switch_call::prepare, switch_call::commit, switch_call::rollback,
                                 switch_call::recover};

TEST(SwitchCrash, AKillAtEachCallLosesNothing)
{
    int reached = 0;
    for (bool const is_of_bills : {false, true}) {
        for (switch_call const what : verbs) {
            for (int nth = 1; nth <= transfers; ++nth) {
                for (bool const is_before : {true, false})
                    reached += try_at({is_of_bills, what, nth, is_before}, std::nullopt) ? 1 : 0;
            }
        }
    }
    // start 3, end 3, prepare 2, commit 2, rollback 1, open and recover at least 1 each.
    EXPECT_GE(reached, 2 * 2 * (3 + 3 + 2 + 2 + 1 + 1 + 1));
}

TEST(SwitchCrash, AKillInTheRecoveryLosesNothing)
{
    int reached = 0;
    for (bool const is_of_bills : {false, true}) {
        for (bool const is_before : {true, false}) {
            // Prepared in both and undecided; decided, and committed in none or one.
            kill_point const undecided{true, switch_call::prepare, 1, false};
            kill_point const decided{is_of_bills, switch_call::commit, 1, true};
            reached +=
                try_at(undecided, kill_point{is_of_bills, switch_call::rollback, 1, is_before}) ? 1
                                                                                                : 0;
            reached += try_at(decided, kill_point{true, switch_call::commit, 1, is_before}) ? 1 : 0;
        }
    }
    EXPECT_EQ(reached, 8);
}

TEST(SwitchCrash, WorkThatIsNotKilledIsWhole)
{
    place const at;
    told_commits told;
    ASSERT_EQ(in_a_process([&] { return work(at, std::nullopt, told); }), 0);
    EXPECT_EQ(told.count(), transfers - 1);
    expect_whole(at, transfers - 1);
}

}  // namespace
