// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// queue_crash_test.cpp -- kill -9 of the process at every step of messages that move from the queue
// of one database to that of the other: after recovery none is lost, none is there twice, and each
// is where the ledgers say.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/crash/scene.hpp"

namespace {

using namespace assent::testing;

std::vector<std::string> const points_of_a_run{
    "put.gathered",          "message.taken",       "move.gathered",    "move.given_up",
    "branch.start",          "branch.start.reply",  "branch.prepare",   "branch.prepare.sent",
    "branch.prepare.reply",  "decision.force",      "decision.durable", "branch.commit",
    "branch.commit.sent",    "branch.commit.reply", "branch.rollback",  "branch.rollback.sent",
    "branch.rollback.reply", "transaction.ended"};

class QueueCrash : public ::testing::Test
{
protected:
    plan new_plan()
    {
        return here.new_plan("work", handles::leased).set("program", ASSENT_QUEUE_VICTIM);
    }

    void expect_whole(plan const& what)
    {
        auto& money = here.money();
        auto const transfers = money.transfers_in_accounts();
        for (auto const* number_of : {"-1", "-2"}) {
            auto const id = what.text("prefix") + number_of;
            auto const at_source = number(
                money.look_accounts(),
                "select count(*) from assent_task where convert_from(body, 'UTF8') = '" + id + "'");
            auto const at_target = number(
                money.look_orders(), "select count(*) from assent_task where body = '" + id + "'");
            EXPECT_EQ(at_source + at_target, static_cast<int>(transfers.count(id))) << id;
            EXPECT_EQ(at_target, static_cast<int>(transfers.count(id + "m"))) << id;
        }
        here.expect_whole(what);
    }

    scene here;
};

TEST_F(QueueCrash, NoMessageIsLostOrTwiceThereWhereverTheProcessDies)
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
            here.recover(what);
            expect_whole(what);
            if (HasFailure()) return;
        }
    }
}

}  // namespace
