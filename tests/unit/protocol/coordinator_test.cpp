// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// coordinator_test.cpp -- one global transaction: its stages, its shortcuts, its verdicts.

#include <algorithm>
#include <numeric>

#include "tests/unit/protocol/driven.hpp"

namespace protocol_test {

namespace {

using c = reply_class;
using v = verdict;

c all_ok(std::size_t, verb)
{
    return c::ok;
}

/// Every reply that a verb can get.
constexpr c replies[] = {c::ok,
                         c::rdonly,
                         c::retry,
                         c::rolled_back,
                         c::heuristic_commit,
                         c::heuristic_rollback,
                         c::heuristic_mixed,
                         c::heuristic_hazard,
                         c::rmerr,
                         c::rmfail,
                         c::nota,
                         c::left_behind,
                         c::read_only_left,
                         c::silent,
                         c::still_open,
                         c::unknown};

enum class phase { voting, committing, rolling_back };

/// Branch i gets replies[i] in that phase, in this order of arrival; all else goes well.
verdict verdict_of(phase when, std::vector<c> const& given, std::vector<std::size_t> const& order)
{
    driven tx(std::vector<bool>(given.size(), false));
    if (when == phase::rolling_back) {
        tx.rollback();
    } else {
        tx.commit();
    }
    tx.send_all();
    if (when == phase::committing) {
        tx.answer_all(std::vector<c>(given.size(), c::ok), order);
        tx.decide();
        tx.send_all();
    }
    tx.answer_all(given, order);
    tx.run_to_end(all_ok);
    return tx.outcome();
}

/// The verdict of `given`, which must not depend on which branch, or when, says what.
void expect_one_verdict(phase when, std::vector<c> given)
{
    std::vector<std::size_t> order(given.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(given.begin(), given.end());
    verdict const first = verdict_of(when, given, order);
    EXPECT_NE(first, v::open);
    do {
        auto arrival = order;
        do {
            ASSERT_EQ(verdict_of(when, given, arrival), first)
                << name_of(given[0]) << " and " << name_of(given[1]);
        } while (std::next_permutation(arrival.begin(), arrival.end()));
    } while (std::next_permutation(given.begin(), given.end()));
}

}  // namespace

TEST(Coordinator, CommitsInTwoPhasesWithTheDecisionBetween)
{
    driven tx({false, false});
    tx.commit();
    tx.send_all();
    EXPECT_EQ(tx.outstanding(0), verb::prepare);
    EXPECT_EQ(tx.outstanding(1), verb::prepare);
    tx.answer(0, c::ok);
    EXPECT_EQ(tx.now(), stage::preparing);
    tx.answer(1, c::ok);
    EXPECT_EQ(tx.now(), stage::deciding);
    tx.send_all();
    EXPECT_FALSE(tx.outstanding(0));
    EXPECT_EQ(tx.outcome(), v::open);

    tx.decide();
    tx.send_all();
    EXPECT_EQ(tx.outstanding(0), verb::commit);
    tx.answer(1, c::ok);
    tx.answer(0, c::ok);

    EXPECT_EQ(tx.now(), stage::ended);
    EXPECT_EQ(tx.outcome(), v::committed);
}

TEST(Coordinator, RollsAllBackWhenOneVotesNoAndSparesTheOneThatIsGone)
{
    driven tx({false, false, false});
    tx.commit();
    tx.send_all();
    tx.answer_all({c::ok, c::rolled_back, c::ok}, {0, 1, 2});
    tx.send_all();

    EXPECT_EQ(tx.outstanding(0), verb::rollback);
    EXPECT_FALSE(tx.outstanding(1));
    EXPECT_EQ(tx.outstanding(2), verb::rollback);
    tx.answer_all({c::ok, c::ok, c::ok}, {2, 0});
    EXPECT_EQ(tx.outcome(), v::rolled_back);
}

TEST(Coordinator, CommitsASingleBranchInOnePhaseWithoutADecision)
{
    driven tx({false});
    tx.commit();
    tx.send_all();

    EXPECT_EQ(tx.now(), stage::one_phase);
    EXPECT_EQ(tx.outstanding(0), verb::commit_one_phase);
    tx.answer(0, c::ok);
    EXPECT_EQ(tx.now(), stage::ended);
    EXPECT_EQ(tx.outcome(), v::committed);
}

TEST(Coordinator, DeclaredReadsVoteBeforeTheOnlyWritersOnePhaseAndEndWithIt)
{
    driven tx({true, false, true});
    tx.commit();
    tx.send_all();
    EXPECT_EQ(tx.outstanding(0), verb::prepare);
    EXPECT_FALSE(tx.outstanding(1));
    tx.answer(2, c::still_open);
    tx.send_all();
    EXPECT_FALSE(tx.outstanding(1));

    tx.answer(0, c::still_open);
    tx.send_all();

    EXPECT_EQ(tx.now(), stage::one_phase);
    EXPECT_EQ(tx.outstanding(1), verb::commit_one_phase);
    EXPECT_FALSE(tx.outstanding(0));
    tx.answer(1, c::ok);
    tx.send_all();
    EXPECT_EQ(tx.now(), stage::ending_reads);
    EXPECT_EQ(tx.outstanding(0), verb::commit_one_phase);
    EXPECT_EQ(tx.outstanding(2), verb::commit_one_phase);
    tx.answer_all({c::ok, c::ok, c::ok}, {2, 0});
    EXPECT_EQ(tx.outcome(), v::committed);
}

TEST(Coordinator, DeclaredReadsEndWithTheOutcomeOfTheOnlyWriter)
{
    struct
    {
        c writer;
        verb reader;
        v told;
    } const all[] = {
        {c::ok, verb::commit_one_phase, v::committed},
        {c::heuristic_commit, verb::commit_one_phase, v::committed},
        {c::rolled_back, verb::rollback, v::rolled_back},
        {c::heuristic_rollback, verb::rollback, v::heuristic},
        {c::left_behind, verb::rollback, v::heuristic},
        {c::rmfail, verb::rollback, v::in_doubt},
    };
    for (auto const& each : all) {
        driven tx({true, false});
        tx.commit();
        tx.send_all();
        tx.answer(0, c::still_open);
        tx.send_all();
        tx.answer(1, each.writer);
        tx.send_all();

        EXPECT_EQ(tx.outstanding(0), each.reader) << name_of(each.writer);
        tx.answer(0, c::ok);
        EXPECT_EQ(tx.now(), stage::ended);
        EXPECT_EQ(tx.outcome(), each.told) << name_of(each.writer);
    }
}

TEST(Coordinator, DeclaredReadsVoteWhileSeveralWritersPrepareAndEndWithTheDecision)
{
    driven tx({true, false, false});
    tx.commit();
    tx.send_all();

    EXPECT_EQ(tx.now(), stage::preparing);
    EXPECT_EQ(tx.outstanding(0), verb::prepare);
    EXPECT_EQ(tx.outstanding(1), verb::prepare);
    tx.answer_all({c::still_open, c::ok, c::ok}, {0, 1, 2});
    EXPECT_EQ(tx.now(), stage::deciding);
    tx.send_all();
    EXPECT_FALSE(tx.outstanding(0));
    tx.decide();
    tx.send_all();
    EXPECT_EQ(tx.outstanding(0), verb::commit_one_phase);
    tx.answer_all({c::ok, c::ok, c::ok}, {1, 2, 0});
    EXPECT_EQ(tx.outcome(), v::committed);
}

TEST(Coordinator, ADeclaredReadIsRolledBackWhereAnotherBranchVotesNo)
{
    driven tx({true, false, false});
    tx.commit();
    tx.send_all();
    tx.answer_all({c::still_open, c::ok, c::rolled_back}, {0, 1, 2});
    tx.send_all();

    EXPECT_EQ(tx.outstanding(0), verb::rollback);
    EXPECT_EQ(tx.outstanding(1), verb::rollback);
    tx.answer_all({c::ok, c::ok, c::ok}, {0, 1});
    EXPECT_EQ(tx.outcome(), v::rolled_back);
}

TEST(Coordinator, WhatADeclaredReadAnswersToItsCommitChangesNothingButWorkBehindOurBack)
{
    for (bool const is_alone : {false, true}) {
        for (c const reply : replies) {
            driven tx(is_alone ? std::vector{true, true, false} : std::vector{true, false, false});
            tx.commit();
            tx.send_all();
            tx.answer_all({c::still_open, is_alone ? c::still_open : c::ok, c::ok}, {0, 1, 2});
            if (tx.now() == stage::deciding) tx.decide();
            if (tx.now() == stage::one_phase) tx.send_all();
            if (tx.outstanding(2)) tx.answer(2, c::ok);
            tx.send_all();
            ASSERT_EQ(tx.outstanding(0), verb::commit_one_phase);

            tx.answer(0, reply);
            tx.run_to_end(all_ok);

            EXPECT_EQ(tx.outcome(), reply == c::left_behind ? v::heuristic : v::committed)
                << name_of(reply);
        }
    }
}

TEST(Coordinator, ADeclaredReadThatWasPreparedMakesTheOnlyWriterVote)
{
    driven tx({true, false});
    tx.commit();
    tx.send_all();
    tx.answer(0, c::ok);
    tx.send_all();

    EXPECT_EQ(tx.now(), stage::preparing);
    EXPECT_EQ(tx.outstanding(1), verb::prepare);
    tx.answer(1, c::ok);
    EXPECT_EQ(tx.now(), stage::deciding);
    tx.decide();
    tx.send_all();
    EXPECT_EQ(tx.outstanding(0), verb::commit);
    EXPECT_EQ(tx.outstanding(1), verb::commit);
    tx.answer_all({c::ok, c::ok}, {0, 1});
    EXPECT_EQ(tx.outcome(), v::committed);
}

TEST(Coordinator, AnUnknownDecisionSendsNothingToADeclaredReadEither)
{
    driven tx({true, false, false});
    tx.commit();
    tx.send_all();
    tx.answer_all({c::still_open, c::ok, c::ok}, {0, 1, 2});

    tx.raw().decision_unknown();
    tx.send_all();

    EXPECT_FALSE(tx.outstanding(0));
    EXPECT_EQ(tx.outcome(), v::in_doubt);
}

TEST(Coordinator, NeedsNoDecisionWhenEveryVoteIsReadOnly)
{
    driven tx({false, false});
    tx.commit();
    tx.send_all();
    tx.answer_all({c::rdonly, c::rdonly}, {0, 1});

    EXPECT_EQ(tx.now(), stage::ended);
    EXPECT_EQ(tx.outcome(), v::committed);
}

TEST(Coordinator, NeedsNoDecisionWhenEveryBranchIsDeclaredReadOnly)
{
    driven tx({true, true});
    tx.commit();
    tx.send_all();
    EXPECT_EQ(tx.outstanding(1), verb::prepare);
    tx.answer_all({c::still_open, c::still_open}, {0, 1});
    tx.send_all();
    EXPECT_EQ(tx.outstanding(1), verb::commit_one_phase);
    tx.answer_all({c::ok, c::ok}, {0, 1});

    EXPECT_EQ(tx.now(), stage::ended);
    EXPECT_EQ(tx.outcome(), v::committed);
}

TEST(Coordinator, ADeclaredReadThatIsAloneEndsWithoutAVote)
{
    driven tx(std::vector{true});
    tx.commit();
    tx.send_all();
    EXPECT_EQ(tx.outstanding(0), verb::commit_one_phase);
    tx.answer(0, c::ok);

    EXPECT_EQ(tx.now(), stage::ended);
    EXPECT_EQ(tx.outcome(), v::committed);
}

TEST(Coordinator, WithoutBranchesBothEndsAreImmediate)
{
    driven committed{std::vector<bool>{}};
    committed.commit();
    driven rolled_back{std::vector<bool>{}};
    rolled_back.rollback();

    EXPECT_EQ(committed.outcome(), v::committed);
    EXPECT_EQ(rolled_back.outcome(), v::rolled_back);
}

TEST(Coordinator, RollbackOnlyPreparesNobody)
{
    driven tx({false, true});
    tx.commit(true);
    tx.send_all();

    EXPECT_EQ(tx.now(), stage::rolling_back);
    EXPECT_EQ(tx.outstanding(0), verb::rollback);
    EXPECT_EQ(tx.outstanding(1), verb::rollback);
    tx.answer_all({c::ok, c::ok}, {0, 1});
    EXPECT_EQ(tx.outcome(), v::rolled_back);
}

TEST(Coordinator, AVetoBeforeAnythingIsSentRollsBack)
{
    driven voting({false, false});
    voting.commit();
    voting.veto();
    voting.run_to_end(all_ok);
    driven ending({true, false});
    ending.commit();
    ending.veto();
    ending.run_to_end(all_ok);

    for (auto* const tx : {&voting, &ending}) {
        EXPECT_EQ(tx->outcome(), v::rolled_back);
        EXPECT_EQ(tx->seen(0).last_verb, verb::rollback);
        EXPECT_EQ(tx->seen(1).last_verb, verb::rollback);
    }
}

TEST(Coordinator, AVetoOrARefusedDecisionUndoesEveryYes)
{
    for (bool const is_refused : {false, true}) {
        driven tx({false, false});
        tx.commit();
        tx.send_all();
        tx.answer_all({c::ok, c::ok}, {0, 1});
        if (is_refused) {
            tx.raw().decision_refused();
        } else {
            tx.raw().veto();
        }
        EXPECT_EQ(tx.now(), stage::rolling_back);
        tx.run_to_end(all_ok);

        EXPECT_EQ(tx.outcome(), v::rolled_back);
        EXPECT_EQ(tx.seen(0).last_verb, verb::rollback);
        EXPECT_EQ(tx.seen(1).last_verb, verb::rollback);
    }
}

TEST(Coordinator, AnUnknownDecisionSendsNeitherCommitNorRollback)
{
    driven tx({false, false});
    tx.commit();
    tx.send_all();
    tx.answer_all({c::ok, c::ok}, {0, 1});

    tx.raw().decision_unknown();
    tx.send_all();

    EXPECT_FALSE(tx.outstanding(0));
    EXPECT_FALSE(tx.outstanding(1));
    EXPECT_EQ(tx.raw().advance(), stage::undecided);
    EXPECT_EQ(tx.outcome(), v::in_doubt);
}

TEST(Coordinator, VerdictsDoNotDependOnOrderForPairs)
{
    for (phase const when : {phase::voting, phase::committing, phase::rolling_back}) {
        for (c const a : replies) {
            for (c const b : replies) {
                if (a <= b) expect_one_verdict(when, {a, b});
            }
        }
    }
}

TEST(Coordinator, VerdictsDoNotDependOnOrderForTriples)
{
    for (phase const when : {phase::voting, phase::committing, phase::rolling_back}) {
        for (c const a : replies) {
            for (c const b : replies) {
                for (c const d : replies) {
                    if (a <= b && b <= d) expect_one_verdict(when, {a, b, d});
                }
            }
        }
    }
}

TEST(Coordinator, TheWorstNewsWins)
{
    struct news
    {
        phase when;
        std::vector<c> given;
        v told;
    };
    news const all[] = {
        {phase::committing, {c::ok, c::rmfail}, v::committed_pending},
        {phase::committing, {c::heuristic_commit, c::ok}, v::committed},
        {phase::committing, {c::heuristic_commit, c::silent}, v::committed_pending},
        {phase::committing, {c::heuristic_rollback, c::rmfail}, v::heuristic},
        {phase::committing, {c::heuristic_rollback, c::heuristic_rollback}, v::heuristic},
        {phase::committing, {c::rmerr, c::ok}, v::heuristic},
        {phase::rolling_back, {c::heuristic_rollback, c::ok}, v::rolled_back},
        {phase::rolling_back, {c::heuristic_commit, c::heuristic_commit}, v::heuristic},
        {phase::rolling_back, {c::silent, c::heuristic_mixed}, v::heuristic},
        {phase::rolling_back, {c::silent, c::ok}, v::rolled_back_unconfirmed},
        {phase::voting, {c::rolled_back, c::left_behind}, v::heuristic},
        {phase::voting, {c::rolled_back, c::rdonly}, v::rolled_back},
    };

    for (auto const& it : all) {
        EXPECT_EQ(verdict_of(it.when, it.given, {0, 1}), it.told)
            << name_of(it.given[0]) << " and " << name_of(it.given[1]);
    }
}

TEST(Coordinator, WhatIsLearntLaterChangesTheVerdict)
{
    driven tx({false, false});
    tx.commit();
    tx.send_all();
    tx.answer_all({c::ok, c::ok}, {0, 1});
    tx.decide();
    tx.send_all();
    tx.answer_all({c::ok, c::nota}, {0, 1});
    EXPECT_EQ(tx.outcome(), v::committed_pending);

    EXPECT_EQ(tx.hear(1, c::absent), follow_up::record);

    EXPECT_EQ(tx.outcome(), v::heuristic);
}

TEST(Coordinator, SendsAVerbOnlyOnceAndNothingOutsideItsStage)
{
    driven tx({false, false});
    verb what = verb::start;
    EXPECT_FALSE(tx.raw().send(0, what));
    EXPECT_EQ(tx.raw().advance(), stage::active);
    tx.commit();

    EXPECT_TRUE(tx.raw().send(0, what));
    EXPECT_FALSE(tx.raw().send(0, what));
    EXPECT_EQ(tx.raw().advance(), stage::preparing);
    EXPECT_EQ(tx.raw().size(), 2u);
}

constexpr auto voter = branch_role::voter;
constexpr auto reader = branch_role::reader;
constexpr auto last = branch_role::last;

TEST(Coordinator, TheLastResourceIsNotPreparedAndItsCommitDecides)
{
    driven tx({last, voter, reader});
    tx.commit();
    tx.send_all();
    EXPECT_FALSE(tx.outstanding(0));
    EXPECT_EQ(tx.outstanding(1), verb::prepare);
    EXPECT_EQ(tx.outstanding(2), verb::prepare);
    tx.answer_all({c::ok, c::ok, c::still_open}, {2, 1});
    EXPECT_EQ(tx.now(), stage::deciding);

    tx.send_all();
    EXPECT_EQ(tx.outstanding(0), verb::commit_one_phase);
    EXPECT_EQ(tx.state(0), branch_state::committing_row);
    EXPECT_FALSE(tx.outstanding(1));
    tx.answer(0, c::ok);
    EXPECT_EQ(tx.now(), stage::deciding);
    tx.decide();
    tx.send_all();
    EXPECT_EQ(tx.outstanding(1), verb::commit);
    EXPECT_FALSE(tx.outstanding(0));
    EXPECT_EQ(tx.outstanding(2), verb::commit_one_phase);
    tx.answer_all({c::ok, c::ok, c::ok}, {2, 1});

    EXPECT_EQ(tx.now(), stage::ended);
    EXPECT_EQ(tx.outcome(), v::committed);
}

TEST(Coordinator, TheLastResourceCommitsInOnePhaseWhereNobodyElseWrote)
{
    driven alone({last});
    alone.commit();
    driven beside_a_reader({reader, last});
    beside_a_reader.commit();
    beside_a_reader.send_all();
    EXPECT_FALSE(beside_a_reader.outstanding(1));
    beside_a_reader.answer(0, c::still_open);
    driven beside_read_only_votes({voter, last, voter});
    beside_read_only_votes.commit();
    beside_read_only_votes.send_all();
    beside_read_only_votes.answer_all({c::rdonly, c::ok, c::rdonly}, {0, 2});

    struct
    {
        driven& tx;
        std::size_t at;
    } const all[] = {{alone, 0}, {beside_a_reader, 1}, {beside_read_only_votes, 1}};
    for (auto& each : all) {
        EXPECT_EQ(each.tx.now(), stage::one_phase);
        each.tx.send_all();
        EXPECT_EQ(each.tx.outstanding(each.at), verb::commit_one_phase);
        EXPECT_EQ(each.tx.state(each.at), branch_state::one_phase);
        each.tx.answer(each.at, c::ok);
        each.tx.run_to_end(all_ok);
        EXPECT_EQ(each.tx.outcome(), v::committed);
    }
}

TEST(Coordinator, ANoVoteRollsTheLastResourceBackWithoutItsCommit)
{
    driven tx({voter, last, voter});
    tx.commit();
    tx.send_all();
    tx.answer_all({c::ok, c::ok, c::rolled_back}, {2, 0});
    tx.send_all();

    EXPECT_EQ(tx.outstanding(0), verb::rollback);
    EXPECT_EQ(tx.outstanding(1), verb::rollback);
    EXPECT_EQ(tx.state(1), branch_state::rolling_back);
    tx.answer_all({c::ok, c::ok, c::ok}, {0, 1});
    EXPECT_EQ(tx.outcome(), v::rolled_back);
}

TEST(Coordinator, AVetoComesBeforeTheCommitOfTheLastResource)
{
    driven tx({voter, last});
    tx.commit();
    tx.send_all();
    tx.answer(0, c::ok);
    ASSERT_EQ(tx.now(), stage::deciding);
    tx.veto();
    tx.run_to_end(all_ok);

    EXPECT_EQ(tx.outcome(), v::rolled_back);
    EXPECT_FALSE(tx.seen(1).had_commit);
}

TEST(Coordinator, TheDoubtOfTheLastResourceIsTheDoubtOfAll)
{
    driven tx({voter, last});
    tx.commit();
    tx.send_all();
    tx.answer(0, c::ok);
    tx.send_all();
    tx.answer(1, c::rmfail);
    tx.decide();
    tx.send_all();

    EXPECT_FALSE(tx.outstanding(0)) << "neither commit nor rollback";
    EXPECT_EQ(tx.outcome(), v::in_doubt);
}

using CoordinatorDeathTest = ::testing::Test;

TEST(CoordinatorDeathTest, NoProofHelpsWhileTheLastResourceIsNotCommitted)
{
    driven tx({voter, last});
    tx.commit();
    tx.send_all();
    tx.answer(0, c::ok);

    EXPECT_DEATH(tx.raw().decided(proof()), "invariant broken");
    tx.send_all();
    EXPECT_DEATH(tx.raw().decided(proof()), "invariant broken");
    EXPECT_DEATH(tx.raw().veto(), "invariant broken") << "its commit is under way";
    tx.answer(1, c::rmfail);
    EXPECT_DEATH(tx.raw().decided(proof()), "invariant broken");
}

TEST(CoordinatorDeathTest, ThereIsOneLastResource)
{
    driven tx({last});

    EXPECT_DEATH(tx.raw().add_branch(last), "invariant broken");
}

TEST(CoordinatorDeathTest, CommitAndRollbackAreForActiveTransactions)
{
    driven tx({false, false});
    tx.commit();

    EXPECT_DEATH(tx.raw().commit(false), "invariant broken");
    EXPECT_DEATH(tx.raw().rollback(), "invariant broken");
    EXPECT_DEATH(tx.raw().add_branch(branch_role::voter), "invariant broken");
}

TEST(CoordinatorDeathTest, ADecisionIsForATransactionThatWaitsForOne)
{
    driven tx({false, false});
    tx.commit();

    EXPECT_DEATH(tx.raw().decided(proof()), "invariant broken");
    EXPECT_DEATH(tx.raw().decision_unknown(), "invariant broken");
    tx.send_all();
    tx.answer_all({c::ok, c::ok}, {0, 1});
    tx.decide();
    EXPECT_DEATH(tx.raw().decided(proof()), "invariant broken");
    EXPECT_DEATH(tx.raw().veto(), "invariant broken");
    EXPECT_DEATH(tx.raw().decision_refused(), "invariant broken");
}

TEST(CoordinatorDeathTest, AVetoWaitsForTheReplies)
{
    driven tx({false, false});
    tx.commit();
    tx.send_all();
    tx.answer(0, c::ok);

    EXPECT_DEATH(tx.raw().veto(), "invariant broken");
}

TEST(CoordinatorDeathTest, AOnePhaseCommitCannotBeTakenBack)
{
    driven tx({false});
    tx.commit();

    EXPECT_DEATH(tx.raw().veto(), "invariant broken");
}

TEST(CoordinatorDeathTest, AReplyNeedsAQuestion)
{
    driven tx({false, false});

    EXPECT_DEATH(tx.raw().on_reply(0, c::ok), "invariant broken");
    EXPECT_DEATH(tx.raw().on_reply(2, c::ok), "invariant broken");
    tx.commit();
    tx.send_all();
    tx.answer(0, c::ok);
    EXPECT_DEATH(tx.raw().on_reply(0, c::ok), "invariant broken");
}

}  // namespace protocol_test
