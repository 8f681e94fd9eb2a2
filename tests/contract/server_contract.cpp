// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server_contract.cpp -- scans, identity, the guardian, and other people's sessions.

#include <chrono>
#include <thread>

#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

TEST_P(contract, AScanListsABranchExactlyWhileItIsPrepared)
{
    ASSENT_NEEDS(two_phase);
    auto const branch = start_branch(1);

    if (target().has(feature::session_work)) {
        EXPECT_FALSE(is_listed(branch.id));
    }
    ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(is_listed(branch.id));
    ASSERT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_FALSE(is_listed(branch.id));
}

TEST_P(contract, AScanSaysWhichServerAnswered)
{
    auto const manage = open(session_purpose::manage);
    auto const expected = facts();  // gives an identity to a database that has none by itself

    auto const seen = driver().scan(*manage, in_seconds(10));

    EXPECT_EQ(seen.identity, expected.identity);
    EXPECT_FALSE(seen.identity.empty());
    EXPECT_LE(seen.identity.size(), 120u);
    EXPECT_TRUE(seen.is_writable_primary);
    EXPECT_TRUE(seen.ours.empty());
    EXPECT_EQ(seen.foreign_count, 0u);
}

TEST_P(contract, ForeignBranchesAreCountedAndLeftAlone)
{
    ASSENT_NEEDS(foreign_branches);
    target().prepare_foreign(1);
    auto const manage = open(session_purpose::manage);

    auto const seen = driver().scan(*manage, in_seconds(10));

    EXPECT_TRUE(seen.ours.empty());
    EXPECT_EQ(seen.foreign_count, 1u);
    target().commit_foreign();
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, PreflightNamesServerAccountAndDatabase)
{
    auto const seen = facts();

    for (std::string const& fact :
         {seen.kind, seen.identity, seen.server_start, seen.version, seen.user, seen.database}) {
        EXPECT_FALSE(fact.empty());
    }
    EXPECT_EQ(facts().server_start, seen.server_start);
}

TEST_P(contract, ARestartChangesTheServerStartAndNotTheIdentity)
{
    ASSENT_NEEDS(crash);
    ASSENT_NEEDS(starts);
    auto const before = facts();
    // MariaDB tells its start to the second; two starts within one look alike.
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));

    target().restart();
    refresh_driver();

    auto const after = facts();
    EXPECT_EQ(after.identity, before.identity);
    EXPECT_NE(after.server_start, before.server_start);
}

TEST_P(contract, AMovedServerKeepsItsIdentityAndItsBranches)
{
    ASSENT_NEEDS(move);
    auto const before = facts();
    auto const branch = prepare_branch(1);

    target().restart_elsewhere();
    refresh_driver();

    EXPECT_EQ(facts().identity, before.identity);
    EXPECT_TRUE(is_listed(branch.id));
    finish_elsewhere(verb::commit, branch.id);
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, WhatANodeKeepsThereIsFoundAgainAndItsCountIsNeverLowered)
{
    auto const manage = open(session_purpose::manage);
    auto const read = [&](std::uint64_t node) {
        return driver().read_past(*manage, node, in_seconds(10));
    };
    auto const keep = [&](std::uint64_t node, kept_past const& what) {
        return driver().keep_past(*manage, node, what, in_seconds(10));
    };
    if (!read(0xabcdef0123456789)) GTEST_SKIP() << "it keeps nothing";
    auto const before = read(0xabcdef0123456789)->count;

    ASSERT_TRUE(keep(0xabcdef0123456789, {before + 5, 0}));
    EXPECT_EQ(read(0xabcdef0123456789)->count, before + 5);
    EXPECT_EQ(read(0xabcdef0123456789)->history, 0U);
    ASSERT_TRUE(keep(0xabcdef0123456789, {before + 3, before + 7}));
    EXPECT_EQ(read(0xabcdef0123456789)->count, before + 5);
    EXPECT_EQ(read(0xabcdef0123456789)->history, before + 7);
    EXPECT_EQ(read(0xabcdef012345678a)->count, 0U) << "of another node";
}

