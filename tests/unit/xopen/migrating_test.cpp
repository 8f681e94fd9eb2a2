// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// migrating_test.cpp -- a suspended branch is whichever thread's resumes it, where the switch has
// no TMNOMIGRATE, or where any thread may join it; one of a switch that registers is resumed by
// ax_reg.

#include <thread>

#include <xopen/xa.h>

#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

using ::testing::ElementsAre;

/// A third switch, of another kind.
class third : public switched
{
protected:
    explicit third(bool registers, bool is_migratable, bool moves_by_join = false)
        : cart(assent::testing::switch_options{home.path() + "/cart", registers, is_migratable})
    {
        auto said = declared("the cart");
        if (moves_by_join) said.moves_by_join();
        carts.emplace(
            tm->add(assent::xopen::resource_manager{"cart", cart.entries(), cart.info(), said}));
    }
    ~third() override
    {
        tm.reset();
        EXPECT_THAT(cart.violations(), ::testing::IsEmpty());
        EXPECT_EQ(cart.pending(), 0u) << "a fault was never met";
        EXPECT_EQ(cart.unfinished(), 0u);
    }

    void work_on()
    {
        tm->current()->lease(*carts);
        cart.add("nuts", 1);
    }
    assent::suspended_transaction suspend_one()
    {
        ut.begin();
        work_on();
        return tm->suspend();
    }

    strict_switch cart;
    std::optional<assent::xopen::resource_manager> carts;
    assent::user_transaction ut{*tm};
};

/// By TMMIGRATE, and by TMJOIN.
class migrating : public third, public ::testing::WithParamInterface<bool>
{
protected:
    migrating() : third(false, !GetParam(), GetParam()) {}

