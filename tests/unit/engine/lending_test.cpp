// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lending_test.cpp -- leases from the application's own pool: what is acquired is given back, once,
// with the truth, whatever fails.

#include <thread>

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;
using assent::release;
using assent::testing::memory_connection;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// An application's pool of one connection to "accounts", and an engine that leases from it.
struct lender
{
    explicit lender(personality acts_as = personality::plain)
        : accounts("accounts", acts_as, clock, false),
          orders("orders", acts_as, clock, false),
          engine(std::make_shared<assent::engine::engine>(
              world::quick(), seen, assent::testing::open_on(disk, 1), *clock))
    {
        connection = accounts.db.connect();
        assent::connection_source<memory_connection*> pool;
        pool.acquire = [this](assent::deadline until) {
            ++acquired;
            asked_until = until;
            if (on_acquire) on_acquire();
            return has_none ? nullptr : connection.get();
        };
        pool.give_back = [this](memory_connection* handle, release what) {
            EXPECT_EQ(handle, connection.get());
            EXPECT_EQ(std::this_thread::get_id(), owner) << "on the owner's own thread";
            given_back.push_back(what);
            if (on_give_back) on_give_back();
        };
        accounts.rm = accounts.rm.leases_from(pool);
        engine->add(accounts.rm);
        engine->add(orders.rm);
        for (auto const& each : engine->keepers())
            each->step();
    }
    transaction begin(assent::begin_options const& how = {}) { return {engine, how}; }
    transaction begin_work()
    {
        auto tx = begin();
        tx.on(accounts)->set("row", 1);
        tx.on(orders)->set("row", 1);
        return tx;
    }
    assent::error refused_lease(transaction& tx)
    {
        return thrown_by<assent::error>([&] { tx.on(accounts); });
    }

    std::shared_ptr<fake_clock> const clock = std::make_shared<fake_clock>();
    std::shared_ptr<recorder> const seen = std::make_shared<recorder>();
    std::shared_ptr<assent::testing::simulated_disk> const disk =
        std::make_shared<assent::testing::simulated_disk>();
    site accounts;
    site orders;
    std::shared_ptr<assent::engine::engine> const engine;

    std::unique_ptr<memory_connection> connection;
    std::function<void()> on_acquire;
    std::function<void()> on_give_back;
    bool has_none = false;
    int acquired = 0;
    assent::deadline asked_until{};
    std::vector<release> given_back;
    std::thread::id const owner = std::this_thread::get_id();
};

TEST(Lending, ALeaseIsTheApplicationsOwnConnectionAndGoesBackOnce)
{
    for (bool const is_commit : {true, false}) {
        lender at;
        auto tx = at.begin_work();
        EXPECT_EQ(tx.on(at.accounts), at.connection.get()) << "a second lease is the same one";
        EXPECT_EQ(at.asked_until, tx.tx->until);
        EXPECT_THAT(at.given_back, IsEmpty());

        is_commit ? tx.commit() : tx.rollback();

        EXPECT_EQ(at.acquired, 1);
        EXPECT_THAT(at.given_back, ElementsAre(release::keep));
        EXPECT_NO_THROW(at.connection->set("next", 1));
        EXPECT_EQ(at.accounts.db.value("row").has_value(), is_commit);
        EXPECT_THAT(at.accounts.db.violations(), IsEmpty());
    }
}

TEST(Lending, ALeaseIsDeadAfterItsTransaction)
{
    lender at;
    auto tx = at.begin();
    auto const lease = at.engine->lease(*tx.tx, at.accounts.rm);
    tx.rollback();

    EXPECT_EQ(thrown_by<assent::error>([&] { lease->handle(); }).code(), assent::errc::lease_ended);
}

