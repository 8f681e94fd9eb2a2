// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_file_test.cpp -- which files SQLite may commit to.

#include <gmock/gmock.h>

#include <cstdint>

#include "adapters/odbc/sqlite_file.hpp"

namespace assent::odbc_adapter {

namespace {

using ::testing::HasSubstr;

constexpr long ext4 = 0xef53;
constexpr long nfs = 0x6969;
constexpr long tmpfs = 0x01021994;
constexpr long cifs = 0xff534d42;

TEST(SqliteFile, ACommitMustBeOnTheDiskWhenItIsAnswered)
{
    for (char const* const kept : {"truncate", "persist", "wal"}) {
        EXPECT_EQ(why_not_durable(kept, "2"), "") << kept;
        EXPECT_EQ(why_not_durable(kept, "3"), "") << kept;
        EXPECT_THAT(why_not_durable(kept, "1"), HasSubstr("at power loss")) << kept;
    }
    // Nobody has synced the directory in which the journal, whose removal is the commit, was.
    EXPECT_THAT(why_not_durable("delete", "2"), HasSubstr("PRAGMA synchronous = EXTRA"));
    EXPECT_EQ(why_not_durable("delete", "3"), "");
    EXPECT_THAT(why_not_durable("memory", "3"), HasSubstr("journal_mode is memory"));
    EXPECT_THAT(why_not_durable("off", "3"), HasSubstr("journal_mode is off"));
    EXPECT_NE(why_not_durable("wal", ""), "") << "what is not known is not durable";
}

TEST(SqliteFile, LocksOfANetworkAreNeverTrusted)
{
    for (bool const is_lax : {false, true}) {
        EXPECT_THAT(why_unsafe_file_system(nfs, is_lax), HasSubstr("(nfs)"));
        EXPECT_THAT(why_unsafe_file_system(cifs, is_lax), HasSubstr("network"));
        EXPECT_EQ(why_unsafe_file_system(ext4, is_lax), "");
    }
    // statfs::f_type is signed, and sign-extended by some kernels.
    EXPECT_THAT(why_unsafe_file_system(static_cast<std::int32_t>(0xff534d42U), false),
                HasSubstr("(cifs)"));
}

TEST(SqliteFile, MemoryIsAcceptedByNameOnly)
{
    EXPECT_THAT(why_unsafe_file_system(tmpfs, false), HasSubstr("tmpfs"));
    EXPECT_EQ(why_unsafe_file_system(tmpfs, true), "");
    EXPECT_THAT(why_unsafe_place("/no/such/file", false), HasSubstr("/no/such/file"));
}

}  // namespace

}  // namespace assent::odbc_adapter
