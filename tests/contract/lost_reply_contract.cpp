// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lost_reply_contract.cpp -- the verbs on a server that is slow, silent, gone or dead.
//
// In every one of these the question is the same: is the reply true?  It may say less than what
// happened, never something else.

#include <chrono>

#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

namespace {

deadline passed()
{
    return std::chrono::steady_clock::now() - std::chrono::seconds(1);
}

}  // namespace

TEST_P(contract, TwoBranchesPrepareAtTheSameTimeFromOneThread)
{
    ASSENT_NEEDS(polled_votes);
    ASSENT_NEEDS(freeze);
    auto const a = start_branch(1);
    auto const b = start_branch(2);
    target().freeze();

    a.session->submit(verb::prepare, a.id);
    b.session->submit(verb::prepare, b.id);  // reached only because the first did not wait

    EXPECT_FALSE(a.session->collect(passed()).has_value());
    EXPECT_FALSE(b.session->collect(passed()).has_value());
    target().thaw();
    EXPECT_TRUE(b.session->collect(in_seconds(10))->is_ok());
    EXPECT_TRUE(a.session->collect(in_seconds(10))->is_ok());
    EXPECT_TRUE(run(*a.session, verb::commit, a.id).is_ok());
    EXPECT_TRUE(run(*b.session, verb::commit, b.id).is_ok());
}

TEST_P(contract, CollectWaitsUntilItsDeadlineAndMayBeCalledAgain)
{
    ASSENT_NEEDS(polled_votes);
    ASSENT_NEEDS(freeze);
    auto const branch = start_branch(1);
    target().freeze();
    branch.session->submit(verb::prepare, branch.id);
    auto const before = std::chrono::steady_clock::now();

    auto const nothing = branch.session->collect(before + std::chrono::milliseconds(100));

    auto const waited = std::chrono::steady_clock::now() - before;
    EXPECT_FALSE(nothing.has_value());
    EXPECT_GE(waited, std::chrono::milliseconds(100));
    EXPECT_LT(waited, std::chrono::seconds(20));
    target().thaw();
    EXPECT_TRUE(branch.session->collect(in_seconds(10))->is_ok());
    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
}

TEST_P(contract, ConnectGivesUpAtItsDeadlineAndNamesTheResourceManager)
{
    ASSENT_NEEDS(freeze);
    target().freeze();
    auto const before = std::chrono::steady_clock::now();

    try {
        driver().connect(session_purpose::work, before + std::chrono::seconds(1));
        ADD_FAILURE() << "connected to a frozen server";
    } catch (driver_error const& error) {
        EXPECT_NE(std::string{error.what()}.find(driver().name()), std::string::npos);
    }

    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
    target().thaw();
}

TEST_P(contract, AScanThatIsNotAnsweredThrows)
{
    ASSENT_NEEDS(freeze);
    auto const manage = open(session_purpose::manage);
    target().freeze();

    EXPECT_THROW(
        driver().scan(*manage, std::chrono::steady_clock::now() + std::chrono::milliseconds(100)),
        driver_error);

    EXPECT_FALSE(manage->is_reusable());
    target().thaw();
}

TEST_P(contract, ASeveredActiveBranchIsGone)
{
    ASSENT_NEEDS(session_work);
    ASSENT_NEEDS(session_ids);
    auto branch = start_branch(1);

    branch.session->sever();

    EXPECT_TRUE(is_lost(run(*branch.session, verb::rollback, branch.id)));
    EXPECT_FALSE(branch.session->is_reusable());
    auto const manage = open(session_purpose::manage);
    EXPECT_TRUE(eventually([&] {
        return driver().presence(*manage, branch.session->id(), in_seconds(10)) ==
               session_presence::gone;
    }));
    EXPECT_FALSE(is_listed(branch.id));
    EXPECT_EQ(target().count_rows(1), 0);
}

TEST_P(contract, ASeveredPreparedBranchStaysAndIsCommittedElsewhere)
{
    ASSENT_NEEDS(two_phase);
    auto branch = prepare_branch(1);

    branch.session->sever();

    EXPECT_TRUE(is_lost(run(*branch.session, verb::commit, branch.id)));
    EXPECT_TRUE(is_listed(branch.id));
    finish_elsewhere(verb::commit, branch.id);
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, APrepareSeveredUnansweredIsLostAndEndsOnlyWithItsSession)
{
    ASSENT_NEEDS(freeze);
    auto const branch = start_branch(1);
    auto const session = branch.session->id();
    target().freeze();
    branch.session->submit(verb::prepare, branch.id);

    branch.session->sever();
    auto const answer = branch.session->collect(passed());

    ASSERT_TRUE(answer.has_value());
    // Where XA END and XA PREPARE are two messages, the second may never have left.
    bool const never_left = answer->code == xa_code::rbother;
    EXPECT_TRUE(never_left || is_lost(*answer)) << answer->text;
    target().thaw();
    roll_back_lost(session, branch.id);
    EXPECT_EQ(target().count_rows(1), 0);
}

TEST_P(contract, AOnePhaseCommitCutByUsIsNeverSaidToBeWorthRepeatingAtOnce)
{
    ASSENT_NEEDS(one_phase);
    ASSENT_NEEDS(freeze);
    auto const branch = start_branch(1);
    auto const session = branch.session->id();
    target().freeze();
    branch.session->submit(verb::commit_one_phase, branch.id);

    branch.session->sever();
    auto const answer = branch.session->collect(passed());

    // Nobody has confirmed that the session is gone: it keeps its locks while it is frozen.
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->code == xa_code::rbother || is_lost(*answer)) << answer->text;
    target().thaw();
    auto const manage = open(session_purpose::manage);
    EXPECT_TRUE(eventually([&] {
        return driver().presence(*manage, session, in_seconds(10)) == session_presence::gone;
    }));
}

