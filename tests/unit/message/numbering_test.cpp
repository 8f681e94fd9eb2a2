// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// numbering_test.cpp -- which messages a turn takes, and their positions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <assent/delivery.hpp>
#include <assent/driver.hpp>

#include "ports/numbering.hpp"

namespace {

using namespace assent::ports;
using assent::turn_limits;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::uint64_t> ids(std::vector<waiting_task> const& of)
{
    std::vector<std::uint64_t> all;
    for (auto const& each : of)
        all.push_back(each.id);
    return all;
}

std::string place(std::uint64_t turn, std::uint64_t number)
{
    auto const digits = [](std::uint64_t n) {
        auto const text = std::to_string(n);
        return std::string(20 - text.size(), '0') + text;
    };
    return digits(turn) + digits(number);
}

TEST(Numbering, TakesLanesInTheirOrderAndWhatIsPlacedBeforeTheRest)
{
    std::vector<waiting_task> const waiting{
        {7, 2, 1, {}, {}}, {5, 1, 1, {}, {}}, {3, 2, 1, {}, {}}, {4, 1, 1, {}, {}}};
    EXPECT_THAT(ids(chosen(waiting, {})), ElementsAre(4, 5, 3, 7));

    std::vector<waiting_task> const placed{{7, 2, 1, place(1, 2), place(1, 1)},
                                           {3, 2, 1, {}, {}},
                                           {9, 2, 1, place(1, 1), place(0, 1)}};
    EXPECT_THAT(ids(chosen(placed, {})), ElementsAre(9, 7));
}

TEST(Numbering, TakesNoMoreThanTheLimitsAndNothingBehindWhatItLeaves)
{
    std::vector<waiting_task> const waiting{{1, 1, 10, {}, {}},
                                            {2, 1, 90, {}, {}},
                                            {3, 1, 1, {}, {}},
                                            {4, 2, 10, {}, {}},
                                            {5, 2, 10, {}, {}}};
    EXPECT_THAT(ids(chosen(waiting, {1, 9, 1000})), ElementsAre(1, 4));
    EXPECT_THAT(ids(chosen(waiting, {9, 3, 1000})), ElementsAre(1, 2, 3));
    EXPECT_THAT(ids(chosen(waiting, {9, 9, 50})), ElementsAre(1, 4, 5));
    EXPECT_THAT(ids(chosen({{8, 1, 99, {}, {}}}, {9, 9, 1})), ElementsAre(8))
        << "else it never went";
}

TEST(Numbering, LeavesWhatIsBehindATakenOneOfItsLane)
{
    std::vector<waiting_task> const tasks{{1, 1, 1, {}, {}},
                                          {2, 1, 1, {}, {}},
                                          {3, 1, 1, {}, {}},
                                          {4, 2, 1, {}, {}},
                                          {5, 3, 1, place(2, 1), place(1, 1)}};
    EXPECT_THAT(ids(up_to_taken(tasks, {1, 3, 4})), ElementsAre(1, 4, 5));
    EXPECT_THAT(ids(up_to_taken(tasks, {})), ElementsAre(5));
}

TEST(Numbering, GivesEachItsPositionAndThatOfTheOneBefore)
{
    std::vector<waiting_task> tasks{{1, 1, 1, {}, {}}, {2, 1, 1, {}, {}}, {3, 2, 1, {}, {}}};
    auto const moved = number(tasks, {{1, place(500, 7)}}, 900);

    EXPECT_EQ(tasks[0].position, place(900, 1));
    EXPECT_EQ(tasks[0].previous, place(500, 7));
    EXPECT_EQ(tasks[1].position, place(900, 2));
    EXPECT_EQ(tasks[1].previous, place(900, 1));
    EXPECT_EQ(tasks[2].position, place(900, 1));
    EXPECT_EQ(tasks[2].previous, assent::message::position_zero);
    EXPECT_EQ(moved, (last_positions{{1, place(900, 2)}, {2, place(900, 1)}}));
}

TEST(Numbering, RisesThoughTheClockWentBack)
{
    std::vector<waiting_task> tasks{{1, 1, 1, {}, {}}};
    number(tasks, {{1, place(1000, 3)}}, 10);
    EXPECT_EQ(tasks[0].position, place(1001, 1));
}

TEST(Numbering, LeavesWhatHasAPosition)
{
    std::vector<waiting_task> tasks{{1, 1, 1, place(5, 1), place(4, 1)}};
    EXPECT_THAT(number(tasks, {{1, place(5, 1)}}, 10), IsEmpty());
    EXPECT_EQ(tasks[0].position, place(5, 1));
}

TEST(Numbering, RefusesARowThatIsNotOurs)
{
    std::vector<waiting_task> tasks{{1, 1, 1, {}, {}}};
    for (auto const* const bad : {"", "5", "x000000000000000000000000000000000000000"}) {
        EXPECT_THROW(number(tasks, {{1, bad}}, 10), assent::driver_error) << bad;
    }
}

TEST(Numbering, NamesLanesAndSources)
{
    EXPECT_EQ(lane_name("shop", 7), "shop 07");
    EXPECT_EQ(lane_name("shop", 63), "shop 63");
    EXPECT_NE(lane_lock("shop", 1), lane_lock("shop", 2));
    EXPECT_EQ(new_source().size(), assent::message::source_size);
    EXPECT_NE(new_source(), new_source());
}

}  // namespace
