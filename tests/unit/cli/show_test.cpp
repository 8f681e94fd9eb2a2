// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/show.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recovery/cli/failure.hpp"
#include "tests/unit/cli/made_log.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using ::testing::HasSubstr;

show_report shown(made_log const& log, assent::gtrid const& id,
                  std::vector<surveyed_database> const& listed = listings({}))
{
    return show(id, {log.twice(), judge(both(), log.twice(), listed), listed});
}

TEST(Show, TakesAGtridOrAnXid)
{
    auto const id = transaction(1, 7);

    EXPECT_EQ(parse_transaction(std::string{id.text()}), id);
    EXPECT_EQ(parse_transaction(branch(id, 1).text()), id);
    EXPECT_THROW(parse_transaction("asn1"), failure);
    EXPECT_THROW(parse_transaction(std::string{id.text()} + "."), failure);
    EXPECT_THROW(parse_transaction(""), failure);
}

TEST(Show, KnowsACommitThatIsFinished)
{
    auto const id = transaction(1, 1);
    auto const told = shown(made_log{}.decide(id, 3), id);

    EXPECT_EQ(told.outcome, "committed");
    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(told.opened_ms, 1'000);
    ASSERT_EQ(told.decision.branches.size(), 2u);
    EXPECT_EQ(told.decision.branches[1].resource_manager, "orders");
    EXPECT_TRUE(told.decision.branches[1].is_finished);
}

TEST(Show, KnowsACommitThatIsNotFinished)
{
    auto const id = transaction(1, 1);
    auto const alone = shown(made_log{}.decide(id, 1), id);
    auto const owned = shown(made_log{}.decide(id, 1).own(4711), id);

    EXPECT_EQ(alone.outcome, "committing");
    EXPECT_EQ(alone.code, exit_code::attention);
    EXPECT_EQ(owned.outcome, "committing");
    EXPECT_EQ(owned.code, exit_code::fine);
    EXPECT_THAT(owned.explanation, HasSubstr("process 4711"));
    EXPECT_EQ(owned.decision.branches[1].waits.what, reason::due);
    EXPECT_THAT(owned.decision.branches[1].waits.by_itself, HasSubstr("process 4711"));
    auto silent = listings({});
    silent[1].scan.reset();
    EXPECT_EQ(shown(made_log{}.decide(id, 1), id, silent).decision.branches[1].waits.what,
              reason::not_answering);
}

TEST(Show, SaysWhereTheDecisionLivesAndWhatIsThere)
{
    auto const id =
        assent::gtrid::make({assent::decision_place::commit_row, 2, our_node, 1, our_nonce, 1});
    auto listed = listings({branch(id, 1)});
    auto const waiting = shown({}, id, listed);
    listed[1].rows = {{id, assent::row_kind::commit, std::string{branch(id, 1).branch.text()}}};
    auto const committing = shown({}, id, listed);
    listed[1].rows[0] = {id, assent::row_kind::abort, ""};
    auto const aborted = shown({}, id, listed);

    EXPECT_EQ(waiting.decided_in, "a commit row of \"orders\"");
    EXPECT_EQ(waiting.outcome, "in doubt");
    EXPECT_THAT(waiting.explanation, HasSubstr("none is there"));
    EXPECT_EQ(waiting.code, exit_code::attention);
    EXPECT_EQ(committing.outcome, "committing");
    EXPECT_THAT(committing.explanation, HasSubstr("commit row is in \"orders\""));
    EXPECT_EQ(aborted.outcome, "rolled back");
    EXPECT_EQ(shown({}, transaction(1, 1)).decided_in, "this node's log");
}

TEST(Show, KnowsARollbackThatWasNoted)
{
    auto const id = transaction(1, 1);
    made_log log;
    log.add(assent::log::rollback_record{id});

    EXPECT_EQ(shown(log, id).outcome, "rolled back");
}

TEST(Show, DoesNotTakeAbsenceForARollback)
{
    auto const id = transaction(1, 1);

    EXPECT_EQ(shown(made_log{}, id).outcome, "unknown");
    EXPECT_EQ(shown(made_log{}, id, listings({branch(id, 1)})).outcome, "in doubt");
    EXPECT_EQ(shown(made_log{}, transaction(2, 1)).outcome, "unknown");
    EXPECT_EQ(shown(made_log{}.own(1), transaction(2, 1)).outcome, "live or ended");
}

TEST(Show, SaysThatItIsForgottenBelowEveryHorizon)
{
    made_log one;
    one.add(assent::log::horizon_record{1, {1, 9}});
    made_log all;
    all.add(assent::log::horizon_record{1, {1, 9}}).add(assent::log::horizon_record{2, {2, 1}});

    EXPECT_EQ(shown(one, transaction(1, 9)).outcome, "unknown");
    EXPECT_EQ(shown(all, transaction(1, 9)).outcome, "forgotten");
    EXPECT_EQ(shown(all, transaction(1, 10)).outcome, "unknown");
}

TEST(Show, TellsOtherNodesAndTwinsApart)
{
    auto const other =
        assent::gtrid::make({assent::decision_place::log, 0, our_node + 1, 1, our_nonce, 1});

    auto const of_other = shown(made_log{}, other);
    auto const of_twin = shown(made_log{}, transaction(2, 1, our_nonce + 1));

    EXPECT_EQ(of_other.outcome, "of another node");
    EXPECT_EQ(of_other.code, exit_code::fine);
    EXPECT_EQ(of_twin.outcome, "of a twin");
    EXPECT_EQ(of_twin.code, exit_code::attention);
}

TEST(Show, ListsHeuristicsAndPersonsOfThisTransactionOnly)
{
    auto const id = transaction(1, 1);
    auto const other = transaction(1, 2);
    made_log log;
    log.decide(id, 3)
        .add(assent::log::operator_record{branch(id, 1), assent::log::operator_verdict::commit,
                                          4'000, "ann", "the bank said so"})
        .add(assent::ports::heuristic_record{branch(id, 2), "orders", assent::xa_code::heurrb,
                                             "rolled back by hand", 5'000})
        .add(assent::ports::heuristic_record{branch(other, 2), "orders", assent::xa_code::heurmix,
                                             "not this one", 5'000});

    auto const told = shown(log, id);

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_EQ(told.outcome, "heuristic") << "and not plainly committed";
    EXPECT_THAT(told.explanation, HasSubstr("\"orders\": rolled back"));
    EXPECT_THAT(told.explanation, HasSubstr("otherwise committed: the decision is in the log"));
    ASSERT_EQ(told.heuristics.size(), 1u);
    EXPECT_EQ(told.heuristics[0].text, "rolled back by hand");
    ASSERT_EQ(told.operators.size(), 1u);
    EXPECT_EQ(told.operators[0].who, "ann");
}

TEST(Show, CannotTellWhenADatabaseDoesNot)
{
    auto listed = listings({});
    listed[1].scan.reset();

    auto const told = shown(made_log{}, transaction(1, 1), listed);

    EXPECT_EQ(told.code, exit_code::failed);
    EXPECT_FALSE(told.listings[1].is_conclusive);
}

}  // namespace
