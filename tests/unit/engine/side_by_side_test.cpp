// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// side_by_side_test.cpp -- several leases in one call: all starts are sent before one is answered,
// and each is what lease() alone would have given.

#include <set>

#include "tests/unit/engine/row_fixture.hpp"

namespace {

using namespace engine_test;
using assent::access;
using assent::testing::memory_connection;
using ::testing::HasSubstr;

std::vector<memory_connection*> lease_all(world& at, transaction& tx,
                                          std::vector<assent::resource_manager const*> const& from,
                                          access how = access::read_write)
{
    std::vector<memory_connection*> all;
    for (auto const& each : at.engine->lease(*tx.tx, from, how))
        all.push_back(static_cast<memory_connection*>(each->handle()));
    return all;
}

std::vector<memory_connection*> lease_both(world& at, transaction& tx)
{
    return lease_all(at, tx, {&at.accounts.rm, &at.orders.rm});
}

/// Both pools have an idle session afterwards.
void open_sessions(world& at)
{
    auto tx = at.begin();
    lease_both(at, tx);
    tx.rollback();
}

/// A start that the server refuses, for whoever it comes from.
void refuse_starts(site& at, unsigned times)
{
    assent::reply no;
    no.code = xa_code::rmerr;
    no.text = "not now";
    at.db.script().on(verb::start).times(times).reply_without_effect(no);
}

/// One more database, which cannot prepare.
struct unprepared
{
    unprepared(world& at, std::string const& name) : db(options_for(at)), rm(name, db)
    {
        at.engine->add(rm);
        at.step();
    }
    static assent::testing::memory_options options_for(world& at)
    {
        auto chosen = site::options_for(personality::plain, at.clock, false);
        chosen.is_two_phase = false;
        return chosen;
    }
    assent::testing::memory_database db;
    assent::testing::memory_resource_manager rm;
};

TEST(SideBySide, AllStartsAreSentBeforeOneIsAnswered)
{
    world at;
    std::string order;
    at.seen->on_event = [&order](assent::event const& what) {
        if (what.name == "branch.start") order += "sent ";
        if (what.name == "branch.start.reply") order += "answered ";
    };
    auto tx = at.begin();

    auto const both = lease_both(at, tx);

    EXPECT_EQ(order, "sent sent answered answered ");
    both[0]->set("row", 1);
    both[1]->set("row", 1);
    EXPECT_EQ(tx.branch(0).branch.parts().branch, 1);
    EXPECT_EQ(tx.branch(1).branch.parts().branch, 2);
    EXPECT_EQ(tx.commit(), outcome::committed);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(SideBySide, WhatIsLeasedAlreadyIsGivenAgain)
{
    world at;
    auto tx = at.begin();
    auto* const orders = tx.on(at.orders);

    auto const both = lease_both(at, tx);
    auto const thrice = lease_all(at, tx, {&at.orders.rm, &at.orders.rm, &at.accounts.rm});

    EXPECT_EQ(both[1], orders);
    EXPECT_EQ(thrice[0], orders);
    EXPECT_EQ(thrice[1], orders);
    EXPECT_EQ(thrice[2], both[0]);
    EXPECT_EQ(tx.tx->branches.size(), 2u);
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    at.expect_clean();
}

TEST(SideBySide, WhatIsNamedTwiceGetsOneBranch)
{
    world at;
    auto tx = at.begin();

    auto const twice = lease_all(at, tx, {&at.orders.rm, &at.orders.rm});

    EXPECT_EQ(twice[0], twice[1]);
    EXPECT_EQ(tx.tx->branches.size(), 1u);
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
}

TEST(SideBySide, OneThatIsRefusedLeavesTheOthersToTheRollback)
{
    world at;
    for (site* const refusing : {&at.accounts, &at.orders}) {
        open_sessions(at);
        refuse_starts(*refusing, 2);  // of the one that was idle, and of a new one
        auto tx = at.begin();

        auto const e = thrown_by<assent::error>([&] { lease_both(at, tx); });

        EXPECT_EQ(e.code(), assent::errc::rollback_only);
        EXPECT_THAT(e.what(), HasSubstr('"' + refusing->name + "\" did not start a branch"));
        EXPECT_EQ(tx.tx->branches.size(), 1u) << "the other one takes part";
        EXPECT_EQ(tx.rollback(), outcome::rolled_back);
        at.run_for(100ms);
        at.expect_clean();
    }
}

TEST(SideBySide, WhereOneIsUnavailableNothingIsBegunAndTheSessionsOfTheOthersAreKept)
{
    world at;
    auto before = at.begin();
    auto const idle = before.on(at.accounts)->id();
    before.rollback();
    auto const starts = at.accounts.count(verb::start);
    at.orders.db.script().on(driver_call::connect).fail();
    auto tx = at.begin();

    EXPECT_EQ(thrown_by<assent::error>([&] { lease_both(at, tx); }).code(),
              assent::errc::unavailable);

    EXPECT_EQ(at.accounts.count(verb::start), starts);
    EXPECT_TRUE(tx.tx->branches.empty());
    EXPECT_EQ(at.state_of(at.accounts).sessions_idle, 1u);
    EXPECT_EQ(at.state_of(at.accounts).sessions_leased, 0u);
    auto const both = lease_both(at, tx);
    EXPECT_EQ(both[0]->id(), idle);
    both[0]->set("row", 1);
    both[1]->set("row", 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    at.expect_rows(1);
    at.expect_clean();
}

/// A pool that is full until the deadline says nothing of the sessions of the others.
TEST(SideBySide, ADeadlineThatPassesWhileASeatIsWaitedForClosesNoSession)
{
    auto bounds = world::quick();
    bounds.pooled_sessions_max = 2;
    world at{personality::plain, bounds};
    auto first = at.begin();
    auto second = at.begin();
    lease_both(at, first);
    lease_both(at, second);
    auto const idle = first.on(at.accounts)->id();
    first.rollback();
    auto third = at.begin();
    third.on(at.orders);
    auto late = at.begin(assent::begin_options{}.timeout(2s));

    EXPECT_EQ(thrown_by<assent::error>([&] { lease_both(at, late); }).code(),
              assent::errc::exhausted);

    EXPECT_EQ(late.rollback(), outcome::rolled_back);
    auto next = at.begin();
    EXPECT_EQ(next.on(at.accounts)->id(), idle);
    for (auto* const each : {&second, &third, &next})
        each->rollback();
    at.expect_clean();
}

TEST(SideBySide, AFirstThatIsUnavailableLeavesNothingBehind)
{
    world at;
    at.accounts.db.script().on(driver_call::connect).fail();
    auto tx = at.begin();

    EXPECT_EQ(thrown_by<assent::error>([&] { lease_both(at, tx); }).code(),
              assent::errc::unavailable);

    EXPECT_TRUE(tx.tx->branches.empty());
    EXPECT_TRUE(tx.tx->places.empty());
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
}

TEST(SideBySide, ASessionThatDiedIdleIsReplaced)
{
    for (bool const is_first : {true, false}) {
        world at;
        auto before = at.begin();
        auto const idle = lease_both(at, before);
        auto const dead = is_first ? idle[0]->id() : idle[1]->id();
        before.rollback();
        refuse_starts(is_first ? at.accounts : at.orders, 1);
        auto tx = at.begin();

        auto const both = lease_both(at, tx);

        EXPECT_NE((is_first ? both[0] : both[1])->id(), dead);
        EXPECT_EQ(at.seen->count("pool.session_replaced"), 1);
        both[0]->set("row", 1);
        both[1]->set("row", 1);
        EXPECT_EQ(tx.commit(), outcome::committed);
        at.expect_rows(1);
        at.expect_clean();
    }
}

/// A silent one is waited for as long as it would be alone.
TEST(SideBySide, ASilentSessionIsReplacedWithinTheTransactionsTime)
{
    auto bounds = world::quick();
    bounds.server_call = 1s;
    world at{personality::plain, bounds};
    auto before = at.begin();
    auto const idle = lease_both(at, before);
    auto const silent = idle[0]->id();
    before.rollback();
    at.accounts.db.script().on(verb::start).session(silent).hang();
    auto const asked = at.clock->now();
    auto tx = at.begin();

    auto const both = lease_both(at, tx);

    EXPECT_NE(both[0]->id(), silent);
    EXPECT_EQ(at.clock->now() - asked, 1s);
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    at.accounts.db.script().release();
}

TEST(SideBySide, TwoThatCannotPrepareAreNotTakenTogether)
{
    world at;
    unprepared const files{at, "files"};
    unprepared const notes{at, "notes"};
    auto tx = at.begin();

    auto const e = thrown_by<assent::error>([&] {
        lease_all(at, tx, {&files.rm, &notes.rm, &at.orders.rm});
    });

    EXPECT_EQ(e.code(), assent::errc::invalid_state);
    EXPECT_THAT(e.what(), HasSubstr("\"files\" cannot prepare"));
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
}

TEST(SideBySide, WhatCannotPrepareHoldsTheRowOfTheOthers)
{
    world at;
    unprepared const files{at, "files"};
    auto const by_row = assent::begin_options{}.commit_row(files.rm);
    at.begin(by_row).rollback();  // who wants the table first makes it
    at.step();
    auto tx = at.begin(by_row);

    for (auto* const each : lease_all(at, tx, {&files.rm, &at.accounts.rm, &at.orders.rm}))
        each->set("row", 1);

    EXPECT_EQ(tx.commit(), outcome::committed);
    at.expect_rows(1);
    EXPECT_EQ(files.db.value("row"), 1);
    at.expect_clean();
}

/// A world with more databases, and all their resource managers.
struct many
{
    explicit many(std::size_t count)
    {
        all = {&at.accounts.rm, &at.orders.rm};
        while (all.size() < count) {
            auto& one = more.emplace_back(std::make_unique<site>(
                "db" + std::to_string(all.size()), personality::plain, at.clock, false));
            at.engine->add(one->rm);
            all.push_back(&one->rm);
        }
        at.step();
    }
    ~many() { at.engine.reset(); }  // before the databases

    world at;
    std::vector<std::unique_ptr<site>> more;
    std::vector<assent::resource_manager const*> all;
};

TEST(SideBySide, SixtyFourBranchesAreTheMostThatAreBegun)
{
    many in{65};
    auto tx = in.at.begin();

    auto const e = thrown_by<assent::error>([&] { lease_all(in.at, tx, in.all); });

    EXPECT_EQ(e.code(), assent::errc::bad_argument) << e.what();
    EXPECT_TRUE(tx.tx->branches.empty());
    in.all.pop_back();
    EXPECT_EQ(lease_all(in.at, tx, in.all).size(), 64u);
    EXPECT_NO_THROW(tx.on(in.at.accounts)) << "it is leased";
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
}

/// Two branches of one transaction that had one name would be one branch to their database.
TEST(SideBySide, NumbersAreNotGivenTwice)
{
    many in{4};
    for (std::size_t refusing = 0; refusing < in.all.size(); ++refusing) {
        auto before = in.at.begin();
        lease_all(in.at, before, in.all);
        before.rollback();
        refuse_starts(refusing == 0   ? in.at.accounts
                      : refusing == 1 ? in.at.orders
                                      : *in.more[refusing - 2],
                      1);  // of the session that is idle
        auto tx = in.at.begin();

        lease_all(in.at, tx, in.all);

        std::set<unsigned> numbers;
        for (auto const& each : tx.tx->branches)
            numbers.insert(each->id.branch.parts().branch);
        EXPECT_EQ(numbers.size(), in.all.size());
        EXPECT_EQ(*numbers.rbegin(), in.all.size() + 1) << "and none of a start that was refused";
        tx.rollback();
    }
}

TEST(SideBySide, AnEndedTransactionLeasesNothingNotEvenNone)
{
    world at;
    auto tx = at.begin();
    tx.rollback();

    auto const e = thrown_by<assent::error>([&] { lease_all(at, tx, {}); });

    EXPECT_EQ(e.code(), assent::errc::invalid_state);
}

}  // namespace
