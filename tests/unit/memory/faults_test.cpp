// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// faults_test.cpp -- scripted faults, each with the effect that it promises.

#include <future>

#include "tests/unit/memory/memory_fixture.hpp"

namespace memory_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(MemoryFault, HitsTheNthRequestThatFitsAndThenIsSpent)
{
    world w;
    w.db.script().on(verb::start, 2).times(2).reply(xa_code::rmerr);
    EXPECT_EQ(w.db.script().pending(), 1u);

    std::vector<xa_code> codes;
    for (std::uint64_t i = 1; i <= 4; ++i)
        codes.push_back(w.code(*w.open(), verb::start, name(i)));

    EXPECT_THAT(codes, ElementsAre(xa_code::ok, xa_code::rmerr, xa_code::rmerr, xa_code::ok));
    EXPECT_EQ(w.db.script().pending(), 0u);
}

TEST(MemoryFault, HitsTheBranchAndTheSessionItNames)
{
    world w;
    auto const one = w.start(name(1), "a");
    auto const two = w.start(name(2), "b");
    w.db.script().on(verb::prepare, name(2)).reply(xa_code::rbdeadlock);
    w.db.script().on(verb::rollback).session(two->id()).reply(xa_code::rmerr);

    EXPECT_EQ(w.code(*one, verb::prepare, name(1)), xa_code::ok);
    EXPECT_EQ(w.code(*two, verb::prepare, name(2)), xa_code::rbdeadlock);
    EXPECT_EQ(w.code(*one, verb::rollback, name(1)), xa_code::ok);

    EXPECT_EQ(w.db.script().pending(), 1u);
    w.db.script().clear();
    EXPECT_EQ(w.db.script().pending(), 0u);
    EXPECT_THROW(w.db.script().on(verb::prepare, 0), assent::error);
}

TEST(MemoryFault, ScriptedCodesHaveTheEffectThatXaGivesThem)
{
    struct expected
    {
        verb what;
        xa_code code;
        branch_fate fate;
    };
    expected const all[] = {
        {verb::prepare, xa_code::rbtimeout, branch_fate::rolled_back},
        {verb::prepare, xa_code::nota, branch_fate::rolled_back},
        {verb::prepare, xa_code::rdonly, branch_fate::committed},
        {verb::prepare, xa_code::rmerr, branch_fate::active},
        {verb::prepare, xa_code::proto, branch_fate::active},
        {verb::prepare, xa_code::rmfail, branch_fate::rolled_back},
        {verb::prepare, static_cast<xa_code>(-77), branch_fate::active},
        {verb::commit, xa_code::retry, branch_fate::prepared},
        {verb::commit, xa_code::rmfail, branch_fate::prepared},
        {verb::commit, xa_code::nota, branch_fate::prepared},
        {verb::commit, xa_code::rmerr, branch_fate::rolled_back},
        {verb::commit, xa_code::heurcom, branch_fate::committed},
        {verb::commit, xa_code::heurrb, branch_fate::rolled_back},
        {verb::commit, xa_code::heurmix, branch_fate::mixed},
        {verb::commit, xa_code::heurhaz, branch_fate::rolled_back},
        {verb::commit_one_phase, xa_code::rbrollback, branch_fate::rolled_back},
        {verb::commit_one_phase, xa_code::rmerr, branch_fate::rolled_back},
        {verb::commit_one_phase, xa_code::heurcom, branch_fate::committed},
        {verb::commit_one_phase, xa_code::rmfail, branch_fate::rolled_back},
        {verb::rollback, xa_code::rbrollback, branch_fate::rolled_back},
        {verb::rollback, xa_code::heurcom, branch_fate::committed},
        {verb::rollback, xa_code::proto, branch_fate::prepared},
    };

    for (auto const& it : all) {
        world w;
        bool const is_second_phase = it.what == verb::commit || it.what == verb::rollback;
        auto const session = is_second_phase ? w.prepare(name(1)) : w.start(name(1));
        w.db.script().on(it.what).reply(it.code);

        EXPECT_EQ(w.code(*session, it.what, name(1)), it.code);

        EXPECT_EQ(w.db.fate(name(1)), it.fate)
            << static_cast<int>(it.what) << ' ' << static_cast<int>(it.code);
    }
}

TEST(MemoryFault, AHeuristicBranchStaysListedAndAnswersTheSameUntilForget)
{
    world w;
    auto const session = w.prepare(name(1));
    w.db.script().on(verb::commit).reply(xa_code::heurrb);

    EXPECT_EQ(w.code(*session, verb::commit, name(1)), xa_code::heurrb);
    EXPECT_EQ(w.code(*session, verb::commit, name(1)), xa_code::heurrb);
    EXPECT_THAT(w.db.heuristics(), ElementsAre(Pair(name(1), xa_code::heurrb)));
    EXPECT_THAT(w.driver().scan(*session, w.in(1s)).ours, ElementsAre(name(1)));
    EXPECT_EQ(w.code(*session, verb::forget, name(1)), xa_code::ok);

    EXPECT_THAT(w.driver().scan(*session, w.in(1s)).ours, IsEmpty());
    EXPECT_THAT(w.db.violations(), IsEmpty());
}

