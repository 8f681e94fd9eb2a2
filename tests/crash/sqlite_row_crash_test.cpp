// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_row_crash_test.cpp -- kill -9 of programs whose last resource is a SQLite file, beside
// PostgreSQL and MariaDB; and what recovery makes of a file that is locked, missing or half
// written.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "recovery/log_tools/log_view.hpp"
#include "tests/contract/odbc_client.hpp"
#include "tests/crash/ledger.hpp"
#include "tests/crash/scene.hpp"
#include "tests/servers/spawn.hpp"

namespace {

using namespace assent::testing;
using assent::contract::odbc_client;
using ::testing::HasSubstr;

/// What a run passes through between the first vote and its end; a name that no longer occurs makes
/// a test fail, not shrink.
std::vector<std::string> const points_of_a_run{
    "branch.prepare.sent",  "branch.prepare.reply",   "decision.force",
    "branch.commit_row",    "branch.commit_row.sent", "branch.commit_row.reply",
    "decision.durable",     "branch.commit.sent",     "branch.commit.reply",
    "branch.rollback.sent", "branch.rollback.reply",  "transaction.ended",
};

std::vector<std::string> const points_of_a_recovery{
    "commit_row.fence@ledger", "commit_row.commits",     "commit_row.aborts",
    "recovery.commit.reply",   "recovery.rollback.sent", "branch.finished",
};

class SqliteRowCrash : public ::testing::Test
{
protected:
    void SetUp() override
    {
        if (assent::contract::odbc_drivers::sqlite().empty()) {
            GTEST_SKIP() << "there is no ODBC driver sqlite3odbc";
        }
        file();
    }

    /// One for all tests, so that the servers are started once.
    static scene& here()
    {
        static scene one;
        return one;
    }
    static ledger& file()
    {
        static ledger one = ledger::make(here().new_directory() + "/ledger.db");
        return one;
    }

    static plan row_plan()
    {
        plan made = here().new_plan("work", handles::leased);
        return made.set("program", ASSENT_LEDGER_VICTIM).set("ledger", file().path());
    }
    static plan struck(plan what, std::string const& name, int occurrence = 1)
    {
        return what.set("strike", name).set("occurrence", occurrence);
    }
    static void expect_killed_at(plan const& what, std::string const& name)
    {
        ASSERT_EQ(here().run(struck(what, name)), fate::killed) << name << " was not reached";
    }

