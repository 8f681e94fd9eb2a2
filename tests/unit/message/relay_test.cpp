// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// relay_test.cpp -- a relay between a database in memory and a broker of one process.

#include <assent/relay.hpp>

#include <thread>

#include "tests/unit/message/message_fixture.hpp"
#include "tests/unit/message/shelf.hpp"

namespace {

using namespace message_test;
using namespace std::chrono_literals;
using assent::driver_error;
using assent::message::relay;
using assent::message::relay_options;
using assent::message::relay_trouble;
using assent::testing::driver_call;
using assent::testing::shelf;

auto soon()
{
    return std::chrono::steady_clock::now() + 5s;
}

class Relays : public queues
{
protected:
    relay_options carrying()
    {
        return relay_options{}.carries("jobs").on_trouble(
            [this](relay_trouble const& what) { told.push_back(what); });
    }

    shelf broker;
    std::vector<relay_trouble> told;
};

TEST_F(Relays, CarryWhatWasCommittedInOrderOfItsKey)
{
    relay out{*at.accounts, broker, carrying()};
    EXPECT_EQ(out.step(soon()), 0u);
    for (auto const* const body : {"1", "2", "3"})
        commit_put(body, "account 7");
    {
        auto tx = at.tm->begin();
        at_bank.put(tx, {"jobs", "account 7", "rolled back"});
        tx.rollback();
    }

    EXPECT_EQ(out.step(soon()), 3u);
    EXPECT_THAT(broker.bodies(), ElementsAre("1", "2", "3"));
    ASSERT_EQ(broker.received().size(), 1u);
    EXPECT_THAT(broker.received().begin()->second, ElementsAre("1", "2", "3"));
    EXPECT_THAT(bodies(at.bank), IsEmpty());
    EXPECT_EQ(out.kept(), 3u);
    EXPECT_EQ(out.step(soon()), 0u);
}

TEST_F(Relays, SayWhatTheMessageIs)
{
    auto tx = at.tm->begin();
    at_bank.put(tx, {"jobs", "k", std::string{"a\0b", 3}, {{"colour", "red\n"}}});
    auto const gtrid = tx.id();
    ASSERT_EQ(tx.commit(), outcome::committed);
    relay out{*at.accounts, broker, carrying()};
    ASSERT_EQ(out.step(soon()), 1u);

    auto const& came = broker.all.at(0);
    EXPECT_EQ(came.at.to, "jobs");
    EXPECT_EQ(came.at.previous, assent::message::position_zero);
    EXPECT_EQ(came.key, "k");
    EXPECT_EQ(came.body, std::string("a\0b", 3));
    EXPECT_EQ(came.gtrid, gtrid.text());
    EXPECT_EQ(came.id.size(), 32u);
    EXPECT_EQ(came.window, 256u);
    ASSERT_EQ(came.headers.size(), 1u);
    EXPECT_EQ(came.headers[0], (std::pair<std::string, std::string>{"colour", "red\n"}));
}

TEST_F(Relays, CarryTheirDestinationsAndNoOther)
{
    commit_put("mine");
    auto tx = at.tm->begin();
    at_bank.put(tx, {"others", "", "not mine"});
    ASSERT_EQ(tx.commit(), outcome::committed);
    relay out{*at.accounts, broker, carrying()};
    EXPECT_EQ(out.step(soon()), 1u);
    EXPECT_THAT(bodies(at.bank), ElementsAre("not mine"));
}

TEST_F(Relays, SendAgainWhatWasNotAnsweredUnderTheSamePlaces)
{
    for (auto const* const body : {"1", "2"})
        commit_put(body, "k");
    broker.is_silent = true;
    {
        relay out{*at.accounts, broker, carrying()};
        EXPECT_THROW(out.step(soon()), driver_error);
    }
    broker.is_silent = false;
    commit_put("3", "k");
    relay next{*at.accounts, broker, carrying()};
    EXPECT_EQ(next.step(soon()), 2u);
    EXPECT_EQ(next.step(soon()), 1u);

    EXPECT_THAT(broker.bodies(), ElementsAre("1", "2", "1", "2", "3"));
    EXPECT_EQ(broker.all[0].at.position, broker.all[2].at.position);
    EXPECT_EQ(broker.all[0].id, broker.all[2].id);
    EXPECT_THAT(broker.received().begin()->second, ElementsAre("1", "2", "3"));
    EXPECT_THAT(bodies(at.bank), IsEmpty());
}

TEST_F(Relays, DeleteWhatWasKeptBeforeTheConnectionWasCut)
{
    for (auto const* const body : {"1", "2", "3"})
        commit_put(body, "k");
    broker.cut_after = 2;
    relay out{*at.accounts, broker, carrying()};
    EXPECT_THROW(out.step(soon()), driver_error);
    EXPECT_THAT(bodies(at.bank), ElementsAre("3"));
    EXPECT_EQ(out.step(soon()), 1u);
    EXPECT_THAT(broker.received().begin()->second, ElementsAre("1", "2", "3"));
}

TEST_F(Relays, HoldALaneAndNoOtherBehindWhatTheBrokerRefuses)
{
    commit_put("poison", "k");
    commit_put("behind it", "k");
    commit_put("elsewhere", "another");
    broker.refused = {"poison"};
    relay out{*at.accounts, broker, carrying().again_after(1s, 1s).park_after(2)};
    std::size_t kept = 0;
    auto const until = std::chrono::steady_clock::now() + 20s;
    while ((told.size() < 2 || kept < 1) && std::chrono::steady_clock::now() < until) {
        kept += out.step(soon());
        std::this_thread::sleep_for(20ms);
    }

    EXPECT_EQ(kept, 1u);
    EXPECT_THAT(bodies(at.bank), ElementsAre("poison", "behind it"));
    ASSERT_EQ(told.size(), 2u);
    EXPECT_FALSE(told[0].is_parked);
    EXPECT_TRUE(told[1].is_parked);
    EXPECT_EQ(told[1].to, "jobs");
    EXPECT_EQ(told[1].why, "refused: ?poison");
    EXPECT_EQ(broker.count("behind it"), 1u) << "with the first attempt alone";
    broker.refused.clear();
    EXPECT_EQ(out.step(soon()), 0u) << "until a person says so";
}

TEST_F(Relays, LeaveWhatATransactionTakesAndWhatIsBehindItUntilItHasEnded)
{
    commit_put("1", "k");
    commit_put("2", "k");
    commit_put("elsewhere", "another");
    relay out{*at.accounts, broker, carrying()};
    {
        auto tx = at.tm->begin(
            assent::begin_options{}.isolation_level(assent::isolation::read_committed));
        EXPECT_EQ(taken(tx), "1");
        EXPECT_EQ(out.step(soon()), 1u) << "nobody waits for it";
        EXPECT_THAT(broker.bodies(), ElementsAre("elsewhere"));
        EXPECT_EQ(out.step(soon()), 0u);
        ASSERT_EQ(tx.commit(), outcome::committed);
    }
    EXPECT_EQ(out.step(soon()), 1u);
    EXPECT_THAT(broker.in_places("k"), ElementsAre("2"));
}

TEST_F(Relays, GiveEachDestinationItsTurnWhateverBecameOfAnother)
{
    commit_put("1", "k");
    auto tx = at.tm->begin();
    at_bank.put(tx, {"later", "k", "2"});
    ASSERT_EQ(tx.commit(), outcome::committed);
    relay out{*at.accounts, broker, carrying().carries("later")};
    at.bank.script().on(driver_call::place_tasks).fail("08006");
    EXPECT_THROW(out.step(soon()), driver_error);
    EXPECT_THAT(broker.bodies(), ElementsAre("2"));
}

TEST_F(Relays, KeepTheirMessagesFromTakers)
{
    commit_put("1", "k");
    broker.is_silent = true;
    relay out{*at.accounts, broker, carrying()};
    EXPECT_THROW(out.step(soon()), driver_error);
    auto tx =
        at.tm->begin(assent::begin_options{}.isolation_level(assent::isolation::read_committed));
    EXPECT_EQ(taken(tx), "nothing") << "the broker may have it";
    tx.rollback();
}

TEST_F(Relays, ShareTheLanes)
{
    for (int i = 0; i < 40; ++i)
        commit_put(std::to_string(i), std::to_string(i));
    shelf other;
    relay one{*at.accounts, broker, carrying().lanes_at_most(8)};
    relay two{*at.accounts, other, carrying().lanes_at_most(8)};
    std::size_t kept = 0;
    for (int i = 0; i < 20; ++i)
        kept += one.step(soon()) + two.step(soon());
    EXPECT_EQ(kept, 40u);
    EXPECT_FALSE(broker.all.empty());
    EXPECT_FALSE(other.all.empty());
    EXPECT_THAT(bodies(at.bank), IsEmpty());
}

TEST_F(Relays, LoseNothingWhereTheDatabaseFailsInTheMiddle)
{
    for (auto const call : {driver_call::ensure_lanes, driver_call::claim_lanes,
                            driver_call::place_tasks, driver_call::end_turn}) {
        shelf fresh;
        commit_put("1", "k");
        commit_put("2", "k");
        relay out{*at.accounts, fresh, carrying()};
        at.bank.script().on(call).fail("08006");
        EXPECT_THROW(out.step(soon()), driver_error) << static_cast<int>(call);
        EXPECT_EQ(out.step(soon()), 2u);
        EXPECT_THAT(bodies(at.bank), IsEmpty());
        EXPECT_GE(fresh.all.size(), 2u);
    }
}

TEST_F(Relays, WorkOnAThreadOfTheirOwn)
{
    relay out{*at.accounts, broker, carrying().poll(1ms)};
    broker.is_away = true;
    out.start();
    commit_put("1", "k");
    auto const until = std::chrono::steady_clock::now() + 20s;
    out.stop();
    broker.is_away = false;
    out.start();
    while (out.kept() == 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(1ms);
    out.stop();
    EXPECT_EQ(out.kept(), 1u);
    EXPECT_THAT(broker.bodies(), ElementsAre("1"));
}

TEST_F(Relays, RefuseWhatIsOutOfBounds)
{
    EXPECT_THROW((relay{*at.accounts, broker, relay_options{}}), driver_error);
    EXPECT_THROW(relay_options{}.carries("a b"), driver_error);
    EXPECT_THROW(relay_options{}.carries(""), driver_error);
    EXPECT_THROW(relay_options{}.turn({0, 1, 1}), driver_error);
    EXPECT_THROW(relay_options{}.turn({1, 0, 1}), driver_error);
    EXPECT_THROW(relay_options{}.lanes_at_most(0), driver_error);
    EXPECT_THROW(relay_options{}.lanes_at_most(65), driver_error);
    EXPECT_THROW(relay_options{}.poll(0ms), driver_error);
    EXPECT_THROW(relay_options{}.poll(2min), driver_error);
    EXPECT_THROW(relay_options{}.again_after(2s, 1s), driver_error);
    EXPECT_THROW(relay_options{}.again_after(0s, 1s), driver_error);
}

}  // namespace
