// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/scene.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <mysql.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "tests/servers/spawn.hpp"

namespace assent::testing {

namespace {

constexpr int victim_seconds_max = 90;
constexpr int recovery_seconds_max = 30;

std::set<std::string> listed_by(PGconn* connection)
{
    std::unique_ptr<PGresult, decltype(&PQclear)> const rows{
        PQexec(connection, "select gid from pg_prepared_xacts"), &PQclear};
    if (PQresultStatus(rows.get()) != PGRES_TUPLES_OK) {
        throw std::runtime_error{PQerrorMessage(connection)};
    }
    std::set<std::string> all;
    for (int i = 0; i < PQntuples(rows.get()); ++i)
        all.insert(PQgetvalue(rows.get(), i, 0));
    return all;
}

std::set<std::string> listed_by(MYSQL* connection)
{
    if (mysql_query(connection, "xa recover") != 0)
        throw std::runtime_error{mysql_error(connection)};
    std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> const rows{
        mysql_store_result(connection), &mysql_free_result};
    std::set<std::string> all;
    while (MYSQL_ROW const row = mysql_fetch_row(rows.get()))
        all.insert(row[3]);
    return all;
}

std::set<std::string> without(std::set<std::string> all, std::set<std::string> const& others)
{
    for (auto const& one : others)
        all.erase(one);
    return all;
}

std::string make_directory()
{
    char const* const given = std::getenv("TMPDIR");
    std::string pattern = std::string{given != nullptr ? given : "/tmp"} + "/assent-crash-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
    }
    return pattern;
}

}  // namespace

scene::scene() : directory_(make_directory())
{
    execute(bank_.look_accounts(), "create table single (id varchar(64) primary key)");
    prepare_foreign_branches();
    bank_.stop_looking();
}

scene::~scene()
{
    std::error_code ignored;  // a directory that cannot be removed fails no test
    std::filesystem::remove_all(directory_, ignored);
}

/// Of another manager, and of another node of ours with the same layout.
void scene::prepare_foreign_branches()
{
    xid const other_node{gtrid::make({decision_place::log, 0, 0xfeed, 1, 0xbeef, 1}),
                         bqual::make({1, 1, 0})};
    std::string const global{other_node.global.text()};
    std::string const branch{other_node.branch.text()};

    execute(bank_.look_accounts(), "create table foreign_work (id varchar(64) primary key)");
    execute(bank_.look_orders(),
            "create table foreign_work (id varchar(64) primary key) engine=innodb");
    struct name
    {
        std::string row, gid, quoted_xid;
    };
    for (auto const& [row, gid, quoted] :
         {name{"manager", "another-manager", "'another','manager',7"},
          name{"node", other_node.text(), "'" + global + "','" + branch + "',1"}}) {
        std::string const insert = "insert into foreign_work values ('" + row + "')";
        execute(bank_.look_accounts(), "begin");
        execute(bank_.look_accounts(), insert);
        execute(bank_.look_accounts(), "prepare transaction '" + gid + "'");
        execute(bank_.look_orders(), "xa start " + quoted);
        execute(bank_.look_orders(), insert);
        execute(bank_.look_orders(), "xa end " + quoted);
        execute(bank_.look_orders(), "xa prepare " + quoted);
        bank_.stop_looking();  // MariaDB keeps a prepared branch on its session
    }
    foreign_in_accounts_ = listed_by(bank_.look_accounts());
    foreign_in_orders_ = listed_by(bank_.look_orders());
    if (foreign_in_accounts_.size() != 2 || foreign_in_orders_.size() != 2) {
        throw std::logic_error{"the foreign branches were not prepared"};
    }
}

std::string scene::new_directory()
{
    auto const path = directory_ + "/" + std::to_string(++directories_);
    if (::mkdir(path.c_str(), 0700) != 0) {
        throw std::system_error(errno, std::generic_category(), "mkdir " + path);
    }
    return path;
}

plan scene::new_plan(std::string const& mode, handles which)
{
    auto const number = std::to_string(++plans_);
    auto const files = new_directory();
    plan made;
    made.set("mode", mode).set("borrowed", which == handles::borrowed ? 1 : 0);
    made.set("accounts", bank_.accounts_conninfo()).set("orders", bank_.orders_connect_string());
    made.set("log", new_directory()).set("prefix", "p" + number);
    made.set("answers", files + "/answers").set("points", files + "/points");
    made.set("child", files + "/child").set("file", files + "/plan");
    return made;
}

