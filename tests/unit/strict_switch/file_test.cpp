// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// file_test.cpp -- what outlives a process, and how it is listed: xa_recover.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/unit/strict_switch/switch_fixture.hpp"

namespace switch_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class listing : public switches
{
protected:
    void SetUp() override { ASSERT_EQ(enter(), XA_OK); }
    void TearDown() override
    {
        std::string info = bank().info();
        bank().entries().xa_close_entry(info.data(), rmid, TMNOFLAGS);
    }
    int enter()
    {
        std::string info = bank().info();
        return bank().entries().xa_open_entry(info.data(), rmid, TMNOFLAGS);
    }
    void leave_prepared(std::string const& gtrid)
    {
        auto x = name(gtrid);
        auto const& sw = bank().entries();
        ASSERT_EQ(sw.xa_start_entry(&x, rmid, TMNOFLAGS), XA_OK);
        bank().add("alice", 1);
        ASSERT_EQ(sw.xa_end_entry(&x, rmid, TMSUCCESS), XA_OK);
        ASSERT_EQ(sw.xa_prepare_entry(&x, rmid, TMNOFLAGS), XA_OK);
    }
    int scan(std::vector<XID>& into, long flags)
    {
        return bank().entries().xa_recover_entry(into.data(), static_cast<long>(into.size()), rmid,
                                                 flags);
    }

    static constexpr int rmid = 6'000;
};

TEST_F(listing, GoesByPages)
{
    for (char const* each : {"a", "b", "c"})
        leave_prepared(each);
    std::vector<XID> page(2);

    EXPECT_EQ(scan(page, TMNOFLAGS), XAER_INVAL);  // no scan was started
    EXPECT_EQ(scan(page, TMSTARTRSCAN), 2);
    EXPECT_EQ(page[0].data[0], 'a');
    EXPECT_EQ(page[0].formatID, 7);
    EXPECT_EQ(scan(page, TMENDRSCAN), 1);
    EXPECT_EQ(page[0].data[0], 'c');
    EXPECT_EQ(scan(page, TMNOFLAGS), XAER_INVAL);
    EXPECT_EQ(scan(page, TMSTARTRSCAN | TMENDRSCAN), 2);
    EXPECT_EQ(bank().entries().xa_recover_entry(nullptr, 1, rmid, TMSTARTRSCAN), XAER_INVAL);
    EXPECT_EQ(bank().entries().xa_recover_entry(page.data(), -1, rmid, TMSTARTRSCAN), XAER_INVAL);
    EXPECT_EQ(count_of_violations(), 4u);
}

TEST_F(listing, ShowsHeuristicsUntilTheyAreForgotten)
{
    leave_prepared("a");
    bank().on(switch_call::commit).answer(xa_code::heurcom);
    auto x = name("a");
    ASSERT_EQ(bank().entries().xa_commit_entry(&x, rmid, TMNOFLAGS), XA_HEURCOM);
    std::vector<XID> page(2);
    EXPECT_EQ(scan(page, TMSTARTRSCAN | TMENDRSCAN), 1);
    ASSERT_EQ(bank().entries().xa_forget_entry(&x, rmid, TMNOFLAGS), XA_OK);
    EXPECT_EQ(scan(page, TMSTARTRSCAN | TMENDRSCAN), 0);
}

TEST_F(listing, WhatIsSettledOutsideIsGone)
{
    leave_prepared("a");
    bank().settle("a.b", true);
    EXPECT_THAT(bank().prepared(), IsEmpty());
    EXPECT_EQ(bank().value("alice"), 1);
    EXPECT_THROW(bank().settle("a.b", true), assent::error);
}

/// A process of its own: in it the switch is opened anew.
class killed : public switches
{
protected:
    template <class Work>
    void in_a_process_that_is_killed(Work const& work)
    {
        auto const child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            if (open() == XA_OK) work();
            ::_exit(1);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "it came to its end: " << WEXITSTATUS(status);
    }
};

TEST_F(killed, LeavesItsPreparedBranchesBehind)
{
    in_a_process_that_is_killed([&] {
        make_prepared(name("p"));
        make_idle(name("i"));
        make_heuristic(name("h"), xa_code::heurrb);
        make_prepared(name("c"));
        if (commit(name("c")) == XA_OK) ::kill(::getpid(), SIGKILL);
    });

    EXPECT_THAT(bank().prepared(), ElementsAre("p.b"));
    EXPECT_THAT(bank().heuristics(), ElementsAre("h.b"));
    EXPECT_EQ(bank().unfinished(), 2u);
    EXPECT_EQ(bank().value("alice"), 1);
    ASSERT_EQ(open(), XA_OK);
    EXPECT_EQ(commit(name("p")), XA_OK);
    EXPECT_EQ(commit(name("h")), XA_HEURRB);
    EXPECT_EQ(bank().value("alice"), 2);
    close();
}

TEST_F(killed, AFileIsOneProcesss)
{
    int pipes[2];
    ASSERT_EQ(::pipe(pipes), 0);
    in_a_process_that_is_killed([&] {
        if (::write(pipes[1], "x", 1) == 1) ::kill(::getpid(), SIGKILL);
    });
    char byte = 0;
    ASSERT_EQ(::read(pipes[0], &byte, 1), 1);
    EXPECT_EQ(open(), XA_OK);  // the lock went with its process
    auto const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::execl("/usr/bin/flock", "flock", "--nonblock", (directory() + "/bank.lock").c_str(),
                "true", nullptr);
        ::_exit(9);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 1);
    close();
    ::close(pipes[0]);
    ::close(pipes[1]);
}

TEST_F(killed, ADamagedFileIsRefused)
{
    std::ofstream{directory() + "/bank"} << "nonsense\n";
    EXPECT_THROW(bank(), assent::error);
    EXPECT_THROW(strict_switch{switch_options{}}, assent::error);
}

TEST_F(switches, WhatNobodyHasOpenLetsGoOfItsFile)
{
    constexpr int rmid = 6'000;
    auto const& is = bank().entries();
    std::string info = bank().info();
    auto const is_free = [&] {
        int const file = ::open((info + ".lock").c_str(), O_RDWR | O_CLOEXEC);
        bool const was_free = ::flock(file, LOCK_EX | LOCK_NB) == 0;
        ::close(file);
        return was_free;
    };
    ASSERT_EQ(is.xa_open_entry(info.data(), rmid, TMNOFLAGS), XA_OK);

    forget_object();
    EXPECT_FALSE(is_free()) << "a thread has it open";
    EXPECT_EQ(is.xa_close_entry(info.data(), rmid, TMNOFLAGS), XA_OK);
    EXPECT_TRUE(is_free());
}

TEST_F(switches, OneNumberIsOneResourceManagers)
{
    ASSERT_EQ(open(), XA_OK);
    strict_switch other{{directory() + "/other"}};
    std::string info = other.info();
    auto const rmid = bank().history().back().rmid;
    EXPECT_EQ(other.entries().xa_open_entry(info.data(), rmid, TMNOFLAGS), XAER_RMERR);
    close();
    EXPECT_EQ(other.entries().xa_open_entry(info.data(), rmid, TMNOFLAGS), XA_OK);
    EXPECT_EQ(other.entries().xa_close_entry(info.data(), rmid, TMNOFLAGS), XA_OK);
}

}  // namespace
}  // namespace switch_test