    bool moves_by_join() const { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(each, migrating, ::testing::Bool());

TEST_P(migrating, AnotherThreadResumesAndEndsIt)
{
    auto moved = suspend_one();
    std::thread{[&] {
        tm->resume(std::move(moved));
        work_on();
        EXPECT_EQ(ut.commit(), outcome::committed);
    }}.join();
    EXPECT_EQ(cart.value("nuts"), 2);
    long const left = moves_by_join() ? TMSUCCESS : TMSUSPEND | TMMIGRATE;
    EXPECT_THAT(flags_of(cart, switch_call::end), ElementsAre(left, TMSUCCESS));
    EXPECT_THAT(flags_of(cart, switch_call::start),
                ElementsAre(0, moves_by_join() ? TMJOIN : TMRESUME));
}

TEST_P(migrating, ItGoesToAndFro)
{
    auto moved = suspend_one();
    for (int i = 0; i < 3; ++i) {
        std::thread{[&] {
            tm->resume(std::move(moved));
            work_on();
            moved = tm->suspend();
        }}.join();
        tm->resume(std::move(moved));
        work_on();
        moved = tm->suspend();
    }
    EXPECT_EQ(moved->commit(), outcome::committed);
    EXPECT_EQ(cart.value("nuts"), 7);
}

TEST_P(migrating, ResumedItIsThatThreadsAlone)
{
    auto moved = suspend_one();
    std::thread{[&] {
        tm->resume(std::move(moved));
        auto* const tx = tm->current();
        std::thread{[&] { EXPECT_EQ(code_of([&] { tx->commit(); }), errc::wrong_thread); }}.join();
        EXPECT_EQ(ut.commit(), outcome::committed);
    }}.join();
}

TEST_P(migrating, AnotherThreadEndsItWithoutResumingIt)
{
    auto committed = suspend_one();
    auto rolled_back = suspend_one();
    auto dropped = suspend_one();
    std::thread{[&] {
        EXPECT_EQ(committed->commit(), outcome::committed);
        EXPECT_EQ(rolled_back->rollback(), outcome::rolled_back);
        dropped.reset();
    }}.join();
    EXPECT_EQ(cart.value("nuts"), 1);
    EXPECT_EQ(cart.unfinished(), 0u);
}

/// What was ended need not be resumed to be ended; what is adrift has to be.
TEST_P(migrating, AThreadThatIsAtWorkGivesItUpAfterwards)
{
    if (moves_by_join()) {
        auto moved = suspend_one();
        std::thread{[&] {
            ut.begin();
            work_on();
            EXPECT_EQ(moved->commit(), outcome::committed);
            EXPECT_EQ(ut.commit(), outcome::committed);
        }}.join();
        EXPECT_EQ(cart.value("nuts"), 2);
        return;
    }
    for (bool const is_committed : {true, false}) {
        auto moved = suspend_one();
        std::thread{[&] {
            ut.begin();
            work_on();
            if (is_committed) {
                EXPECT_THROW(moved->commit(), assent::in_doubt_error) << "not confirmed";
            }
            moved.reset();
            EXPECT_EQ(ut.commit(), outcome::committed) << "it is none of its affair";
            ut.begin();
            work_on();
            EXPECT_EQ(cart.unfinished(), 1u) << "given up";
            EXPECT_EQ(ut.commit(), outcome::committed);
        }}.join();
    }
    EXPECT_EQ(cart.value("nuts"), 4);
}

TEST_P(migrating, WhereTheSwitchSaysNoItStays)
{
    if (moves_by_join()) return;  // it is not asked
    ut.begin();
    work_on();
    cart.on(switch_call::end).answer(xa_code::nomigrate);
    auto kept = tm->suspend();
    std::thread{[&] { EXPECT_EQ(code_of([&] { kept->commit(); }), errc::wrong_thread); }}.join();
    tm->resume(std::move(kept));
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(cart.value("nuts"), 1);
}

/// xa_end(TMSUCCESS) was not asked to let it migrate.
TEST_P(migrating, ANoWhereItMeansNothingLeavesTheThreadAtWork)
{
    if (!moves_by_join()) return;
    ut.begin();
    work_on();
    cart.on(switch_call::end).answer(xa_code::nomigrate);
    EXPECT_EQ(code_of([&] { tm->suspend(); }), errc::rollback_only);
    ASSERT_NE(tm->current(), nullptr);
    EXPECT_THROW(ut.commit(), assent::rolled_back_error);
    EXPECT_EQ(cart.value("nuts"), 0);
}

TEST_P(migrating, WhereOneBranchStaysAllStay)
{
    ut.begin();
    work_on();
    tm->current()->lease(*stocks);
    stock.add("bolts", 1);
    auto kept = tm->suspend();
    std::thread{[&] { EXPECT_EQ(code_of([&] { kept->commit(); }), errc::wrong_thread); }}.join();
    tm->resume(std::move(kept));
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(cart.value("nuts"), stock.value("bolts"));
}

TEST_P(migrating, AnAnswerToSuspendRollsItBack)
{
    for (auto const answer : {xa_code::rbtimeout, xa_code::nota, xa_code::rmfail}) {
        ut.begin();
        work_on();
        cart.on(switch_call::end).answer(answer);
        auto moved = tm->suspend();
        EXPECT_EQ(moved->status(), assent::status::marked_rollback);
        EXPECT_EQ(code_of([&] { tm->resume(std::move(moved)); }), errc::rollback_only);
        EXPECT_TRUE(becomes_true([&] { return cart.unfinished() == 0; }));
    }
    EXPECT_EQ(cart.value("nuts"), 0);
}

TEST_P(migrating, AnAnswerToResumeElsewhereRollsItBack)
{
    for (auto const answer : {xa_code::rbrollback, xa_code::nota, xa_code::rmerr, xa_code::rmfail,
                              static_cast<xa_code>(42)}) {
        auto moved = suspend_one();
        std::thread{[&] {
            ut.begin();
            work_on();
            EXPECT_EQ(ut.commit(), outcome::committed) << "the thread has opened it";
            cart.on(switch_call::start).answer(answer);
            EXPECT_EQ(code_of([&] { tm->resume(std::move(moved)); }), errc::rollback_only);
            ut.begin();
            work_on();
            EXPECT_EQ(ut.commit(), outcome::committed) << "and goes on";
        }}.join();
        EXPECT_TRUE(becomes_true([&] { return cart.unfinished() == 0; }))
            << static_cast<int>(answer);
    }
    EXPECT_EQ(cart.value("nuts"), 10);
}

/// One branch that nobody can resume does not take the switch from its thread.
TEST_P(migrating, WhatIsNotResumedToBeEndedStaysAndTheThreadGoesOn)
{
    if (moves_by_join()) return;  // it needs no resuming
    auto moved = suspend_one();
    std::thread{[&] {
        cart.on(switch_call::start).times(2).answer_without_effect(xa_code::rmerr);
        moved->rollback();
        moved.reset();
        ut.begin();
        work_on();
        EXPECT_EQ(cart.unfinished(), 2u) << "refused again, before it";
        EXPECT_EQ(ut.commit(), outcome::committed);
        ut.begin();
        work_on();
        EXPECT_EQ(cart.unfinished(), 1u) << "given up";
        EXPECT_EQ(ut.commit(), outcome::committed);
        EXPECT_EQ(count(cart, switch_call::close), 0);
    }}.join();
    EXPECT_EQ(cart.value("nuts"), 2);
}

class registering_suspended : public third
{
protected:
    registering_suspended() : third(true, true) {}
};

TEST_F(registering_suspended, AxRegResumesIt)
{
    auto outer = suspend_one();
    ut.begin();
    work_on();
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(cart.value("nuts"), 1);
    tm->resume(std::move(outer));
    cart.add("nuts", 1);
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(cart.value("nuts"), 3);
    EXPECT_EQ(count(cart, switch_call::start), 0);
    EXPECT_THAT(flags_of(cart, switch_call::end), ElementsAre(TMSUSPEND, TMSUCCESS, TMSUCCESS));
}

TEST_F(registering_suspended, WhatIsResumedAndNotUsedAgainIsEnded)
{
    for (bool const is_committed : {true, false}) {
        auto outer = suspend_one();
        tm->resume(std::move(outer));
        outer = tm->suspend();
        tm->resume(std::move(outer));
        is_committed ? ut.commit() : ut.rollback();
        EXPECT_EQ(cart.unfinished(), 0u);
    }
    EXPECT_EQ(cart.value("nuts"), 1);
    EXPECT_THAT(flags_of(cart, switch_call::end),
                ElementsAre(TMSUSPEND, TMSUCCESS, TMSUSPEND, TMFAIL));
}

TEST_F(registering_suspended, WhatWasNeverUsedIsNotTold)
{
    for (bool const is_resumed : {true, false}) {
        ut.begin();
        tm->current()->lease(*carts);
        auto outer = tm->suspend();
        if (is_resumed) {
            tm->resume(std::move(outer));
            ut.commit();
        } else {
            EXPECT_EQ(outer->commit(), outcome::committed);
        }
    }
    EXPECT_EQ(count(cart, switch_call::end), 0);
}

TEST_F(registering_suspended, WorkMeanwhileIsTheThreadsOwn)
{
    auto outer = suspend_one();
    cart.add("nuts", 5);
    EXPECT_EQ(cart.value("nuts"), 5) << "at once";
    EXPECT_EQ(code_of([&] { tm->resume(std::move(outer)); }), errc::rollback_only)
        << "XAER_OUTSIDE";
    cart.end_outside();
    ut.begin();
    work_on();
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(cart.value("nuts"), 6);
}

class registering_joined : public third
{
protected:
    registering_joined() : third(true, false, true) {}
};

TEST_F(registering_joined, AxRegJoinsItOnAnyThread)
{
    auto moved = suspend_one();
    std::thread{[&] {
        tm->resume(std::move(moved));
        work_on();
        EXPECT_EQ(ut.commit(), outcome::committed);
    }}.join();
    EXPECT_EQ(cart.value("nuts"), 2);
    EXPECT_THAT(flags_of(cart, switch_call::end), ElementsAre(TMSUCCESS, TMSUCCESS));
    EXPECT_EQ(count(cart, switch_call::start), 0);
}

TEST_F(registering_joined, WhatIsResumedAndNotUsedAgainNeedsNoEnd)
{
    for (bool const is_committed : {true, false}) {
        auto moved = suspend_one();
        std::thread{[&] {
            tm->resume(std::move(moved));
            is_committed ? ut.commit() : ut.rollback();
        }}.join();
        EXPECT_EQ(cart.unfinished(), 0u);
    }
    EXPECT_EQ(cart.value("nuts"), 1);
    EXPECT_THAT(flags_of(cart, switch_call::end), ElementsAre(TMSUCCESS, TMSUCCESS));
}

TEST_F(registering_joined, WhatWasNeverUsedMovesToo)
{
    ut.begin();
    tm->current()->lease(*carts);
    auto moved = tm->suspend();
    std::thread{[&] {
        tm->resume(std::move(moved));
        work_on();
        EXPECT_EQ(ut.commit(), outcome::committed);
    }}.join();
    EXPECT_EQ(cart.value("nuts"), 1);
}

TEST_F(registering_suspended, WhatWasDestroyedElsewhereIsNotEntered)
{
    ut.begin();
    work_on();
    tm->resume(tm->suspend());
    auto dead = std::make_unique<assent::transaction>(std::move(*tm->current()));
    std::thread{[&] { dead.reset(); }}.join();
    EXPECT_THROW(cart.add("nuts", 5), assent::error) << "TMER_PROTO";
    ut.begin();
    work_on();
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(cart.value("nuts"), 1);
}

}  // namespace
}  // namespace xopen_test
