// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outcome_contract.cpp -- the verbs on a server that answers.

#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

TEST_P(contract, PrepareThenCommitMakesTheRowPermanent)
{
    ASSENT_NEEDS(two_phase);
    auto const branch = start_branch(1);

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());

    EXPECT_EQ(target().count_rows(1), 1);
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(contract, PrepareThenRollbackLeavesNothing)
{
    ASSENT_NEEDS(two_phase);
    auto const branch = prepare_branch(1);

    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());

    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_FALSE(is_listed(branch.id));
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(contract, OnePhaseCommitMakesTheRowPermanent)
{
    ASSENT_NEEDS(one_phase);
    auto const branch = start_branch(1);

    EXPECT_TRUE(run(*branch.session, verb::commit_one_phase, branch.id).is_ok());

    EXPECT_EQ(target().count_rows(1), 1);
    EXPECT_FALSE(is_listed(branch.id));
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(contract, OnePhaseCommitLeavesAWitnessWhereTheDriverSaysSo)
{
    // Some drivers learn by connecting what their database can do.
    auto const manage = open(session_purpose::manage);
    if (!driver().capabilities().has_one_phase_witness) GTEST_SKIP() << "declared: no witness";
    auto const branch = start_branch(1);

    reply const done = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_FALSE(done.witness.empty());
    EXPECT_EQ(driver().ask_witness(*manage, done.witness, in_seconds(10)),
              witness_state::committed);
    EXPECT_EQ(driver().ask_witness(*manage, "no such thing", in_seconds(10)),
              witness_state::unknown);
}

TEST_P(contract, RollbackOfAnActiveBranchLeavesNothing)
{
    auto const branch = start_branch(1);

    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());

    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(contract, OneSessionServesOneBranchAfterAnother)
{
    ASSENT_NEEDS(two_phase);
    auto const first = prepare_branch(1);
    ASSERT_TRUE(run(*first.session, verb::commit, first.id).is_ok());

    for (int key = 2; key < 5; ++key) {
        xid const x = next_xid(*first.session);
        ASSERT_TRUE(run(*first.session, verb::start, x).is_ok());
        target().write_row(*first.session, key);
        ASSERT_TRUE(run(*first.session, verb::prepare, x).is_ok());
        ASSERT_TRUE(run(*first.session, verb::commit, x).is_ok());
    }

    EXPECT_EQ(target().count_rows(2) + target().count_rows(3) + target().count_rows(4), 3);
}

TEST_P(contract, ABranchThatWroteNothingCanEndInEveryWay)
{
    ASSENT_NEEDS(one_phase);
    ASSENT_NEEDS(two_phase);
    auto const session = open(session_purpose::work);
    auto const begin = [&] {
        xid const x = next_xid(*session);
        EXPECT_TRUE(run(*session, verb::start, x).is_ok());
        return x;
    };

    xid const rolled_back = begin();
    EXPECT_TRUE(run(*session, verb::rollback, rolled_back).is_ok());
    xid const one_phase = begin();
    EXPECT_TRUE(run(*session, verb::commit_one_phase, one_phase).is_ok());
    xid const two_phase = begin();
    reply const vote = run(*session, verb::prepare, two_phase);
    EXPECT_TRUE(vote.is_ok() || vote.code == xa_code::rdonly);
    if (vote.is_ok()) {
        EXPECT_TRUE(run(*session, verb::commit, two_phase).is_ok());
    }
    EXPECT_TRUE(session->is_reusable());
}

/// What it did that lasts no longer than its session takes effect with the outcome.
TEST_P(contract, ADeclaredReaderVotesWithoutBeingPreparedAndEndsWithTheOutcome)
{
    ASSENT_NEEDS(modes);
    for (verb const end : {verb::commit_one_phase, verb::rollback}) {
        auto const session = open(session_purpose::work);
        for (int i = 0; i < 2; ++i) {
            xid const x = next_xid(*session);
            session->declare({{}, access::read_only});
            ASSERT_TRUE(run(*session, verb::start, x).is_ok());

            auto const vote = run(*session, verb::prepare, x);
            EXPECT_EQ(vote.code, xa_code::rdonly) << vote.text;
            EXPECT_EQ(vote.detail, reply_detail::still_open) << vote.text;
            EXPECT_FALSE(session->is_reusable()) << "its transaction is open";
            if (target().has(feature::two_phase)) {
                EXPECT_FALSE(is_listed(x));
            }

            auto const ended = run(*session, end, x);
            EXPECT_TRUE(ended.is_ok()) << ended.text;
            EXPECT_TRUE(session->is_reusable());
        }
        xid const next = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, next).is_ok());
        int const key = end == verb::rollback ? 1 : 2;
        target().write_row(*session, key);
        EXPECT_TRUE(run(*session, verb::commit_one_phase, next).is_ok());
        EXPECT_EQ(target().count_rows(key), 1) << "the declaration was for those branches only";
    }
}

