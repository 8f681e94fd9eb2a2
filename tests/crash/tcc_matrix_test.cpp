// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tcc_matrix_test.cpp -- the matrix of reservations: in each step a kill -9 of our program, a
// kill -9 of the database, a request that is lost, a reply that is lost; and pairs, where recovery
// is killed as well.
//
//   ASSENT_CRASH_ALL=1   every cell and every pair; else one cell for each step and a few pairs,
//                        drawn by ASSENT_SEED, which is printed
//   ASSENT_CELL=accounts.attempt.commit.reply_lost          that cell alone, or that pair:
//   ASSENT_CELL=orders.decide.durable.killed+confirm.end
//   ASSENT_COMMIT=...    only printed, in the line that a campaign is reported with
//
// After each, a fresh manager recovers, and then: a confirm only where there is a decision; of
// confirm and cancel exactly one for each attempt that was committed, once; a branch is told to be
// finished only when its row has gone; no row is left, no money made or lost, no answer untrue.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/crash/cell_work.hpp"
#include "tests/crash/cells.hpp"
#include "tests/crash/scene.hpp"
#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;

constexpr std::size_t pairs_of_a_sample = 4;

/// Where a recovery is killed: the steps of a scan, of an end by name, and of the handlers' work.
constexpr char const* points_of_a_recovery[] = {"log.opened",
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
                                                "confirm.begin",
                                                "confirm.end",
                                                "cancel.begin",
                                                "cancel.end",
                                                "resource_manager.drained"};

char const* setting(char const* name)
{
    return std::getenv(name);
}

class TccMatrix : public ::testing::Test
{
protected:
    static void SetUpTestSuite()
    {
        scene_ = new scene;
        make_cell_tables(scene_->money().look_accounts(), scene_->money().look_orders());
        scene_->money().stop_looking();
    }
    static void TearDownTestSuite()
    {
        delete scene_;
        scene_ = nullptr;
    }

    static bank& money() { return scene_->money(); }

    static plan plan_of(cell const& which, network& net)
    {
        plan made = scene_->new_plan(which.at->mode, handles::leased);
        made.set("look_accounts", made.text("accounts")).set("look_orders", made.text("orders"));
        made.set("accounts", money().accounts_conninfo(net.wire.port(net.accounts)));
        made.set("orders", money().orders_connect_string(net.wire.port(net.orders)));
        made.set("reserved", which.in == where_reserved::accounts ? "accounts" : "orders");
        made.set("wrong", made.text("answers") + ".wrong");
        return made.set("program", ASSENT_CELL_VICTIM).set("stop", which.at->stop);
    }

    static void wait_until_stopped(pid_t victim)
    {
        bool const is_stopped = becomes_true(
            [victim] {
                siginfo_t seen{};
                auto const which = static_cast<id_t>(victim);
                return ::waitid(P_PID, which, &seen, WSTOPPED | WNOHANG) == 0 &&
                       seen.si_pid == victim;
            },
            60s);
        ASSERT_TRUE(is_stopped) << "the program does not come to the step";
    }

    static void wait_until_sent(network& net, std::size_t to, std::string const& part)
    {
        bool const is_sent = becomes_true(
            [&] {
                auto const all = net.wire.sql(to);
                return std::any_of(all.begin(), all.end(), [&part](auto const& each) {
                    return each.text.find(part) != std::string::npos;
                });
            },
            30s);
        ASSERT_TRUE(is_sent) << "no request has the text " << part;
    }

    static void restart(private_server& which)
    {
        which.kill();
        which.start();
    }

    /// Lets it happen to a program that has stopped before the step.
    static void strike(cell const& which, network& net, pid_t victim)
    {
        auto const to = which.is_at_accounts() ? net.accounts : net.orders;
        auto& server = which.is_at_accounts() ? money().postgresql() : money().mariadb();
        auto const part = which.part();
        bool const is_kill = which.what == blow::kill_us || which.what == blow::kill_database;
        net.wire.clear();
        if (is_kill && !part.empty()) {
            net.wire.hold(to, part);
            ::kill(victim, SIGCONT);
            ASSERT_NO_FATAL_FAILURE(wait_until_sent(net, to, part));
        }
        switch (which.what) {
            case blow::kill_us:
                ::kill(victim, SIGKILL);
                return;  // what is held arrives later
            case blow::kill_database:
                server.kill();
                net.wire.let_go(to);
                ::kill(victim, SIGCONT);
                server.start();
                return;
            case blow::lose_request:
                if (part.empty()) {
                    net.wire.reset(to);
                } else {
                    net.wire.on_request(to, part, fault::lose_request);
                }
                break;
            case blow::lose_reply:
                net.wire.on_request(to, part, fault::lose_reply);
                break;
        }
        ::kill(victim, SIGCONT);
        ASSERT_NO_FATAL_FAILURE(wait_until_sent(net, to, part));
    }

