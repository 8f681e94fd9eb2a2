// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branch_name_test.cpp -- names of ours and of others, and how each dialect writes them.

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "adapters/dialects/branch_name.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"
#include "adapters/dialects/postgresql/gid.hpp"

namespace assent::dialects {

namespace {

using postgresql_dialect::branch_of;
using postgresql_dialect::gid_of;

xid ours()
{
    return {gtrid::make({decision_place::log, 0, 1, 2, 3, 4}), bqual::make({5, 6, 7})};
}

branch_name foreign(std::int64_t format_id, std::string const& gtrid, std::string const& bqual)
{
    return branch_name::foreign(format_id, gtrid, bqual).value();
}

TEST(BranchName, IsOursOrIsWhole)
{
    EXPECT_TRUE(branch_name{ours()}.is_ours());
    EXPECT_EQ(branch_name{ours()}, branch_name{ours()});
    EXPECT_NE(foreign(1, std::string{ours().global.text()}, std::string{ours().branch.text()}),
              branch_name{ours()});
    EXPECT_NE(foreign(1, "ab", "c"), foreign(1, "a", "bc"));
    EXPECT_NE(foreign(1, "a", "b"), foreign(2, "a", "b"));
    EXPECT_FALSE(branch_name::foreign(-1, "a", "b"));
    EXPECT_FALSE(branch_name::foreign(0, "", "b"));
    EXPECT_FALSE(branch_name::foreign(0, std::string(65, 'a'), "b"));
    EXPECT_FALSE(branch_name::foreign(0, "a", std::string(65, 'b')));
}

TEST(Gid, OfOursIsTheirText)
{
    EXPECT_EQ(gid_of(ours()), ours().text());
    EXPECT_FALSE(branch_of(ours().text()));
}

TEST(Gid, OfOthersIsTheJdbcDrivers)
{
    EXPECT_EQ(gid_of(foreign(0, "f", "")), "0_Zg==_");
    EXPECT_EQ(gid_of(foreign(7, "fo", "foo")), "7_Zm8=_Zm9v");
    EXPECT_EQ(gid_of(foreign(4660, "foobar", "\xfb\xff")), "4660_Zm9vYmFy_+/8=");
}

TEST(Gid, HasRoomForTheLongestName)
{
    auto const longest = foreign(std::numeric_limits<std::int64_t>::max(), std::string(64, '\xff'),
                                 std::string(64, '\0'));

    EXPECT_EQ(gid_of(longest).size(), 197U);
    EXPECT_EQ(branch_of(gid_of(longest)), longest);
}

TEST(Gid, ReadsWhatItWrote)
{
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte)
        bytes += static_cast<char>(byte);
    for (std::size_t gtrid = 1; gtrid <= 64; ++gtrid) {
        for (std::size_t bqual = 0; bqual <= 64; bqual += 3) {
            auto const name = foreign(static_cast<std::int64_t>(gtrid * bqual),
                                      bytes.substr(3 * gtrid, gtrid), bytes.substr(bqual, bqual));
            ASSERT_EQ(branch_of(gid_of(name)), name) << gtrid << " and " << bqual;
        }
    }
}

TEST(Gid, ReadsNothingElse)
{
    for (auto const* other : {"",
                              "_",
                              "__",
                              "7",
                              "7_Zg==",
                              "_Zg==_Zg==",
                              "7__Zg==",
                              "-1_Zg==_Zg==",
                              "+7_Zg==_Zg==",
                              "07_Zg==_Zg==",
                              " 7_Zg==_Zg==",
                              "7 _Zg==_Zg==",
                              "7_Zg=_Zg==",
                              "7_Zg_Zg==",
                              "7_Zg===_",
                              "7_Zh==_Zg==",
                              "7_Z===_Zg==",
                              "7_Zg==_Zg==_",
                              "7_Zg==_Zg== ",
                              "7_Zg==_Z*==",
                              "7_=_Zg==",
                              "9223372036854775808_Zg==_Zg==",
                              "7_Zg==_\n",
                              "by hand"}) {
        EXPECT_FALSE(branch_of(other)) << other;
    }
    auto const too_long = "7_" + std::string(88, 'A') + "_" + std::string(112, 'A');
    EXPECT_FALSE(branch_of(too_long));
}

TEST(MysqlXidText, CarriesForeignNamesInHexadecimal)
{
    using mysql_dialect::read_foreign;
    using mysql_dialect::render;
    auto const name = foreign(300, std::string{"'\0\\", 3}, "");

    EXPECT_EQ(render(name), "X'27005c',X'',300");
    EXPECT_EQ(read_foreign("300", "3", "0", std::string{"'\0\\", 3}), name);
    EXPECT_FALSE(read_foreign("300", "3", "1", "abc"));
    EXPECT_FALSE(read_foreign("300", "0", "3", "abc")) << "XA has no such name";
    EXPECT_FALSE(read_foreign("-1", "1", "2", "abc"));
    EXPECT_FALSE(read_foreign("", "1", "2", "abc"));
}

TEST(MysqlXidText, GivesAnOldServerNoNulByte)
{
    using mysql_dialect::is_taken;
    std::string const nul(1, '\0');

    for (auto const& x : {foreign(7, nul, ""), foreign(7, "a", nul)}) {
        EXPECT_FALSE(is_taken(x, false, 80400));
        EXPECT_TRUE(is_taken(x, false, 90704));
        EXPECT_TRUE(is_taken(x, true, 80400));
    }
    EXPECT_TRUE(is_taken(foreign(7, "a", ""), false, 80400));
}

TEST(MysqlXidText, LetsNobodyMakeOneOfOurs)
{
    using mysql_dialect::read_foreign;
    using mysql_dialect::render;
    std::string const global{ours().global.text()};
    std::string const branch{ours().branch.text()};

    EXPECT_TRUE(render(branch_name{ours()}));
    EXPECT_FALSE(render(foreign(mysql_format_id, global, branch)));
    EXPECT_TRUE(render(foreign(assent_format_id, global, branch)));
    EXPECT_FALSE(read_foreign("1", "57", "24", global + branch));
    EXPECT_TRUE(read_foreign(std::to_string(assent_format_id), "57", "24", global + branch));
}

}  // namespace

}  // namespace assent::dialects