TEST_P(contract, ACommitSeveredUnansweredIsLostAndCanBeRepeated)
{
    ASSENT_NEEDS(freeze);
    auto const branch = prepare_branch(1);
    target().freeze();
    branch.session->submit(verb::commit, branch.id);

    branch.session->sever();
    auto const answer = branch.session->collect(passed());

    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(is_lost(*answer));
    target().thaw();
    finish_elsewhere(verb::commit, branch.id);
    EXPECT_TRUE(eventually([&] { return target().count_rows(1) == 1; }));
    EXPECT_FALSE(is_listed(branch.id));
}

TEST_P(contract, AKilledActiveSessionNeverVotesYes)
{
    ASSENT_NEEDS(session_work);
    ASSENT_NEEDS(outside_kill);
    auto const branch = start_branch(1);
    target().kill_session(branch.session->id());

    reply const vote = run(*branch.session, verb::prepare, branch.id);

    EXPECT_TRUE(is_lost(vote) || is_rolled_back(vote)) << "a no, where nothing was sent";
    EXPECT_FALSE(is_listed(branch.id));
    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_FALSE(branch.session->is_reusable());
}

TEST_P(contract, AKilledActiveSessionIsNotSaidToBeRolledBackByUs)
{
    ASSENT_NEEDS(session_work);
    ASSENT_NEEDS(outside_kill);
    auto const branch = start_branch(1);
    target().kill_session(branch.session->id());

    EXPECT_TRUE(is_lost(run(*branch.session, verb::rollback, branch.id)));
}

TEST_P(contract, AKilledActiveSessionDoesNotCommitInOnePhase)
{
    ASSENT_NEEDS(one_phase);
    ASSENT_NEEDS(outside_kill);
    auto const branch = start_branch(1);
    target().kill_session(branch.session->id());

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_TRUE(is_lost(answer) || is_rolled_back(answer)) << answer.text;
    EXPECT_EQ(target().count_rows(1), 0);
}

TEST_P(contract, AKilledIdleSessionDoesNotStart)
{
    ASSENT_NEEDS(outside_kill);
    auto const session = open(session_purpose::work);
    target().kill_session(session->id());

    EXPECT_TRUE(is_lost(run(*session, verb::start, next_xid(*session))));
    EXPECT_FALSE(session->is_reusable());
}

TEST_P(contract, AKilledPreparedSessionLeavesItsBranchToOthers)
{
    ASSENT_NEEDS(session_ends);
    ASSENT_NEEDS(outside_kill);
    auto const branch = prepare_branch(1);
    target().kill_session(branch.session->id());

    EXPECT_TRUE(is_lost(run(*branch.session, verb::commit, branch.id)));

    EXPECT_TRUE(is_listed(branch.id));
    finish_elsewhere(verb::commit, branch.id);
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, APreparedBranchSurvivesACrash)
{
    ASSENT_NEEDS(session_ends);
    ASSENT_NEEDS(crash);
    auto const branch = prepare_branch(1);

    target().crash();
    EXPECT_TRUE(is_lost(run(*branch.session, verb::commit, branch.id)));
    target().start();
    refresh_driver();

    EXPECT_TRUE(is_listed(branch.id));
    finish_elsewhere(verb::commit, branch.id);
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, AnActiveBranchDoesNotSurviveACrash)
{
    ASSENT_NEEDS(session_work);
    ASSENT_NEEDS(crash);
    auto const branch = start_branch(1);

    target().crash();
    reply const vote = run(*branch.session, verb::prepare, branch.id);
    EXPECT_TRUE(is_lost(vote) || is_rolled_back(vote)) << "a no, where nothing was sent";
    target().start();
    refresh_driver();

    EXPECT_FALSE(is_listed(branch.id));
    EXPECT_EQ(target().count_rows(1), 0);
}

TEST_P(contract, ACommitThatACrashInterruptsIsLostAndCanBeRepeated)
{
    ASSENT_NEEDS(session_ends);
    ASSENT_NEEDS(crash);
    ASSENT_NEEDS(freeze);
    auto const branch = prepare_branch(1);
    target().freeze();
    branch.session->submit(verb::commit, branch.id);

    target().crash();
    auto const answer = branch.session->collect(in_seconds(10));

    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(is_lost(*answer)) << answer->text;
    target().start();
    refresh_driver();
    EXPECT_TRUE(is_listed(branch.id));
    finish_elsewhere(verb::commit, branch.id);
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, AOnePhaseCommitThatACrashInterruptsIsNeverSuccess)
{
    ASSENT_NEEDS(one_phase);
    ASSENT_NEEDS(crash);
    ASSENT_NEEDS(freeze);
    auto const branch = start_branch(1);
    target().freeze();
    branch.session->submit(verb::commit_one_phase, branch.id);

    target().crash();
    auto const answer = branch.session->collect(in_seconds(10));

    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(is_lost(*answer) || is_rolled_back(*answer)) << answer->text;
    target().start();
    refresh_driver();
    EXPECT_EQ(target().count_rows(1), 0);  // the server was frozen before the verb was sent
}

}  // namespace assent::contract
