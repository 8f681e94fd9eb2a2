// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// suspending_test.cpp -- a thread leaves a branch, works on another one of the same switch, and
// comes back; or does not.

#include <pthread.h>

#include <thread>

#include <xopen/xa.h>
#include <assent/scopes.hpp>

#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

using assent::rolled_back_error;
using ::testing::ElementsAre;

/// Its transactions are bound to the thread.
class suspending : public switched
{
protected:
    void begin_bound()
    {
        ut.begin();
        work_on();
    }
    void work_on()
    {
        tm->current()->lease(*stocks);
        stock.add("bolts", -1);
        tm->current()->lease(*billing);
        bills.add("alice", 1);
    }
    void expect_thread_goes_on()
    {
        auto const before = bills.value("alice");
        EXPECT_EQ(tm->current(), nullptr);
        EXPECT_EQ(begin_work().commit(), outcome::committed);
        EXPECT_EQ(bills.value("alice"), before + 1);
        EXPECT_TRUE(becomes_drained());
    }

    assent::user_transaction ut{*tm};
};

TEST_F(suspending, TheThreadWorksOnAnotherBranchMeanwhile)
{
    begin_bound();
    auto outer = tm->suspend();
    EXPECT_EQ(begin_work().commit(), outcome::committed);
    expect_work(1);
    tm->resume(std::move(outer));
    work_on();
    EXPECT_EQ(ut.commit(), outcome::committed);
    expect_work(3);
    EXPECT_THAT(flags_of(stock, switch_call::start), ElementsAre(0, 0, TMRESUME));
    EXPECT_THAT(flags_of(stock, switch_call::end), ElementsAre(TMSUSPEND, TMSUCCESS, TMSUCCESS));
    EXPECT_TRUE(becomes_drained());
}

TEST_F(suspending, OneInAnotherAsOftenAsYouLike)
{
    std::vector<assent::suspended_transaction> all;
    for (int i = 0; i < 5; ++i) {
        begin_bound();
        all.push_back(tm->suspend());
    }
    for (auto& each : all) {
        tm->resume(std::move(each));
        EXPECT_EQ(ut.commit(), outcome::committed);
    }
    expect_work(5);
}

TEST_F(suspending, ScopesWorkOverOneSwitch)
{
    ut.begin();
    work_on();
    assent::requires_new(*tm, [&] { work_on(); });
    expect_work(1);
    EXPECT_THROW(assent::requires_new(*tm,
                                      [&] {
                                          work_on();
                                          throw std::runtime_error{"no"};
                                      }),
                 std::runtime_error);
    assent::not_supported(*tm, [&] { stock.add("bolts", -10); });
    EXPECT_EQ(stock.value("bolts"), -11) << "at once, and for good";
    work_on();
    ut.rollback();
    EXPECT_EQ(stock.value("bolts"), -11);
    EXPECT_EQ(bills.value("alice"), 1);
}

TEST_F(suspending, WhatIsLeftInAScopeIsEndedBeforeTheThreadComesBack)
{
    begin_bound();
    EXPECT_EQ(code_of([&] { assent::not_supported(*tm, [&] { begin_bound(); }); }),
              errc::invalid_state);
    EXPECT_THROW(assent::requires_new(*tm,
                                      [&] {
                                          auto const mine = tm->suspend();
                                          begin_bound();
                                          throw std::runtime_error{"no"};
                                      }),
                 std::runtime_error);
    EXPECT_EQ(ut.commit(), outcome::committed);
    expect_work(1);
}

TEST_F(suspending, WhatIsSuspendedIsNotWorkedIn)
{
    begin_bound();
    auto outer = tm->suspend();
    EXPECT_EQ(code_of([&] { outer->lease(*stocks); }), errc::invalid_state);
    EXPECT_EQ(code_of([&] { outer->lease(*stocks, *billing); }), errc::invalid_state);
    EXPECT_EQ(count(stock, switch_call::start), 1);
    tm->resume(std::move(outer));
    EXPECT_EQ(ut.commit(), outcome::committed);
    expect_work(1);
}

