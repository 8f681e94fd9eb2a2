// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// kill_points_test.cpp -- kill -9 at every step of a run, and of the recovery after it.
//
// A run that is not killed tells which points it reaches, and how often; then the same run is
// killed at each of them, recovered, and looked at.  For pairs, the recovery is killed as well.
//
// ASSENT_CRASH_ALL=1 adds the pairs that differ from others in nothing but their number.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/crash/scene.hpp"

namespace {

using namespace assent::testing;

struct point
{
    std::string name;
    int occurrence;
};

/// What the run must pass through; a name that no longer occurs makes a test fail, not shrink.
std::vector<std::string> const points_of_a_run{
    "log.opened",
    "resource_manager.bound",
    "guardian.taken",
    "recovery.scanned",
    "recovery.horizon",
    "resource_manager.drained",
    "branch.start",
    "branch.start.reply",
    "branch.prepare",
    "branch.prepare.sent",
    "branch.prepare.reply",
    "decision.force",
    "decision.durable",
    "branch.commit",
    "branch.commit.sent",
    "branch.commit.reply",
    "branch.rollback",
    "branch.rollback.sent",
    "branch.rollback.reply",
    "branch.one_phase",
    "branch.one_phase.sent",
    "branch.one_phase.reply",
    "transaction.ended",
};

std::vector<std::string> const points_of_a_recovery{
    "log.opened",
    "resource_manager.bound",
    "guardian.taken",
    "recovery.scanned",
    "recovery.commit",
    "recovery.commit.sent",
    "recovery.commit.reply",
    "recovery.rollback",
    "recovery.rollback.sent",
    "recovery.rollback.reply",
    "branch.finished",
    "branch.finished_assumed",
    "recovery.horizon",
    "resource_manager.drained",
};

/// These repeat for as long as the process lives: the first of each database is enough.
bool repeats(std::string const& name)
{
    return name == "recovery.scanned" || name == "recovery.horizon";
}

bool is_one_phase(std::string const& name)
{
    return name.rfind("branch.one_phase", 0) == 0;
}

bool may_leave_branches(std::string const& name)
{
    bool const is_step = name.rfind("branch.", 0) == 0 || name.rfind("decision.", 0) == 0;
    return is_step && name.rfind("branch.start", 0) != 0 && name != "branch.prepare";
}

class KillPoints : public ::testing::TestWithParam<handles>
{
protected:
    static void SetUpTestSuite() { scene_ = new scene; }
    static void TearDownTestSuite()
    {
        delete scene_;
        scene_ = nullptr;
    }

    /// One transfer and one that is refused.
    static plan short_plan()
    {
        plan made = scene_->new_plan("work", GetParam());
        return made.set("short", 1);
    }

    std::map<std::string, int> points_of_recovery_after(point const& at);

    /// Every point of a run that nobody kills, in the order of points_of_a_run.
    static std::vector<point> points_of_this_run(plan const& what)
    {
        EXPECT_EQ(scene_->run(what), fate::ended);
        scene_->expect_whole(what);
        auto const counts = scene::points_of(what);
        std::vector<point> all;
        for (auto const& name : points_of_a_run) {
            auto const found = counts.find(name);
            if (found == counts.end()) {
                if (what.has("short") && is_one_phase(name)) continue;
                ADD_FAILURE() << "the run no longer reaches " << name;
                continue;
            }
            int const times = repeats(name) ? 2 : found->second;
            for (int occurrence = 1; occurrence <= times; ++occurrence)
                all.push_back({name, occurrence});
        }
        return all;
    }

    static plan struck(plan what, point const& at)
    {
        return what.set("strike", at.name).set("occurrence", at.occurrence);
    }

    static scene* scene_;
};

scene* KillPoints::scene_ = nullptr;

TEST_P(KillPoints, OneInTheRun)
{
    auto const all = points_of_this_run(scene_->new_plan("work", GetParam()));
    for (point const& at : all) {
        SCOPED_TRACE(at.name + " " + std::to_string(at.occurrence));
        plan const what = scene_->new_plan("work", GetParam());

        auto const how = scene_->run(struck(what, at));
        scene_->recover(what);

        ASSERT_EQ(how, fate::killed) << "the point was not reached";
        scene_->expect_whole(what);
        if (HasFailure()) return;
    }
    std::cout << all.size() << " crashes\n";
}

/// How often a recovery from a crash at `at` reaches each point.
std::map<std::string, int> KillPoints::points_of_recovery_after(point const& at)
{
    plan const what = short_plan();
    EXPECT_EQ(scene_->run(struck(what, at)), fate::killed);
    plan again = what;
    EXPECT_EQ(scene_->run(again.set("mode", "recover")), fate::ended);
    scene_->expect_whole(what);
    return scene::points_of(what);
}

TEST_P(KillPoints, OneInTheRunAndOneInTheRecovery)
{
    bool const is_all = std::getenv("ASSENT_CRASH_ALL") != nullptr;
    std::set<std::string> reached;
    int pairs = 0;
    for (point const& at : points_of_this_run(short_plan())) {
        // Of a crash before the first vote was asked for, no branch is left to recover.
        if (!is_all && !may_leave_branches(at.name)) continue;
        auto const counts = points_of_recovery_after(at);
        for (auto const& then : points_of_a_recovery) {
            auto const found = counts.find(then);
            int const times = found == counts.end()            ? 0
                              : repeats(then)                  ? 2
                              : is_all || then == "log.opened" ? found->second
                                                               : 1;
            for (int occurrence = 1; occurrence <= times; ++occurrence) {
                SCOPED_TRACE(at.name + " " + std::to_string(at.occurrence) + ", then " + then +
                             " " + std::to_string(occurrence));
                plan const what = short_plan();

                ASSERT_EQ(scene_->run(struck(what, at)), fate::killed);
                plan again = struck(what, {then, occurrence});
                auto const how = scene_->run(again.set("mode", "recover"));
                scene_->recover(what);

                // A crash that leaves a request at a server leaves more than one way to go on.
                ASSERT_NE(how, fate::failed);
                scene_->expect_whole(what);
                if (HasFailure()) return;
                pairs += how == fate::killed;
                if (how == fate::killed) reached.insert(then);
            }
        }
    }
    std::cout << pairs << " pairs of crashes\n";
    for (auto const& name : points_of_a_recovery)
        EXPECT_EQ(reached.count(name), 1u) << "no recovery was killed at " << name;
}

INSTANTIATE_TEST_SUITE_P(Handles, KillPoints, ::testing::Values(handles::leased, handles::borrowed),
                         [](auto const& with) {
                             return with.param == handles::leased ? "Leased" : "Borrowed";
                         });

}  // namespace