TEST(Lending, APoolThatThrowsSomethingElseThanAnExceptionIsUnavailable)
{
    lender at;
    at.on_acquire = [] { throw 42; };
    auto tx = at.begin();

    auto const e = at.refused_lease(tx);

    EXPECT_EQ(e.code(), assent::errc::unavailable);
    EXPECT_THAT(e.what(), HasSubstr("no std::exception"));
    EXPECT_THAT(at.given_back, IsEmpty());
    at.on_acquire = nullptr;
    at.on_give_back = [] { throw 42; };
    tx.on(at.accounts)->set("row", 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(at.given_back, ElementsAre(release::keep));
}

TEST(Lending, WhatAcquireThrowsFailsTheLeaseAndNothingIsGivenBack)
{
    lender at;
    at.on_acquire = [] { throw std::runtime_error{"the pool is empty"}; };
    auto tx = at.begin();

    auto const e = at.refused_lease(tx);

    EXPECT_EQ(e.code(), assent::errc::unavailable);
    EXPECT_THAT(e.what(), HasSubstr("\"accounts\": its connection source: the pool is empty"));
    EXPECT_THAT(at.given_back, IsEmpty());
    at.on_acquire = nullptr;
    tx.on(at.accounts)->set("row", 1);
    EXPECT_EQ(tx.commit(), outcome::committed) << "no branch began, so another try may work";
}

TEST(Lending, NoConnectionIsAnErrorByName)
{
    lender at;
    at.has_none = true;
    auto tx = at.begin();

    EXPECT_THAT(at.refused_lease(tx).what(), HasSubstr("gave no connection"));
    EXPECT_THAT(at.given_back, IsEmpty());
}

TEST(Lending, AConnectionThatIsNotIdleIsRefusedAndMustBeClosed)
{
    lender at;
    at.connection->begin();
    auto tx = at.begin();

    auto const e = at.refused_lease(tx);

    EXPECT_EQ(e.code(), assent::errc::unavailable);
    EXPECT_THAT(at.given_back, ElementsAre(release::must_close));
    EXPECT_TRUE(at.connection->is_open()) << "it is its owner's to close";
    EXPECT_THAT(at.accounts.db.violations(), IsEmpty());
}

TEST(Lending, AConnectionOfAnotherServerIsRefusedAndMustBeClosed)
{
    lender at;
    at.connection = at.orders.db.connect();
    auto tx = at.begin();

    EXPECT_EQ(at.refused_lease(tx).code(), assent::errc::unavailable);

    EXPECT_THAT(at.given_back, ElementsAre(release::must_close));
}

TEST(Lending, ABranchThatDoesNotStartGivesItBackAtOnce)
{
    for (bool const is_silent : {true, false}) {
        lender at;
        if (is_silent) {
            at.accounts.db.script().on(verb::start).hang();
        } else {
            at.accounts.db.script().on(verb::start).lose_before_effect();
        }
        auto tx = at.begin(assent::begin_options{}.timeout(1s));

        EXPECT_EQ(at.refused_lease(tx).code(), assent::errc::rollback_only);

        EXPECT_THAT(at.given_back, ElementsAre(release::must_close));
        EXPECT_FALSE(at.connection->is_open());
        tx.rollback();
        EXPECT_EQ(at.given_back.size(), 1u) << "once";
    }
}

TEST(Lending, ALostReplyMeansThatItMustBeClosed)
{
    lender at;
    auto tx = at.begin_work();
    at.accounts.db.script().on(verb::commit).lose_after_effect();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    EXPECT_THAT(at.given_back, ElementsAre(release::must_close));
}

TEST(Lending, ADroppedTransactionGivesItBackToo)
{
    lender at;
    auto tx = at.begin_work();

    at.engine->end(*tx.tx, assent::engine::intent::destroy);

    EXPECT_THAT(at.given_back, ElementsAre(release::keep));
    EXPECT_EQ(at.accounts.db.value("row"), std::nullopt);
}

TEST(Lending, WhatGiveBackThrowsIsToldAndChangesNothing)
{
    lender at;
    at.on_give_back = [] { throw std::runtime_error{"a broken pool"}; };
    auto tx = at.begin_work();

    EXPECT_EQ(tx.commit(), outcome::committed);

    at.connection->begin();  // unfit, so the next lease gives it back at once
    auto next = at.begin();
    EXPECT_EQ(at.refused_lease(next).code(), assent::errc::unavailable);
    EXPECT_EQ(at.seen->count("on_release.threw"), 2);
    EXPECT_EQ(at.given_back.size(), 2u);
}

TEST(Lending, AConnectionThatIsEnlistedAlreadyIsRefusedAndStaysWhereItIs)
{
    lender at;
    auto tx = at.begin();
    int released = 0;
    at.engine->enlist(
        *tx.tx, at.orders.rm, at.orders.db.connect().release(),
        [&](void* handle, release) {
            ++released;
            delete static_cast<memory_connection*>(handle);
        },
        assent::branch_choice::one_per_resource_manager);
    at.connection.reset(static_cast<memory_connection*>(tx.tx->branches.front()->handle));

    EXPECT_EQ(at.refused_lease(tx).code(), assent::errc::bad_argument);

    EXPECT_THAT(at.given_back, IsEmpty());
    static_cast<void>(at.connection.release());  // the branch's own release closes it
    tx.rollback();
    EXPECT_EQ(released, 1);
}

TEST(Lending, ItIsNoBusinessOfTheManagersPool)
{
    lender at;
    auto tx = at.begin_work();

    auto const now = at.engine->state().resource_managers.at(0);

    EXPECT_EQ(now.sessions_max, 0u);
    EXPECT_EQ(now.sessions_leased, 0u);
    tx.commit();
    EXPECT_EQ(at.engine->state().resource_managers.at(0).sessions_idle, 0u);
}

TEST(Lending, ASourceHasTwoFunctions)
{
    lender at;
    assent::connection_source<memory_connection*> half;
    half.acquire = [](assent::deadline) { return nullptr; };

    EXPECT_THROW(at.accounts.rm.leases_from(half), assent::driver_error);
}

}  // namespace
