// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// processes.hpp -- work in a process of its own, for tests that have no threads.

#ifndef ASSENT_TESTS_CRASH_PROCESSES_HPP
#define ASSENT_TESTS_CRASH_PROCESSES_HPP

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>

namespace assent::testing {

/// Runs `work` in a process of its own.
/// @return its exit code, or minus the signal that ended it.
inline int in_a_process(std::function<int()> const& work)
{
    auto const child = ::fork();
    if (child == 0) {
        int code = 99;
        try {
            code = work();
        } catch (std::exception const& e) {
            std::fprintf(stderr, "%s\n", e.what());
        }
        ::_exit(code);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// What a process told before it was killed, a byte each.
class told_commits
{
public:
    told_commits()
    {
        if (::pipe(ends_) != 0) throw std::runtime_error{"pipe"};
    }
    ~told_commits()
    {
        ::close(ends_[0]);
        if (is_open_) ::close(ends_[1]);
    }
    told_commits(told_commits const&) = delete;
    told_commits& operator=(told_commits const&) = delete;

    /// In the process.
    void tell() const
    {
        if (::write(ends_[1], "c", 1) != 1) throw std::runtime_error{"write"};
    }
    /// Once the process has ended.
    int count()
    {
        ::close(ends_[1]);
        is_open_ = false;
        int sum = 0;
        char byte = 0;
        while (::read(ends_[0], &byte, 1) == 1)
            ++sum;
        return sum;
    }

private:
    int ends_[2] = {-1, -1};
    bool is_open_ = true;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_PROCESSES_HPP
