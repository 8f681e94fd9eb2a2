// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_room_test.cpp -- a full disk refuses begin() and never a decision, and the log stays small
// under endless load, whatever one database does.

#include <map>

#include "tests/unit/engine/engine_fixture.hpp"

using namespace std::chrono_literals;
using assent::errc;
using assent::outcome;
using assent::verb;
using assent::testing::driver_call;
using engine_test::site;
using engine_test::thrown_by;
using engine_test::world;

namespace {

std::size_t bytes_on(assent::testing::simulated_disk const& disk)
{
    std::size_t all = 0;
    for (auto const& name : disk.names()) {
        all += disk.contents(name).size();
    }
    return all;
}

TEST(LogRoom, AFullDiskRefusesToBeginAndEveryTransactionThatBeganCommits)
{
    world at;
    at.disk->is_full = true;
    std::map<std::string, engine_test::transaction> open;
    int committed = 0;
    errc refused{};
    for (int i = 0; refused == errc{}; ++i) {
        ASSERT_LT(i, 10'000) << "the disk is full, and begin() never says so";
        try {
            std::string const key = "row" + std::to_string(i);
            open.emplace(key, at.begin_work(key));
        } catch (assent::error const& e) {
            refused = e.why();
            EXPECT_THAT(e.what(), ::testing::HasSubstr("No space left on device"));
            break;
        }
        // Most of them end, so that the segment fills up; some stay open to the last.
        if (i % 3 != 0 || open.empty()) continue;
        EXPECT_EQ(open.begin()->second.commit(), outcome::committed);
        at.expect_rows(1, open.begin()->first);
        open.erase(open.begin());
        ++committed;
    }
    EXPECT_EQ(refused, errc::log_full);
    EXPECT_FALSE(at.engine->state().is_accepting);
    EXPECT_EQ(at.engine->state().log_room, 0);
    EXPECT_EQ(at.seen->count("log.full"), 1);
    ASSERT_GT(open.size(), 3u);

    for (auto& [key, tx] : open) {
        EXPECT_EQ(tx.commit(), outcome::committed);
        at.expect_rows(1, key);
    }
    EXPECT_FALSE(at.log().state().is_poisoned);

    at.disk->is_full = false;
    while (at.engine->state().log_room == 0) {
        EXPECT_THROW(at.begin(), assent::error) << "this one has the next segment made";
    }
    EXPECT_EQ(at.begin_work("after").commit(), outcome::committed);
    EXPECT_EQ(at.seen->count("log.room"), 1);
    EXPECT_TRUE(at.engine->state().is_accepting);
    at.restart();
    at.serve();
    at.expect_rows(1, "after");
    at.expect_clean();
}

TEST(LogRoom, WhatIsOnlyNotedTakesNoRoomOfADecision)
{
    world at;
    at.disk->is_full = true;
    std::map<std::string, engine_test::transaction> open;
    try {
        for (int i = 0; i < 10'000; ++i) {
            std::string const key = "row" + std::to_string(i);
            open.emplace(key, at.begin_work(key));
        }
    } catch (assent::error const& e) {
        EXPECT_EQ(e.code(), errc::log_full);
    }
    ASSERT_GT(open.size(), 3u);
    // As many as were rolled back since the last force.
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        auto parts = open.begin()->second.id().parts();
        parts.sequence = 1'000'000 + i;
        at.log().note_rolled_back(assent::gtrid::make(parts));
    }

    for (auto& [key, tx] : open) {
        ASSERT_EQ(tx.commit(), outcome::committed);
        at.expect_rows(1, key);
        dynamic_cast<assent::log::file_log&>(at.log()).seal();  // as after a pause
    }
}

TEST(LogRoom, WhatEndsWithoutADecisionGivesItsRoomBack)
{
    world at;
    auto const before = at.engine->state().log_room;
    {
        auto committed = at.begin_work("a");
        auto rolled_back = at.begin_work("b");
        auto empty = at.begin();
        auto one_phase = at.begin();
        one_phase.on(at.accounts)->set("c", 1);
        EXPECT_EQ(at.engine->state().log_room, before - 4);
        EXPECT_EQ(rolled_back.rollback(), outcome::rolled_back);
        EXPECT_EQ(empty.commit(), outcome::committed);
        EXPECT_EQ(one_phase.commit(), outcome::committed);
        EXPECT_EQ(at.engine->state().log_room, before - 1);
        EXPECT_EQ(committed.commit(), outcome::committed);
    }
    EXPECT_GE(at.engine->state().log_room, before - 1) << "one page was written";
}

TEST(LogRoom, TheLogStaysSmallWhileOneDatabaseIsDownForHours)
{
    world at;
    site ledger{"ledger", assent::testing::personality::plain, at.clock, false};
    at.engine->add(ledger.rm);
    at.serve();
    auto stuck = at.begin_work("stuck");
    at.accounts.db.script().on(verb::commit).times(1'000'000).lose_before_effect();
    at.accounts.db.script().on(driver_call::connect).times(1'000'000).fail("it is down");
    EXPECT_EQ(stuck.commit(), outcome::committed_pending);

    constexpr int transactions = 30'000;
    std::uint64_t kept_most = 0;
    std::size_t bytes_most = 0;
    for (int i = 0; i < transactions; ++i) {
        auto tx = at.begin();
        tx.on(at.orders)->set("row", i);
        tx.on(ledger)->set("row", i);
        ASSERT_EQ(tx.commit(), outcome::committed);
        if (i % 100 != 0) continue;
        at.run_for(500ms);
        kept_most = std::max(kept_most, at.log().state().kept_decisions);
        bytes_most = std::max(bytes_most, bytes_on(*at.disk));
    }

    EXPECT_LT(kept_most, 2'000u) << "of " << transactions;
    EXPECT_LT(bytes_most, 2u << 20);
    ASSERT_EQ(at.log().unfinished().size(), 1u) << "what waits for it is kept, and nothing else";
    EXPECT_EQ(at.log().unfinished()[0].what.global, stuck.id());

    at.accounts.db.script().clear();
    at.run_for(20s);
    EXPECT_EQ(at.accounts.db.value("stuck"), 1);
    EXPECT_TRUE(at.log().unfinished().empty());
}

TEST(LogRoom, MoreKeptDecisionsThanAllowedRefuseToBegin)
{
    auto bounds = world::quick();
    bounds.kept_decisions_max = 20;
    world at{assent::testing::personality::plain, bounds};
    auto const held_back = at.begin();  // no horizon passes what may still begin a branch
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(at.begin_work().commit(), outcome::committed);
    }

    auto const e = thrown_by<assent::error>([&] { at.begin(); });
    EXPECT_EQ(e.code(), errc::log_full);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("keeps 20 decisions"));
}

