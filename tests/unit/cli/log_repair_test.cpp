// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What repair does, and what it refuses to do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "recovery/cli/log_repair.hpp"
#include "recovery/cli/log_verify.hpp"
#include "tests/unit/cli/log_directory.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

repair_options confirmed(std::string const& salvage_into = {})
{
    repair_options how;
    how.salvage_into = salvage_into;
    how.reason = "the disk was replaced";
    how.who = "uid 1000 (ann)";
    how.is_confirmed = true;
    how.lock_wait = std::chrono::milliseconds{0};
    return how;
}

TEST(LogRepair, ASoundLogIsLeftAlone)
{
    log_directory const at;
    auto const told = repair(at.target(), confirmed());

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_FALSE(told.has_acted);
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("nothing has to be repaired"));
    EXPECT_EQ(verify(at.target(), {}).seen.segments.size(), 1U);
    EXPECT_FALSE(std::filesystem::exists(at.path("lock"))) << "nothing is written, not even that";
}

TEST(LogRepair, ATornLogIsRepairedWhenConfirmed)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    }};
    auto how = confirmed();
    how.is_confirmed = false;

    auto const unconfirmed = repair(at.target(), how);
    EXPECT_EQ(unconfirmed.code, exit_code::misused);
    EXPECT_EQ(unconfirmed.plan.size(), 3U);
    EXPECT_THAT(unconfirmed.attention, ElementsAre(HasSubstr("--yes")));
    how.ask = [](auto const&) { return false; };
    EXPECT_EQ(repair(at.target(), how).code, exit_code::misused);
    EXPECT_EQ(verify(at.target(), {}).seen.verdict, assent::log::log_verdict::torn);

    std::string asked;
    how.ask = [&](repair_report const& told) {
        asked = in_words(told, painter{false});
        return true;
    };
    auto const told = repair(at.target(), how);

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_TRUE(told.has_acted);
    EXPECT_EQ(told.epoch, 3U);
    EXPECT_THAT(asked, HasSubstr("1. begin segment 3"));
    EXPECT_EQ(verify(at.target(), {}).verdict, "sound: closed in order");
    dump_options only;
    only.only.types = {"operator"};
    EXPECT_THAT(dumped(at, only), HasSubstr("\"uid 1000 (ann)\""));
    EXPECT_THAT(dumped(at, only), HasSubstr("repaired the log: \"the disk was replaced; torn"));
}

TEST(LogRepair, NeverRepairsDamageInPlace)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 3); }};

    auto const told = repair(at.target(), confirmed());

    EXPECT_EQ(told.code, exit_code::damaged);
    EXPECT_FALSE(told.has_acted);
    EXPECT_THAT(told.attention, Contains(HasSubstr("never repaired in place")));
    EXPECT_THAT(told.attention, Contains(HasSubstr("1 record is lost: 11")));
}

TEST(LogRepair, SalvagesIntoANewDirectory)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 3);
        spoil(file, 5);
    }};
    assent::testing::temporary_directory const parent;
    auto const into = parent.path() + "/new";

    auto const told = repair(at.target(), confirmed(into));
    auto const all = json::parse(in_json(told));

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_TRUE(told.has_acted);
    EXPECT_EQ(all.at("lost").at("records"), 2);
    EXPECT_EQ(all.at("lost").at("ranges").at(0), json({{"first", 11}, {"last", 11}}));
    EXPECT_EQ(all.at("lost").at("resource_manager_ids_maybe"), json({{"first", 4}, {"last", 4}}));
    EXPECT_EQ(all.at("epoch"), 3);
    EXPECT_EQ(verify({into, "shop-1", {}, {}}, {}).verdict, "sound: closed in order");
    struct stat seen = {};
    ASSERT_EQ(::stat(into.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777U, 0700U);
    EXPECT_EQ(verify(at.target(), {}).code, exit_code::damaged) << "left as it is";

    EXPECT_EQ(code_of([&] { repair(at.target(), confirmed(into)); }), exit_code::misused)
        << "it is not empty any more";
}

TEST(LogRepair, RefusesDirectoriesThatWillNotDo)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 3); }};
    auto const self = at.target().directory;

    EXPECT_EQ(code_of([&] { repair(at.target(), confirmed(self)); }), exit_code::misused);
    EXPECT_EQ(code_of([&] { repair(at.target(), confirmed(self + "/x/../new")); }),
              exit_code::misused);
    EXPECT_FALSE(std::filesystem::exists(self + "/new"));

    log_directory const torn{[](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    }};
    EXPECT_EQ(code_of([&] { repair(torn.target(), confirmed("/tmp/no-such/new")); }),
              exit_code::misused);
}

TEST(LogRepair, RefusesBesideALiveOwner)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    }};
    auto options = assent::testing::repeatable(nullptr);
    assent::log::file_log const owner{at.target().directory, options};

    EXPECT_EQ(code_of([&] { repair(at.target(), confirmed()); }), exit_code::owned);
    EXPECT_THAT(verify(at.target(), {}).verdict,
                HasSubstr("process " + std::to_string(::getpid()) + " owns it"));
}

TEST(LogRepair, SaysWhyNothingCanBeSalvaged)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 1); }};

    auto const told = repair(at.target(), confirmed("/tmp/no-such/new"));

    EXPECT_EQ(told.code, exit_code::damaged);
    EXPECT_FALSE(told.has_acted);
    EXPECT_THAT(told.attention, Contains(HasSubstr("which openings this log had")));
}

}  // namespace