    static void play(cell const& which, network& net, plan const& what)
    {
        auto const victim = scene_->start(what);
        ASSERT_NO_FATAL_FAILURE(wait_until_stopped(victim));
        strike(which, net, victim);
        if (HasFatalFailure()) ::kill(victim, SIGKILL);
        auto const how = scene::wait(victim);
        EXPECT_EQ(how, which.what == blow::kill_us ? fate::killed : fate::ended);
    }

    /// Opens the plan's log until nothing is left of it; past the network, in which requests of the
    /// dead may still be on their way.
    /// @return the points that were reached.
    static std::map<std::string, int> recover(cell const& which, network& net, plan what)
    {
        what.set("accounts", what.text("look_accounts")).set("orders", what.text("look_orders"));
        money().stop_looking();
        auto const watch = std::make_shared<finish_watch>(what);
        auto const until = in_seconds(60);
        {
            assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
            auto const in = add_cell(tm, what);
            auto const at = which.is_at_accounts() ? net.accounts : net.orders;
            std::string const scanned = "recovery.scanned@";
            watch->wait_for(scanned + (at == net.accounts ? leaving_name : arriving_name), 2,
                            until);
            net.wire.let_go(at);
            EXPECT_NO_THROW(wait_until_drained(*watch, until));
            auto const state = tm.state();
            EXPECT_EQ(state.quarantined, std::vector<std::string>{});
            EXPECT_EQ(state.heuristics, 0u);
            for (auto const& each : state.resource_managers)
                EXPECT_EQ(each.branches_due, 0u) << each.name << ": " << each.why;
            tm.close(in_seconds(10));
        }
        return watch->counts();
    }

    template <class Handle>
    static void expect_settled(Handle in)
    {
        std::string const count = "sum(case when what = '";
        auto const times = [&](char const* what) { return count + what + "' then 1 else 0 end)"; };
        EXPECT_EQ(number(in, "select count(*) from (select " + times("attempt") + " as a, " +
                                 times("confirm") + " + " + times("cancel") +
                                 " as e from effect group by xid) as every where a <> 1 or e <> 1"),
                  0)
            << "attempts without exactly one end";
        EXPECT_EQ(number(in, "select count(*) from held"), 0);
        EXPECT_EQ(number(in, "select count(*) from assent_branch"), 0);
    }

    static int finished(point_watch const& watch, std::string const& manager)
    {
        return watch.count("branch.finished@" + manager) +
               watch.count("branch.finished_assumed@" + manager);
    }

    template <class Handle>
    static fate_of_reservation fate_in(Handle looked_at, plan const& what)
    {
        auto const count = [&](std::string const& done) {
            return number(looked_at, "select count(*) from effect where transfer = '" +
                                         what.text("prefix") + "' and what = '" + done + "'");
        };
        if (count("attempt") == 0) return fate_of_reservation::never_was;
        return count("confirm") == 1 ? fate_of_reservation::confirmed
                                     : fate_of_reservation::cancelled;
    }

    static void expect_fate(cell const& which, plan const& what)
    {
        auto const wanted = which.expected();
        if (wanted == fate_of_reservation::either) return;
        EXPECT_EQ(which.in == where_reserved::accounts ? fate_in(money().look_accounts(), what)
                                                       : fate_in(money().look_orders(), what),
                  wanted);
    }

    static void expect_what_holds(cell const& which, plan const& what)
    {
        expect_fate(which, what);
        expect_settled(money().look_accounts());
        expect_settled(money().look_orders());
        std::ifstream wrong{what.text("wrong")};
        for (std::string line; std::getline(wrong, line);)
            ADD_FAILURE() << line;
        scene_->expect_whole(what);  // each confirm beside a committed XA branch, and the answers
    }

    /// @return the points that recovery passed.
    static std::map<std::string, int> play_cell(cell const& which)
    {
        SCOPED_TRACE("ASSENT_CELL=" + which.name());
        network net{money()};
        auto const what = plan_of(which, net);
        play(which, net, what);
        auto reached = recover(which, net, what);  // whatever has failed: others come after it
        expect_what_holds(which, what);
        return reached;
    }

    /// @return whether the recovery was killed there.
    static bool play_pair(cell const& which, std::string const& point)
    {
        SCOPED_TRACE("ASSENT_CELL=" + which.name() + "+" + point);
        network net{money()};
        auto const what = plan_of(which, net);
        play(which, net, what);
        plan again = what;
        net.wire.let_go(net.accounts);
        net.wire.let_go(net.orders);
        auto const how =
            scene_->run(again.set("mode", "recover").set("stop", "never").set("strike", point));
        EXPECT_NE(how, fate::failed);
        recover(which, net, what);
        expect_what_holds(which, what);
        return how == fate::killed;
    }

    static scene* scene_;
};

scene* TccMatrix::scene_ = nullptr;

