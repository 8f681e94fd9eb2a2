// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// hanging_test.cpp -- owners that never return, calls that hang, and how long what was answered is
// waited for: not at all.

#include <sys/wait.h>
#include <unistd.h>

#include <future>

#include <assent/driver.hpp>

#include "adapters/half_messages/session.hpp"
#include "adapters/half_messages/told.hpp"
#include "ports/session_numbers.hpp"
#include "tests/unit/half/half_fixture.hpp"

namespace half_test {

using assent::session_presence;
using assent::half_messages::told_commits;
using assent::ports::session_numbers;

class Hanging : public sending
{
protected:
    static assent::limits hasty()
    {
        auto all = bounds();
        all.phase2_wait = all.rollback_wait = 50ms;
        all.deadline_grace = 50ms;
        return all;
    }
    Hanging() : sending(hasty()) {}
};

/// Nobody ends it: its half would stay for ever.
TEST_F(Hanging, TheHalfOfATransactionThatExpiredIsDroppedAlsoWhereItsOwnerNeverReturns)
{
    begin_work("order 0").commit();  // it serves
    auto tx = begin_work("order 1", assent::begin_options{}.timeout(300ms));
    EXPECT_THAT(broker->halves(), SizeIs(1));
    EXPECT_TRUE(becomes_settled());
    expect_order(false);
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back) << "it may come all the same";
    EXPECT_TRUE(becomes_drained());
    expect_order(false);
    EXPECT_EQ(tm->state().heuristics, 0u);
}

/// From then on it neither sends nor votes, whatever its owner asks of it.
TEST_F(Hanging, ASessionThatWasEndedIsOfNoUseAndGone)
{
    auto const at = news->driver();
    auto const manage = at->connect(assent::session_purpose::manage, soon());
    auto const work = at->connect(assent::session_purpose::work, soon());
    auto& session = static_cast<assent::half_messages::session&>(*work);
    // Of nobody's transaction: the manager leaves it alone.
    xid const name{assent::gtrid::make({assent::decision_place::log, 0, 7, 1, 9, 5}),
                   assent::bqual::make({3, 1, work->id()})};
    work->submit(verb::start, name);
    ASSERT_TRUE(work->collect(soon())->is_ok());
    session.send({"orders", "order 1"}, soon());
    EXPECT_EQ(at->presence(*manage, work->id(), soon()), session_presence::present);

    at->end_session(*manage, work->id(), soon());
    EXPECT_EQ(at->presence(*manage, work->id(), soon()), session_presence::gone);
    work->submit(verb::prepare, name);
    EXPECT_FALSE(work->collect(soon())->is_ok()) << "the half may have been dropped by now";
    EXPECT_FALSE(work->is_reusable());
    EXPECT_NO_THROW(at->end_session(*manage, work->id(), soon())) << "gone already";
    broker->lose(name.text());
}

/// What it may yet store is waited for.
TEST_F(Hanging, ACallUnderWayKeepsTheNumberOfASessionThatWasEnded)
{
    std::promise<void> ended;
    auto const end = ended.get_future().share();
    broker->on_next(request::half, [end](std::string const&) { end.wait(); });
    auto const at = news->driver();
    auto const manage = at->connect(assent::session_purpose::manage, soon());
    auto work = at->connect(assent::session_purpose::work, soon());
    auto const id = work->id();
    xid const name{assent::gtrid::make({assent::decision_place::log, 0, 7, 1, 9, 5}),
                   assent::bqual::make({3, 1, id})};
    work->submit(verb::start, name);
    ASSERT_TRUE(work->collect(soon())->is_ok());
    EXPECT_THROW(static_cast<assent::half_messages::session&>(*work).send(
                     {"orders", "order 1"}, std::chrono::steady_clock::now() + 50ms),
                 assent::driver_error);
    at->end_session(*manage, id, soon());
    work.reset();
    EXPECT_EQ(at->presence(*manage, id, soon()), session_presence::present);
    ended.set_value();
    EXPECT_TRUE(
        becomes_true([&] { return at->presence(*manage, id, soon()) == session_presence::gone; }));
    EXPECT_THAT(broker->halves(), SizeIs(1));
    broker->lose(name.text());
}

