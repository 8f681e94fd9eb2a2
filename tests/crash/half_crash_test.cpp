// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// half_crash_test.cpp -- kill -9 of the process at every step of transfers and the news of them:
// afterwards a message was shown, once, exactly where its transfer is there, and what was answered
// is true.  Recovery lists the halves; or the broker, which answers nobody, asks back.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/crash/file_broker.hpp"
#include "tests/crash/scene.hpp"

namespace {

using namespace assent::testing;
using assent::known_outcome;

std::vector<std::string> const points_of_a_run{"half.begin",
                                               "half.stored",
                                               "branch.start.reply",
                                               "branch.prepare",
                                               "branch.prepare.sent",
                                               "branch.prepare.reply",
                                               "decision.force",
                                               "decision.durable",
                                               "branch.commit_row",
                                               "branch.commit_row.sent",
                                               "branch.commit_row.reply",
                                               "branch.commit",
                                               "branch.commit.sent",
                                               "release.begin",
                                               "release.done",
                                               "branch.commit.reply",
                                               "branch.rollback",
                                               "drop.begin",
                                               "drop.done",
                                               "branch.rollback.reply",
                                               "transaction.ended"};

class HalfCrash : public ::testing::Test
{
protected:
    plan new_plan()
    {
        return here.new_plan("work", handles::leased)
            .set("program", ASSENT_HALF_VICTIM)
            .set("broker", here.new_directory());
    }

    static void add_all(assent::transaction_manager& tm, plan const& what,
                        std::shared_ptr<file_broker> const& broker)
    {
        add_both(tm, what);
        tm.add(
            assent::half::resource_manager{"news", broker,
                                           assent::half::options{}.unguarded().halves_arrive_within(
                                               std::chrono::milliseconds{0})});
    }

    /// Opens the plan's log until nothing is left of it.
    void recover(plan const& what)
    {
        here.money().stop_looking();
        auto const watch = std::make_shared<point_watch>();
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        add_all(tm, what, std::make_shared<file_broker>(what.text("broker"), nullptr));
        auto const until = in_seconds(60);
        for (char const* name : {"accounts", "orders", "news"}) {
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

    /// The broker answers nobody, and asks about each half until it is told.  What the log decides,
    /// and has nothing of, it never is: that is left to recovery.
    void ask_back(plan const& what)
    {
        here.money().stop_looking();
        auto const broker = std::make_shared<file_broker>(what.text("broker"), nullptr);
        broker->be_deaf();
        assent::transaction_manager tm{crash_options(what.text("log"))};
        add_all(tm, what, broker);
        auto const until = in_seconds(60);
        for (auto const& name : broker->halves()) {
            auto said = known_outcome::pending;
            while (said == known_outcome::pending && std::chrono::steady_clock::now() < until)
                said = tm.ask(name, in_seconds(5));
            bool const is_by_row = assent::xid::parse(name)->global.parts().place ==
                                   assent::decision_place::commit_row;
            EXPECT_NE(said, known_outcome::pending) << name;
            EXPECT_TRUE(!is_by_row || said != known_outcome::unknown) << name;
            if (said == known_outcome::committed) broker->settle(name, true);
            if (said == known_outcome::rolled_back) broker->settle(name, false);
        }
    }

    void expect_whole(plan const& what)
    {
        file_broker const broker{what.text("broker"), nullptr};
        EXPECT_EQ(broker.halves(), std::set<std::string>{});
        std::set<std::string> done;
        for (auto const& each : here.money().transfers_in_accounts()) {
            if (each.rfind(what.text("prefix") + "-", 0) == 0) done.insert(each);
        }
        EXPECT_EQ(broker.shown(), done);
        here.expect_whole(what);
    }

    /// Each point of a run that was not disturbed, as often as it was reached.
    std::vector<std::pair<std::string, int>> points()
    {
        plan const undisturbed = new_plan();
        EXPECT_EQ(here.run(undisturbed), fate::ended);
        expect_whole(undisturbed);
        auto const reached = scene::points_of(undisturbed);
        std::vector<std::pair<std::string, int>> all;
        for (auto const& name : points_of_a_run) {
            auto const at = reached.find(name);
            EXPECT_NE(at, reached.end()) << "the run no longer reaches " << name;
            for (int i = 1; at != reached.end() && i <= at->second; ++i)
                all.emplace_back(name, i);
        }
        return all;
    }

    void kill_at_each(bool asks_back)
    {
        for (auto const& [name, occurrence] : points()) {
            SCOPED_TRACE(name + " " + std::to_string(occurrence));
            plan what = new_plan();
            what.set("strike", name).set("occurrence", occurrence);
            ASSERT_EQ(here.run(what), fate::killed);
            if (asks_back) ask_back(what);
            recover(what);
            expect_whole(what);
            if (HasFailure()) return;
        }
    }

    scene here;
};

TEST_F(HalfCrash, RecoveryEndsWhatWasHeldBackWhereverTheProcessDies)
{
    kill_at_each(false);
}

TEST_F(HalfCrash, ABrokerThatAsksBackIsToldTheSame)
{
    kill_at_each(true);
}

}  // namespace