TEST_F(suspending, AnotherThreadNeitherResumesNorEndsIt)
{
    begin_bound();
    auto outer = tm->suspend();
    std::thread{[&] {
        EXPECT_EQ(code_of([&] { outer->commit(); }), errc::wrong_thread);
        EXPECT_EQ(code_of([&] { outer->rollback(); }), errc::wrong_thread);
        EXPECT_EQ(code_of([&] { tm->resume(std::move(outer)); }), errc::wrong_thread);
        EXPECT_EQ(tm->current(), nullptr);
    }}.join();
    EXPECT_THAT(flags_of(stock, switch_call::end), ElementsAre(TMSUSPEND));
    EXPECT_EQ(count(stock, switch_call::rollback), 0) << "nothing was sent from there";

    expect_thread_goes_on();
    expect_work(1);
    EXPECT_EQ(count(stock, switch_call::rollback), 1) << "its thread has given it up";
}

/// Each way to end it without resuming it, with the thread free and at work on another branch.
class ended_while_suspended : public suspending, public ::testing::WithParamInterface<bool>
{
protected:
    void SetUp() override
    {
        begin_bound();
        outer = tm->suspend();
        if (GetParam()) other.emplace(begin_work());
    }
    void expect_ended(int work)
    {
        outer.reset();
        if (other) {
            EXPECT_EQ(other->commit(), outcome::committed);
            ++work;
        }
        expect_work(work);
        EXPECT_EQ(count(stock, switch_call::start), GetParam() ? 2 : 1) << "nothing was resumed";
        expect_thread_goes_on();
    }

    assent::suspended_transaction outer;
    std::optional<assent::transaction> other;
};

TEST_P(ended_while_suspended, ByCommit)
{
    EXPECT_EQ(outer->commit(), outcome::committed);
    expect_ended(1);
}

TEST_P(ended_while_suspended, ByRollback)
{
    EXPECT_EQ(outer->rollback(), outcome::rolled_back);
    expect_ended(0);
}

TEST_P(ended_while_suspended, ByItsDestructor)
{
    expect_ended(0);
}

TEST_P(ended_while_suspended, ByItsDestructorElsewhere)
{
    std::thread{[&] { outer.reset(); }}.join();
    EXPECT_EQ(count(stock, switch_call::rollback), 0);
    expect_ended(0);
}

INSTANTIATE_TEST_SUITE_P(each, ended_while_suspended, ::testing::Bool());

TEST_F(suspending, ASwitchThatWantsItResumedFirstIsObeyed)
{
    begin_bound();
    auto outer = tm->suspend();
    stock.on(switch_call::end).answer_without_effect(xa_code::proto);
    EXPECT_EQ(outer->commit(), outcome::committed);
    EXPECT_THAT(flags_of(stock, switch_call::start), ElementsAre(0, TMRESUME));
    expect_work(1);

    begin_bound();
    outer = tm->suspend();
    stock.on(switch_call::end).answer_without_effect(xa_code::proto);
    EXPECT_EQ(outer->rollback(), outcome::rolled_back);
    expect_work(1);
    outer.reset();
    expect_thread_goes_on();
}

TEST_F(suspending, SuchASwitchWaitsUntilTheThreadIsFree)
{
    ut.begin();
    tm->current()->lease(*stocks);
    stock.add("bolts", -1);
    auto outer = tm->suspend();
    auto other = begin_work();
    stock.on(switch_call::end).times(2).answer_without_effect(xa_code::proto);
    EXPECT_THROW(outer->commit(), assent::in_doubt_error) << "nobody has confirmed that it ended";
    outer.reset();
    EXPECT_EQ(stock.unfinished(), 2u);
    EXPECT_EQ(other.commit(), outcome::committed) << "it is none of its affair";
    expect_thread_goes_on();
    expect_work(2);
}

