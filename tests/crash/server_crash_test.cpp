// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server_crash_test.cpp -- kill -9 of a database server, or of both, at every step of a commit,
// while the transaction manager lives on.
//
// The observer kills the server on the committing thread, between two steps of it, so each case is
// exact.  Then the server is started again, and the same manager must finish what it began.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "tests/crash/scene.hpp"

namespace {

using namespace assent::testing;

enum class victims { accounts, orders, both };

struct point
{
    char const* name;
    int occurrence;
};

// One commit over two databases, step by step.
constexpr point points_of_a_commit[] = {
    {"branch.start", 1},         {"branch.start.reply", 1},   {"branch.start.reply", 2},
    {"branch.prepare", 1},       {"branch.prepare.sent", 1},  {"branch.prepare.sent", 2},
    {"branch.prepare.reply", 1}, {"branch.prepare.reply", 2}, {"decision.force", 1},
    {"decision.durable", 1},     {"branch.commit", 1},        {"branch.commit.sent", 1},
    {"branch.commit.sent", 2},   {"branch.commit.reply", 1},  {"branch.commit.reply", 2},
    {"transaction.ended", 1},
};

class ServerCrash : public ::testing::TestWithParam<std::tuple<victims, handles>>
{
protected:
    static void SetUpTestSuite() { scene_ = new scene; }
    static void TearDownTestSuite()
    {
        delete scene_;
        scene_ = nullptr;
    }

    static bool is_past(assent::deadline when) { return std::chrono::steady_clock::now() >= when; }

    static bool hits(victims which, victims one) { return which == one || which == victims::both; }

    static void kill(victims which)
    {
        if (hits(which, victims::accounts)) scene_->money().postgresql().kill();
        if (hits(which, victims::orders)) scene_->money().mariadb().kill();
    }

    static void restart(victims which)
    {
        if (hits(which, victims::accounts)) scene_->money().postgresql().start();
        if (hits(which, victims::orders)) scene_->money().mariadb().start();
    }

    static scene* scene_;
};

scene* ServerCrash::scene_ = nullptr;

TEST_P(ServerCrash, AtEachStepOfACommitLeavesTheBankWhole)
{
    auto const [which, how] = GetParam();
    plan const what = scene_->new_plan("in this process", how);
    auto const watch = std::make_shared<point_watch>();
    assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
    teller here{tm, add_both(tm, what), what, how};
    durable_lines answers{what.text("answers")};
    int number = 0;
    auto const transfer = [&] {
        auto const id = what.text("prefix") + "-" + std::to_string(++number);
        auto const said = here.transfer(id, number, number % bank::accounts);
        answers.add(said + " " + id);
        return said;
    };
    ASSERT_EQ(transfer(), "committed");

    for (point const& at : points_of_a_commit) {
        SCOPED_TRACE(std::string{at.name} + " " + std::to_string(at.occurrence));
        bool is_struck = false;
        watch->strike_at(at.name, at.occurrence, [&, killed = which] {
            is_struck = true;
            kill(killed);
        });

        // Until the guardian has noticed the last restart, votes may not count.
        auto said = transfer();
        for (auto const until = in_seconds(15); !is_struck && !is_past(until); said = transfer())
            ASSERT_TRUE(said == "rolled_back" || said == "failed") << said << " without a crash";
        ASSERT_TRUE(is_struck) << "the point was not reached";
        restart(which);

        scene_->wait_until_nothing_is_prepared(in_seconds(30));
        scene_->expect_whole(what);
        for (auto const until = in_seconds(15); (said = transfer()) != "committed";)
            ASSERT_FALSE(is_past(until)) << "the manager did not come back to work";
        EXPECT_EQ(tm.state().heuristics, 0u);
        EXPECT_EQ(tm.state().quarantined, std::vector<std::string>{});
        if (HasFailure()) return;
    }
    auto const left = tm.close(in_seconds(10));
    EXPECT_TRUE(left.unfinished.empty());
    EXPECT_EQ(left.notes, std::vector<std::string>{});
}

std::string name_of(::testing::TestParamInfo<std::tuple<victims, handles>> const& with)
{
    auto const [which, how] = with.param;
    std::string const server = which == victims::accounts ? "PostgreSQL"
                               : which == victims::orders ? "MariaDB"
                                                          : "Both";
    return server + (how == handles::leased ? "Leased" : "Borrowed");
}

INSTANTIATE_TEST_SUITE_P(Servers, ServerCrash,
                         ::testing::Combine(::testing::Values(victims::accounts, victims::orders,
                                                              victims::both),
                                            ::testing::Values(handles::leased, handles::borrowed)),
                         name_of);

}  // namespace