TEST(MemoryFault, RepliesCanBeSaidWithoutAndAfterTheEffect)
{
    world w;
    auto const one = w.prepare(name(1), "a");
    auto const two = w.prepare(name(2), "b");
    assent::reply strange;
    strange.code = xa_code::proto;
    strange.native_code = 1399;
    w.db.script().on(verb::commit).reply_without_effect(strange);
    w.db.script().on(verb::commit, 2).reply_after_effect(strange);

    EXPECT_EQ(w.run(*one, verb::commit, name(1)).native_code, 1399);
    EXPECT_EQ(w.run(*two, verb::commit, name(2)).native_code, 1399);

    EXPECT_EQ(w.db.fate(name(1)), branch_fate::prepared);
    EXPECT_EQ(w.db.fate(name(2)), branch_fate::committed);
}

TEST(MemoryFault, LostBeforeTheEffectNothingHappenedAndTheSessionIsGone)
{
    world w;
    auto const session = w.start(name(1));
    w.db.script().on(verb::prepare).lose_before_effect();

    EXPECT_EQ(w.run(*session, verb::prepare, name(1)).detail, reply_detail::reply_lost);

    EXPECT_EQ(w.db.fate(name(1)), branch_fate::rolled_back);
    EXPECT_THAT(w.db.sessions(), IsEmpty());
    EXPECT_FALSE(w.db.history().back().was_carried_out);
    EXPECT_FALSE(w.connection(*session).is_open());
    EXPECT_EQ(w.run(*session, verb::rollback, name(1)).detail, reply_detail::reply_lost);
}

TEST(MemoryFault, LostAfterTheEffectItHappened)
{
    world w;
    auto const session = w.start(name(1));
    w.db.script().on(verb::prepare).lose_after_effect();

    EXPECT_EQ(w.run(*session, verb::prepare, name(1)).detail, reply_detail::reply_lost);

    EXPECT_THAT(w.db.prepared(), ElementsAre(name(1)));
    EXPECT_TRUE(w.db.history().back().was_carried_out);
    EXPECT_FALSE(w.db.history().back().was_heard);
}

TEST(MemoryFault, AHungRequestIsCarriedOutWhenReleased)
{
    world w;
    auto const session = w.prepare(name(1));
    w.db.script().on(verb::commit).hang();
    session->submit(verb::commit, name(1));
    assent::deadline const until = w.in(5s);

    EXPECT_EQ(session->collect(until), std::nullopt);
    EXPECT_EQ(*w.clock, until);
    EXPECT_EQ(w.db.fate(name(1)), branch_fate::prepared);
    EXPECT_EQ(w.db.script().hanging(), 1u);
    w.db.script().release();

    EXPECT_TRUE(session->collect(w.in(0s))->is_ok());
    EXPECT_EQ(w.db.fate(name(1)), branch_fate::committed);
    EXPECT_EQ(w.db.script().hanging(), 0u);
}

TEST(MemoryFault, AHungReplyWasCarriedOutBefore)
{
    world w;
    auto const session = w.prepare(name(1));
    w.db.script().on(verb::commit).hang_after_effect();
    session->submit(verb::commit, name(1));

    EXPECT_EQ(session->collect(w.in(5s)), std::nullopt);
    EXPECT_EQ(w.db.fate(name(1)), branch_fate::committed);
    w.db.script().release();

    EXPECT_TRUE(session->collect(w.in(0s))->is_ok());
}

TEST(MemoryFault, APrepareInTheSocketOutlivesItsClientAndIsFoundByALaterScan)
{
    world w;
    auto session = w.start(name(1));
    std::uint64_t const id = session->id();
    w.db.script().on(verb::prepare).hang();
    session->submit(verb::prepare, name(1));
    session->sever();
    EXPECT_EQ(session->collect(w.in(0s))->detail, reply_detail::reply_lost);
    session.reset();
    auto const manage = w.open();

    EXPECT_EQ(w.driver().presence(*manage, id, w.in(1s)), assent::session_presence::present);
    EXPECT_EQ(w.driver().sessions_before(*manage, manage->id(), w.in(1s)),
              assent::session_presence::present);
    EXPECT_THAT(w.driver().scan(*manage, w.in(1s)).ours, IsEmpty());
    w.db.script().release();

    EXPECT_THAT(w.driver().scan(*manage, w.in(1s)).ours, ElementsAre(name(1)));
    EXPECT_EQ(w.driver().presence(*manage, id, w.in(1s)), assent::session_presence::gone);
    EXPECT_EQ(w.driver().sessions_before(*manage, manage->id(), w.in(1s)),
              assent::session_presence::gone);
}

