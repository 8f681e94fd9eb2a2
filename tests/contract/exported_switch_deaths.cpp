// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_switch_deaths.cpp -- a server, a process and a thread that die, and silence.

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>

#include "tests/contract/exported_switch_suite.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::contract {

TEST_P(exported_switch, SaysThatNobodyKnowsWhereTheServerDies)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const voted = prepared(bank, 1);
    XID const one_phase = work(bank, 2);

    target().server().kill();
    int const answer = bank.commit(one_phase, TMONEPHASE);
    // It was never asked to commit, or nobody knows.
    EXPECT_TRUE(answer == XAER_RMFAIL || answer >= XA_RBBASE) << answer;
    if (answer != XAER_RMFAIL) {
        EXPECT_EQ(bank.commit(voted), XAER_RMFAIL);
    }
    EXPECT_EQ(bank.commit(voted), XAER_PROTO) << "it has to be opened again";
    EXPECT_EQ(bank.close(), XA_OK);
    EXPECT_EQ(bank.open(), XAER_RMERR) << "there is no server";

    target().server().start();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    EXPECT_TRUE(bank.lists(voted));
    EXPECT_EQ(bank.commit(voted), XA_OK) << target().message();
    EXPECT_EQ(target().count(1), 1);
    EXPECT_EQ(target().count(2), 0);
}

TEST_P(exported_switch, DoesNotWaitForEver)
{
    auto bank = monitor(1, "[timeout=1] " + target().info());
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const voted = prepared(bank, 1);

    target().server().freeze();
    auto const begun = std::chrono::steady_clock::now();
    int const answer = bank.commit(voted);
    int const opened = bank.open();
    auto const took = std::chrono::steady_clock::now() - begun;
    target().server().thaw();

    EXPECT_EQ(answer, XAER_RMFAIL);
    EXPECT_EQ(opened, XAER_RMERR);
    EXPECT_LT(took, std::chrono::seconds{10});
    auto patient = monitor(2);
    ASSERT_EQ(patient.open(), XA_OK) << target().message();
    // What was sent may be carried out yet, or has been, or never will be.
    int const then = at_last([&] { return patient.commit(voted); });
    EXPECT_TRUE(then == XA_OK || then == XAER_NOTA) << then << target().message();
    EXPECT_EQ(target().count(1), 1);
}

TEST_P(exported_switch, CallsNothingUnknownThatTheServerMayPrepareYet)
{
    testing::proxy between;
    auto const at = between.add(target().protocol(), target().server().port());
    auto bank = monitor(1, "[timeout=2] " + target().info(between.port(at)));
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = work(bank, 1);
    between.hold(at, target().prepare_words());

    EXPECT_EQ(bank.prepare(x), XAER_RMFAIL) << target().message();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    EXPECT_FALSE(bank.lists(x));
    int then = bank.rollback(x);
    EXPECT_EQ(then, target().ends_silent_sessions() ? XAER_NOTA : XAER_RMFAIL)
        << "it may be prepared yet: " << target().message();

    between.let_go(at);
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (then == XAER_RMFAIL && std::chrono::steady_clock::now() < until) {
        ASSERT_EQ(bank.open(), XA_OK) << target().message();
        then = bank.rollback(x);
    }
    EXPECT_TRUE(then == XA_OK || then == XAER_NOTA) << then << target().message();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    EXPECT_FALSE(bank.lists(x));
    EXPECT_EQ(target().count(1), 0);
    EXPECT_EQ(bank.close(), XA_OK);
}

TEST_P(exported_switch, LeavesAForkedChildNothing)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const idle = work(bank, 1);
    XID const active = next_name();
    XID const of_child = next_name();
    ASSERT_EQ(bank.start(active), XA_OK);
    target().insert(1, 2);

    pid_t const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        bool const is_closed = target().handle(1) == nullptr && bank.prepare(idle) == XAER_PROTO;
        bool is_usable = bank.open() == XA_OK && bank.prepare(idle) == XAER_NOTA &&
                         bank.start(of_child) == XA_OK;
        if (is_usable) {
            target().insert(1, 3);
            is_usable = bank.end(of_child) == XA_OK && bank.commit(of_child, TMONEPHASE) == XA_OK &&
                        bank.close() == XA_OK;
        }
        ::_exit(is_closed && is_usable ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);

    target().insert(1, 4);
    EXPECT_EQ(bank.end(active), XA_OK);
    EXPECT_EQ(bank.commit(active, TMONEPHASE), XA_OK) << target().message();
    EXPECT_EQ(bank.commit(idle, TMONEPHASE), XA_OK) << target().message();
    EXPECT_EQ(target().count(1) + target().count(2) + target().count(3) + target().count(4), 4);
}

