// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// expecting_test.cpp -- a database that could not let the transaction commit is found early: before
// it begins, where it is expected to take part, and before anybody is asked to prepare.

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;

assent::begin_options both(world const& at)
{
    return assent::begin_options{}.expect(at.accounts.rm, at.orders.rm);
}

void lose_guardian(site& where)
{
    where.db.script().on(driver_call::heartbeat).fail();
    where.db.script().on(driver_call::guard).times(1000).fail("held by a copy");
}

/// What begin() says, where nothing was begun.
std::string refusal(world& at, assent::begin_options const& how)
{
    auto const before = at.engine->state().live_transactions;
    auto const e = thrown_by<assent::error>([&] { at.begin(how); });
    EXPECT_EQ(e.code(), assent::errc::unavailable);
    EXPECT_EQ(at.engine->state().live_transactions, before);
    return e.what();
}

TEST(Expecting, BeginsWhereEveryDatabaseServes)
{
    world at;

    auto tx = at.begin_work("row", both(at));

    EXPECT_EQ(tx.commit(), outcome::committed);
    at.expect_rows(1);
}

TEST(Expecting, WaitsForNobodyAndNamesTheOneThatWasNotSeenYet)
{
    world at;
    at.restart();  // and nothing was contacted since
    auto const now = at.clock->now();

    EXPECT_THAT(refusal(at, both(at)), ::testing::HasSubstr("\"accounts\" does not serve"));
    EXPECT_EQ(at.clock->now(), now);
    EXPECT_NO_THROW(at.begin()) << "who expects nobody begins at any time";
}

TEST(Expecting, NamesTheOneWhoseGuardianLostItsLock)
{
    world at;
    lose_guardian(at.orders);
    at.run_for(3s);

    EXPECT_THAT(refusal(at, both(at)), ::testing::HasSubstr("\"orders\""));
    EXPECT_NO_THROW(at.begin(assent::begin_options{}.expect(at.accounts.rm)));
}

TEST(Expecting, NamesTheOneFromWhichNoHeartbeatCameForTheLapse)
{
    world at;
    at.clock->pass(at.clock->now() + at.bounds.guardian_lapse);

    EXPECT_THAT(refusal(at, both(at)), ::testing::HasSubstr("the guardian of \"accounts\""));

    at.run_for(1s);
    EXPECT_NO_THROW(at.begin(both(at))) << "once it is heard again";
}

TEST(Expecting, RefusesAStranger)
{
    world at;
    site const other{"other", personality::plain, at.clock, false};

    auto const e =
        thrown_by<assent::error>([&] { at.begin(assent::begin_options{}.expect(other.rm)); });

    EXPECT_EQ(e.code(), assent::errc::bad_argument);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("\"other\" was not added"));
}

TEST(Expecting, AGuardianThatIsGoneIsFoundBeforeAnybodyPrepares)
{
    world at;
    auto tx = at.begin_work();
    lose_guardian(at.orders);  // the second to be asked
    at.run_for(3s);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("the guardian of \"orders\""));
    EXPECT_EQ(at.accounts.count(verb::prepare), 0);
    EXPECT_EQ(at.orders.count(verb::prepare), 0);
    at.expect_rows(std::nullopt);
}

TEST(Expecting, OneThatLapsesWhileTheVotesAreOutIsStillFoundBeforeTheDecision)
{
    world at;
    auto tx = at.begin_work();
    at.orders.db.script().on(verb::prepare).delay(at.bounds.guardian_lapse);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("the guardian of"));
    EXPECT_EQ(at.accounts.count(verb::prepare), 1);
    EXPECT_EQ(at.engine->state().forces, 0u);
    at.run_for(1s);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Expecting, WhoeverHasNoVoteNeedsNoGuardian)
{
    world at;
    auto one_phase = at.begin();
    one_phase.on(at.accounts)->set("row", 1);
    at.engine->lease(*one_phase.tx, at.orders.rm, assent::access::read_only);
    lose_guardian(at.accounts);
    lose_guardian(at.orders);
    at.run_for(3s);

    EXPECT_EQ(one_phase.commit(), outcome::committed);
    EXPECT_EQ(at.accounts.db.value("row"), 1);
}

}  // namespace