/// One after another they would be waited for.
TEST_F(Hanging, ManyReleasesThatHangHoldACommitNoLongerThanOne)
{
    constexpr int halves = 40;
    std::promise<void> ended;
    auto const end = ended.get_future().share();
    auto tx = begin_work("order 0");
    for (int i = 1; i < halves; ++i)
        half::send(tx, *news, {"orders", "order " + std::to_string(i)});
    broker->on_each(request::release, [end](std::string const&) { end.wait(); });
    auto const began = std::chrono::steady_clock::now();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s) << "half a second each would be 20 s";

    broker->on_each(request::release, nullptr);
    ended.set_value();
    EXPECT_TRUE(becomes_drained());
    EXPECT_THAT(broker->shown(), SizeIs(halves));
    EXPECT_EQ(tm->state().heuristics, 0u);
}

/// It is there, or it is gone: it comes no more, whatever was stated.
TEST_F(Hanging, AHalfThatWasAnsweredIsNotWaitedForWhenItIsDropped)
{
    for (auto const& how :
         {half::options{}.unguarded(), half::options{}.unguarded().halves_arrive_within(1h)}) {
        stated = how;
        reopen();
        for (auto const met : {fate::lost, fate::reply_lost, fate::refused}) {
            broker->script(request::drop, met);
            begin_work().rollback();
            EXPECT_TRUE(becomes_true([this] { return due() == 0; })) << what_is_left();
            EXPECT_THAT(broker->halves(), IsEmpty());
        }
    }
}

TEST_F(Hanging, AHalfThatWasNotAnsweredIsWaitedForAsLongAsWasStated)
{
    stated = half::options{}.unguarded();
    reopen();
    broker->script(request::half, fate::lost);
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { half::send(tx, *news, {"orders", "order 1"}); }), errc::rollback_only);
    tx.rollback();
    expect_due_after_lists();
}

/// A broker that releases by itself on our word is nobody's failure.
TEST_F(Hanging, ABrokerThatAsksWhileItIsToldAlarmsNobody)
{
    // The first call is the owner's, and the next one the manager's own.
    broker->script(request::release, fate::lost);
    broker->on_next(request::release, [this](std::string const&) {
        broker->on_next(request::release, [this](std::string const&) {
            broker->ask_back([this](std::string const& name) { return tm->ask(name, soon()); });
        });
    });
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    expect_order(true);
    EXPECT_EQ(tm->state().heuristics, 0u);
    EXPECT_EQ(seen->count("branch.handler_failed"), 0);
}

TEST_F(Hanging, AForkedChildNumbersItsOwnSessions)
{
    tm.reset();
    auto const run_of = [](half::resource_manager const& rm) {
        return rm.driver()->connect(assent::session_purpose::work, soon())->id() >> 32;
    };
    auto const here = run_of(*news);
    EXPECT_EQ(run_of(half::resource_manager{"mail", broker, stated}), here) << "one broker";
    auto const child = ::fork();
    ASSERT_NE(child, -1);
    if (child == 0) {
        half::resource_manager const own{"mail", broker, stated};
        ::_exit(run_of(own) == here ? 1 : 0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(ToldCommits, ForgetTheOldestFirst)
{
    told_commits told;
    auto const name = [](std::uint64_t sequence) {
        return xid{assent::gtrid::make({assent::decision_place::log, 0, 7, 1, 9, sequence}),
                   assent::bqual::make({3, 1, 77})};
    };
    for (std::uint64_t i = 0; i <= told_commits::kept_max; ++i)
        told.note(name(i));
    EXPECT_FALSE(told.take(name(0)));
    EXPECT_TRUE(told.take(name(told_commits::kept_max)));
    EXPECT_TRUE(told.take(name(1)));
    EXPECT_FALSE(told.take(name(1))) << "once";
    told.note(name(1));
    EXPECT_TRUE(told.take(name(1)));
}

TEST(NumbersThatAreTold, AreGoneWithTheirSessionsUnlessTheyAsk)
{
    for (auto const stated : {session_numbers::statement{}, session_numbers::statement{1h}}) {
        auto const all = std::make_shared<session_numbers>(session_numbers::answers::told);
        all->expect(stated);
        auto quiet = all->take();
        auto answered = all->take();
        auto asking = all->take();
        auto const of = [&](auto const id) { return all->presence(id, stated); };
        std::uint64_t const ids[] = {quiet->id(), answered->id(), asking->id()};
        answered->note_asking();
        asking->note_asking();
        answered->note_answered();
        for (auto const id : ids)
            EXPECT_EQ(of(id), session_presence::present);
        quiet.reset();
        answered.reset();
        asking.reset();
        EXPECT_EQ(of(ids[0]), session_presence::gone);
        EXPECT_EQ(of(ids[1]), session_presence::gone);
        EXPECT_EQ(of(ids[2]), stated ? session_presence::present : session_presence::unknown);
    }
}

}  // namespace half_test
