// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// descriptors_test.cpp -- what a forked child closes, and what it must not.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "engine/descriptors.hpp"

namespace {

using assent::engine::inherited_descriptor;

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

}  // namespace
