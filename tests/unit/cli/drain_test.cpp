// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// When the program says that nothing of a node is left, and what it names otherwise.

#include "recovery/cli/drain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/cli/acted_on.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using assent::testing::driver_call;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Drain : public acted_on
{
protected:
    Drain()
    {
        auto const log = desk_.open_log();
        log->bind("accounts", "memory", accounts_.identity());
        log->bind("orders", "memory", orders_.identity());
    }
    drain_report judged(std::vector<recovered_database> const& done = {}) const
    {
        return judge_drain(desk_.from, scan(desk_.from, all()), done);
    }
    assent::gtrid name_of(std::uint64_t node) const
    {
        auto const view = desk_.seen();
        return assent::gtrid::make(
            {assent::decision_place::log, 0, node, 1, view.newest.writer.nonce, 1});
    }
    std::uint64_t node() const { return desk_.seen().newest.writer.node; }
};

TEST_F(Drain, NothingIsLeft)
{
    orders_.prepare_branch(branch(name_of(node() ^ 1), 2), "of another node", 7);

    auto const told = judged();

    EXPECT_EQ(told.code, exit_code::fine) << ::testing::PrintToString(told.attention);
    EXPECT_TRUE(told.is_drained);
    EXPECT_THAT(told.databases, SizeIs(2));
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("nothing of this node is left"));
    auto const said = nlohmann::json::parse(in_json(told));
    EXPECT_EQ(said.at("command"), "drain");
    EXPECT_EQ(said.at("is_drained"), true);
    EXPECT_EQ(said.at("databases").at(1).at("is_asked"), true);
}

TEST_F(Drain, ABranchOfThisNodeIsNamedWhicheverDatabaseItNames)
{
    auto const own = branch(name_of(node()), 2);
    auto const misplaced = branch(name_of(node()), 1);
    orders_.prepare_branch(own, "own", 7);
    orders_.prepare_branch(misplaced, "names accounts", 7);

    auto const told = judged();

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_FALSE(told.is_drained);
    EXPECT_TRUE(told.databases.at(0).is_drained);
    EXPECT_FALSE(told.databases.at(1).is_drained);
    EXPECT_THAT(told.attention, Contains(HasSubstr(own.text())));
    EXPECT_THAT(told.attention, Contains(HasSubstr(misplaced.text())));
}

TEST_F(Drain, WhoCannotBeAskedIsNotDrainedAndWhereSomethingIsDueItIsInDoubt)
{
    orders_.script().on(driver_call::scan).fail("its disk is full");
    auto const silent = judged();
    EXPECT_EQ(silent.code, exit_code::failed);
    EXPECT_FALSE(silent.is_drained);
    EXPECT_FALSE(silent.databases.at(1).is_asked);
    EXPECT_THAT(silent.attention, ElementsAre(HasSubstr("its disk is full")));

    {
        auto const log = desk_.open_log();
        auto const id = assent::gtrid::make(
            {assent::decision_place::log, 0, log->node(), 2, log->current().nonce, 1});
        log->force({id, {branch(id, 1).branch, branch(id, 2).branch}},
                   std::chrono::steady_clock::now() + std::chrono::seconds{5});
    }
    orders_.script().on(driver_call::scan).fail("its disk is full");
    auto const due = judged();
    EXPECT_EQ(due.code, exit_code::attention);
    EXPECT_EQ(due.due, 1u);
    EXPECT_THAT(due.attention, Contains(HasSubstr("still to be carried out")));
}

TEST_F(Drain, AnotherDatabaseUnderTheNameAndAStandbyAreNoAnswers)
{
    orders_.set_writable(false);
    EXPECT_FALSE(judged().databases.at(1).is_asked);
    orders_.set_writable(true);
    orders_.set_identity("another server");
    EXPECT_FALSE(judged().is_drained);
}

TEST_F(Drain, WhatOnlyTheRecoveryKnowsCounts)
{
    recovered_database kept;
    kept.name = "orders";
    kept.why = "a session of an earlier run is connected";

    auto const told = judged({kept});

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("a session of an earlier run")));
}

TEST_F(Drain, AHeuristicOutcomeHidesNothing)
{
    auto const id = name_of(node());
    desk_.open_log()->record(assent::ports::heuristic_record{
        branch(id, 2), "orders", assent::xa_code::heurhaz, "it was missing", 5'000});

    auto const told = judged();

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_EQ(told.heuristics, 1u);
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("forget them")));
}

TEST_F(Drain, ADatabaseThatWasGivenUpIsNamedAndNotAsked)
{
    desk_.open_log()->record(assent::log::retirement_record{2, 5'000, "ann", "its disks are lost"});

    auto const told = judged();

    EXPECT_TRUE(told.is_drained) << ::testing::PrintToString(told.attention);
    EXPECT_THAT(told.retired, ElementsAre("orders"));
    EXPECT_THAT(told.databases, SizeIs(1));
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("given up"));
}

TEST_F(Drain, ADatabaseThatIsNotConfiguredCannotBeAsked)
{
    auto from = desk_.from;
    from.databases.pop_back();
    auto some = all();
    some.pop_back();

    auto const told = judge_drain(from, scan(from, some), {});

    EXPECT_EQ(told.code, exit_code::failed);
    EXPECT_FALSE(told.is_drained);
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("\"orders\"")));
}

TEST_F(Drain, BesideALiveOwnerItSaysWhatIsSeenAndNeverThatAllIsDone)
{
    desk_.from.databases.clear();
    auto const owner = desk_.open_log();

    auto const told = drain(desk_.from, {});

    EXPECT_EQ(told.code, exit_code::owned);
    EXPECT_FALSE(told.has_acted);
    EXPECT_FALSE(told.is_drained);
    EXPECT_THAT(told.attention, Contains(HasSubstr("stop it")));
}

}  // namespace
