// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// past_test.cpp -- what a database keeps of its past cannot be read, or not be written: somebody
// has a lock on the table, or the server never answers.  Work and lists go on, and what only the
// past explains waits.

#include "tests/unit/engine/meddling_driver.hpp"

namespace {

using namespace engine_test;
using session = meddling_driver::session;
using hook = std::function<void(session&)>;

void refuse(session&)
{
    throw assent::driver_error{"Lock wait timeout exceeded", "HY000", 1205};
}

void fall_silent(session& manage)
{
    manage.sever();
    throw assent::driver_error{"the server did not answer within the deadline"};
}

/// As one question of the two fails.
struct failing
{
    hook meddling_driver::*question;
    hook how;
};

std::vector<failing> each_failure()
{
    return {{&meddling_driver::on_past_read, &refuse},
            {&meddling_driver::on_past_read, &fall_silent},
            {&meddling_driver::on_past_kept, &refuse},
            {&meddling_driver::on_past_kept, &fall_silent}};
}

outcome work(meddled& at)
{
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    return tx.commit();
}

TEST(Past, ThatIsNotAnsweredKeepsNoDatabaseFromItsFirstWork)
{
    for (auto const& fails : each_failure()) {
        meddled at;
        at.driver->kept.emplace();
        (*at.driver).*fails.question = fails.how;

        at.run_for(2s);

        EXPECT_TRUE(at.state().is_serving) << at.state().why;
        EXPECT_EQ(work(at), outcome::committed);
        EXPECT_EQ(at.seen->count("resource_manager.past_unknown"), 1);
        (*at.driver).*fails.question = nullptr;
        at.run_for(1min);
        EXPECT_GT(at.driver->kept->count, 0u) << "it is kept once it can be";
    }
}

TEST(Past, ThatIsNotAnsweredAnyMoreStopsNeitherWorkNorLists)
{
    for (auto const& fails : each_failure()) {
        meddled at;
        at.driver->kept.emplace();
        at.run_for(20ms);
        EXPECT_EQ(work(at), outcome::committed);
        int sessions = 0;
        at.driver->on_connect = [&](assent::session_purpose what) {
            sessions += what == assent::session_purpose::work;
        };
        (*at.driver).*fails.question = fails.how;
        at.accounts.db.script().on(driver_call::scan).fail();
        auto const lists = at.seen->count("recovery.scanned");

        for (int i = 0; i < 300; ++i) {
            at.run_for(100ms);
            ASSERT_TRUE(at.state().is_serving) << at.state().why;
            EXPECT_EQ(work(at), outcome::committed);
        }

        EXPECT_GE(at.seen->count("recovery.scanned") - lists, 2);
        EXPECT_LE(sessions, 1) << "leases keep their sessions but where the list failed";
        EXPECT_EQ(at.seen->count("resource_manager.history_changed"), 0);
    }
}

TEST(Past, ThatIsLostWithItsServerLeavesNoSessionOfThatServerToLeases)
{
    meddled at;
    at.driver->kept.emplace();
    at.run_for(20ms);
    EXPECT_EQ(work(at), outcome::committed);
    int sessions = 0;
    at.driver->on_connect = [&](assent::session_purpose what) {
        sessions += what == assent::session_purpose::work;
    };
    at.driver->on_past_kept = [&](session& manage) {
        at.driver->on_past_kept = nullptr;
        manage.sever();
        throw assent::driver_error{"Lost connection to server", "HY000", 2013};
    };

    at.run_for(20s);

    EXPECT_FALSE(at.driver->on_past_kept);
    EXPECT_EQ(work(at), outcome::committed);
    EXPECT_EQ(sessions, 1);
}

TEST(Past, ThatNeverAnswersIsAskedLessAndLessOften)
{
    meddled at;
    at.driver->kept.emplace();
    int asked = 0;
    at.driver->on_past_kept = [&](session& manage) {
        ++asked;
        fall_silent(manage);
    };

    at.run_for(10min);

    EXPECT_LE(asked, 8) << "each may keep a session of the server";
    EXPECT_TRUE(at.state().is_serving);
}

/// A transaction over two databases, of which one loses its reply to COMMIT, and its past.
struct undone : meddled
{
    undone()
    {
        engine->add(orders.rm);
        driver->kept.emplace();
        run_for(20ms);
        transaction tx{engine, {}};
        lease(tx)->set("row", 1);
        tx.on(orders)->set("row", 1);
        accounts.db.script().on(verb::commit).lose_after_effect();
        accounts.db.script().on(driver_call::scan).fail();
        driver->on_past_read = &refuse;
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
        run_for(20s);
    }
    std::uint64_t live() const { return engine->state().live_transactions; }

