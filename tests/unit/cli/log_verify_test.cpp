// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What verify says of a log in a real directory, in words and in JSON.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "recovery/cli/log_verify.hpp"
#include "tests/unit/cli/log_directory.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(LogVerify, ASoundLogIsFine)
{
    log_directory const at;

    auto const told = verify(at.target(), {});
    auto const all = json::parse(in_json(told));

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(told.verdict, "sound: closed in order");
    EXPECT_EQ(all.at("command"), "log verify");
    EXPECT_EQ(all.at("exit_code"), 0);
    EXPECT_EQ(all.at("verdict"), "sound");
    EXPECT_EQ(all.at("owner"), nullptr);
    EXPECT_EQ(all.at("node_label"), "shop-1");
    auto const& segment = all.at("segments").at(0);
    EXPECT_EQ(segment.at("number"), 2);
    EXPECT_EQ(segment.at("epoch"), 2);
    EXPECT_EQ(segment.at("state"), "sealed");
    EXPECT_EQ(segment.at("records"), 13);
    EXPECT_EQ(segment.at("chain"), "first");
    EXPECT_EQ(segment.at("damage"), json::array());
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("9 of 16  13       the one before"));
}

TEST(LogVerify, DamageIsToldWholeWithWhatToDo)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 3);
        spoil(file, 5);
        wipe(file, 6);
    }};

    auto const told = verify(at.target(), {});
    auto const all = json::parse(in_json(told));
    auto const text = in_words(told, painter{false});

    EXPECT_EQ(told.code, exit_code::damaged);
    EXPECT_THAT(told.verdict,
                HasSubstr("page 3 (byte 12288): its checksum is wrong; it was durable"));
    EXPECT_THAT(told.advice, HasSubstr("--salvage-into"));
    auto const& segment = all.at("segments").at(0);
    EXPECT_EQ(segment.at("state"), "corrupt");
    EXPECT_EQ(segment.at("page"), 3);
    EXPECT_EQ(segment.at("damaged_pages"), 3);
    EXPECT_EQ(segment.at("damage").at(2), json({{"first_page", 6},
                                                {"last_page", 6},
                                                {"what", "zeros"},
                                                {"why", "zeros lie where a page was written"},
                                                {"proved_durable_by_page", 7}}));
    EXPECT_EQ(segment.at("missing").at("records"), 3);
    EXPECT_EQ(segment.at("missing").at("ranges").at(1), json({{"first", 14}, {"last", 15}}));
    EXPECT_THAT(text, HasSubstr("segment 2: 3 damaged pages\n"));
    EXPECT_THAT(text, HasSubstr("segment 2: 3 missing records\n  11, 14 to 15\n"));
    EXPECT_THAT(text, HasSubstr("\n! damaged: "));
}

TEST(LogVerify, ATornEndIsNoDamage)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    }};

    auto const told = verify(at.target(), {});

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_THAT(told.verdict, HasSubstr("torn: "));
    EXPECT_THAT(told.verdict, HasSubstr("nothing is lost"));
    EXPECT_EQ(json::parse(in_json(told))
                  .at("segments")
                  .at(0)
                  .at("damage")
                  .at(0)
                  .at("proved_durable_by_page"),
              nullptr);
}

TEST(LogVerify, OtherFilesAreListed)
{
    log_directory const at;
    at.put("0000000000000003.seg.tmp", file_bytes(4096));
    at.put("0000000000000001.seg.torn-1767225600", file_bytes(8192));
    at.put("notes", file_bytes(1));

    auto const told = verify(at.target(), {});

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(json::parse(in_json(told)).at("other_files").at(0),
              json({{"name", "0000000000000001.seg.torn-1767225600"},
                    {"bytes", 8192},
                    {"what", "torn copy"}}));
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("kept as evidence"));
}

TEST(LogVerify, DamageInAReplacedSegmentNeedsALook)
{
    log_directory const at;
    auto older = at.log.segment;  // renamed to look like the predecessor of segment 3
    auto next = std::make_shared<assent::testing::simulated_disk>();
    next->put(second_segment, older);
    assent::testing::open_on(next, 5);
    spoil(older, 3);
    at.put(second_segment, older);
    at.put("0000000000000003.seg", next->contents("0000000000000003.seg"));

    auto const told = verify(at.target(), {});

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_EQ(told.verdict, "sound: closed in order");
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("segment 2 is damaged as well")));
}

TEST(LogVerify, RefusesWhatIsNoLogOfThisConfiguration)
{
    log_directory const at;
    auto which = at.target();
    which.node_label = "shop-2";
    EXPECT_EQ(code_of([&] { verify(which, {}); }), exit_code::misused);
    assent::testing::temporary_directory const empty;
    EXPECT_EQ(code_of([&] { verify({empty.path(), {}, {}, {}}, {}); }), exit_code::misused);
    EXPECT_EQ(code_of([&] { verify({empty.path() + "/no", {}, {}, {}}, {}); }), exit_code::misused);
}

}  // namespace
