// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// How far the reading of a log is, told to a file and to a terminal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>

#include "recovery/cli/progress_line.hpp"

namespace {

using namespace assent::cli;

TEST(ProgressLine, TellsAFileWhatWasRead)
{
    std::ostringstream out;
    {
        progress_line line{out, false};
        line.tell({7, 4096, 8192});
        line.tell({7, 8192, 8192});
    }
    EXPECT_EQ(out.str(), "reading segment 7: 8.0 KiB of 8.0 KiB\n");
}

TEST(ProgressLine, LeavesNothingOnATerminalThatWasNeverWritten)
{
    std::ostringstream out;
    {
        progress_line line{out, true};
        line.tell({7, 4096, 8192});
    }
    EXPECT_EQ(out.str(), "");
}

TEST(ProgressLine, TellsOfOtherWorkThatTakesLong)
{
    std::ostringstream out;
    {
        progress_line line{out, true};
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        while (out.str().empty() && std::chrono::steady_clock::now() < until)
            line.say("asking the databases: 1 of 2 done");
    }
    EXPECT_EQ(out.str(), "\r\x1b[Kasking the databases: 1 of 2 done\r\x1b[K");
}

}  // namespace
