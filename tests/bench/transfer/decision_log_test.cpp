// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decision_log_test.cpp -- the log by hand is an honest rival: one force for all that wait, and
// never a yes that is not durable.

#include "decision_log.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <stdexcept>

#include "bench.hpp"

namespace {

using namespace assent::bench;

/// So that what is written at `bytes` of a file or beyond fails, and what crosses it is short.
class file_limit
{
public:
    explicit file_limit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN))
    {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit const now{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~file_limit()
    {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, signal_);
    }
    file_limit(file_limit const&) = delete;
    file_limit& operator=(file_limit const&) = delete;

private:
    void (*signal_)(int);
    rlimit before_{};
};

class DecisionLog : public ::testing::Test
{
protected:
    scratch const in_{::testing::TempDir()};
    decision_log log_{in_.path()};
};

TEST_F(DecisionLog, ForcesOnceForEachThatComesAlone)
{
    log_.force("one");
    log_.force("two");

    EXPECT_EQ(log_.forces(), 2u);
}

TEST_F(DecisionLog, LetsAllThreadsGoOn)
{
    constexpr std::size_t threads = 8;
    constexpr std::size_t each = 20;

    on_threads(threads, [this](std::size_t) {
        for (std::size_t i = 0; i < each; ++i)
            log_.force("decision");
    });

    EXPECT_GE(log_.forces(), each);
    EXPECT_LE(log_.forces(), threads * each);
}

TEST_F(DecisionLog, SaysNoToAShortWriteAndEverAfter)
{
    {
        file_limit const limit(3);
        EXPECT_THROW(log_.force("one"), std::runtime_error);
    }

    EXPECT_THROW(log_.force("two"), std::runtime_error);
    EXPECT_EQ(log_.forces(), 0u);
}

TEST_F(DecisionLog, SaysNoWhenAWriteFails)
{
    log_.force("one");
    {
        file_limit const limit(3);
        EXPECT_THROW(log_.force("two"), std::runtime_error);
    }

    EXPECT_THROW(log_.force("three"), std::runtime_error);
    EXPECT_EQ(log_.forces(), 1u);
}

}  // namespace
