// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// borrowed_test.cpp -- the application's own connections: cut within the call that ends the
// transaction wherever a branch may still be attached, never closed, and given back with the truth.

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;
using assent::testing::disk_fault;

/// A transaction over a lent connection of "accounts" and a lease of "orders".
struct lent_work
{
    explicit lent_work(world& where) : tx(where.begin()), lent(where.accounts.db.connect())
    {
        where.engine->enlist(
            *tx.tx, where.accounts.rm, lent.get(),
            [this](void* handle, assent::release what) {
                EXPECT_EQ(handle, lent.get());
                EXPECT_FALSE(released) << "once";
                released = what;
            },
            assent::branch_choice::one_per_resource_manager);
        lent->set("row", 1);
        tx.on(where.orders)->set("row", 1);
    }

    transaction tx;
    std::unique_ptr<assent::testing::memory_connection> const lent;
    std::optional<assent::release> released;
};

TEST(Borrowed, IsKeptWhereItsBranchEndedWell)
{
    for (bool const is_commit : {true, false}) {
        world at;
        lent_work work{at};

        is_commit ? work.tx.commit() : work.tx.rollback();

        EXPECT_EQ(work.released, assent::release::keep);
        EXPECT_NO_THROW(work.lent->set("next", 1));
        at.expect_clean();
    }
}

TEST(Borrowed, IsCutWhereTheServerKeepsThePreparedBranchForIt)
{
    world at{personality::mariadb};
    lent_work work{at};
    assent::reply busy;
    busy.code = xa_code::retry;
    busy.detail = assent::reply_detail::busy;
    at.accounts.db.script().on(verb::commit).reply_without_effect(busy);

    EXPECT_EQ(work.tx.commit(), outcome::committed_pending);

    EXPECT_EQ(work.released, assent::release::must_close);
    EXPECT_FALSE(work.lent->is_open()) << "while it is, nobody else can commit";
    at.run_for(at.bounds.detach_settle + 1s);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Borrowed, IsCutWhereNobodyKnowsTheDecision)
{
    world at{personality::mariadb};
    lent_work work{at};
    at.disk->fail_call(1, {EIO, disk_fault::effect::none});

    EXPECT_THROW(work.tx.commit(), assent::in_doubt_error);

    EXPECT_EQ(work.released, assent::release::must_close);
    EXPECT_FALSE(work.lent->is_open()) << "while it is, recovery cannot finish the branch";
}

TEST(Borrowed, IsCutWhereItsRollbackIsNotConfirmed)
{
    world at;
    lent_work work{at};
    assent::reply strange;
    strange.code = xa_code::rmerr;
    at.accounts.db.script().on(verb::rollback).reply_without_effect(strange);

    EXPECT_EQ(work.tx.rollback(), outcome::rolled_back);

    EXPECT_EQ(work.released, assent::release::must_close);
    EXPECT_FALSE(work.lent->is_open());
    at.run_for(1s);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    auto const other = at.accounts.db.connect();
    EXPECT_NO_THROW(other->set("row", 2)) << "its locks are gone, whenever its owner closes it";
}

TEST(Borrowed, IsCutWhenItsBranchDoesNotStartInTime)
{
    world at;
    auto tx = at.begin(assent::begin_options{}.timeout(1s));
    auto const lent = at.accounts.db.connect();
    at.accounts.db.script().on(verb::start).hang();

    auto const e = thrown_by<assent::error>([&] {
        at.engine->enlist(
            *tx.tx, at.accounts.rm, lent.get(),
            [](void*, assent::release) { ADD_FAILURE() << "it was not enlisted"; },
            assent::branch_choice::one_per_resource_manager);
    });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("must be closed"));
    EXPECT_FALSE(lent->is_open());
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
}

TEST(Borrowed, IsNotKeptWhereItLeftItsBranch)
{
    world at;
    lent_work work{at};
    work.lent->commit();  // the application's own, behind the manager's back

    EXPECT_THROW(work.tx.commit(), assent::heuristic_error);

    EXPECT_EQ(work.released, assent::release::must_close);
}

TEST(Borrowed, IsNotKeptOnceItWasCancelled)
{
    world at;
    auto tx = at.begin(assent::begin_options{}.timeout(1s));
    auto const lent = at.accounts.db.connect();
    std::optional<assent::release> released;
    at.engine->enlist(
        *tx.tx, at.accounts.rm, lent.get(), [&](void*, assent::release what) { released = what; },
        assent::branch_choice::one_per_resource_manager);
    at.run_for(1100ms);  // cancelled, and its session is not ended yet
    ASSERT_TRUE(lent->is_open());

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    EXPECT_EQ(released, assent::release::must_close);
    EXPECT_FALSE(lent->is_open()) << "a cancel that comes late must not hit the next statement";
}

}  // namespace
