// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branches_test.cpp -- what a process remembers of branches has an end.

#include <gtest/gtest.h>

#include "adapters/switch_out/branches.hpp"

namespace assent::switch_out {

namespace {

dialects::branch_name name(std::size_t number)
{
    return dialects::branch_name::foreign(1, std::to_string(number), "").value();
}

TEST(SwitchBranches, ForgetTheOldestOfWhatIsPreparedElsewhere)
{
    branch_table table;
    for (std::size_t i = 0; i < remembered_max; ++i)
        table.remember(table.add(name(i)));
    ASSERT_TRUE(table.find(name(0)));

    table.remember(table.add(name(remembered_max)));

    EXPECT_FALSE(table.find(name(0)));
    EXPECT_TRUE(table.find(name(1)));
    EXPECT_TRUE(table.find(name(remembered_max)));
    EXPECT_FALSE(table.are_needed());
}

TEST(SwitchBranches, KeepWhatACallHasClaimed)
{
    branch_table table;
    for (std::size_t i = 0; i < remembered_max; ++i)
        table.remember(table.add(name(i)));
    table.find(name(0))->at = branch::step::ending;

    table.remember(table.add(name(remembered_max)));

    EXPECT_TRUE(table.find(name(0)));
}

TEST(SwitchBranches, KeepOneThatIsAskedForAgainAndAgain)
{
    branch_table table;
    auto const waiting = table.add(name(0));
    waiting->first_asked.id = 7;

    for (std::size_t i = 0; i < 2 * remembered_max; ++i)
        table.remember(waiting);

    EXPECT_EQ(table.find(name(0)), waiting);
}

TEST(SwitchBranches, KeepASuspicion)
{
    branch_table table;
    auto const suspect = table.add(name(0));
    suspect->may_be_undone = true;
    table.remember(suspect);

    for (std::size_t i = 1; i <= remembered_max; ++i)
        table.remember(table.add(name(i)));

    EXPECT_EQ(table.find(name(0)), suspect);
}

TEST(SwitchBranches, HandDownWhatIsInDoubt)
{
    branch_table former;
    auto const suspect = former.add(name(0));
    suspect->may_be_undone = true;
    former.remember(suspect);
    former.remember(former.add(name(1)));
    EXPECT_FALSE(former.are_needed());
    branch_table table;

    table.inherit(former);

    EXPECT_EQ(table.find(name(0)), suspect);
    EXPECT_FALSE(table.find(name(1)));
}

TEST(SwitchBranches, AreNeededWhileOneWaitsToBeForgotten)
{
    branch_table table;
    table.add(name(1))->at = branch::step::settled;

    EXPECT_TRUE(table.are_needed());
    table.forget(name(1));
    EXPECT_FALSE(table.are_needed());
}

}  // namespace

}  // namespace assent::switch_out