    site orders{"orders", personality::plain, clock, false};
};

TEST(Past, ThatIsUnknownLeavesOpenWhetherWhatIsAbsentWasCommitted)
{
    undone at;
    EXPECT_EQ(at.live(), 1u) << "a restore would look the same";

    at.driver->on_past_read = nullptr;
    at.run_for(20s);

    EXPECT_EQ(at.live(), 0u);
    EXPECT_EQ(at.engine->state().heuristics, 0u);
}

TEST(Past, ThatTurnsOutToBeAnotherMakesWhatIsAbsentAHazard)
{
    undone at;
    EXPECT_EQ(at.engine->state().heuristics, 0u);

    at.driver->kept->count = 0;
    at.driver->on_past_read = nullptr;
    at.run_for(20s);

    EXPECT_EQ(at.live(), 0u);
    EXPECT_EQ(at.engine->state().heuristics, 1u);
    EXPECT_EQ(at.seen->count("resource_manager.history_changed"), 1);
}

TEST(Past, AGuessOfItHidesNothingThatTheServerTells)
{
    meddled at;
    site orders{"orders", personality::plain, at.clock, false};
    at.engine->add(orders.rm);
    at.driver->kept.emplace();
    at.driver->on_past_read = &refuse;
    at.run_for(20ms);
    auto const before = at.accounts.db.backup();
    transaction tx{at.engine, {}};
    at.lease(tx)->set("row", 1);
    tx.on(orders)->set("row", 1);
    at.accounts.db.script().on(verb::commit).lose_after_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    at.accounts.db.restore(before);  // another history, which the server itself tells
    at.accounts.db.script().on(driver_call::connect).times(100'000).fail("the server is down");
    at.run_for(1min);
    at.accounts.db.script().clear();
    at.driver->on_past_read = nullptr;  // the first question on the new connection is answered
    at.run_for(20s);

    EXPECT_EQ(at.accounts.db.value("row"), std::nullopt);
    EXPECT_EQ(at.engine->state().heuristics, 1u);
    EXPECT_EQ(at.seen->count("resource_manager.history_changed"), 1);
}

/// The manager is opened again over the log and the databases that a crash left.
struct reopened
{
    explicit reopened(world& after)
        : driver(std::make_shared<meddling_driver>(after.accounts.rm.driver())), at(after)
    {
        engine = std::make_shared<assent::engine::engine>(
            world::quick(), at.seen, assent::testing::open_on(at.disk, ++openings), *at.clock);
        engine->add(assent::resource_manager{driver});
        engine->add(at.orders.rm);
    }
    void run_for(std::chrono::milliseconds time)
    {
        at.engine = engine;
        at.run_for(time);
        at.engine.reset();
    }

    std::shared_ptr<meddling_driver> driver;
    world& at;
    std::shared_ptr<assent::engine::engine> engine;
    std::uint64_t openings = 7;
};

TEST(Past, ThatChangedWhileNoProcessOwnedTheLogIsToldOnce)
{
    world at;
    at.crash();
    for (bool const is_restored : {false, true}) {
        if (is_restored) at.accounts.db.restore(at.accounts.db.backup());
        reopened then{at};
        then.openings += is_restored;
        then.run_for(20s);
        EXPECT_EQ(at.seen->count("resource_manager.history_changed"), is_restored ? 1 : 0);
        then.engine->close(at.clock->now());
    }
}

TEST(Past, ThatIsUnknownLeavesDecisionsOfEarlierRunsOpen)
{
    world at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_after_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    at.crash();
    reopened then{at};
    then.driver->kept.emplace();
    then.driver->on_past_read = &refuse;

    then.run_for(20s);
    EXPECT_EQ(then.engine->shared().log->unfinished().size(), 1u);
    EXPECT_TRUE(then.engine->state().resource_managers.at(0).is_serving);
    then.driver->on_past_read = nullptr;
    then.run_for(20s);

    EXPECT_TRUE(then.engine->shared().log->unfinished().empty());
    EXPECT_EQ(then.engine->state().heuristics, 0u);
}

TEST(Past, OfARunThatNeverReadItIsComparedAllTheSame)
{
    world at;
    at.crash();
    auto const kept = std::make_optional<assent::kept_past>();
    auto lost = kept;
    {
        reopened first{at};
        first.driver->kept = kept;
        first.run_for(1s);
        lost = first.driver->kept;
        ASSERT_GT(lost->count, 0u);
        first.engine->close(at.clock->now());
    }
    assent::gtrid id;
    {
        reopened unread{at};
        unread.driver->on_past_read = &refuse;
        unread.run_for(1s);
        transaction tx{unread.engine, {}};
        static_cast<assent::testing::memory_connection*>(
            unread.engine->lease(*tx.tx, assent::resource_manager{unread.driver})->handle())
            ->set("row", 1);
        tx.on(at.orders)->set("row", 1);
        at.accounts.db.script().on(verb::commit).lose_after_effect();
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
        id = tx.id();
    }
    at.crash();

    reopened restored{at};
    restored.driver->kept.emplace();  // older than what the log has seen
    restored.run_for(20s);

    EXPECT_EQ(restored.engine->state().heuristics, 1u) << id.text();
    EXPECT_EQ(at.seen->count("resource_manager.history_changed"), 1);
}

}  // namespace
