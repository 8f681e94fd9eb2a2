// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// settings_test.cpp -- xa_info: our words, and the adapter's.

#include <gtest/gtest.h>

#include <assent/error.hpp>

#include "adapters/switch_out/settings.hpp"

namespace assent::switch_out {

namespace {

TEST(SwitchSettings, LeavesAConnectStringAlone)
{
    auto const read = read_settings("host=db1 password=[x]");

    EXPECT_EQ(read.connect, "host=db1 password=[x]");
    EXPECT_EQ(read.timeout, std::chrono::seconds{60});
    EXPECT_FALSE(read.allow_non_durable);
    EXPECT_EQ(read_settings("").connect, "");
}

TEST(SwitchSettings, ReadsTheWordsInTheBrackets)
{
    auto const read = read_settings("[ timeout=3600  allow_non_durable ]  DSN=x;PWD={]}");

    EXPECT_EQ(read.connect, "DSN=x;PWD={]}");
    EXPECT_EQ(read.timeout, std::chrono::seconds{3600});
    EXPECT_TRUE(read.allow_non_durable);
    EXPECT_EQ(read_settings("[]host=a").connect, "host=a");
    EXPECT_EQ(read_settings("[timeout=1]").timeout, std::chrono::seconds{1});
}

TEST(SwitchSettings, RefusesEveryOtherWordAndShowsNone)
{
    for (std::string const secret :
         {"[s3cret] host=a", "[timeout=s3cret]", "[timeout=0] s3cret", "[timeout=3601] s3cret",
          "[timeout=-1] s3cret", "[timeout=] s3cret", "[timeout=1x] s3cret", "[timeout=1 s3cret",
          "[allow_non_durable=s3cret]", "[password=s3cret] x"}) {
        try {
            read_settings(secret);
            ADD_FAILURE() << secret;
        } catch (driver_error const& error) {
            EXPECT_EQ(error.why(), errc::bad_argument);
            EXPECT_EQ(std::string{error.what()}.find("s3cret"), std::string::npos) << error.what();
        }
    }
}

}  // namespace

}  // namespace assent::switch_out
