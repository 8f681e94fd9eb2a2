// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// opening_test.cpp -- table 6-1: each thread of control opens a switch for itself.

#include "tests/unit/strict_switch/switch_fixture.hpp"

namespace switch_test {
namespace {

using ::testing::IsEmpty;

TEST_F(switches, NothingButOpeningAndClosingIsAllowedBefore)
{
    auto const x = name("t");
    std::vector<XID> room(1);

    EXPECT_EQ(close(), XA_OK);
    EXPECT_EQ(start(x), XAER_PROTO);
    EXPECT_EQ(open(), XA_OK);
    EXPECT_EQ(close(), XA_OK);
    EXPECT_EQ(start(x), XAER_PROTO);
    EXPECT_EQ(end(x), XAER_PROTO);
    EXPECT_EQ(prepare(x), XAER_PROTO);
    EXPECT_EQ(commit(x), XAER_PROTO);
    EXPECT_EQ(rollback(x), XAER_PROTO);
    EXPECT_EQ(forget(x), XAER_PROTO);
    EXPECT_EQ(bank().entries().xa_recover_entry(room.data(), 1, 99, TMSTARTRSCAN), XAER_PROTO);
    EXPECT_EQ(count_of_violations(), 6u);
}

TEST_F(switches, OpeningAndClosingMayBeRepeated)
{
    EXPECT_EQ(open(), XA_OK);
    EXPECT_EQ(open(), XA_OK);
    EXPECT_EQ(bank().openings(), 1u);
    EXPECT_EQ(close(), XA_OK);
    EXPECT_EQ(close(), XA_OK);
    EXPECT_EQ(bank().openings(), 0u);
    EXPECT_THAT(bank().violations(), IsEmpty());
}

TEST_F(switches, EachThreadOpensItForItself)
{
    ASSERT_EQ(open(), XA_OK);
    int there = XA_OK;
    std::thread{[&] { there = start(name("t")); }}.join();
    EXPECT_EQ(there, XAER_PROTO);
    EXPECT_EQ(start(name("t")), XA_OK);
    EXPECT_EQ(end(name("t")), XA_OK);
}

TEST_F(switches, ClosingIsRefusedWhileAThreadIsAssociated)
{
    auto const x = name("t");
    ASSERT_EQ(open(), XA_OK);
    ASSERT_EQ(start(x), XA_OK);
    EXPECT_EQ(close(), XAER_PROTO);
    ASSERT_EQ(end(x, TMSUSPEND), XA_OK);
    EXPECT_EQ(close(), XAER_PROTO);
    ASSERT_EQ(end(x), XA_OK);
    EXPECT_EQ(close(), XA_OK);
    EXPECT_EQ(count_of_violations(), 2u);
}

TEST_F(switches, AnInfoStringIsTakenWithItsEndOnly)
{
    std::vector<char> endless(MAXINFOSIZE, 'x');
    EXPECT_EQ(bank().entries().xa_open_entry(endless.data(), 9, TMNOFLAGS), XAER_INVAL);
    EXPECT_EQ(bank().entries().xa_open_entry(nullptr, 9, TMNOFLAGS), XAER_INVAL);
}

TEST_F(opened, AFailureClosesEveryOpening)
{
    auto const lost = name("lost");
    auto const kept = name("kept");
    make_prepared(kept);
    make_idle(lost);

    bank().die();

    EXPECT_EQ(rollback(lost), XAER_RMFAIL);
    EXPECT_EQ(rollback(lost), XAER_PROTO);  // in R0 now
    EXPECT_EQ(open(), XA_OK);
    EXPECT_EQ(rollback(lost), XAER_NOTA);
    EXPECT_EQ(commit(kept), XA_OK);
    EXPECT_EQ(bank().value("alice"), 1);
}

TEST_F(opened, WhileItIsDeadNobodyOpensIt)
{
    bank().stay_dead();
    EXPECT_EQ(start(name("t")), XAER_RMFAIL);
    EXPECT_EQ(close(), XA_OK);
    EXPECT_EQ(open(), XAER_RMERR);
    bank().revive();
    EXPECT_EQ(open(), XA_OK);
    EXPECT_THAT(bank().violations(), IsEmpty());
}

TEST_F(opened, AScriptedRmfailTakesBackWhatTheThreadHadNotPrepared)
{
    auto const x = name("t");
    make_idle(x);
    bank().on(switch_call::prepare).answer(xa_code::rmfail);
    EXPECT_EQ(prepare(x), XAER_RMFAIL);
    ASSERT_EQ(open(), XA_OK);
    EXPECT_EQ(rollback(x), XAER_NOTA);

    make_idle(x);
    bank().on(switch_call::prepare).answer_after_effect(xa_code::rmfail);
    EXPECT_EQ(prepare(x), XAER_RMFAIL);
    ASSERT_EQ(open(), XA_OK);
    EXPECT_EQ(commit(x), XA_OK);
}

}  // namespace
}  // namespace switch_test