/// Closing the switch would be refused as well: the thread has suspended the branch.
TEST_F(suspending, WhoRefusesToEndItIsAskedAgainAndStaysOpen)
{
    begin_bound();
    auto outer = tm->suspend();
    stock.on(switch_call::end).times(2).answer_without_effect(xa_code::rmerr);
    outer->rollback();
    outer.reset();
    EXPECT_EQ(count(stock, switch_call::rollback), 0);
    auto other = begin_work();
    EXPECT_EQ(stock.unfinished(), 2u) << "refused again, before it";
    EXPECT_EQ(other.rollback(), outcome::rolled_back);
    EXPECT_EQ(stock.unfinished(), 0u) << "given up";
    expect_thread_goes_on();
    expect_work(1);
    EXPECT_EQ(count(stock, switch_call::close), 0);
}

TEST_F(suspending, ItsThreadEndsItWhenItEnds)
{
    assent::suspended_transaction outer;
    std::thread{[&] {
        begin_bound();
        outer = tm->suspend();
    }}.join();
    EXPECT_EQ(stock.unfinished() + bills.unfinished(), 0u);
    outer.reset();
    EXPECT_TRUE(becomes_drained());
    expect_work(0);
}

TEST_F(suspending, WhatExpiresMeanwhileIsRolledBack)
{
    ut.begin(assent::begin_options{}.timeout(50ms));
    work_on();
    auto outer = tm->suspend();
    EXPECT_TRUE(becomes_true([&] { return outer->status() == assent::status::marked_rollback; }));
    tm->resume(std::move(outer));
    EXPECT_THAT(flags_of(stock, switch_call::start), ElementsAre(0, TMRESUME))
        << "what the thread goes on to do is in the branch";
    stock.add("bolts", -1);
    EXPECT_THROW(ut.commit(), rolled_back_error);
    expect_work(0);
    expect_thread_goes_on();
}

TEST_F(suspending, WhatIsSuspendedWhenTheManagerClosesIsRolledBack)
{
    begin_bound();
    auto outer = tm->suspend();
    EXPECT_FALSE(tm->close(std::chrono::steady_clock::now() + 100ms).is_drained);
    EXPECT_EQ(count(stock, switch_call::rollback), 0) << "it is this thread's";
    EXPECT_THROW(outer->commit(), assent::error);
    outer.reset();
    EXPECT_EQ(stock.unfinished() + bills.unfinished(), 0u);
    expect_work(0);
}

TEST_F(suspending, WhatTheResourceManagerLostIsNotResumed)
{
    begin_bound();
    auto outer = tm->suspend();
    stock.die();
    EXPECT_EQ(code_of([&] { tm->resume(std::move(outer)); }), errc::rollback_only);
    expect_thread_goes_on();
    expect_work(1);
}

TEST_F(suspending, ItIsNotResumedOverWorkOnAnotherBranch)
{
    begin_bound();
    auto outer = tm->suspend();
    auto other = begin_work();
    auto const e = thrown_by<assent::error>([&] { tm->resume(std::move(outer)); });
    EXPECT_THAT(e.what(), ::testing::HasSubstr("at work on another branch"));
    EXPECT_EQ(other.commit(), outcome::committed);
    expect_work(1);
    expect_thread_goes_on();
}

TEST_F(suspending, ACallbackBeforeTheEndMaySuspendAndAfterItSendsNothing)
{
    begin_bound();
    tm->current()->register_synchronization(
        {[&] { assent::requires_new(*tm, [&] { work_on(); }); },
         [&](auto) { assent::requires_new(*tm, [&] { work_on(); }); }});
    EXPECT_EQ(ut.commit(), outcome::committed);
    expect_work(3);
    EXPECT_THAT(flags_of(stock, switch_call::start), ElementsAre(0, 0, TMRESUME, 0));
}

void cancel_here()
{
    ::pthread_cancel(::pthread_self());
    ::pthread_testcancel();
}

