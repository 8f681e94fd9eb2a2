// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sessions_test.cpp -- sessions, guardian locks, borrowed handles, restarts and restores.

#include <thread>

#include "tests/unit/memory/memory_fixture.hpp"

namespace memory_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MemorySession, TheGuardianLockIsExclusiveAndFreedWithItsSession)
{
    world w;
    auto one = w.open(assent::session_purpose::guardian);
    auto const two = w.open(assent::session_purpose::guardian);

    EXPECT_TRUE(w.driver().try_guard(*one, 7, w.in(1s)));
    EXPECT_TRUE(w.driver().try_guard(*one, 7, w.in(1s)));
    EXPECT_FALSE(w.driver().try_guard(*two, 7, w.in(1s)));
    EXPECT_TRUE(w.driver().try_guard(*two, 8, w.in(1s)));
    one.reset();

    EXPECT_FALSE(w.db.is_guarded(7));
    EXPECT_TRUE(w.driver().try_guard(*two, 7, w.in(1s)));
}

TEST(MemorySession, AGuardianWithoutHeartbeatLosesItsSessionWithItsLease)
{
    world w;
    auto const silent = w.open(assent::session_purpose::guardian);
    auto const alive = w.open(assent::session_purpose::guardian);
    EXPECT_TRUE(w.driver().try_guard(*silent, 7, w.in(1s)));
    EXPECT_TRUE(w.driver().try_guard(*alive, 8, w.in(1s)));
    *w.clock += 9s;
    w.driver().heartbeat(*alive, w.in(1s));
    *w.clock += 2s;

    EXPECT_THROW(w.driver().heartbeat(*silent, w.in(1s)), assent::driver_error);
    EXPECT_TRUE(w.driver().try_guard(*alive, 7, w.in(1s)));
}

TEST(MemorySession, ALingeringSessionKeepsItsBranchUntilItIsReaped)
{
    world w{personality::mariadb};
    auto owner = w.prepare(name(1));
    auto const other = w.open();
    w.db.linger_sessions();
    owner.reset();

    EXPECT_EQ(w.code(*other, verb::commit, name(1)), xa_code::nota);
    w.db.reap_sessions();
    EXPECT_EQ(w.code(*other, verb::commit, name(1)), xa_code::ok);
}

TEST(MemorySession, AFrozenServerReceivesEverythingWhenItThaws)
{
    world w;
    auto const session = w.prepare(name(1));
    auto gone = w.start(name(2), "b");
    w.db.freeze();
    session->submit(verb::commit, name(1));
    gone.reset();

    EXPECT_EQ(session->collect(w.in(1s)), std::nullopt);
    EXPECT_THROW(w.open(), assent::driver_error);
    EXPECT_THROW(w.driver().scan(*session, w.in(1s)), assent::driver_error);
    EXPECT_EQ(w.db.fate(name(2)), branch_fate::active);
    w.db.thaw();

    EXPECT_TRUE(session->collect(w.in(0s))->is_ok());
    EXPECT_EQ(w.db.fate(name(2)), branch_fate::rolled_back);
}

TEST(MemorySession, ARestartChangesTheStartKeepsTheIdentityAndLosesSessions)
{
    world w;
    auto const prepared = w.prepare(name(1), "a");
    auto const active = w.start(name(2), "b");
    auto const before = w.driver().preflight(*prepared, w.in(1s));

    w.db.crash_server();
    EXPECT_FALSE(w.db.is_up());
    EXPECT_THAT(w.db.sessions(), IsEmpty());
    w.db.restart();

    auto const after = w.driver().preflight(*w.open(), w.in(1s));
    EXPECT_EQ(after.identity, before.identity);
    EXPECT_NE(after.server_start, before.server_start);
    EXPECT_THAT(w.db.prepared(), ElementsAre(name(1)));
    EXPECT_EQ(w.db.fate(name(2)), branch_fate::rolled_back);
    EXPECT_EQ(w.code(*prepared, verb::commit, name(1)), xa_code::rmfail);
}

TEST(MemorySession, ARestoreBringsBackWhatWasPreparedThen)
{
    world w;
    auto session = w.prepare(name(1));
    auto const then = w.db.backup();
    EXPECT_TRUE(w.run(*session, verb::commit, name(1)).is_ok());
    EXPECT_EQ(w.db.value("a"), 1);

    w.db.restore(then);

    EXPECT_EQ(w.db.value("a"), std::nullopt);
    EXPECT_THAT(w.driver().scan(*w.open(), w.in(1s)).ours, ElementsAre(name(1)));
    EXPECT_EQ(w.code(*w.open(), verb::rollback, name(1)), xa_code::ok);
    EXPECT_THAT(w.db.violations(), IsEmpty());
}