TEST(MemoryFault, EndingASessionDropsWhatSatInItsSocket)
{
    world w;
    auto const session = w.start(name(1));
    auto const manage = w.open();
    w.db.script().on(verb::prepare).hang();
    session->submit(verb::prepare, name(1));

    w.driver().end_session(*manage, session->id(), w.in(1s));
    w.db.script().release();

    EXPECT_EQ(session->collect(w.in(0s))->detail, reply_detail::reply_lost);
    EXPECT_EQ(w.db.fate(name(1)), branch_fate::rolled_back);
}

TEST(MemoryFault, ADelayedReplyArrivesInVirtualTimeAndIsLostWithTheConnection)
{
    world w;
    auto const session = w.prepare(name(1), "a");
    auto const other = w.prepare(name(2), "b");
    w.db.script().on(verb::commit).times(2).delay(100ms);
    session->submit(verb::commit, name(1));
    other->submit(verb::commit, name(2));

    EXPECT_EQ(session->collect(w.in(99ms)), std::nullopt);
    w.db.cut(other->id());
    EXPECT_TRUE(session->collect(w.in(1s))->is_ok());

    EXPECT_EQ(w.clock->time_since_epoch(), 100ms);
    EXPECT_EQ(other->collect(w.in(1s))->detail, reply_detail::reply_lost);
    EXPECT_EQ(w.db.fate(name(2)), branch_fate::committed);
}

TEST(MemoryFault, TheServerCrashesBeforeOrAfterTheEffect)
{
    world w;
    auto before = w.prepare(name(1), "a");
    w.db.script().on(verb::commit, name(1)).crash_server_before_effect();
    w.db.script().on(verb::commit, name(2)).crash_server_after_effect();

    EXPECT_EQ(w.run(*before, verb::commit, name(1)).detail, reply_detail::reply_lost);
    EXPECT_FALSE(w.db.is_up());
    EXPECT_THROW(w.open(), assent::driver_error);
    w.db.restart();
    auto after = w.prepare(name(2), "b");
    EXPECT_EQ(w.run(*after, verb::commit, name(2)).detail, reply_detail::reply_lost);

    EXPECT_EQ(w.db.fate(name(1)), branch_fate::prepared);
    EXPECT_EQ(w.db.fate(name(2)), branch_fate::committed);
    EXPECT_EQ(w.db.value("b"), 1);
}

TEST(MemoryFault, EveryCallOfADriverCanFailTimeOutAndCut)
{
    world w;
    auto const manage = w.open();
    auto const scan = [&] { return w.driver().scan(*manage, w.in(3s)); };

    w.db.script().on(at::driver_call::scan, 2).fail("disk full");
    EXPECT_NO_THROW(scan());
    EXPECT_THROW(scan(), assent::driver_error);
    EXPECT_NO_THROW(scan());

    assent::deadline const until = w.in(3s);
    w.db.script().on(at::driver_call::scan).time_out();
    EXPECT_THROW(scan(), assent::driver_error);
    EXPECT_EQ(*w.clock, until);
    EXPECT_NO_THROW(scan());

    w.db.script().on(at::driver_call::connect).fail();
    EXPECT_THROW(w.open(), assent::driver_error);
    EXPECT_NO_THROW(w.open());

    w.db.script().on(at::driver_call::heartbeat).cut();
    EXPECT_THROW(w.driver().heartbeat(*manage, w.in(1s)), assent::driver_error);
    EXPECT_THROW(scan(), assent::driver_error);
}

TEST(MemoryFault, WithAClockThatNobodyMovesAWaitIsOverAtOnce)
{
    at::memory_options chosen;
    chosen.time.now = [] { return assent::deadline{}; };
    at::memory_database const db{chosen};
    at::memory_resource_manager const manager{"accounts", db};
    auto const session =
        manager.driver()->connect(assent::session_purpose::work, assent::deadline::max());
    db.script().on(verb::start).hang();
    session->submit(verb::start, name(1));

    EXPECT_EQ(session->collect(assent::deadline::max()), std::nullopt);
}

TEST(MemoryFault, OnTheRealClockACollectWakesWhenTheReplyIsReleased)
{
    at::memory_database const db;
    at::memory_resource_manager const manager{"accounts", db};
    auto const session =
        manager.driver()->connect(assent::session_purpose::work, assent::deadline::max());
    db.script().on(verb::start).hang();
    session->submit(verb::start, name(1));
    auto heard =
        std::async(std::launch::async, [&] { return session->collect(assent::deadline::max()); });

    db.script().release();

    EXPECT_TRUE(heard.get()->is_ok());
}

}  // namespace memory_test