TEST_P(exported_switch, EndsWhatADeadProcessPrepared)
{
    XID const committed = next_name();
    XID const undone = next_name();
    pid_t const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto bank = monitor();
        bool is_done = bank.open() == XA_OK;
        int key = 0;
        for (XID const& x : {committed, undone}) {
            is_done = is_done && bank.start(x) == XA_OK;
            if (is_done) target().insert(1, ++key);
            is_done = is_done && bank.end(x) == XA_OK && bank.prepare(x) == XA_OK;
        }
        if (!is_done) ::_exit(1);
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    auto other = monitor(2);  // of this process, and keeps nothing
    ASSERT_EQ(other.open(), XA_OK) << target().message();
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    EXPECT_TRUE(bank.lists(committed) && bank.lists(undone));
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    auto const repeat = [&](auto const& call) {
        int answer = call();
        // MariaDB keeps it until the session of the dead has left.
        while ((answer == XA_RETRY || answer == XAER_RMFAIL) &&
               std::chrono::steady_clock::now() < until) {
            EXPECT_EQ(bank.open(), XA_OK) << target().message();
            answer = call();
        }
        return answer;
    };
    auto const begun = std::chrono::steady_clock::now();
    EXPECT_EQ(repeat([&] { return bank.commit(committed); }), XA_OK) << target().message();
    if (target().keeps_prepared()) {
        // A session that has just left may not have let go of it: the OK would be for nothing.
        EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::seconds{1});
    }
    EXPECT_EQ(repeat([&] { return bank.rollback(undone); }), XA_OK) << target().message();

    EXPECT_EQ(target().count(1), 1);
    EXPECT_EQ(target().count(2), 0);
    EXPECT_TRUE(bank.recover().empty());
}

TEST_P(exported_switch, RollsBackWhatAThreadLeavesThatEnds)
{
    auto bank = monitor();
    ASSERT_EQ(bank.open(), XA_OK) << target().message();
    XID const x = next_name();
    XID const voted = next_name();

    elsewhere([&] {
        EXPECT_EQ(bank.open(), XA_OK) << target().message();
        EXPECT_EQ(bank.start(voted), XA_OK);
        target().insert(1, 1);
        EXPECT_EQ(bank.end(voted), XA_OK);
        EXPECT_EQ(bank.prepare(voted), XA_OK) << target().message();
        EXPECT_EQ(bank.start(x), XA_OK);
        target().insert(1, 2);
        return 0;
    });

    EXPECT_EQ(bank.prepare(x), XAER_NOTA);
    EXPECT_EQ(bank.commit(voted), XA_OK) << target().message();
    EXPECT_EQ(target().count(1), 1);
    EXPECT_EQ(target().count(2), 0);
}

TEST_P(exported_switch, IsStillOpenWhereAThreadsObjectsEnd)
{
    auto bank = monitor();
    XID const x = next_name();
    int ended = -1;
    int closed = -1;
    struct closing
    {
        ~closing()
        {
            if (what) what();
        }
        std::function<void()> what;
    };

    elsewhere([&] {
        // Made before the switch is opened, and so destroyed after what is made then.
        thread_local closing at_the_end;
        at_the_end.what = [&] {
            ended = bank.end(x);
            closed = bank.commit(x, TMONEPHASE) == XA_OK ? bank.close() : -1;
        };
        EXPECT_EQ(bank.open(), XA_OK) << target().message();
        EXPECT_EQ(bank.start(x), XA_OK) << target().message();
        target().insert(1, 1);
        return 0;
    });

    EXPECT_EQ(ended, XA_OK);
    EXPECT_EQ(closed, XA_OK);
    EXPECT_EQ(target().count(1), 1);
}

}  // namespace assent::contract