TEST(MemorySession, ARestartMayGiveTheNumberOfASessionToAnother)
{
    world w{personality::plain, [](auto& chosen) { chosen.gives_numbers_again = true; }};
    auto const old = w.open();
    w.db.restart();
    auto const stranger = w.db.connect();
    auto const manage = w.open();
    ASSERT_EQ(stranger->id(), old->id());

    EXPECT_EQ(w.driver().presence(*manage, old->id(), w.in(1s)), assent::session_presence::present);
    EXPECT_EQ(w.code(*old, verb::start, name(1)), xa_code::rmfail) << "it is not that one";
    EXPECT_TRUE(stranger->is_open());
    old->sever();
    EXPECT_TRUE(stranger->is_open());
    w.driver().end_session(*manage, old->id(), w.in(1s));

    EXPECT_FALSE(stranger->is_open());
    EXPECT_THAT(w.db.violations(), ElementsAre(HasSubstr("a stranger's")));
}

TEST(MemorySession, WhatANodeKeepsThereGoesBackWithARestore)
{
    world w{personality::mariadb, [](auto& chosen) { chosen.keeps_past = true; }};
    auto manage = w.open();
    EXPECT_EQ(w.driver().preflight(*manage, w.in(1s)).history, "");
    EXPECT_EQ(w.driver().read_past(*manage, 7, w.in(1s))->count, 0u);
    EXPECT_TRUE(w.driver().keep_past(*manage, 7, {2, 0}, w.in(1s)));
    auto const then = w.db.backup();
    EXPECT_TRUE(w.driver().keep_past(*manage, 7, {5, 3}, w.in(1s)));
    EXPECT_TRUE(w.driver().keep_past(*manage, 7, {4, 0}, w.in(1s))) << "and never lower";
    EXPECT_EQ(w.driver().read_past(*manage, 7, w.in(1s))->count, 5u);

    w.db.restore(then);

    EXPECT_EQ(w.driver().read_past(*w.open(), 7, w.in(1s))->count, 2u);
}

TEST(MemorySession, BorrowsIdleHandlesOfThisServerOnly)
{
    world w;
    world elsewhere;
    auto const facts = w.driver().preflight(*w.open(), w.in(1s));
    auto const refusal = [&](at::memory_connection* handle) {
        try {
            w.driver().borrow(handle, facts, w.in(1s));
        } catch (assent::driver_error const& e) {
            EXPECT_FALSE(e.must_close());
            return std::string(e.what());
        }
        return std::string("borrowed");
    };
    auto const idle = w.db.connect();
    auto const busy = w.db.connect();
    busy->begin();
    auto const cut = w.db.connect();
    w.db.cut(cut->id());

    EXPECT_EQ(refusal(idle.get()), "borrowed");
    EXPECT_TRUE(idle->is_open());
    EXPECT_THAT(refusal(busy.get()), HasSubstr("transaction is open"));
    EXPECT_THAT(refusal(cut.get()), HasSubstr("connection is lost"));
    EXPECT_THAT(refusal(elsewhere.db.connect().get()), HasSubstr("another server"));
    EXPECT_THAT(refusal(nullptr), HasSubstr("null"));
    w.db.set_identity("another");
    EXPECT_THAT(refusal(idle.get()), HasSubstr("another server"));
}

TEST(MemorySession, SeveringABorrowedHandleEndsItsSessionAndLeavesTheHandleToItsOwner)
{
    world w;
    auto const facts = w.driver().preflight(*w.open(), w.in(1s));
    auto const handle = w.db.connect();
    auto session = w.driver().borrow(handle.get(), facts, w.in(1s));
    EXPECT_TRUE(w.run(*session, verb::start, name(1)).is_ok());

    session->sever();
    session.reset();

    EXPECT_EQ(w.db.fate(name(1)), branch_fate::rolled_back);
    EXPECT_FALSE(handle->is_open());
    EXPECT_THROW(handle->set("a", 1), assent::driver_error);
}

TEST(MemorySession, AnAbandonedSessionIsNotClosed)
{
    world w;
    auto session = w.start(name(1));
    std::unique_ptr<at::memory_connection> const kept{&w.connection(*session)};

    session->abandon();
    session.reset();

    EXPECT_TRUE(kept->is_open());
    EXPECT_EQ(w.db.fate(name(1)), branch_fate::active);
}