    /// Opens the plan's log in this process, beside all three databases.  `meanwhile` sees the
    /// manager before it waits for the end.
    static void recover(
        plan const& what,
        std::function<void(assent::transaction_manager&, point_watch&)> const& meanwhile = {})
    {
        auto const watch = std::make_shared<point_watch>();
        here().money().stop_looking();
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        add_both(tm, what);
        tm.add(file().manager());
        if (meanwhile) meanwhile(tm, *watch);
        here().money().stop_looking();
        auto const until = in_seconds(30);
        for (char const* name : {"accounts", "orders", "ledger"}) {
            EXPECT_TRUE(watch->wait_for(std::string{"resource_manager.drained@"} + name, 1, until))
                << name;
        }
        EXPECT_EQ(tm.state().quarantined, std::vector<std::string>{});
        EXPECT_EQ(tm.state().heuristics, 0u);
    }
    static void expect_whole(plan const& what)
    {
        here().expect_whole(what);
        auto const there = here().money().transfers_in_accounts();
        for (char const* name : {"-t1", "-r"}) {
            auto const id = what.text("prefix") + name;
            EXPECT_EQ(file().has(id), there.count(id) == 1) << id;
        }
        EXPECT_EQ(assent::log::view_log(what.text("log")).image.decisions().size(), 0u)
            << "the row decides, and nothing else";
        here().money().stop_looking();
    }
    static bool is_transferred(plan const& what) { return file().has(what.text("prefix") + "-t1"); }
    static bool is_prepared_in_both()
    {
        bool const is_so =
            here().prepared_in_accounts().size() == 1 && here().prepared_in_orders().size() == 1;
        here().money().stop_looking();
        return is_so;
    }
    static bool has_hot_journal()
    {
        std::error_code missing;
        auto const size = std::filesystem::file_size(file().path() + "-journal", missing);
        return !missing && size > 0;
    }
    static std::string why(assent::transaction_manager& tm, std::string const& name)
    {
        for (auto const& each : tm.state().resource_managers) {
            if (each.name == name) return each.why + each.undrained;
        }
        return {};
    }
};

TEST_F(SqliteRowCrash, OneInTheRun)
{
    plan const whole = row_plan();
    ASSERT_EQ(here().run(whole), fate::ended);
    expect_whole(whole);
    EXPECT_TRUE(is_transferred(whole));
    auto const counts = scene::points_of(whole);
    int crashes = 0;
    for (auto const& name : points_of_a_run) {
        auto const found = counts.find(name);
        ASSERT_NE(found, counts.end()) << "the run no longer reaches " << name;
        for (int i = 1; i <= found->second; ++i, ++crashes) {
            SCOPED_TRACE(name + " " + std::to_string(i));
            plan const what = row_plan();

            auto const how_it_ended = here().run(struck(what, name, i));
            recover(what);

            ASSERT_EQ(how_it_ended, fate::killed) << "the point was not reached";
            expect_whole(what);
            if (HasFailure()) return;
        }
    }
    std::cout << crashes << " crashes\n";
}

TEST_F(SqliteRowCrash, OneInTheRunAndOneInTheRecovery)
{
    std::set<std::string> reached;
    for (char const* const at : {"branch.commit_row", "branch.commit_row.reply"}) {
        for (auto const& then : points_of_a_recovery) {
            SCOPED_TRACE(std::string{at} + ", then " + then);
            plan const what = row_plan();
            expect_killed_at(what, at);

            plan again = struck(what, then);
            auto const how_it_ended = here().run(again.set("mode", "recover"));
            recover(what);

            ASSERT_NE(how_it_ended, fate::failed);
            expect_whole(what);
            if (HasFailure()) return;
            if (how_it_ended == fate::killed) reached.insert(then);
        }
    }
    for (auto const& name : points_of_a_recovery)
        EXPECT_EQ(reached.count(name), 1u) << "no recovery was killed at " << name;
}

TEST_F(SqliteRowCrash, AHotJournalIsUndoneBeforeTheRowIsAsked)
{
    plan what = row_plan();
    auto const before = file().bulk();
    expect_killed_at(what.set("bulk", 1), "branch.commit_row");
    ASSERT_TRUE(has_hot_journal()) << "nothing of the work was in the file yet";

    recover(what);

    EXPECT_FALSE(has_hot_journal());
    EXPECT_EQ(file().bulk(), before);
    EXPECT_FALSE(is_transferred(what));
    expect_whole(what);
}

TEST_F(SqliteRowCrash, AStrangerWhoKeepsTheFileLockedIsWaitedFor)
{
    plan const what = row_plan();
    expect_killed_at(what, "branch.commit_row");
    plan lock = row_plan();
    pid_t const stranger = here().start(lock.set("mode", "lock"));
    int status = 0;
    ASSERT_EQ(::waitpid(stranger, &status, WUNTRACED), stranger);
    ASSERT_TRUE(WIFSTOPPED(status)) << "it is not frozen";

    recover(what, [&](assent::transaction_manager& tm, point_watch& watch) {
        EXPECT_TRUE(watch.wait_for("commit_row.fence@ledger", 2, in_seconds(30)));
        EXPECT_EQ(watch.count("commit_row.aborts"), 0);
        EXPECT_TRUE(is_prepared_in_both()) << "nothing was concluded";
        EXPECT_THAT(why(tm, "ledger"), HasSubstr("is locked"));
        ::kill(stranger, SIGCONT);
        EXPECT_EQ(scene::wait(stranger), fate::ended);
    });

    EXPECT_FALSE(is_transferred(what));
    expect_whole(what);
}

TEST_F(SqliteRowCrash, AFileThatIsMissingIsWaitedForAndNotMade)
{
    plan const what = row_plan();
    expect_killed_at(what, "branch.commit_row.reply");
    auto const away = file().path() + "-away";
    std::filesystem::rename(file().path(), away);

    recover(what, [&](assent::transaction_manager& tm, point_watch& watch) {
        EXPECT_TRUE(watch.wait_for("resource_manager.unreachable@ledger", 2, in_seconds(30)));
        EXPECT_TRUE(watch.wait_for("recovery.scanned@accounts", 2, in_seconds(30)));
        EXPECT_TRUE(is_prepared_in_both()) << "nothing was concluded";
        EXPECT_THAT(why(tm, "ledger"), HasSubstr("whether the file is there"));
        EXPECT_FALSE(std::filesystem::exists(file().path()));
        std::filesystem::rename(away, file().path());
    });

    EXPECT_TRUE(is_transferred(what));
    expect_whole(what);
}

/// The commit waits for a reader, longer than anybody waits for it: the row is asked for, is not
/// there, and comes.
TEST_F(SqliteRowCrash, ACommitThatBecomesVisibleAfterItsRowWasAskedIsFollowed)
{
    auto const watch = std::make_shared<point_watch>();
    plan const what = row_plan();
    auto options = crash_options(what.text("log")).observe(watch);
    auto bounds = options.given().limits;
    bounds.phase2_wait = std::chrono::seconds{1};
    assent::transaction_manager tm{options.limits(bounds)};
    auto const servers = add_both(tm, what);
    auto const in_file = tm.add(assent::odbc::resource_manager{
        "ledger", "DRIVER=" + assent::contract::odbc_drivers::sqlite() +
                      ";Database=" + file().path() + ";Timeout=60000;"});
    for (char const* name : {"accounts", "orders", "ledger"})
        ASSERT_TRUE(
            watch->wait_for(std::string{"resource_manager.drained@"} + name, 1, in_seconds(30)));
    auto const id = what.text("prefix") + "-t1";
    odbc_client reader{file().connect_string()};
    auto tx =
        tm.begin(assent::begin_options{}.commit_row(in_file).timeout(std::chrono::seconds{3}));
    ledger::enter(tx.lease(in_file), id);
    transfer(tx.lease(servers.accounts), tx.lease(servers.orders), id, 7, 1);
    reader.query("BEGIN");
    reader.query("SELECT count(*) FROM entry");

    EXPECT_THROW(tx.commit(), assent::in_doubt_error);

    // A commit that waits lets nobody read any more, so its keeper cannot even look.
    EXPECT_TRUE(watch->wait_for("resource_manager.unreachable@ledger", 1, in_seconds(30)));
    EXPECT_EQ(watch->count("commit_row.aborts"), 0);
    EXPECT_TRUE(is_prepared_in_both()) << "nothing was concluded";
    EXPECT_EQ(tm.outcome(tx.id()), assent::known_outcome::pending);
    reader.query("ROLLBACK");
    EXPECT_TRUE(watch->wait_for("commit_row.commits@ledger", 1, in_seconds(30)));
    here().wait_until_nothing_is_prepared(in_seconds(30));
    EXPECT_EQ(watch->count("commit_row.aborts"), 0);
    EXPECT_TRUE(tm.close(in_seconds(10)).unfinished.empty());
    EXPECT_TRUE(is_transferred(what));
    expect_whole(what);
}

TEST_F(SqliteRowCrash, TheProgramShowsAndResolvesIt)
{
    struct scenario
    {
        char const* point;
        char const* seen;
        bool is_committed;
    };
    for (auto const& [point, seen, is_committed] :
         {scenario{"branch.commit_row.reply", "its commit row is in \"ledger\"", true},
          scenario{"branch.commit_row", "none is there: recovery inserts an abort row", false}}) {
        plan const what = row_plan();
        expect_killed_at(what, point);
        auto const configuration = here().new_directory() + "/assent.toml";
        std::ofstream{configuration}
            << "log_directory = '" << what.text("log") << "'\nnode_label = 'crash'\n"
            << "[[resource_manager]]\nname = 'accounts'\nkind = 'postgresql'\nconnect = \""
            << what.text("accounts") << "\"\n[[resource_manager]]\nname = 'orders'\n"
            << "kind = 'mariadb'\nconnect = '" << what.text("orders")
            << "'\n[[resource_manager]]\nname = 'ledger'\nkind = 'odbc'\nconnect = '"
            << file().connect_string() << "'\n";
        std::filesystem::permissions(configuration, std::filesystem::perms{0600});
        here().money().stop_looking();

        auto const scan = run_process({ASSENT_CRASH_TOOL, "--config", configuration, "scan"});
        auto const done = run_process({ASSENT_CRASH_TOOL, "--config", configuration, "recover"});

        EXPECT_EQ(scan.status, 4) << scan.output;
        EXPECT_THAT(scan.output, HasSubstr(seen));
        EXPECT_EQ(done.status, 0) << done.output;
        EXPECT_EQ(is_transferred(what), is_committed);
        expect_whole(what);
    }
}

}  // namespace