pid_t scene::start(plan const& what)
{
    what.write(what.text("file"));
    std::string const program = what.has("program") ? what.text("program") : ASSENT_CRASH_VICTIM;
    return spawn({program, what.text("file")}, -1, -1);
}

fate scene::wait(pid_t victim)
{
    auto const descriptor = static_cast<int>(::syscall(SYS_pidfd_open, victim, 0));
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "pidfd_open");
    pollfd watched{descriptor, POLLIN, 0};
    int const ended = ::poll(&watched, 1, victim_seconds_max * 1000);
    ::close(descriptor);
    if (ended != 1) {
        ADD_FAILURE() << "the victim hangs; it is killed";
        ::kill(victim, SIGKILL);
    }
    int status = 0;
    while (::waitpid(victim, &status, 0) < 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
    }
    if (ended != 1) return fate::failed;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return fate::killed;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? fate::ended : fate::failed;
}

void scene::recover(plan const& what)
{
    auto const watch = std::make_shared<point_watch>();
    bank_.stop_looking();
    transaction_manager tm{crash_options(what.text("log")).observe(watch)};
    add_both(tm, what);
    auto const until = in_seconds(recovery_seconds_max);
    for (char const* name : {"accounts", "orders"}) {
        if (watch->wait_for(std::string{"resource_manager.drained@"} + name, 1, until)) continue;
        ADD_FAILURE() << name << " was not drained";
        for (auto const& each : tm.state().resource_managers) {
            ADD_FAILURE() << each.name << ": " << each.why << ", due " << each.branches_due;
        }
    }
    EXPECT_EQ(tm.state().quarantined, std::vector<std::string>{});
    EXPECT_EQ(tm.state().heuristics, 0u);
}

void scene::wait_until_nothing_is_prepared(deadline until)
{
    while (!prepared_in_accounts().empty() || !prepared_in_orders().empty()) {
        if (std::chrono::steady_clock::now() >= until) {
            ADD_FAILURE() << "branches are still prepared";
            return;
        }
        // Two starts of MariaDB within one second look alike, so that a session that stays may have
        // the number of the one that prepared a branch, and be waited for.
        bank_.stop_looking();
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

std::set<std::string> scene::prepared_in_accounts()
{
    return without(listed_by(bank_.look_accounts()), foreign_in_accounts_);
}

std::set<std::string> scene::prepared_in_orders()
{
    return without(listed_by(bank_.look_orders()), foreign_in_orders_);
}

void scene::expect_whole(plan const& what)
{
    EXPECT_EQ(bank_.money(), 2 * bank::accounts * bank::first_balance);
    EXPECT_EQ(bank_.transfers_in_accounts(), bank_.transfers_in_orders());
    EXPECT_EQ(prepared_in_accounts(), std::set<std::string>{});
    EXPECT_EQ(prepared_in_orders(), std::set<std::string>{});
    EXPECT_EQ(listed_by(bank_.look_accounts()), foreign_in_accounts_);
    EXPECT_EQ(listed_by(bank_.look_orders()), foreign_in_orders_);
    expect_answers_true(what);
    bank_.stop_looking();
}

void scene::expect_answers_true(plan const& what)
{
    auto const there = bank_.transfers_in_accounts();
    std::ifstream lines{what.text("answers")};
    for (std::string said, id; lines >> said >> id;) {
        bool const is_single = id.substr(id.size() - 2) == "-s";
        bool const is_there =
            is_single ? number(bank_.look_accounts(),
                               "select count(*) from single where id = '" + id + "'") == 1
                      : there.count(id) != 0;
        if (said == "committed" || said == "pending") {
            EXPECT_TRUE(is_there) << id << " was answered " << said << ", and is not there";
        } else if (said == "rolled_back" || said == "failed") {
            EXPECT_FALSE(is_there) << id << " was answered " << said << ", and is there";
        } else {
            ADD_FAILURE() << id << " was answered " << said;
        }
    }
}

std::map<std::string, int> scene::points_of(plan const& what)
{
    std::map<std::string, int> all;
    std::ifstream lines{what.text("points")};
    std::string name;
    for (int count = 0; lines >> name >> count;)
        all[name] = count;
    return all;
}

}  // namespace assent::testing
