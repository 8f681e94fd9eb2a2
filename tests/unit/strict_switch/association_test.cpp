// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// association_test.cpp -- table 6-2: a thread is not associated, associated, or suspended.

#include "tests/unit/strict_switch/switch_fixture.hpp"

namespace switch_test {
namespace {

using ::testing::IsEmpty;

TEST_F(opened, AThreadIsAssociatedWithOneBranchAtATime)
{
    ASSERT_EQ(start(name("a")), XA_OK);
    EXPECT_EQ(start(name("b")), XAER_PROTO);
    EXPECT_EQ(start(name("a"), TMJOIN), XAER_PROTO);
    EXPECT_EQ(start(name("a"), TMRESUME), XAER_PROTO);
    EXPECT_EQ(count_of_violations(), 3u);
    EXPECT_EQ(end(name("a")), XA_OK);
}

TEST_F(opened, ABranchIsBegunOnce)
{
    make_idle(name("a"));
    EXPECT_EQ(start(name("a")), XAER_DUPID);
    EXPECT_EQ(count_of_violations(), 1u);
}

TEST_F(opened, WhatIsNotAssociatedIsNotEnded)
{
    EXPECT_EQ(end(name("a")), XAER_NOTA);
    make_idle(name("a"));
    EXPECT_EQ(end(name("a")), XAER_PROTO);
    EXPECT_EQ(end(name("a"), TMSUSPEND), XAER_PROTO);
    EXPECT_EQ(count_of_violations(), 2u);
}

TEST_F(opened, AnEndHasOneWay)
{
    make_active(name("a"));
    EXPECT_EQ(end(name("a"), TMNOFLAGS), XAER_INVAL);
    EXPECT_EQ(end(name("a"), TMSUCCESS | TMFAIL), XAER_INVAL);
    EXPECT_EQ(end(name("a"), TMSUCCESS | TMMIGRATE), XAER_INVAL);
    EXPECT_EQ(end(name("a"), TMSUSPEND | TMMIGRATE), XAER_INVAL);  // it is TMNOMIGRATE
    EXPECT_EQ(end(name("a"), TMSUCCESS), XA_OK);
}

TEST_F(opened, WhatIsSuspendedIsResumedByItsThread)
{
    auto const x = name("a");
    make_active(x);
    ASSERT_EQ(end(x, TMSUSPEND), XA_OK);

    EXPECT_EQ(start(x, TMJOIN), XAER_PROTO);
    EXPECT_EQ(end(x, TMSUSPEND), XAER_PROTO);
    EXPECT_EQ(prepare(x), XAER_PROTO);
    elsewhere([&] { EXPECT_EQ(start(x, TMRESUME), XAER_PROTO); });
    EXPECT_EQ(start(x, TMRESUME), XA_OK);
    EXPECT_EQ(end(x), XA_OK);
    EXPECT_EQ(start(x, TMRESUME), XAER_PROTO);
    EXPECT_EQ(start(name("none"), TMRESUME), XAER_NOTA);
    EXPECT_EQ(start(x, TMRESUME | TMJOIN), XAER_INVAL);
}

TEST_F(opened, AnAnswerThatItIsRolledBackFreesTheThread)
{
    for (int const answer : {static_cast<int>(XA_RBTIMEOUT), XAER_NOTA}) {
        auto const code = static_cast<assent::xa_code>(answer);
        auto const x = name("a");
        make_active(x);
        bank().on(switch_call::end).answer(code);
        EXPECT_EQ(end(x, TMSUSPEND), answer);
        EXPECT_EQ(rollback(x), answer == XAER_NOTA ? XAER_NOTA : XA_OK);

        make_active(x);
        ASSERT_EQ(end(x, TMSUSPEND), XA_OK);
        bank().on(switch_call::start).answer(code);
        EXPECT_EQ(start(x, TMRESUME), answer);
        EXPECT_EQ(rollback(x), answer == XAER_NOTA ? XAER_NOTA : XA_OK);
        make_idle(name("b"));
        EXPECT_EQ(rollback(name("b")), XA_OK);
    }
    EXPECT_THAT(bank().violations(), IsEmpty());
}

TEST_F(opened, WhatCanOnlyBeRolledBackIsNotSuspended)
{
    auto const x = name("a");
    make_active(x);
    elsewhere([&] {
        ASSERT_EQ(start(x, TMJOIN), XA_OK);
        ASSERT_EQ(end(x, TMFAIL), XA_OK);
    });
    EXPECT_EQ(end(x, TMSUSPEND), XA_RBROLLBACK);
    EXPECT_EQ(rollback(x), XA_OK) << "no thread is associated with it";
}

TEST_F(opened, WorkOfAnotherTransactionFitsInBetween)
{
    make_active(name("a"));
    ASSERT_EQ(end(name("a"), TMSUSPEND), XA_OK);
    ASSERT_EQ(start(name("b")), XA_OK);
    bank().add("bob", 5);
    ASSERT_EQ(end(name("b")), XA_OK);
    ASSERT_EQ(start(name("a"), TMRESUME), XA_OK);
    bank().add("alice", 1);
    ASSERT_EQ(end(name("a")), XA_OK);
    ASSERT_EQ(commit(name("b"), TMONEPHASE), XA_OK);
    EXPECT_EQ(bank().value("bob"), 5);
    EXPECT_EQ(bank().value("alice"), 0);
    ASSERT_EQ(commit(name("a"), TMONEPHASE), XA_OK);
    EXPECT_EQ(bank().value("alice"), 2);
    EXPECT_THAT(bank().violations(), IsEmpty());
}

TEST_F(opened, WhatIsSuspendedMayBeEnded)
{
    make_active(name("a"));
    ASSERT_EQ(end(name("a"), TMSUSPEND), XA_OK);
    EXPECT_EQ(end(name("a"), TMSUCCESS), XA_OK);
    EXPECT_EQ(prepare(name("a")), XA_OK);
}

TEST_F(switches, ABranchThatMigratesIsResumedByAnyThread)
{
    switch_options chosen;
    chosen.is_migratable = true;
    make(chosen);
    ASSERT_EQ(open(), XA_OK);
    auto const x = name("a");
    make_active(x);
    ASSERT_EQ(end(x, TMSUSPEND | TMMIGRATE), XA_OK);
    EXPECT_EQ(prepare(x), XAER_PROTO);
    elsewhere([&] {
        EXPECT_EQ(start(x, TMRESUME), XA_OK);
        EXPECT_EQ(end(x), XA_OK);
    });
    EXPECT_EQ(prepare(x), XA_OK);
}

TEST_F(switches, NomigrateMeansThatTheThreadKeepsIt)
{
    switch_options chosen;
    chosen.is_migratable = true;
    make(chosen);
    ASSERT_EQ(open(), XA_OK);
    auto const x = name("a");
    make_active(x);
    bank().on(switch_call::end).answer(xa_code::nomigrate);
    ASSERT_EQ(end(x, TMSUSPEND | TMMIGRATE), XA_NOMIGRATE);
    elsewhere([&] { EXPECT_EQ(start(x, TMRESUME), XAER_PROTO); });
    EXPECT_EQ(start(x, TMRESUME), XA_OK);
    EXPECT_EQ(end(x), XA_OK);
}

TEST_F(opened, ThreadsJoinABranch)
{
    auto const x = name("a");
    make_active(x);
    elsewhere([&] {
        EXPECT_EQ(start(x), XAER_DUPID);
        EXPECT_EQ(start(name("none"), TMJOIN), XAER_NOTA);
        EXPECT_EQ(start(x, TMJOIN), XA_OK);
        bank().add("alice", 1);
        EXPECT_EQ(end(x), XA_OK);
    });
    EXPECT_EQ(prepare(x), XAER_PROTO);  // this thread is associated still
    EXPECT_EQ(end(x), XA_OK);
    EXPECT_EQ(commit(x, TMONEPHASE), XA_OK);
    EXPECT_EQ(bank().value("alice"), 2);
}

TEST_F(opened, WorkOfItsOwnKeepsAThreadFromABranch)
{
    bank().begin_outside();
    EXPECT_EQ(start(name("a")), XAER_OUTSIDE);
    bank().end_outside();
    EXPECT_EQ(start(name("a")), XA_OK);
    EXPECT_THROW(bank().begin_outside(), assent::error);
    EXPECT_EQ(end(name("a")), XA_OK);
    EXPECT_THAT(bank().violations(), IsEmpty());
}

TEST_F(opened, AStartThatIsRefusedByRollbackLeavesTheThreadFree)
{
    bank().on(switch_call::start).answer(xa_code::rbdeadlock);
    EXPECT_EQ(start(name("a")), XA_RBDEADLOCK);
    EXPECT_EQ(end(name("a")), XAER_PROTO);
    EXPECT_EQ(start(name("a"), TMJOIN), XA_RBROLLBACK);
    EXPECT_EQ(rollback(name("a")), XA_OK);
    EXPECT_EQ(start(name("b")), XA_OK);
    EXPECT_EQ(end(name("b")), XA_OK);
}

}  // namespace
}  // namespace switch_test
