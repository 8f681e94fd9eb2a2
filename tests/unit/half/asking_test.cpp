// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// asking_test.cpp -- a broker that asks what to do with a half, at any time, from any thread.

#include <mutex>
#include <thread>

#include <assent/driver.hpp>

#include "tests/unit/half/asking_fixture.hpp"

namespace half_test {

TEST_F(Asked, WhileItIsAtWorkThatIsPendingAndNothingIsFenced)
{
    for (std::string const body : {"by the log", "by a row"}) {
        auto tx = begin_work(body, body == "by a row" ? by_row() : assent::begin_options{});
        EXPECT_EQ(ask(half()), known_outcome::pending);
        EXPECT_EQ(rows_of(row_kind::abort), 0u);
        EXPECT_EQ(tx.commit(), outcome::committed);
        expect_order(true, body);
    }
}

TEST_F(Asked, AfterCommitAndAfterRollback)
{
    scan_rarely();
    auto first = begin_work();
    auto const committed = half();
    first.commit();
    EXPECT_EQ(ask(committed), known_outcome::committed);

    auto second = begin_work("order 2");
    auto const rolled_back = half();
    second.rollback();
    EXPECT_EQ(ask(rolled_back), known_outcome::rolled_back);
}

TEST_F(Asked, TheNextProcessKnowsWhatTheLogKeepsAndNothingElse)
{
    auto const name = leave_decided();
    auto const never = changed(name, [](auto& parts) { parts.sequence += 1000; });
    reopen();
    EXPECT_EQ(ask(name), known_outcome::committed);
    EXPECT_EQ(tm->ask(never, soon()), known_outcome::unknown) << "absence is not a rollback";
    broker->come_up();
    EXPECT_TRUE(becomes_drained());
}

TEST_F(Asked, WhatIsForgottenIsNotKnownAndNotFenced)
{
    auto tx = begin_work("order 1", by_row());
    auto const name = half();
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_TRUE(becomes_true([this] { return rows_of(row_kind::commit) == 0; })) << "pruned";
    reopen();
    EXPECT_TRUE(becomes_drained());

    EXPECT_EQ(ask(name), known_outcome::unknown);
    EXPECT_EQ(rows_of(row_kind::abort), 0u) << "it had committed";
}

TEST_F(Asked, OfAnotherNodeAnotherLogOrATimeToComeNothingIsKnownAndNothingFenced)
{
    begin_work("order 0", by_row()).commit();  // the table is there
    auto tx = begin_work("order 1", by_row());
    auto const name = half();
    auto const strangers = {
        changed(name, [](auto& parts) { ++parts.node; }),
        changed(name, [](auto& parts) { ++parts.nonce; }),
        changed(name, [](auto& parts) { ++parts.epoch; }),
        changed(name, [](auto& parts) { parts.sequence += 1000; }),
        changed(name, [](auto& parts) { parts.place_resource_manager = 77; }),
        changed(name, [](auto& parts) { parts.place = assent::decision_place::external; }),
    };
    for (auto const& each : strangers) {
        // Where it is of this run, its sequence is at work.
        auto const said = tm->ask(each, soon());
        bool const is_live = each.global.parts().nonce == tx.id().parts().nonce &&
                             each.global.parts().node == tx.id().parts().node &&
                             each.global.parts().epoch == tx.id().parts().epoch &&
                             each.global.parts().sequence == tx.id().parts().sequence;
        EXPECT_EQ(said, is_live ? known_outcome::pending : known_outcome::unknown) << each.text();
    }
    EXPECT_EQ(rows_of(row_kind::abort), 0u);
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST_F(Asked, BytesThatAreNoNameAreRefused)
{
    auto tx = begin_work();
    auto const good = half();
    for (auto const& bad : {std::string{}, std::string{"asn1"}, good + "0", good.substr(1),
                            std::string(good.size(), '\0'), std::string(good.size(), 'X'),
                            std::string{tx.id().text()}}) {
        EXPECT_EQ(code_of([&] { ask(bad); }), errc::bad_argument);
    }
    tx.rollback();
}

/// RocketMQ's fault: a check that found no row said "rolled back", and the row came afterwards.
TEST_F(Asked, AnAskThatSaysRolledBackHasFencedTheCommitThatMayYetCome)
{
    auto const name = leave_without_a_row();
    auto const interval = limits.scan_interval;
    scan_rarely();  // it is not pruned meanwhile
    EXPECT_EQ(rows_of(row_kind::abort), 0u);

    EXPECT_EQ(ask(name), known_outcome::rolled_back);
    EXPECT_EQ(rows_of(row_kind::abort), 1u);
    // The commit that was under way finds its row's place taken.
    EXPECT_FALSE(comes_to_commit(xid::parse(name)->global));
    EXPECT_FALSE(shop.value("late").has_value());
    EXPECT_TRUE(comes_to_commit(changed(name, [](auto& parts) { ++parts.sequence; }).global))
        << "as it does where nobody has asked";

    limits.scan_interval = interval;
    reopen();
    ask_back();
    EXPECT_THAT(broker->halves(), IsEmpty());
    broker->come_up();
    EXPECT_TRUE(becomes_drained());
    expect_order(false);
}

TEST_F(Asked, ARowOfAnEarlierRunIsReadAndStays)
{
    auto const left = leave_decided(by_row());
    tm.reset();
    open();  // and the broker is down still
    EXPECT_EQ(ask(left), known_outcome::committed);
    EXPECT_EQ(rows_of(row_kind::abort), 0u);
    broker->come_up();
    EXPECT_TRUE(becomes_drained());
    expect_order(true);
}

TEST_F(Asked, WhereTheRowCannotBeReachedThatIsPendingByTheDeadline)
{
    auto const name = leave_without_a_row();
    open_manager();  // nobody is there to read the row
    EXPECT_EQ(tm->ask(name, std::chrono::steady_clock::now()), known_outcome::pending);
    tm.reset();

    shop.crash_server();
    open();
    auto const began = std::chrono::steady_clock::now();
    EXPECT_EQ(tm->ask(name, began + 200ms), known_outcome::pending);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
    shop.restart();
    EXPECT_TRUE(becomes_true([&] { return ask(name) == known_outcome::rolled_back; }));
    broker->come_up();
    EXPECT_TRUE(becomes_drained());
}

/// It may be faster than we are: that it has none any more is what it was told to do.
TEST_F(Asked, ABrokerThatReleasesOnOurWordLeavesNoHazard)
{
    auto tx = begin_work();
    auto const name = half();
    broker->script(request::release, fate::refused, 1000);
    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    ask_back();
    EXPECT_THAT(broker->shown(), ElementsAre("order 1"));
    EXPECT_EQ(ask(name), known_outcome::committed) << "and again";
    broker->clear();
    EXPECT_TRUE(becomes_drained());
    EXPECT_EQ(tm->state().heuristics, 0u);
    expect_order(true);
}

TEST_F(Asked, FromWithinTheCallbacksOfATransaction)
{
    scan_rarely();
    auto tx = begin_work("order 1", by_row());
    auto const name = half();
    known_outcome before{}, after{};
    tx.register_synchronization({[&] { before = ask(name); }, [&](status) { after = ask(name); }});
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(before, known_outcome::pending);
    EXPECT_NE(after, known_outcome::rolled_back);
    EXPECT_NE(after, known_outcome::unknown);
}

TEST_F(Asked, FromWithinEachCallOfTheBroker)
{
    std::vector<known_outcome> said;
    std::mutex mutex;
    for (auto const of : {request::half, request::release}) {
        broker->on_next(of, [&](std::string const& name) {
            auto const is = ask(name);
            std::lock_guard const held{mutex};
            said.push_back(is);
        });
    }
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed);
    std::lock_guard const held{mutex};
    EXPECT_THAT(said, ElementsAre(known_outcome::pending, known_outcome::committed));
}

TEST_F(Asked, FromManyThreadsAtOnce)
{
    auto const name = leave_without_a_row();
    open();
    constexpr int threads = 8;
    std::vector<std::thread> all;
    all.reserve(threads);
    std::atomic<int> rolled_back{0};
    for (int i = 0; i < threads; ++i) {
        all.emplace_back([&] {
            if (ask(name) == known_outcome::rolled_back) ++rolled_back;
        });
    }
    for (auto& each : all)
        each.join();
    EXPECT_EQ(rolled_back, threads);
    broker->come_up();
    EXPECT_TRUE(becomes_drained());
}

}  // namespace half_test
