// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// many_left_test.cpp -- many branches to finish at once: how often the database is asked meanwhile,
// who is woken, and that nothing is sent twice because a list is older than what was finished.

#include <algorithm>

#include "recovery/completion_queue.hpp"
#include "recovery/keeper.hpp"
#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;
using assent::recovery::completion_queue;
using assent::recovery::due_branch;

constexpr int count = 100;

/// The `i`th of many branches that are like that one.
due_branch one_of_many(assent::xid const& like, std::uint64_t i)
{
    due_branch one;
    one.id = renamed(like, [i](auto& parts) { parts.sequence = 1000 + i; });
    return one;
}

/// As many decided transactions, prepared everywhere, and a process that died.
void leave_many(world& at)
{
    for (int i = 0; i < count; ++i) {
        auto tx = at.begin_work("row" + std::to_string(i));
        at.accounts.db.script().on(verb::commit).lose_before_effect();
        at.orders.db.script().on(verb::commit).lose_before_effect();
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
    }
    at.restart();
}

int commits_sent(site const& where, std::size_t from)
{
    auto const all = where.db.history();
    return static_cast<int>(
        std::count_if(all.begin() + static_cast<std::ptrdiff_t>(from), all.end(),
                      [](auto const& each) { return each.what == verb::commit; }));
}

void expect_finished(world& at)
{
    for (int i = 0; i < count; ++i)
        at.expect_rows(1, "row" + std::to_string(i));
    at.expect_clean();
    EXPECT_TRUE(at.log().unfinished().empty());
}

TEST(ManyLeft, TakesAListBeforeAndAListAfterNotOneAgainAndAgain)
{
    world at{personality::mariadb};  // which must be left in peace first, for limits::detach_settle
    leave_many(at);
    auto const before = at.seen->count("recovery.scanned");

    at.run_for(3s);

    expect_finished(at);
    EXPECT_LE(at.seen->count("recovery.scanned") - before, 2 * 3) << "of two databases";
    EXPECT_TRUE(at.state_of(at.orders).is_drained);
}

TEST(ManyLeft, EachIsSentForOnceThoughAnOlderListStillShowsIt)
{
    world at;
    leave_many(at);
    auto& keeper = *at.engine->keepers().front();
    auto const& workers = keeper.workers();
    auto& scanner = *workers.front();
    auto const sent = at.accounts.db.history().size();
    scanner.step();  // which finds them
    ASSERT_EQ(keeper.state().branches_due, static_cast<std::size_t>(count));

    at.clock->pass(at.clock->now() + at.bounds.scan_interval);
    bool is_finished = false;
    at.seen->on_event = [&](assent::event const& what) {
        if (what.name != "recovery.scanned" || std::exchange(is_finished, true)) return;
        for (int i = 0; i < count; ++i) {
            for (auto* const each : workers) {
                if (each != &scanner) each->step();
            }
        }
    };
    scanner.step();
    at.seen->on_event = nullptr;
    at.run_for(3s);

    EXPECT_TRUE(is_finished);
    EXPECT_EQ(commits_sent(at.accounts, sent), count);
    EXPECT_EQ(at.seen->count("branch.finished_assumed"), 0);
    expect_finished(at);
}

TEST(ManyLeft, WakeFinishersThatMaySleepAndNotForEachBranch)
{
    world at;
    int woken = 0;
    completion_queue queue{at.engine->shared(), "accounts", [] {}, [&woken] { ++woken; }};
    auto tx = at.begin_work();
    auto const like = tx.branch(0);

    for (std::uint64_t i = 1; i <= count; ++i)
        queue.add(one_of_many(like, i));

    EXPECT_GE(woken, 1);
    EXPECT_LE(woken, static_cast<int>(at.bounds.completion_sessions_max) + 1);
    tx.rollback();
}

TEST(ManyLeft, ThatWaitForAListAreAllAskedFor)
{
    constexpr std::uint64_t more = 1000;
    world at;
    completion_queue queue{at.engine->shared(), "accounts", [] {}, [] {}};
    auto tx = at.begin_work();
    std::vector<assent::xid> names;
    for (std::uint64_t i = 1; i <= more; ++i) {
        auto one = one_of_many(tx.branch(0), i);
        one.state = assent::protocol::branch_state::commit_verify;
        names.push_back(one.id);
        queue.add(std::move(one));
    }

    EXPECT_EQ(queue.waiting_for_list(), names);
    tx.rollback();
}

TEST(ManyLeft, WhatIsDueBeforeAllThatWaitWakesAFinisher)
{
    world at;
    int woken = 0;
    completion_queue queue{at.engine->shared(), "accounts", [] {}, [&woken] { ++woken; }};
    auto tx = at.begin_work();
    auto const like = tx.branch(0);
    for (std::uint64_t i = 1; i <= count; ++i) {
        queue.add(one_of_many(like, i));
        auto turn = queue.take(at.clock->now(), 0);
        ASSERT_TRUE(turn);
        turn.postpone(at.clock->now() + 10s);
    }
    woken = 0;

    due_branch one;
    one.id = like;
    queue.add(std::move(one));

    EXPECT_EQ(woken, 1);
    tx.rollback();
}

/// A list found the branch, and the application's own thread leaves it only then.
TEST(ManyLeft, AnOwnerThatComesLateIsLetGoAllTheSame)
{
    for (bool const is_over : {false, true}) {
        SCOPED_TRACE(is_over ? "the branch is finished" : "the branch is in hands");
        world at;
        auto const owner = std::make_shared<assent::shared::global_transaction>(
            assent::gtrid::make({assent::decision_place::log, 0, 1, 1, 1, 7}), assent::deadline{},
            assent::limits::duration{}, assent::ports::reservation{}, nullptr,
            assent::branch_modes{});
        owner->branches_left = 2;
        completion_queue queue{at.engine->shared(), "accounts", [] {}, [] {}};
        assent::xid const id{owner->id, assent::bqual::make({1, 1, 1})};
        completion_queue::listing const lasts{queue};
        due_branch listed;
        listed.id = id;
        queue.add(std::move(listed));
        auto turn = queue.take(at.clock->now(), 0);
        ASSERT_TRUE(turn);

        for (int times = 0; times < 2; ++times) {  // the second is the same owner again
            due_branch left;
            left.id = id;
            left.owner = owner;
            if (is_over && times == 0) turn.finish();
            queue.add(std::move(left));
        }
        if (!is_over) turn.finish();

        EXPECT_EQ(owner->branches_left, 1u);
    }
}

}  // namespace