/// A vendor's routine may be a cancellation point; what calls it must not be left by an exception.
TEST_F(suspending, AThreadThatIsCancelledInAScopesCallsIsUnwoundAfterThem)
{
    for (bool const in_resume : {false, true}) {
        bool was_cancelled = true;
        std::thread{[&] {
            begin_bound();
            if (!in_resume) stock.on(switch_call::end).before(cancel_here);
            assent::requires_new(*tm, [&] {
                ::pthread_testcancel();
                if (in_resume) stock.on(switch_call::start).before(cancel_here);
            });
            ::pthread_testcancel();
            was_cancelled = false;
        }}.join();
        EXPECT_TRUE(was_cancelled) << in_resume;
        EXPECT_EQ(stock.unfinished() + bills.unfinished(), 0u);
    }
    expect_thread_goes_on();
}

class left_by : public suspending, public ::testing::WithParamInterface<xa_code>
{
};

/// The thread has left the branch, which can only be rolled back.
TEST_P(left_by, AnAnswerToSuspendRollsBothBack)
{
    begin_bound();
    stock.on(switch_call::end).answer(GetParam());
    auto outer = tm->suspend();
    ASSERT_NE(outer, nullptr);
    EXPECT_EQ(outer->status(), assent::status::marked_rollback);
    EXPECT_EQ(begin_work().commit(), outcome::committed) << "the thread is free";
    auto const e = thrown_by<assent::error>([&] { tm->resume(std::move(outer)); });
    EXPECT_EQ(e.why(), errc::rollback_only);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("\"stock\""));
    expect_thread_goes_on();
    expect_work(2);
}

TEST_P(left_by, AnAnswerToSuspendEndsInRolledBackOnly)
{
    begin_bound();
    stock.on(switch_call::end).answer(GetParam());
    auto const outer = tm->suspend();
    EXPECT_THROW(outer->commit(), rolled_back_error);
    expect_thread_goes_on();
    expect_work(1);
}

INSTANTIATE_TEST_SUITE_P(each, left_by,
                         ::testing::Values(xa_code::rbrollback, xa_code::rbcommfail,
                                           xa_code::rbdeadlock, xa_code::rbintegrity,
                                           xa_code::rbother, xa_code::rbproto, xa_code::rbtimeout,
                                           xa_code::rbtransient, xa_code::rmfail, xa_code::nota));

class kept_by : public suspending, public ::testing::WithParamInterface<xa_code>
{
};

/// The thread is still at work there: nothing is suspended, and a scope's work does not run.
TEST_P(kept_by, AnAnswerToSuspendIsAnError)
{
    begin_bound();
    stock.on(switch_call::end).answer(GetParam());
    EXPECT_EQ(code_of([&] { tm->suspend(); }), errc::rollback_only);
    EXPECT_NE(tm->current(), nullptr);
    EXPECT_EQ(ut.status(), assent::status::marked_rollback);
    EXPECT_THROW(ut.commit(), rolled_back_error);

    begin_bound();
    stock.on(switch_call::end).answer(GetParam());
    EXPECT_EQ(code_of([&] { assent::requires_new(*tm, [&] { ADD_FAILURE() << "it ran"; }); }),
              errc::rollback_only);
    ut.rollback();
    expect_thread_goes_on();
    expect_work(1);
}

/// What the thread does where it had left already is in its branch again.
TEST_P(kept_by, AnAnswerOfOneBringsTheOthersBack)
{
    begin_bound();
    bills.on(switch_call::end).answer(GetParam());
    EXPECT_EQ(code_of([&] { tm->suspend(); }), errc::rollback_only);
    EXPECT_THAT(flags_of(stock, switch_call::start), ElementsAre(0, TMRESUME));
    stock.add("bolts", -1);
    EXPECT_THROW(ut.commit(), rolled_back_error);
    expect_work(0);
    expect_thread_goes_on();
}

