// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commit_row_crash_test.cpp -- kill -9 at every step of transactions that a commit row decides, of
// the recovery after it, and of the server that holds the row.
//
// Each is played with the row in PostgreSQL and with the row in MariaDB.

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "recovery/log_tools/log_view.hpp"
#include "tests/crash/scene.hpp"
#include "tests/servers/held_commits.hpp"

namespace {

using namespace assent::testing;

struct point
{
    std::string name;
    int occurrence;
};

/// What a run passes through between the first vote and its end; a name that no longer occurs makes
/// a test fail, not shrink.
std::vector<std::string> const points_of_a_run{
    "branch.start.reply",     "branch.prepare",          "branch.prepare.sent",
    "branch.prepare.reply",   "decision.force",          "branch.commit_row",
    "branch.commit_row.sent", "branch.commit_row.reply", "decision.durable",
    "branch.commit",          "branch.commit.sent",      "branch.commit.reply",
    "branch.rollback",        "branch.rollback.sent",    "branch.rollback.reply",
    "transaction.ended",
};

/// After a crash between the first vote and the end of phase 2.
std::vector<std::string> const points_of_a_recovery{
    "commit_row.fence",  "commit_row.commits",     "commit_row.aborts",
    "recovery.commit",   "recovery.commit.sent",   "recovery.commit.reply",
    "recovery.rollback", "recovery.rollback.sent", "recovery.rollback.reply",
    "branch.finished",   "commit_row.pruned",
};

/// Where the row is, and whose the connections are.
using variant = std::tuple<char const*, handles>;

class shared_scene
{
protected:
    /// One for all tests, so that the servers are started once.
    static scene& here()
    {
        static scene one;
        return one;
    }
};

class CommitRowOnAStandby : public ::testing::Test, public shared_scene
{
};

class CommitRowCrash : public ::testing::TestWithParam<variant>, public shared_scene
{
protected:
    static std::string place() { return std::get<0>(GetParam()); }
    static handles how() { return std::get<1>(GetParam()); }

    /// One transfer and one that is refused, by a row.
    static plan row_plan(std::string const& mode = "work")
    {
        plan made = here().new_plan(mode, how());
        return made.set("row", place()).set("short", 1);
    }
    static plan struck(plan what, point const& at)
    {
        return what.set("strike", at.name).set("occurrence", at.occurrence);
    }

    /// Decisions that the log of `what` holds.
    static std::size_t logged(plan const& what)
    {
        return assent::log::view_log(what.text("log")).image.decisions().size();
    }

