// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// many_live_test.cpp -- more live transactions than the live table looks at in one go.

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;
using assent::shared::global_transaction;

constexpr std::size_t many = 1000;
constexpr std::uint16_t here = 1;
constexpr std::uint16_t elsewhere = 2;

class ManyLive : public ::testing::Test
{
protected:
    ManyLive()
    {
        for (std::size_t i = 0; i < many; ++i) {
            all.push_back(table.enter([](std::uint64_t sequence) {
                auto const name =
                    assent::gtrid::make({assent::decision_place::log, 0, 1, 1, 1, sequence});
                return std::make_shared<global_transaction>(
                    name, assent::deadline{}, assent::limits::duration{},
                    assent::ports::reservation{}, nullptr, assent::branch_modes{});
            }));
        }
    }

    assent::shared::live_table table;
    std::vector<std::shared_ptr<global_transaction>> all;  // of the sequences from 1 on
};

TEST_F(ManyLive, EachIsShownOnceAndInOrder)
{
    auto const names = table.names();

    EXPECT_EQ(table.all(), all);
    ASSERT_EQ(names.size(), many);
    for (std::size_t i = 0; i < many; ++i)
        EXPECT_EQ(names[i], all[i]->id);
}

TEST_F(ManyLive, TheBarredOnesAreFoundWhereverTheyStand)
{
    for (std::size_t const i : {std::size_t{0}, std::size_t{255}, std::size_t{256}, many - 1})
        table.bar(*all[i], {here});

    EXPECT_THAT(table.barred_at(here),
                ::testing::ElementsAre(all[0], all[255], all[256], all[many - 1]));
    EXPECT_TRUE(table.barred_at(elsewhere).empty());
}

TEST_F(ManyLive, AHorizonRisesOverAllThatWaitForAnotherDatabase)
{
    for (std::size_t i = 0; i + 1 < many; ++i)
        table.await(*all[i], {elsewhere});

    EXPECT_EQ(table.finished_up_to(here), many - 1);
    EXPECT_EQ(table.finished_up_to(elsewhere), 0u);
    EXPECT_EQ(table.oldest_left_at(elsewhere), all[0]->id);

    table.await(*all[many - 1], {here});
    EXPECT_EQ(table.finished_up_to(here), many - 1);
    EXPECT_EQ(table.oldest_left_at(here), all[many - 1]->id);

    table.await(*all[many - 1], {elsewhere});
    EXPECT_EQ(table.finished_up_to(here), many);
    EXPECT_EQ(table.oldest_left_at(here), std::nullopt);
}

}  // namespace
