// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tx_crash_test.cpp -- kill -9 at every step of tx_commit() and tx_rollback(), on real servers:
// after recovery every transaction is whole, and what was answered before is true.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/crash/scene.hpp"

namespace {

using namespace assent::testing;

void die_everywhere(bool is_early, std::vector<std::string> const& names)
{
    scene here;
    auto const new_plan = [&] {
        plan made = here.new_plan("work", handles::leased);
        if (is_early) made.set("early", 1);
        return made.set("program", ASSENT_TX_VICTIM);
    };
    plan const undisturbed = new_plan();
    ASSERT_EQ(here.run(undisturbed), fate::ended);
    here.expect_whole(undisturbed);

    auto const points = scene::points_of(undisturbed);
    for (auto const& name : names) {
        auto const reached = points.find(name);
        ASSERT_NE(reached, points.end()) << name;
        for (int occurrence = 1; occurrence <= reached->second; ++occurrence) {
            SCOPED_TRACE(name + " " + std::to_string(occurrence));
            plan what = new_plan();
            what.set("strike", name).set("occurrence", occurrence);
            ASSERT_EQ(here.run(what), fate::killed);
            here.recover(what);
            here.expect_whole(what);
        }
    }
}

TEST(TxCrash, EveryTransactionIsWholeWhereverTheProgramDies)
{
    die_everywhere(false, {"branch.prepare", "branch.prepare.sent", "branch.prepare.reply",
                           "decision.force", "decision.durable", "branch.commit",
                           "branch.commit.sent", "branch.commit.reply", "branch.one_phase",
                           "branch.one_phase.sent", "branch.one_phase.reply", "branch.rollback",
                           "branch.rollback.sent", "branch.rollback.reply", "transaction.ended"});
}

TEST(TxCrash, SoItIsWhereNobodyWaitsForPhase2)
{
    die_everywhere(true,
                   {"decision.force", "decision.durable", "branch.commit", "branch.commit.sent",
                    "branch.commit.reply", "branch.one_phase.reply", "transaction.ended"});
}

}  // namespace