    static std::vector<point> points_of_this_run()
    {
        plan const what = row_plan();
        EXPECT_EQ(here().run(what), fate::ended);
        here().expect_whole(what);
        auto const counts = scene::points_of(what);
        std::vector<point> all;
        for (auto const& name : points_of_a_run) {
            auto const found = counts.find(name);
            EXPECT_NE(found, counts.end()) << "the run no longer reaches " << name;
            for (int i = 1; found != counts.end() && i <= found->second; ++i)
                all.push_back({name, i});
        }
        return all;
    }
};

/// What does not depend on whose the connections are.
class CommitRowCrashes : public CommitRowCrash
{
};

TEST_P(CommitRowCrash, OneInTheRun)
{
    auto const all = points_of_this_run();
    for (point const& at : all) {
        SCOPED_TRACE(at.name + " " + std::to_string(at.occurrence));
        plan const what = row_plan();

        auto const how_it_ended = here().run(struck(what, at));
        here().recover(what);

        ASSERT_EQ(how_it_ended, fate::killed) << "the point was not reached";
        here().expect_whole(what);
        EXPECT_EQ(logged(what), 0u) << "the row decides, and nothing else";
        if (HasFailure()) return;
    }
    std::cout << all.size() << " crashes\n";
}

TEST_P(CommitRowCrashes, OneInTheRunAndOneInTheRecovery)
{
    std::set<std::string> reached;
    int pairs = 0;
    // Before the row is there, after it, and between the commits of phase 2.
    for (point const& at : {point{"branch.commit_row", 1}, point{"branch.commit_row.reply", 1},
                            point{"branch.commit.reply", 1}}) {
        for (auto const& then : points_of_a_recovery) {
            SCOPED_TRACE(at.name + ", then " + then);
            plan const what = row_plan();

            ASSERT_EQ(here().run(struck(what, at)), fate::killed);
            plan again = struck(what, {then, 1});
            auto const how_it_ended = here().run(again.set("mode", "recover"));
            here().recover(what);

            // Not every recovery comes by every point: what was decided is not fenced.
            ASSERT_NE(how_it_ended, fate::failed);
            here().expect_whole(what);
            if (HasFailure()) return;
            pairs += how_it_ended == fate::killed;
            if (how_it_ended == fate::killed) reached.insert(then);
        }
    }
    std::cout << pairs << " pairs of crashes\n";
    for (auto const& name : points_of_a_recovery) {
        if (name == "commit_row.pruned") continue;  // drained, and gone, before the row is
        EXPECT_EQ(reached.count(name), 1u) << "no recovery was killed at " << name;
    }
}

/// The server with the row dies at each step of the commit, while the manager lives on.
TEST_P(CommitRowCrashes, OfTheServerThatHoldsTheRow)
{
    auto const watch = std::make_shared<point_watch>();
    plan const what = row_plan("in this process");
    auto options = crash_options(what.text("log")).observe(watch);
    auto bounds = options.given().limits;
    bounds.phase2_wait = std::chrono::seconds{1};  // nobody starts the server again meanwhile
    assent::transaction_manager tm{options.limits(bounds)};
    teller at_work{tm, add_both(tm, what), what, how()};
    durable_lines answers{what.text("answers")};
    auto& server = place() == "accounts" ? here().money().postgresql() : here().money().mariadb();
    int number = 0;
    auto const transfer = [&] {
        auto const id = what.text("prefix") + "-" + std::to_string(++number);
        auto const said = at_work.transfer(id, number, number % bank::accounts);
        if (said != "in_doubt") answers.add(said + " " + id);  // that one promises nothing
        return said;
    };
    auto const is_past = [](assent::deadline when) {
        return std::chrono::steady_clock::now() >= when;
    };
    ASSERT_EQ(transfer(), "committed");

    for (char const* name :
         {"branch.prepare.reply", "branch.commit_row.sent", "branch.commit_row.reply"}) {
        SCOPED_TRACE(name);
        bool is_struck = false;
        watch->strike_at(name, 1, [&] {
            is_struck = true;
            server.kill();
        });
        auto said = transfer();
        for (auto const until = in_seconds(15); !is_struck && !is_past(until); said = transfer())
            ASSERT_TRUE(said == "rolled_back" || said == "failed") << said << " without a crash";
        ASSERT_TRUE(is_struck) << "the point was not reached";
        server.start();

        here().wait_until_nothing_is_prepared(in_seconds(30));
        for (auto const until = in_seconds(15); tm.state().live_transactions != 0;)
            ASSERT_FALSE(is_past(until)) << "a transaction is still in doubt";
        for (auto const until = in_seconds(15); (said = transfer()) != "committed";)
            ASSERT_FALSE(is_past(until)) << "the manager did not come back to work";
        EXPECT_EQ(tm.state().heuristics, 0u);
        EXPECT_EQ(tm.state().quarantined, std::vector<std::string>{});
        if (HasFailure()) return;
    }
    EXPECT_EQ(tm.state().decisions, 0u);
    EXPECT_TRUE(tm.close(in_seconds(10)).unfinished.empty());
    here().money().stop_looking();
    here().expect_whole(what);
}

std::string name_of(::testing::TestParamInfo<variant> const& with)
{
    auto const [place, how] = with.param;
    std::string const server = place == std::string{"accounts"} ? "PostgreSQL" : "MariaDB";
    return server + (how == handles::leased ? "Leased" : "Borrowed");
}

INSTANTIATE_TEST_SUITE_P(In, CommitRowCrash,
                         ::testing::Combine(::testing::Values("accounts", "orders"),
                                            ::testing::Values(handles::leased, handles::borrowed)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(In, CommitRowCrashes,
                         ::testing::Combine(::testing::Values("accounts", "orders"),
                                            ::testing::Values(handles::leased)),
                         name_of);

/// A client is killed while its COMMIT waits for a standby: recovery asks, sees no row, and waits.
TEST_F(CommitRowOnAStandby, ACommitThatBecomesVisibleAfterRecoveryAskedIsFollowed)
{
    auto const row_plan = [] {
        plan made = here().new_plan("work", handles::leased);
        return made.set("row", "accounts").set("short", 1);
    };
    plan const first = row_plan();  // it makes the table
    ASSERT_EQ(here().run(first), fate::ended);
    std::unique_ptr<PGconn, void (*)(PGconn*)> const admin{
        PQconnectdb(here().money().postgresql().superuser_conninfo().c_str()), &PQfinish};
    held_commits held{here().money().postgresql().superuser_conninfo()};
    plan const what = row_plan();

    plan struck = what;
    struck.set("strike", "branch.commit_row.sent").set("occurrence", 1);
    ASSERT_EQ(here().run(struck), fate::killed);
    auto const waiting = [&] {
        return number(admin.get(),
                      "select count(*) from pg_stat_activity where wait_event = 'SyncRep'");
    };
    for (auto const until = in_seconds(10); waiting() == 0;)
        ASSERT_LT(std::chrono::steady_clock::now(), until) << "its COMMIT does not wait";
    EXPECT_EQ(here().money().transfers_in_accounts().count(what.text("prefix") + "-t1"), 0u);
    {
        auto const watch = std::make_shared<point_watch>();
        here().money().stop_looking();
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        add_both(tm, what);
        ASSERT_TRUE(watch->wait_for("commit_row.fence@accounts", 2, in_seconds(30)));
        EXPECT_EQ(watch->count("commit_row.aborts"), 0);
        EXPECT_EQ(here().prepared_in_orders().size(), 1u) << "nothing was concluded";

        held.release();

        EXPECT_TRUE(watch->wait_for("commit_row.commits@accounts", 1, in_seconds(30)));
        here().wait_until_nothing_is_prepared(in_seconds(30));
        EXPECT_EQ(watch->count("commit_row.aborts"), 0);
    }
    here().expect_whole(what);
    EXPECT_EQ(here().money().transfers_in_accounts().count(what.text("prefix") + "-t1"), 1u);
    here().money().stop_looking();
}

}  // namespace