TEST(MemorySession, ACancelledSessionIsNotReusable)
{
    world w;
    auto const session = w.start(name(1));
    w.driver().cancel_statement(*w.open(), session->id(), w.in(1s));

    EXPECT_TRUE(w.run(*session, verb::rollback, name(1)).is_ok());
    EXPECT_FALSE(session->is_reusable());
}

TEST(MemorySession, BehindAProxyNothingIsKnownOfSessions)
{
    at::memory_options chosen;
    chosen.is_proxied = true;
    at::memory_database const db{chosen};
    at::memory_resource_manager const manager{"accounts", db};
    auto& driver = *manager.driver();
    auto const until = assent::deadline::max();
    auto const manage = driver.connect(assent::session_purpose::manage, until);

    EXPECT_TRUE(driver.preflight(*manage, until).is_proxied);
    EXPECT_EQ(driver.presence(*manage, 1, until), assent::session_presence::unknown);
    EXPECT_EQ(driver.sessions_before(*manage, manage->id(), until),
              assent::session_presence::unknown);
    EXPECT_THROW(driver.end_session(*manage, 1, until), assent::driver_error);
    EXPECT_THROW(driver.cancel_statement(*manage, 1, until), assent::driver_error);
}

TEST(MemorySession, AKilledProcessNeverReachesTheServerAgain)
{
    world w;
    auto const prepared = w.prepare(name(1), "a");
    auto const active = w.start(name(2), "b");
    auto const bystander = w.db.connect();

    w.manager.kill_process();

    EXPECT_EQ(w.run(*prepared, verb::commit, name(1)).detail, reply_detail::reply_lost);
    EXPECT_THROW(w.open(), assent::driver_error);
    EXPECT_EQ(w.db.fate(name(2)), branch_fate::rolled_back);
    EXPECT_THAT(w.db.prepared(), ElementsAre(name(1)));
    EXPECT_TRUE(bystander->is_open());
}

TEST(MemorySession, WhatHappensBehindTheManagersBackShowsInTheLists)
{
    world w;
    auto const manage = w.open();
    w.db.prepare_branch(name(1), "a", 1);
    w.db.prepare_branch(name(2), "b", 1);
    w.db.prepare_foreign("stranger", "c", 1);
    w.db.settle(name(2), false);
    w.db.set_writable(false);

    auto const seen = w.driver().scan(*manage, w.in(1s));

    EXPECT_THAT(seen.ours, ElementsAre(name(1)));
    EXPECT_EQ(seen.foreign_count, 1u);
    EXPECT_EQ(seen.identity, w.db.identity());
    EXPECT_FALSE(seen.is_writable_primary);
    EXPECT_EQ(w.code(*manage, verb::commit, name(1)), xa_code::ok);
    w.db.commit_foreign("stranger");
    EXPECT_THROW(w.db.commit_foreign("stranger"), assent::error);
    EXPECT_THROW(w.db.settle(name(2), true), assent::error);
    EXPECT_EQ(w.db.value("c"), 1);
}

TEST(MemorySession, ServesManyThreadsAtOnce)
{
    at::memory_database const db;
    at::memory_resource_manager const manager{"accounts", db};
    auto const work = [&](std::uint64_t first) {
        auto const until = assent::deadline::max();
        auto const session = manager.driver()->connect(assent::session_purpose::work, until);
        for (std::uint64_t i = first; i < first + 200; ++i) {
            for (verb const v : {verb::start, verb::prepare, verb::commit}) {
                session->submit(v, name(i));
                if (!session->collect(until)->is_ok()) return;
                if (v == verb::start) world::connection(*session).add(std::to_string(first), 1);
            }
        }
    };
    std::thread one(work, 1000);
    std::thread two(work, 2000);
    one.join();
    two.join();

    EXPECT_EQ(db.value("1000"), 200);
    EXPECT_EQ(db.value("2000"), 200);
    EXPECT_THAT(db.violations(), IsEmpty());
}

TEST(MemoryResourceManager, RefusesNamesThatAreNotPrintable)
{
    at::memory_database const db;

    EXPECT_THROW((at::memory_resource_manager{"", db}), assent::driver_error);
    EXPECT_THROW((at::memory_resource_manager{"a b", db}), assent::driver_error);
    EXPECT_THROW((at::memory_resource_manager{std::string(65, 'x'), db}), assent::driver_error);
    EXPECT_EQ((at::memory_resource_manager{std::string(64, 'x'), db}).name().size(), 64u);
}

}  // namespace memory_test