/// Its owner has given up, and the attempt's COMMIT is still in the network.
TEST_F(TccMatrix, ALateAttemptIsCancelledBeforeItsBranchIsToldFinished)
{
    for (auto const where : {where_reserved::accounts, where_reserved::orders}) {
        auto const at = std::find_if(steps.begin(), steps.end(), [](step const& each) {
            return std::string{each.name} == "attempt.commit";
        });
        cell const which{&*at, blow::kill_us, where};
        bool const is_in_accounts = which.is_at_accounts();
        SCOPED_TRACE(is_in_accounts ? "accounts" : "orders");
        std::string const manager = is_in_accounts ? leaving_name : arriving_name;
        network net{money()};
        auto const to = is_in_accounts ? net.accounts : net.orders;
        auto const what = plan_of(which, net);
        auto const watch = std::make_shared<finish_watch>(what);
        auto const until = in_seconds(60);
        {
            assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
            auto const in = add_cell(tm, what);
            wait_until_drained(*watch, until);
            auto tx = tm.begin(assent::begin_options{}.timeout(2s));
            net.wire.hold(to, which.part());
            EXPECT_THROW(
                attempt(tx, is_in_accounts ? in.in_accounts : in.in_orders, what.text("prefix")),
                assent::error);
            EXPECT_EQ(tx.rollback(), assent::outcome::rolled_back);
            auto const scans = watch->count("recovery.scanned@" + manager);
            EXPECT_TRUE(watch->wait_for("recovery.scanned@" + manager, scans + 3, until));
            EXPECT_EQ(finished(*watch, manager), 0) << "its COMMIT is still to come";
            EXPECT_EQ(tm.state().live_transactions, 1u);

            net.wire.let_go(to);
            EXPECT_TRUE(becomes_true([&] { return finished(*watch, manager) == 1; }, 60s));
            EXPECT_TRUE(becomes_true([&] { return tm.state().live_transactions == 0; }, 60s));
            EXPECT_EQ(tm.state().heuristics, 0u);
            tm.close(in_seconds(10));
        }
        expect_what_holds(which, what);
        money().stop_looking();
    }
}

std::uint64_t seed_of_this_run()
{
    char const* const said = setting("ASSENT_SEED");
    return said != nullptr ? std::strtoull(said, nullptr, 10) : std::random_device{}();
}

void report(char const* what, std::size_t count, std::uint64_t seed)
{
    char const* const commit = setting("ASSENT_COMMIT");
    std::cout << "matrix of reservations: " << count << " " << what << ", seed " << seed
              << ", commit " << (commit == nullptr ? "(not said)" : commit) << '\n';
}

TEST_F(TccMatrix, EachCellIsWholeAfterRecovery)
{
    bool const is_all = setting("ASSENT_CRASH_ALL") != nullptr;
    std::string const only = setting("ASSENT_CELL") != nullptr ? setting("ASSENT_CELL") : "";
    auto const seed = seed_of_this_run();
    std::cout << "ASSENT_SEED=" << seed << '\n';
    std::size_t played = 0;
    for (auto const& each : is_all || !only.empty() ? all_cells() : cells_of(seed)) {
        if (!only.empty() && each.name() != only) continue;
        play_cell(each);
        if (HasFailure()) return;
        ++played;
    }
    report("cells", played, seed);
    EXPECT_TRUE(played > 0 || !only.empty());
}

/// The first crash is one of ours in each step.
TEST_F(TccMatrix, SoIsEachPairWithACrashInTheRecovery)
{
    bool const is_all = setting("ASSENT_CRASH_ALL") != nullptr;
    std::string const only = setting("ASSENT_CELL") != nullptr ? setting("ASSENT_CELL") : "";
    auto const seed = seed_of_this_run();
    std::cout << "ASSENT_SEED=" << seed << '\n';
    std::mt19937_64 dice{seed};
    std::size_t played = 0;
    std::vector<cell> firsts;
    for (auto const& each : all_cells()) {
        bool const is_wanted = only.empty() || only.rfind(each.name() + "+", 0) == 0;
        if (each.what == blow::kill_us && is_wanted) firsts.push_back(each);
    }
    if (!is_all && only.empty()) {
        std::shuffle(firsts.begin(), firsts.end(), dice);
        firsts.resize(pairs_of_a_sample);
    }
    for (auto const& first : firsts) {
        if (!only.empty()) {
            played += play_pair(first, only.substr(first.name().size() + 1)) ? 1 : 0;
            continue;
        }
        auto const counts = play_cell(first);
        std::vector<std::string> reached;
        for (std::string const point : points_of_a_recovery) {
            if (counts.count(point) != 0) reached.push_back(point);
        }
        ASSERT_FALSE(reached.empty());
        if (!is_all) reached = {reached[dice() % reached.size()]};
        for (auto const& point : reached) {
            played += play_pair(first, point) ? 1 : 0;
            if (HasFailure()) return;
        }
    }
    report("pairs", played, seed);
}

}  // namespace
