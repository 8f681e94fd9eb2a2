// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What fills a log, and what keeps decisions in it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "recovery/cli/log_stats.hpp"
#include "tests/unit/cli/log_directory.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using nlohmann::json;
using ::testing::HasSubstr;

TEST(LogStats, CountsWhatIsThereAndWhatKeepsIt)
{
    log_directory const at;

    auto const told = stats(at.target(), {});
    auto const all = json::parse(in_json(told));

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(all.at("command"), "log stats");
    EXPECT_EQ(all.at("records"), json({{"binding", 3},
                                       {"binding-epoch", 1},
                                       {"decision", 4},
                                       {"end", 1},
                                       {"heuristic", 1},
                                       {"limits", 1},
                                       {"opening", 2}}));
    EXPECT_EQ(all.at("decisions"),
              json({{"live", 3}, {"complete", 1}, {"kept", 1}, {"droppable", 0}}));
    EXPECT_EQ(all.at("snapshot"), json({{"pages", 1}, {"records", 5}}));
    EXPECT_EQ(all.at("forces").at("count"), 7);
    EXPECT_EQ(all.at("forces").at("with_decisions"), 4);
    EXPECT_EQ(all.at("segments").at(0).at("pages_used"), 9);
    EXPECT_EQ(all.at("segments").at(0).at("pages_free"), 7);
    EXPECT_EQ(all.at("segments").at(0).at("bytes"), 16 * 4096);
    EXPECT_GT(all.at("segments").at(0).at("bytes_on_disk"), 0);
    auto const& orders = all.at("resource_managers").at(1);
    EXPECT_EQ(orders.at("name"), "orders");
    EXPECT_EQ(orders.at("unfinished"), 3);
    EXPECT_EQ(orders.at("held_back"), 1);
    EXPECT_EQ(all.at("first"), "2026-01-01T00:00:02.000Z");
    EXPECT_NE(all.at("medium").at("file_system"), "");
    EXPECT_THAT(std::string(all.at("medium").at("takes_o_direct")), ::testing::AnyOf("yes", "no"));
    EXPECT_THAT(in_words(told, painter{false}),
                HasSubstr("decisions     3 to be carried out, 1 finished: 1 kept, 0 gone"));
}

TEST(LogStats, AForceThatManyShareIsOne)
{
    auto const disk = std::make_shared<assent::testing::simulated_disk>();
    auto const log = assent::testing::open_on(disk, 1);
    log->bind("accounts", "memory", "identity-a");
    for (std::uint64_t i = 1; i <= 4; ++i) {
        log->force(assent::testing::decision_of(*log, i, 1), assent::testing::far_away());
        assent::testing::finish(*log, assent::testing::decision_of(*log, i, 1));
    }
    log->raise_horizon(1, {1, 3});
    log->close();
    log_directory const at{
        [&](file_bytes& file) { file = disk->contents("0000000000000001.seg"); }};
    std::filesystem::rename(at.path(second_segment), at.path("0000000000000001.seg"));

    auto const told = stats(at.target(), {});

    EXPECT_EQ(told.complete, 4U);
    EXPECT_EQ(told.droppable, 3U) << "up to the horizon";
    ASSERT_EQ(told.databases.size(), 1U);
    EXPECT_EQ(told.databases[0].held_back, 1U);
    EXPECT_EQ(told.databases[0].horizon, (assent::ports::position{1, 3}));
    EXPECT_EQ(told.forces.decisions, 4U);
    EXPECT_EQ(told.forces.decisions_most, 1U);
}

TEST(LogStats, CountsWhatIsSoundOfADamagedLog)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 5); }};

    auto const told = stats(at.target(), {});

    EXPECT_EQ(told.code, exit_code::damaged);
    EXPECT_EQ(told.live, 2U);
    EXPECT_EQ(told.records.at("decision"), 3U);
}

}  // namespace
