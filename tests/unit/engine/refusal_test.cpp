// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// refusal_test.cpp -- what an engine will not do, said by name.

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;

TEST(Refusal, BeginAfterCloseAndAddAfterClose)
{
    world at;
    at.engine->close(at.clock->now());

    EXPECT_EQ(thrown_by<assent::error>([&] { at.begin(); }).code(), assent::errc::closed);
    assent::testing::memory_resource_manager late{"late", at.accounts.db};
    EXPECT_EQ(thrown_by<assent::error>([&] { at.engine->add(late); }).code(), assent::errc::closed);
    EXPECT_FALSE(at.engine->state().is_accepting);
}

TEST(Refusal, ANegativeDeadline)
{
    world at;

    auto const e =
        thrown_by<assent::error>([&] { at.begin(assent::begin_options{}.timeout(-1ms)); });

    EXPECT_EQ(e.code(), assent::errc::bad_argument);
}

TEST(Refusal, AResourceManagerThatWasNotAddedHere)
{
    world at;
    auto tx = at.begin();
    assent::testing::memory_database other;
    assent::testing::memory_resource_manager stranger{"stranger", other};
    assent::testing::memory_resource_manager same_name{"accounts", other};

    for (auto const& rm : {stranger, same_name}) {
        auto const e = thrown_by<assent::error>([&] { at.engine->lease(*tx.tx, rm); });
        EXPECT_EQ(e.code(), assent::errc::bad_argument);
    }

    EXPECT_EQ(tx.tx->status, status::active) << "a mistake spoils nothing";
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST(Refusal, ALeaseWhileTheDatabaseDoesNotServeNamesWhatItWaitsFor)
{
    world at;
    at.accounts.db.crash_server();
    at.accounts.db.script().on(driver_call::heartbeat).times(100).fail();
    at.run_for(10s);
    auto tx = at.begin(assent::begin_options{}.timeout(2s));
    auto const before = at.clock->now();

    auto const e = thrown_by<assent::error>([&] { tx.on(at.accounts); });

    EXPECT_EQ(e.code(), assent::errc::unavailable);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("\"accounts\" does not serve"));
    EXPECT_THAT(e.what(), ::testing::HasSubstr("down"));
    EXPECT_EQ(at.clock->now() - before, 2s) << "within the transaction's own deadline";
}

TEST(Refusal, ALeaseBeforeTheGuardianHasItsLockOrTheFirstScanIsDone)
{
    for (auto const missing : {driver_call::guard, driver_call::scan}) {
        world at;
        at.crash();
        at.accounts.db.script().on(missing).times(1000).fail("not now");
        at.open();
        at.run_for(1s);
        auto tx = at.begin(assent::begin_options{}.timeout(1s));

        auto const e = thrown_by<assent::error>([&] { tx.on(at.accounts); });

        EXPECT_EQ(e.code(), assent::errc::unavailable);
        EXPECT_THAT(e.what(), ::testing::HasSubstr("not now"));
    }
}

TEST(Refusal, MoreBranchesThanADecisionHolds)
{
    world at;
    auto tx = at.begin();
    std::vector<std::unique_ptr<assent::testing::memory_connection>> many;
    many.reserve(65);
    for (int i = 0; i < 65; ++i)
        many.push_back(at.accounts.db.connect());
    for (int i = 0; i < 64; ++i) {
        at.engine->enlist(*tx.tx, at.accounts.rm, many[static_cast<std::size_t>(i)].get(), {},
                          assent::branch_choice::another);
    }

    auto const e = thrown_by<assent::error>([&] {
        at.engine->enlist(*tx.tx, at.accounts.rm, many[64].get(), {},
                          assent::branch_choice::another);
    });

    EXPECT_EQ(e.code(), assent::errc::bad_argument);
    for (auto const& each : many)
        if (each != many[64]) each->set("row " + std::to_string(each->id()), 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    at.expect_clean();
}

}  // namespace
