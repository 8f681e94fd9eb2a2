// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// enlist_test.cpp -- connections of the application's own: enlisted, joined, and given back.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;
using assent::branch_choice;
using assent::join_result;
using assent::release;

/// What on_release was told, in order.
struct releases
{
    assent::release_function<memory_connection*> on(std::string name)
    {
        return [this, name = std::move(name)](memory_connection* handle, release what) {
            told.push_back(name + (what == release::keep ? " keep" : " must_close"));
            handles.push_back(handle);
        };
    }
    std::vector<std::string> told;
    std::vector<memory_connection*> handles;
};

/// A transaction on a connection of the application's, which is given back as "bank".
struct lending : doors
{
    explicit lending(personality acts_as = personality::plain) : doors(acts_as)
    {
        tx.enlist(*accounts, mine.get(), given.on("bank"));
    }

    releases given;
    std::unique_ptr<memory_connection> mine = bank.connect();
    assent::transaction tx = tm->begin();
};

TEST(Enlist, WorksOnABorrowedConnectionAndGivesItBack)
{
    lending at;
    at.mine->set("row", 1);
    at.tx.lease(*at.orders)->set("row", 1);

    EXPECT_EQ(at.tx.commit(), outcome::committed);

    EXPECT_THAT(at.given.told, ::testing::ElementsAre("bank keep"));
    EXPECT_THAT(at.given.handles, ::testing::ElementsAre(at.mine.get()));
    at.mine->set("own", 2);  // it serves its owner again
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Enlist, ReleasesInReverseOrderOnceAndBeforeAfterCompletion)
{
    doors at;
    for (bool const is_commit : {true, false}) {
        releases given;
        auto const first = at.bank.connect();
        auto const second = at.shop.connect();
        {
            auto tx = at.tm->begin();
            tx.register_synchronization({{}, [&](status) { given.told.push_back("after"); }});
            tx.enlist(*at.accounts, first.get(), given.on("bank"));
            tx.enlist(*at.orders, second.get(), given.on("shop"));
            first->set("row", 1);
            second->set("row", 1);
            if (is_commit) {
                tx.commit();
            } else {
                tx.rollback();
            }
        }

        EXPECT_THAT(given.told, ::testing::ElementsAre("shop keep", "bank keep", "after"));
    }
}

TEST(Enlist, ReleasesOnTheThreadThatEndsTheTransaction)
{
    doors at;
    auto const mine = at.bank.connect();
    auto tx = at.tm->begin();
    std::thread::id released_on;
    tx.enlist(*at.accounts, mine.get(),
              [&](void*, release) { released_on = std::this_thread::get_id(); });

    std::thread ender{[&] { tx.commit(); }};
    auto const ended_on = ender.get_id();
    ender.join();

    EXPECT_EQ(released_on, ended_on);
}

TEST(Enlist, ReleasesInTheDestructorToo)
{
    doors at;
    releases given;
    auto const mine = at.bank.connect();
    {
        auto tx = at.tm->begin();
        tx.enlist(*at.accounts, mine.get(), given.on("bank"));
    }

    EXPECT_THAT(given.told, ::testing::ElementsAre("bank keep"));
}

TEST(Enlist, WhatOnReleaseThrowsIsToldToTheObserverOnly)
{
    doors at;
    auto const mine = at.bank.connect();
    auto tx = at.tm->begin();
    tx.enlist(*at.accounts, mine.get(), [](void*, release) { throw std::runtime_error{"oops"}; });

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.seen->count("on_release.threw"), 1);
}

TEST(Enlist, AConnectionWhoseReplyWasLostMustBeClosed)
{
    lending at;
    at.tx.lease(*at.orders)->set("row", 1);
    at.mine->set("row", 1);
    at.bank.script().on(verb::commit).lose_after_effect();

    EXPECT_EQ(at.tx.commit(), outcome::committed_pending);

    EXPECT_THAT(at.given.told, ::testing::ElementsAre("bank must_close"));
}

TEST(Enlist, ABorrowedConnectionThatDoesNotAnswerIsSeveredBeforeItIsGivenBack)
{
    doors at{personality::mariadb};
    auto const mine = at.bank.connect();
    auto tx = at.tm->begin();
    bool was_open = true;
    releases given;
    tx.enlist(*at.accounts, mine.get(), [&](memory_connection* handle, release what) {
        was_open = static_cast<memory_connection*>(handle)->is_open();
        given.on("bank")(handle, what);
    });
    tx.lease(*at.orders)->set("row", 1);
    mine->set("row", 1);
    at.bank.script().on(verb::commit).hang_after_effect();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    EXPECT_FALSE(was_open);
    EXPECT_THAT(given.told, ::testing::ElementsAre("bank must_close"));
    at.bank.script().release();
    EXPECT_TRUE(becomes_true([&] { return at.tm->state().live_transactions == 0; }));
    at.expect_rows(1);
}