TEST(LogRoom, TheLogStaysSmallWhileAnOldSessionNeverGoesAway)
{
    world at;
    auto const older = at.accounts.db.connect();
    for (int restarts = 0; restarts < 3; ++restarts) {
        at.restart();
        at.serve();
        std::uint64_t kept_most = 0;
        for (int i = 0; i < 10'000; ++i) {
            ASSERT_EQ(at.begin_work().commit(), outcome::committed);
            if (i % 100 == 0) at.run_for(500ms);
            kept_most = std::max(kept_most, at.log().state().kept_decisions);
        }
        EXPECT_LT(kept_most, 2'000u);
        EXPECT_LT(bytes_on(*at.disk), 2u << 20);
        EXPECT_FALSE(at.state_of(at.accounts).is_drained) << "the session is still there";
    }
}

TEST(LogRoom, IsMissedLongBeforeABranchThatIsNeverFinishedUsesItUp)
{
    auto bounds = world::quick();
    bounds.kept_decisions_max = 20;
    world at{assent::testing::personality::plain, bounds};
    auto stuck = at.begin_work("stuck");
    assent::reply not_now;
    not_now.code = assent::xa_code::retry;
    at.accounts.db.script()
        .on(verb::commit, stuck.branch(0))
        .times(1'000'000)
        .reply_without_effect(not_now);
    EXPECT_EQ(stuck.commit(), outcome::committed_pending);
    for (int i = 0; i < 8; ++i) {
        ASSERT_EQ(at.begin_work().commit(), outcome::committed);
    }
    at.run_for(bounds.scan_interval * 2);
    EXPECT_EQ(at.seen->count("log.grows"), 0);

    for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(at.begin_work().commit(), outcome::committed);
    }
    at.run_for(bounds.scan_interval * 2);
    EXPECT_EQ(at.seen->count("log.grows accounts"), 1) << "once, and not of the others";
    EXPECT_EQ(at.seen->count("log.grows"), 1);
}

}  // namespace
