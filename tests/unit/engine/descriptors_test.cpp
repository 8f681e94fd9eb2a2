// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// descriptors_test.cpp -- what a forked child closes, and what it must not.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "ports/connecting.hpp"
#include "ports/forks.hpp"
#include "tests/unit/engine/meddling_driver.hpp"

namespace {

using assent::ports::inherited_descriptor;

bool is_open_in_a_child(int descriptor)
{
    pid_t const child = ::fork();
    if (child == 0) ::_exit(::fcntl(descriptor, F_GETFD) < 0 ? 1 : 0);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status) == 0;
}

TEST(InheritedDescriptor, IsClosedInAChildAndStaysOpenHere)
{
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    {
        inherited_descriptor const known{ends[0]};
        EXPECT_FALSE(is_open_in_a_child(ends[0]));
        EXPECT_TRUE(is_open_in_a_child(ends[1]));
    }
    EXPECT_TRUE(is_open_in_a_child(ends[0])) << "nobody speaks for it any more";
    ::close(ends[0]);
    ::close(ends[1]);
}

/// A child that lives on would keep the guardian's lock, or an attached branch, after its parent.
TEST(InheritedDescriptor, OfAConnectionThatWasOpenedAcrossAForkIsNotUsed)
{
    using namespace engine_test;
    meddled at;
    std::map<assent::session_purpose, int> connects;
    at.driver->on_connect = [&](assent::session_purpose purpose) {
        if (++connects[purpose] != 1) return;
        pid_t const child = ::fork();
        if (child == 0) ::_exit(0);
        ::waitpid(child, nullptr, 0);
    };

    at.run_for(50ms);
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);

    for (auto const& [purpose, count] : connects) {
        EXPECT_EQ(count, 2) << static_cast<int>(purpose);
    }
    EXPECT_EQ(connects.size(), 3u);
    EXPECT_EQ(at.accounts.db.sessions().size(), 3u) << "the others are cut";
    tx.rollback();
}

TEST(InheritedDescriptor, AProcessThatForksWithoutEndIsToldSo)
{
    using namespace engine_test;
    meddled at;
    at.run_for(50ms);
    at.driver->on_connect = [](assent::session_purpose) {
        pid_t const child = ::fork();
        if (child == 0) ::_exit(0);
        ::waitpid(child, nullptr, 0);
    };
    transaction tx{at.engine, {}};

    auto const e = assent::testing::thrown_by<assent::error>([&] { at.lease(tx); });

    EXPECT_EQ(e.code(), assent::errc::unavailable);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("forks"));
    at.driver->on_connect = {};
    tx.rollback();
}

/// A client library closes the socket of a connection that broke while its branch is still open.
TEST(InheritedDescriptor, WhoseNumberWentToAnotherFileIsLeftToThatOne)
{
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    inherited_descriptor const known{ends[0]};
    int const other = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ASSERT_GE(other, 0);
    ASSERT_EQ(::dup3(other, ends[0], O_CLOEXEC), ends[0]);  // closes the socket

    EXPECT_TRUE(is_open_in_a_child(ends[0])) << "it is the application's file";

    ::close(other);
    ::close(ends[0]);
    ::close(ends[1]);
}

/// A socket that has the number of a standard stream gets what somebody prints.
TEST(StandardStream, ThatIsASocketIsRefusedByItsNumber)
{
    for (int number = 0; number < 3; ++number) {
        auto const why = assent::ports::why_not(number);
        EXPECT_NE(why.find("the number " + std::to_string(number)), std::string::npos) << why;
    }
    EXPECT_EQ(assent::ports::why_not(3), "");
    EXPECT_EQ(assent::ports::why_not(-1), "") << "a session without a socket";
}

}  // namespace