TEST_P(contract, TheGuardianLockHasOneHolder)
{
    ASSENT_NEEDS(guardian);
    auto const holder = open(session_purpose::guardian);
    auto const other = open(session_purpose::guardian);

    EXPECT_TRUE(driver().try_guard(*holder, 0x1234567890abcdef, in_seconds(10)));
    EXPECT_FALSE(driver().try_guard(*other, 0x1234567890abcdef, in_seconds(10)));
    EXPECT_NO_THROW(driver().heartbeat(*holder, in_seconds(10)));
    EXPECT_TRUE(driver().try_guard(*other, 0x1234567890abcdee, in_seconds(10)));
}

TEST_P(contract, TheGuardianLockIsFreeWhenItsHolderIsGone)
{
    ASSENT_NEEDS(guardian);
    auto holder = open(session_purpose::guardian);
    auto const other = open(session_purpose::guardian);
    ASSERT_TRUE(driver().try_guard(*holder, 77, in_seconds(10)));

    holder->sever();

    EXPECT_THROW(driver().heartbeat(*holder, in_seconds(10)), driver_error);
    EXPECT_TRUE(eventually([&] { return driver().try_guard(*other, 77, in_seconds(10)); }));
}

TEST_P(contract, AHeartbeatWithoutTheLockThrows)
{
    ASSENT_NEEDS(guardian);
    auto const other = open(session_purpose::guardian);

    EXPECT_THROW(driver().heartbeat(*other, in_seconds(10)), driver_error);
}

TEST_P(contract, AHeartbeatOfAKilledGuardianThrows)
{
    ASSENT_NEEDS(outside_kill);
    auto const holder = open(session_purpose::guardian);
    ASSERT_TRUE(driver().try_guard(*holder, 78, in_seconds(10)));

    target().kill_session(holder->id());

    EXPECT_THROW(driver().heartbeat(*holder, in_seconds(10)), driver_error);
}

TEST_P(contract, AnEndedSessionIsGoneAndItsBranchWithIt)
{
    ASSENT_NEEDS(session_work);
    ASSENT_NEEDS(session_ids);
    ASSENT_NEEDS(ended_sessions);
    auto const manage = open(session_purpose::manage);
    auto const branch = start_branch(1);
    auto const id = branch.session->id();
    ASSERT_EQ(driver().presence(*manage, id, in_seconds(10)), session_presence::present);

    driver().end_session(*manage, id, in_seconds(10));

    EXPECT_TRUE(eventually(
        [&] { return driver().presence(*manage, id, in_seconds(10)) == session_presence::gone; }));
    EXPECT_FALSE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_FALSE(is_listed(branch.id));
    EXPECT_NO_THROW(driver().end_session(*manage, id, in_seconds(10)));  // gone already
}

TEST_P(contract, OlderSessionsAreSeenUntilTheyAreGone)
{
    ASSENT_NEEDS(session_work);
    ASSENT_NEEDS(session_ids);
    auto older = start_branch(1);
    auto const ours = open(session_purpose::manage);
    auto const newer = open(session_purpose::work);
    EXPECT_EQ(driver().sessions_before(*ours, ours->id(), in_seconds(10)),
              session_presence::present);

    older.session.reset();

    EXPECT_TRUE(eventually([&] {
        return driver().sessions_before(*ours, ours->id(), in_seconds(10)) ==
               session_presence::gone;
    }));
}

TEST_P(contract, ACancelledStatementFailsAndItsSessionIsNotReused)
{
    ASSENT_NEEDS(blocked_statement);
    auto const manage = open(session_purpose::manage);
    auto const branch = start_branch(1);
    auto blocked = target().run_blocked(*branch.session);

    driver().cancel_statement(*manage, branch.session->id(), in_seconds(10));

    ASSERT_EQ(blocked.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    EXPECT_TRUE(blocked.get());
    target().release_blocker();
    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
    EXPECT_FALSE(branch.session->is_reusable());
    EXPECT_EQ(target().count_rows(1), 0);
}

TEST_P(contract, EndingASessionEndsItsBlockedStatement)
{
    ASSENT_NEEDS(blocked_statement);
    auto const manage = open(session_purpose::manage);
    auto const branch = start_branch(1);
    auto blocked = target().run_blocked(*branch.session);

    driver().end_session(*manage, branch.session->id(), in_seconds(10));

    ASSERT_EQ(blocked.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    EXPECT_TRUE(blocked.get());
    target().release_blocker();
    EXPECT_EQ(target().count_rows(1), 0);
}

}  // namespace assent::contract
