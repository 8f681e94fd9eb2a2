// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reentry_test.cpp -- callbacks that call back: they end, suspend, drop and replace the very
// transaction that is being ended, and the manager over it.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;
using assent::user_transaction;

/// A bound transaction that wrote into both databases.
assent::gtrid begin_work(doors& at, user_transaction& ut)
{
    ut.begin();
    auto& tx = *at.tm->current();
    tx.lease(*at.accounts)->set("row", 1);
    tx.lease(*at.orders)->set("row", 1);
    return tx.id();
}

TEST(Reentry, ABeforeThatEndsItsBoundTransactionIsRefusedAndItStaysBound)
{
    using end = std::function<void(user_transaction&)>;
    end const ends[] = {[](auto& ut) { ut.commit(); }, [](auto& ut) { ut.rollback(); }};
    for (auto const& each : ends) {
        doors at;
        user_transaction ut{*at.tm};
        auto const id = begin_work(at, ut);
        std::optional<errc> inner;
        bool is_still_bound = false;
        at.tm->current()->register_synchronization(
            {[&] {
                 inner = code_of([&] { each(ut); });
                 is_still_bound = at.tm->current() != nullptr && at.tm->current()->id() == id;
             },
             {}});

        EXPECT_EQ(ut.commit(), outcome::committed);

        EXPECT_EQ(inner, errc::invalid_state);
        EXPECT_TRUE(is_still_bound);
        EXPECT_EQ(at.tm->current(), nullptr);
        at.expect_rows(1);
        at.expect_clean();
    }
}

TEST(Reentry, AnAfterThatEndsItsBoundTransactionAgainIsRefused)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    std::optional<errc> inner;
    at.tm->current()->register_synchronization(
        {{}, [&](status) { inner = code_of([&] { ut.rollback(); }); }});

    EXPECT_EQ(ut.commit(), outcome::committed);

    EXPECT_EQ(inner, errc::invalid_state);
    EXPECT_EQ(ut.status(), status::no_transaction);
}

TEST(Reentry, ABeforeThatDropsItsTransactionRollsItBack)
{
    doors at;
    user_transaction ut{*at.tm};
    auto const id = begin_work(at, ut);
    at.tm->current()->register_synchronization({[&] { at.tm->suspend(); }, {}});

    auto const e = thrown_by<assent::rolled_back_error>([&] { ut.commit(); });

    EXPECT_EQ(e.id(), id);
    EXPECT_EQ(at.tm->outcome(id), known_outcome::rolled_back);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Reentry, AnAfterMaySuspendTheEndedTransactionAndRunAnother)
{
    doors at;
    user_transaction ut{*at.tm};
    auto const id = begin_work(at, ut);
    std::optional<errc> resumed;
    std::vector<status> told;
    at.tm->current()->register_synchronization(
        {{}, [&](status) {
             auto ended = at.tm->suspend();
             at.tm->run([&](assent::transaction& tx) { tx.lease(*at.accounts)->set("next", 1); });
             resumed = code_of([&] { at.tm->resume(std::move(ended)); });
         }});
    at.tm->current()->register_synchronization({{}, [&](status now) { told.push_back(now); }});
    at.bank.script().on(verb::commit).reply(xa_code::heurrb);

    auto const e = thrown_by<assent::heuristic_error>([&] { ut.commit(); });

    EXPECT_EQ(e.id(), id);
    EXPECT_EQ(resumed, errc::invalid_state) << "it has ended";
    EXPECT_EQ(told, std::vector<status>{status::unknown}) << "the rest is called all the same";
    EXPECT_EQ(at.bank.value("next"), 1);
}

TEST(Reentry, WhatAnAfterBeginsInItsPlaceIsLeftAlone)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    at.tm->current()->register_synchronization(
        {{}, [&](status) {
             at.tm->suspend();
             ut.begin();
             at.tm->current()->lease(*at.accounts)->set("next", 1);
         }});

    EXPECT_EQ(ut.commit(), outcome::committed);

    EXPECT_EQ(ut.status(), status::active);
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(at.bank.value("next"), 1);
}

TEST(Reentry, AReleaseThatEndsTheTransactionIsRefused)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    auto const lent = at.bank.connect();
    std::optional<errc> inner;
    at.tm->current()->enlist(*at.accounts, lent.get(), [&](void*, assent::release) {
        inner = code_of([&] { ut.rollback(); });
    });
    lent->set("row", 1);

    EXPECT_EQ(ut.commit(), outcome::committed);

    EXPECT_EQ(inner, errc::invalid_state);
    EXPECT_EQ(at.bank.value("row"), 1);
}

TEST(Reentry, ACallbackMayDropTheManager)
{
    for (bool const is_before : {true, false}) {
        doors at;
        auto tx = at.begin_work();
        auto const drop = [&] { at.tm.reset(); };
        if (is_before) {
            tx.register_synchronization({drop, {}});
            EXPECT_THROW(tx.commit(), assent::rolled_back_error);
        } else {
            tx.register_synchronization({{}, [&](status) { drop(); }});
            EXPECT_EQ(tx.commit(), outcome::committed);
        }
        at.expect_rows(is_before ? std::nullopt : std::optional<std::int64_t>{1});
    }
}

TEST(Reentry, WorkThatEndsItsTransactionThroughTheOtherDoorIsToldSo)
{
    doors at;
    int calls = 0;

    auto const e = thrown_by<assent::error>([&] {
        at.tm->run([&](assent::transaction& tx) {
            ++calls;
            tx.lease(*at.accounts)->set("row", 1);
            user_transaction{*at.tm}.commit();
        });
    });

    EXPECT_EQ(e.code(), errc::invalid_state);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("ended its transaction itself"));
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(at.bank.value("row"), 1);
}

TEST(Reentry, WorkThatPutsAnotherTransactionInPlaceOfItsOwnCommitsNeither)
{
    doors at;
    user_transaction{*at.tm}.begin();
    at.tm->current()->lease(*at.accounts)->set("other", 1);
    auto other = at.tm->suspend();
    auto const other_id = other->id();
    assent::suspended_transaction own;

    auto const code = code_of([&] {
        at.tm->run([&](assent::transaction& tx) {
            tx.lease(*at.orders)->set("own", 1);
            own = at.tm->suspend();
            at.tm->resume(std::move(other));
        });
    });

    EXPECT_EQ(code, errc::invalid_state);
    ASSERT_NE(at.tm->current(), nullptr);
    EXPECT_EQ(at.tm->current()->id(), other_id) << "it is not the run's to end";
    EXPECT_EQ(at.bank.value("other"), std::nullopt);
    EXPECT_EQ(user_transaction{*at.tm}.commit(), outcome::committed);
    EXPECT_EQ(own->rollback(), outcome::rolled_back);
    EXPECT_EQ(at.bank.value("other"), 1);
    EXPECT_EQ(at.shop.value("own"), std::nullopt);
}

}  // namespace