TEST(Enlist, TheSameHandleTwiceIsANoOp)
{
    lending at;

    at.tx.enlist(*at.accounts, at.mine.get(), at.given.on("again"));
    at.tx.commit();

    EXPECT_THAT(at.given.told, ::testing::ElementsAre("bank keep"));
    EXPECT_EQ(count(at.bank, verb::start), 1);
}

TEST(Enlist, ASecondHandleIsRefusedUnlessAskedFor)
{
    lending at;
    auto const second = at.bank.connect();

    auto const e = thrown_by<assent::error>(
        [&] { at.tx.enlist(*at.accounts, second.get(), at.given.on("second")); });
    EXPECT_EQ(e.code(), errc::invalid_state);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("branch_choice::another"));
    at.tx.enlist(*at.accounts, second.get(),
                 assent::enlist_options<memory_connection*>{at.given.on("second")}.branch(
                     branch_choice::another));
    at.mine->set("a", 1);
    second->set("b", 1);

    EXPECT_EQ(at.tx.commit(), outcome::committed);
    EXPECT_THAT(at.given.told, ::testing::ElementsAre("second keep", "bank keep"));
    EXPECT_EQ(at.tm->state().forces, 1u) << "two branches of one database are two branches";
    at.expect_clean();
}

TEST(Enlist, ALeaseBesideABorrowedHandleIsRefusedToo)
{
    lending at;

    auto const e = thrown_by<assent::error>([&] { at.tx.lease(*at.accounts); });

    EXPECT_EQ(e.code(), errc::invalid_state);
    EXPECT_EQ(at.tx.commit(), outcome::committed);
}

TEST(Enlist, AThrowingEnlistNeverCallsOnRelease)
{
    doors at;
    releases given;
    auto const busy = at.bank.connect();
    busy->begin();
    auto const elsewhere = at.shop.connect();
    auto const unlucky = at.bank.connect();
    auto tx = at.tm->begin();

    auto const is_busy =
        thrown_by<assent::error>([&] { tx.enlist(*at.accounts, busy.get(), given.on("busy")); });
    auto const is_elsewhere = thrown_by<assent::error>(
        [&] { tx.enlist(*at.accounts, elsewhere.get(), given.on("elsewhere")); });
    auto const is_null =
        thrown_by<assent::error>([&] { tx.enlist(*at.accounts, nullptr, given.on("null")); });
    EXPECT_EQ(tx.status(), status::active) << "no byte was sent, nothing is spoiled";
    at.bank.script().on(verb::start).lose_after_effect();
    auto const is_lost = thrown_by<assent::error>(
        [&] { tx.enlist(*at.accounts, unlucky.get(), given.on("unlucky")); });
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    EXPECT_EQ(is_busy.code(), errc::bad_argument);
    EXPECT_THAT(is_busy.what(), ::testing::HasSubstr("a transaction is open on it"));
    EXPECT_THAT(is_elsewhere.what(), ::testing::HasSubstr("another server"));
    EXPECT_EQ(is_null.code(), errc::bad_argument);
    EXPECT_EQ(is_lost.code(), errc::rollback_only);
    EXPECT_THAT(is_lost.what(), ::testing::HasSubstr("must be closed"));
    EXPECT_THAT(given.told, ::testing::IsEmpty());
}

TEST(Join, IsNothingWithoutATransaction)
{
    doors at;
    auto const mine = at.bank.connect();

    EXPECT_EQ(assent::join(*at.tm, *at.accounts, mine.get()), join_result::none);

    mine->set("row", 1);
    EXPECT_EQ(at.bank.value("row"), 1) << "it commits by itself, as before";
}

TEST(Join, JoinsOnceAndOnlyThatOneIsReleased)
{
    doors at;
    releases given;
    auto const mine = at.bank.connect();

    at.tm->run([&](assent::transaction&) {
        EXPECT_EQ(assent::join(*at.tm, *at.accounts, mine.get(), given.on("first")),
                  join_result::joined);
        EXPECT_EQ(assent::join(*at.tm, *at.accounts, mine.get(), given.on("second")),
                  join_result::already);
        mine->set("row", 1);
        EXPECT_EQ(at.bank.value("row"), std::nullopt);
    });

    EXPECT_THAT(given.told, ::testing::ElementsAre("first keep"));
    EXPECT_EQ(at.bank.value("row"), 1);
}

}  // namespace
