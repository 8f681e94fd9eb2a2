// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tcc_crash_test.cpp -- kill -9 of the process, and of each database, at every step of transfers by
// reservation: after recovery each is whole, nothing is held, and what was answered is true.
//
// ASSENT_CRASH_ALL=1 kills the recovery after it, too, at each of its steps.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "tests/crash/reserving.hpp"
#include "tests/crash/scene.hpp"

namespace {

using namespace assent::testing;

std::vector<std::string> const points_of_a_run{
    "attempt.begin",         "attempt.end",         "confirm.begin",    "confirm.end",
    "arrival.begin",         "arrival.end",         "cancel.begin",     "cancel.end",
    "branch.start",          "branch.start.reply",  "branch.prepare",   "branch.prepare.sent",
    "branch.prepare.reply",  "decision.force",      "decision.durable", "branch.commit",
    "branch.commit.sent",    "branch.commit.reply", "branch.rollback",  "branch.rollback.sent",
    "branch.rollback.reply", "transaction.ended"};

class TccCrash : public ::testing::Test
{
protected:
    TccCrash() { make_held(here.money().look_accounts()); }

    plan new_plan()
    {
        return here.new_plan("work", handles::leased).set("program", ASSENT_TCC_VICTIM);
    }

    /// Opens the plan's log until nothing is left of it.
    void recover(plan const& what)
    {
        here.money().stop_looking();
        auto const watch = std::make_shared<point_watch>();
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        auto const in = add_reserving(tm, what, watch);
        auto const until = in_seconds(60);
        for (char const* name : {"accounts", "orders", "leaving", "arriving"}) {
            if (watch->wait_for(std::string{"resource_manager.drained@"} + name, 1, until))
                continue;
            ADD_FAILURE() << name << " was not drained";
            for (auto const& each : tm.state().resource_managers) {
                ADD_FAILURE() << each.name << ": " << each.why << each.undrained << ", due "
                              << each.branches_due;
            }
        }
        EXPECT_EQ(tm.state().quarantined, std::vector<std::string>{});
        EXPECT_EQ(tm.state().heuristics, 0u);
    }

    void expect_whole(plan const& what)
    {
        auto& money = here.money();
        EXPECT_EQ(number(money.look_accounts(), "select count(*) from held"), 0);
        EXPECT_EQ(number(money.look_accounts(), "select count(*) from assent_branch"), 0);
        EXPECT_EQ(number(money.look_orders(), "select count(*) from assent_branch"), 0);
        here.expect_whole(what);
    }

    scene here;
};

TEST_F(TccCrash, EveryTransferIsWholeWhereverTheProcessDies)
{
    plan const undisturbed = new_plan();
    ASSERT_EQ(here.run(undisturbed), fate::ended);
    expect_whole(undisturbed);
    auto const reached = scene::points_of(undisturbed);
    for (auto const& name : points_of_a_run) {
        auto const at = reached.find(name);
        ASSERT_NE(at, reached.end()) << name;
        for (int occurrence = 1; occurrence <= at->second; ++occurrence) {
            SCOPED_TRACE(name + " " + std::to_string(occurrence));
            plan what = new_plan();
            what.set("strike", name).set("occurrence", occurrence);
            ASSERT_EQ(here.run(what), fate::killed);
            recover(what);
            expect_whole(what);
            if (HasFailure()) return;
        }
    }
}

}  // namespace