TEST_P(contract, AManagersSessionCommitsWhatItsOwnerLeft)
{
    ASSENT_NEEDS(two_phase);
    auto branch = prepare_branch(1);
    branch.session.reset();

    finish_elsewhere(verb::commit, branch.id);

    EXPECT_EQ(target().count_rows(1), 1);
    EXPECT_FALSE(is_listed(branch.id));
}

TEST_P(contract, AManagersSessionRollsBackWhatItsOwnerLeft)
{
    ASSENT_NEEDS(two_phase);
    auto branch = prepare_branch(1);
    branch.session.reset();

    finish_elsewhere(verb::rollback, branch.id);

    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_FALSE(is_listed(branch.id));
}

TEST_P(contract, AnUnknownBranchIsNota)
{
    auto const manage = open(session_purpose::manage);
    xid const unknown = next_xid(*manage);

    EXPECT_EQ(run(*manage, verb::commit, unknown).code, xa_code::nota);
    EXPECT_EQ(run(*manage, verb::rollback, unknown).code, xa_code::nota);
    EXPECT_TRUE(manage->is_reusable());
}

TEST_P(contract, ASecondCommitIsNotSuccess)
{
    ASSENT_NEEDS(two_phase);
    auto const branch = prepare_branch(1);
    ASSERT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    auto const manage = open(session_purpose::manage);

    EXPECT_EQ(run(*manage, verb::commit, branch.id).code, xa_code::nota);
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, AVerbOutOfTurnIsRefusedAndHarmsNothing)
{
    ASSENT_NEEDS(two_phase);
    auto const branch = start_branch(1);
    xid const other = next_xid(*branch.session);

    EXPECT_FALSE(run(*branch.session, verb::start, other).is_ok());
    EXPECT_FALSE(run(*branch.session, verb::prepare, other).is_ok());
    EXPECT_FALSE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_FALSE(run(*branch.session, verb::commit_one_phase, other).is_ok());

    ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_FALSE(run(*branch.session, verb::commit_one_phase, branch.id).is_ok());
    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, ASessionIsReusableOnlyOutsideABranch)
{
    ASSENT_NEEDS(two_phase);
    auto const session = open(session_purpose::work);
    EXPECT_TRUE(session->is_reusable());
    xid const x = next_xid(*session);

    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    EXPECT_FALSE(session->is_reusable());
    target().write_row(*session, 1);
    session->submit(verb::prepare, x);
    EXPECT_FALSE(session->is_reusable());
    ASSERT_TRUE(session->collect(in_seconds(10))->is_ok());
    EXPECT_FALSE(session->is_reusable());

    ASSERT_TRUE(run(*session, verb::commit, x).is_ok());
    EXPECT_TRUE(session->is_reusable());
}

TEST_P(contract, TheSessionIdIsTheServersOwn)
{
    ASSENT_NEEDS(session_ids);
    auto const session = open(session_purpose::work);
    auto const manage = open(session_purpose::manage);

    ASSERT_NE(session->id(), 0u);
    EXPECT_NE(session->id(), manage->id());
    EXPECT_FALSE(facts().is_proxied);
    EXPECT_EQ(driver().presence(*manage, session->id(), in_seconds(10)), session_presence::present);
}

TEST_P(contract, AResetLeavesASessionForTheNextBranch)
{
    ASSENT_NEEDS(one_phase);
    auto const branch = start_branch(1);
    ASSERT_TRUE(run(*branch.session, verb::commit_one_phase, branch.id).is_ok());

    branch.session->submit_reset();
    ASSERT_TRUE(branch.session->collect_reset(in_seconds(10)));

    auto const next = next_xid(*branch.session);
    ASSERT_TRUE(run(*branch.session, verb::start, next).is_ok());
    target().write_row(*branch.session, 2);
    EXPECT_TRUE(run(*branch.session, verb::commit_one_phase, next).is_ok());
    EXPECT_TRUE(branch.session->is_reusable());
    EXPECT_EQ(target().count_rows(1), 1);
    EXPECT_EQ(target().count_rows(2), 1);
}

/// Asked for against the rules: MariaDB itself would let go of the branch, and then answer OK to a
/// commit that commits nothing.
TEST_P(contract, AResetNeverLetsGoOfABranch)
{
    ASSENT_NEEDS(one_phase);
    auto const active = start_branch(1);
    active.session->submit_reset();
    static_cast<void>(active.session->collect_reset(in_seconds(10)));
    EXPECT_TRUE(run(*active.session, verb::commit_one_phase, active.id).is_ok());
    EXPECT_EQ(target().count_rows(1), 1);

    ASSENT_NEEDS(two_phase);
    auto const prepared = prepare_branch(2);
    prepared.session->submit_reset();
    static_cast<void>(prepared.session->collect_reset(in_seconds(10)));
    EXPECT_TRUE(is_listed(prepared.id));
    EXPECT_TRUE(run(*prepared.session, verb::commit, prepared.id).is_ok());
    EXPECT_EQ(target().count_rows(2), 1);
}

}  // namespace assent::contract
