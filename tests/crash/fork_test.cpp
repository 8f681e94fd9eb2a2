// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// fork_test.cpp -- a program that forks in the middle of transactions.
//
//   the child may do nothing:  every call throws, destructors send nothing, it may exit at will
//   the child may keep nothing: when the parent is killed and the child sleeps on, another process
//                               takes the log, the guardian's lock and the branches

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <assent/user_transaction.hpp>

#include "tests/crash/scene.hpp"

namespace {

using namespace assent::testing;

class Fork : public ::testing::Test
{
protected:
    static void SetUpTestSuite() { scene_ = new scene; }
    static void TearDownTestSuite()
    {
        delete scene_;
        scene_ = nullptr;
    }

    static scene* scene_;
};

scene* Fork::scene_ = nullptr;

// ---- what a child does -----------------------------------------------------------------------

int complaints = 0;  // of one child

template <class Call>
void must_refuse(char const* what, Call const& call)
{
    try {
        call();
        std::fprintf(stderr, "in the child %s did not throw\n", what);
    } catch (assent::error const& e) {
        if (e.code() == assent::errc::forked) return;
        std::fprintf(stderr, "in the child %s threw: %s\n", what, e.what());
    }
    ++complaints;
}

/// What a parent shares with its child: a manager, and a transaction in the middle of its work.
struct inherited
{
    std::unique_ptr<assent::transaction_manager> tm;
    std::unique_ptr<teller> here;
    std::unique_ptr<assent::transaction> tx;
    both databases;
};

void try_everything(inherited& all)
{
    auto& tm = *all.tm;
    auto& tx = *all.tx;
    must_refuse("begin", [&] { tm.begin(); });
    must_refuse("run", [&] { tm.run([](assent::transaction&) {}); });
    must_refuse("add", [&] {
        tm.add(assent::postgresql::resource_manager{"other", "host=127.0.0.1"});
    });
    must_refuse("state", [&] { tm.state(); });
    must_refuse("outcome", [&] { tm.outcome(tx.id()); });
    must_refuse("suspend", [&] { tm.suspend(); });
    must_refuse("resume", [&] { tm.resume(nullptr); });
    must_refuse("close", [&] { tm.close(in_seconds(1)); });
    must_refuse("lease", [&] { tx.lease(all.databases.accounts); });
    must_refuse("lease of two", [&] { tx.lease(all.databases.accounts, all.databases.accounts); });
    must_refuse("enlist",
                [&] { tx.enlist(all.databases.accounts, reinterpret_cast<PGconn*>(&tx)); });
    must_refuse("register_synchronization", [&] { tx.register_synchronization({}); });
    must_refuse("set_rollback_only", [&] { tx.set_rollback_only(); });
    must_refuse("commit", [&] { tx.commit(); });
    must_refuse("rollback", [&] { tx.rollback(); });
    must_refuse("user_transaction", [&] { assent::user_transaction{tm}.begin(); });
    std::error_code ec;
    assent::diagnostics diag;
    tx.commit(ec, diag);
    if (ec != assent::errc::forked) ++complaints;
    tx.rollback(ec, diag);
    if (ec != assent::errc::forked) ++complaints;
}

/// Files that take every free descriptor number up to a hundred: what writes to, or closes, a
/// connection that is not ours any more, meets one of them.
std::vector<int> occupy_descriptors(std::string const& directory)
{
    std::vector<int> files;
    for (int number = 0; number < 100; ++number) {
        auto const path = directory + "/" + std::to_string(number);
        files.push_back(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    }
    return files;
}

void check_untouched(std::vector<int> const& files)
{
    for (int const file : files) {
        struct stat facts
        {
        };
        if (::fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size == 0) continue;
        std::fprintf(stderr, "in the child somebody wrote to, or closed, descriptor %d\n", file);
        ++complaints;
    }
}

bool is_alive(pid_t child)
{
    auto const descriptor = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    if (descriptor < 0) return false;
    pollfd watched{descriptor, POLLIN, 0};
    bool const has_ended = ::poll(&watched, 1, 0) != 0;
    ::close(descriptor);
    return !has_ended;
}

int status_of(pid_t child)
{
    auto const descriptor = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    pollfd watched{descriptor, POLLIN, 0};
    if (::poll(&watched, 1, 30'000) != 1) {
        ADD_FAILURE() << "the child hangs";
        ::kill(child, SIGKILL);
    }
    ::close(descriptor);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ---- the child exits at once -----------------------------------------------------------------

enum class way_out { exit, immediate };

class ForkAndExit : public Fork, public ::testing::WithParamInterface<std::tuple<handles, way_out>>
{
};

TEST_P(ForkAndExit, LeavesTheParentsTransactionAlone)
{
    auto const [how, out] = GetParam();
    plan const what = scene_->new_plan("in this process", how);
    auto const files = scene_->new_directory();
    inherited all{std::make_unique<assent::transaction_manager>(crash_options(what.text("log"))),
                  nullptr,
                  nullptr,
                  {{"x", "host=x"}, {"x", "host=x user=x database=x"}}};
    all.databases = add_both(*all.tm, what);
    all.here = std::make_unique<teller>(*all.tm, all.databases, what, how);
    all.tx = std::make_unique<assent::transaction>(all.tm->begin());
    auto const with = all.here->enlist(*all.tx);
    transfer(with.accounts, with.orders, what.text("prefix"), 5, 1);
    std::fflush(nullptr);

    pid_t const child = ::fork();
    if (child == 0) {
        auto const occupied = occupy_descriptors(files);
        try_everything(all);
        all.here->own().leak();  // the connections themselves are the parent's to close
        all.tx.reset();
        all.tm.reset();
        all.here.reset();
        check_untouched(occupied);
        if (out == way_out::exit) std::exit(complaints);
        ::_exit(complaints);
    }

    EXPECT_EQ(status_of(child), 0);
    execute(with.accounts, "update balance set amount = amount where id = 1");
    execute(with.orders, "update balance set amount = amount where id = 1");
    EXPECT_EQ(all.tx->commit(), assent::outcome::committed);
    EXPECT_EQ(all.here->transfer(what.text("prefix") + "-after", 3, 2), "committed");
    scene_->expect_whole(what);
}

INSTANTIATE_TEST_SUITE_P(Ways, ForkAndExit,
                         ::testing::Combine(::testing::Values(handles::leased, handles::borrowed),
                                            ::testing::Values(way_out::exit, way_out::immediate)));

TEST_F(Fork, ALeaseThrowsInTheChild)
{
    plan const what = scene_->new_plan("in this process", handles::leased);
    assent::transaction_manager tm{crash_options(what.text("log"))};
    auto const databases = add_both(tm, what);
    auto tx = tm.begin();
    auto const accounts = tx.lease(databases.accounts);
    std::fflush(nullptr);

    pid_t const child = ::fork();
    if (child == 0) {
        must_refuse("lease.get", [&] { accounts.get(); });
        ::_exit(complaints);
    }

    EXPECT_EQ(status_of(child), 0);
    execute(accounts.get(), "select 1");
    tx.rollback();
}

TEST_F(Fork, UnderThreadsThatAllocateAndCommit)
{
    constexpr int forks = 40;
    plan const what = scene_->new_plan("in this process", handles::leased);
    assent::transaction_manager tm{crash_options(what.text("log"))};
    auto const databases = add_both(tm, what);
    std::atomic<bool> is_over{false};
    std::atomic<int> committed{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int number = 0; number < 3; ++number) {
        threads.emplace_back([&, number] {
            teller here{tm, databases, what, handles::leased};
            for (int i = 0; !is_over; ++i) {
                auto const id =
                    what.text("prefix") + "-" + std::to_string(number) + "-" + std::to_string(i);
                auto const told = here.transfer(id, 1, number);
                EXPECT_EQ(told, "committed");
                (told == "committed" ? committed : refused)++;
            }
        });
        threads.emplace_back([&] {
            while (!is_over)
                std::vector<std::string>(100, std::string(1000, 'x'));
        });
    }

    for (int number = 0; number < forks; ++number) {
        std::fflush(nullptr);
        int const before = committed;
        pid_t const child = ::fork();
        if (child == 0) {
            must_refuse("begin", [&] { tm.begin(); });
            ::_exit(complaints);
        }
        EXPECT_EQ(status_of(child), 0);
        while (committed == before && refused == 0)
            std::this_thread::yield();
    }
    is_over = true;
    for (auto& each : threads)
        each.join();

    EXPECT_EQ(refused, 0);
    EXPECT_GE(committed, forks);
    scene_->expect_whole(what);
}

// ---- the parent dies, the child sleeps -------------------------------------------------------

struct place
{
    char const* name;
    int occurrence;
};

class ForkAndDie : public Fork, public ::testing::WithParamInterface<std::tuple<handles, place>>
{
protected:
    ~ForkAndDie() override { end_child(); }

    void end_child()
    {
        if (child_ > 0) ::kill(std::exchange(child_, 0), SIGKILL);
    }

    pid_t child_ = 0;
};

TEST_P(ForkAndDie, RecoveryIsDoneBeforeTheChildWakes)
{
    auto const [how, at] = GetParam();
    plan const what = scene_->new_plan("hold", how);
    plan struck = what;
    struck.set("strike", at.name).set("occurrence", at.occurrence);
    ASSERT_EQ(scene_->run(struck), fate::killed);
    ASSERT_TRUE(std::ifstream{what.text("child")} >> child_) << "nobody was forked";

    {
        // A borrowed connection stays open in the child, so its session stays at the server, and
        // that is no reason to leave a branch undecided.
        assent::transaction_manager tm{crash_options(what.text("log"))};
        auto const databases = add_both(tm, what);
        auto tx = tm.begin();
        tx.lease(databases.accounts);  // waits for both guardians, and for a scan
        tx.lease(databases.orders);
        tx.rollback();
        scene_->wait_until_nothing_is_prepared(in_seconds(20));
        scene_->expect_whole(what);
    }
    if (how == handles::leased) scene_->recover(what);  // of these nothing at all is left
    ASSERT_TRUE(is_alive(child_)) << "the child did not live long enough to be in the way";

    end_child();
    scene_->recover(what);
    scene_->expect_whole(what);
}

INSTANTIATE_TEST_SUITE_P(Places, ForkAndDie,
                         ::testing::Combine(::testing::Values(handles::leased, handles::borrowed),
                                            ::testing::Values(place{"branch.start.reply", 2},
                                                              place{"branch.prepare.reply", 1},
                                                              place{"branch.prepare.reply", 2},
                                                              place{"decision.durable", 1},
                                                              place{"branch.commit.sent", 1},
                                                              place{"branch.commit.reply", 1})));

}  // namespace