TEST_P(kept_by, AnAnswerOfOneNamesWhoDoesNotComeBack)
{
    begin_bound();
    bills.on(switch_call::end).answer(GetParam());
    stock.on(switch_call::start).answer(xa_code::rmerr);
    auto const e = thrown_by<assent::error>([&] { tm->suspend(); });
    EXPECT_THAT(e.what(), ::testing::HasSubstr("\"bills\" did not suspend"));
    EXPECT_THAT(e.what(), ::testing::HasSubstr("\"stock\" did not resume"));
    ut.rollback();
    expect_thread_goes_on();
    expect_work(1);
}

INSTANTIATE_TEST_SUITE_P(each, kept_by,
                         ::testing::Values(xa_code::rmerr, xa_code::inval, xa_code::proto,
                                           xa_code::outside, xa_code::rdonly,
                                           static_cast<xa_code>(42), static_cast<xa_code>(-1)));

class not_ended_by : public suspending, public ::testing::WithParamInterface<xa_code>
{
};

/// As at work; XAER_PROTO is another matter: it is resumed then.
TEST_P(not_ended_by, AnAnswerRollsBothBack)
{
    begin_bound();
    auto outer = tm->suspend();
    stock.on(switch_call::end).answer(GetParam());
    EXPECT_THROW(outer->commit(), rolled_back_error);
    outer.reset();
    expect_thread_goes_on();
    expect_work(1);
}

/// xa_start(TMRESUME), before the end of one that wants it.
TEST_P(not_ended_by, AnAnswerToItsResumptionRollsBothBack)
{
    begin_bound();
    auto outer = tm->suspend();
    stock.on(switch_call::end).answer_without_effect(xa_code::proto);
    stock.on(switch_call::start).answer(GetParam());
    EXPECT_THROW(outer->commit(), rolled_back_error);
    outer.reset();
    expect_thread_goes_on();
    expect_work(1);
}

INSTANTIATE_TEST_SUITE_P(each, not_ended_by,
                         ::testing::Values(xa_code::rbrollback, xa_code::rbtransient,
                                           xa_code::rmfail, xa_code::nota, xa_code::rmerr,
                                           xa_code::inval, xa_code::outside,
                                           static_cast<xa_code>(42), static_cast<xa_code>(-1)));

class not_resumed_by : public suspending, public ::testing::WithParamInterface<xa_code>
{
};

TEST_P(not_resumed_by, AnAnswerRollsBothBack)
{
    begin_bound();
    auto outer = tm->suspend();
    stock.on(switch_call::start).answer(GetParam());
    EXPECT_EQ(code_of([&] { tm->resume(std::move(outer)); }), errc::rollback_only);
    EXPECT_EQ(seen->count("branch.not_resumed"), 1);
    expect_thread_goes_on();
    expect_work(1);
}

/// What the scope's own transaction did stays; the thread must not go on as if it was back.
TEST_P(not_resumed_by, AnAnswerAfterAScopeIsAnError)
{
    for (bool const throws : {false, true}) {
        begin_bound();
        auto const e = code_of([&] {
            assent::requires_new(*tm, [&] {
                work_on();
                stock.on(switch_call::start).answer(GetParam());
                if (throws) throw assent::error{errc::bad_argument, "the work's own"};
            });
        });
        EXPECT_EQ(e, errc::rollback_only) << throws;
        EXPECT_EQ(ut.status(), assent::status::marked_rollback);
        EXPECT_THROW(ut.commit(), rolled_back_error);
        expect_thread_goes_on();
    }
    expect_work(3);
}

INSTANTIATE_TEST_SUITE_P(each, not_resumed_by,
                         ::testing::Values(xa_code::rbrollback, xa_code::rbtimeout,
                                           xa_code::rbtransient, xa_code::rmfail, xa_code::nota,
                                           xa_code::rmerr, xa_code::inval, xa_code::proto,
                                           xa_code::outside, xa_code::retry, xa_code::dupid,
                                           static_cast<xa_code>(42), static_cast<xa_code>(-1)));

}  // namespace
}  // namespace xopen_test
