// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// relay_test.cpp -- relays over real databases: PostgreSQL and MariaDB, and, as another program,
// the newest PostgreSQL that there is and MySQL.  The broker is one of this process.

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <assent/driver.hpp>
#include <assent/relay.hpp>

#include "tests/integration/at_queues.hpp"
#include "tests/unit/message/shelf.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::driver_error;
using assent::outcome;
using assent::message::relay;
using assent::message::relay_options;
using assent::message::relay_trouble;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

auto soon()
{
    return steady_clock::now() + 10s;
}

class Relay : public AtQueues
{
protected:
    /// Steps, whatever it throws, until the table is empty.
    static void drain(relay& out, side const& from)
    {
        EXPECT_TRUE(becomes_true(
            [&] {
                try {
                    out.step(soon());
                } catch (driver_error const&) {
                    return false;  // it says so again, until it is well
                }
                return from.number("select count(*) from assent_task") == 0;
            },
            60s));
    }
    static relay_options carrying() { return relay_options{}.carries("shop"); }
};

TEST_F(Relay, CarriesWhatWasCommittedWholeAndInOrder)
{
    opened at;
    std::string every;
    for (int c = 0; c < 256; ++c)
        every += static_cast<char>(c);
    for (auto const& from : at.both()) {
        SCOPED_TRACE(from.name);
        shelf broker;
        relay out{*from.home, broker, carrying()};
        at.put(from, every, "k");
        at.put(from, "", "k");
        at.put(from, std::string(assent::message::body_max, '\''), "k");
        {
            auto tx = at.tm.begin();
            from.messages.put(tx, {"shop", "k", "rolled back"});
            tx.rollback();
        }
        drain(out, from);

        ASSERT_EQ(broker.all.size(), 3u);
        EXPECT_EQ(broker.all[0].body, every);
        EXPECT_EQ(broker.all[1].body, "");
        EXPECT_EQ(broker.all[2].body.size(), assent::message::body_max);
        EXPECT_EQ(broker.all[0].at.previous, assent::message::position_zero);
        EXPECT_EQ(broker.all[1].at.previous, broker.all[0].at.position);
        EXPECT_EQ(broker.all[2].at.previous, broker.all[1].at.position);
        EXPECT_EQ(from.number("select count(*) from assent_lane"), 2) << "the source, and a lane";
    }
}

TEST_F(Relay, KeepsTheOrderOfKeysBesideThreeOthersUnderManyWriters)
{
    opened at;
    constexpr int writers = 4;
    constexpr int relays = 4;
    constexpr int each_writes = 40;
    for (auto const& from : at.both()) {
        SCOPED_TRACE(from.name);
        std::array<shelf, relays> brokers;
        std::vector<std::unique_ptr<relay>> all;
        for (auto& broker : brokers) {
            all.push_back(
                std::make_unique<relay>(*from.home, broker, carrying().poll(1ms).lanes_at_most(8)));
        }
        at.put(from, "the first makes the tables");
        for (auto const& one : all)
            one->start();
        std::vector<std::thread> busy;
        busy.reserve(writers);
        for (int w = 0; w < writers; ++w) {
            busy.emplace_back([&, w] {
                for (int i = 0; i < each_writes; ++i)
                    at.put(from, std::to_string(i), "writer " + std::to_string(w));
            });
        }
        for (auto& thread : busy)
            thread.join();
        EXPECT_TRUE(becomes_true(
            [&] { return from.number("select count(*) from assent_task") == 0; }, 60s));
        for (auto const& one : all)
            one->stop();

        // Each lane's first copies, by place, must be its messages in the order of their commits.
        std::map<unsigned, std::map<std::string, assent::message::delivery>> lanes;
        for (auto const& broker : brokers) {
            for (auto const& one : broker.all)
                lanes[one.at.lane].emplace(one.at.position, one);
        }
        std::map<std::string, std::vector<std::string>> of_key;
        for (auto const& [lane, places] : lanes) {
            std::string last = assent::message::position_zero;
            for (auto const& [position, one] : places) {
                EXPECT_EQ(one.at.previous, last) << lane;
                last = position;
                of_key[one.key].push_back(one.body);
            }
        }
        std::vector<std::string> expected;
        for (int i = 0; i < each_writes; ++i)
            expected.push_back(std::to_string(i));
        for (int w = 0; w < writers; ++w)
            EXPECT_EQ(of_key["writer " + std::to_string(w)], expected);
    }
}

TEST_F(Relay, WaitsForWhatATransactionTakesAndMakesNoGapOfIt)
{
    opened at;
    for (auto const& from : at.both()) {
        SCOPED_TRACE(from.name);
        shelf broker;
        relay out{*from.home, broker, carrying()};
        at.put(from, "the first makes the tables", "another");
        drain(out, from);
        broker.all.clear();
        at.put(from, "taken", "k");
        at.put(from, "left", "k");
        at.put(from, "elsewhere", "another");
        auto tx =
            at.tm.begin(assent::begin_options{}.isolation_level(assent::isolation::read_committed));
        auto const one = from.messages.take(tx, "shop");
        ASSERT_TRUE(one);
        EXPECT_EQ(one->body, "taken");
        EXPECT_EQ(out.step(soon()), 1u) << "nobody waits for it";
        EXPECT_THAT(broker.bodies(), ElementsAre("elsewhere"));
        EXPECT_EQ(out.step(soon()), 0u);
        EXPECT_EQ(tx.commit(), outcome::committed);
        drain(out, from);
        EXPECT_THAT(broker.bodies(), ElementsAre("elsewhere", "left"));
        EXPECT_EQ(broker.all.back().at.previous, assent::message::position_zero) << "no gap";
    }
}

TEST_F(Relay, ParksWhatIsRefusedAndItsLaneAlone)
{
    opened at;
    for (auto const& from : at.both()) {
        SCOPED_TRACE(from.name);
        shelf broker;
        broker.refused = {"poison"};
        std::vector<relay_trouble> told;
        relay out{*from.home, broker,
                  carrying().again_after(1s, 1s).park_after(2).on_trouble(
                      [&](relay_trouble const& what) { told.push_back(what); })};
        at.put(from, "poison", "k");
        at.put(from, "behind it", "k");
        at.put(from, "elsewhere", "another");
        EXPECT_TRUE(becomes_true(
            [&] {
                out.step(soon());
                return told.size() == 2;
            },
            60s));
        EXPECT_TRUE(told.back().is_parked);
        EXPECT_THAT(broker.in_places("another"), ElementsAre("elsewhere"));
        EXPECT_EQ(from.number("select count(*) from assent_task"), 2) << "it, and what is behind";
        EXPECT_EQ(from.number("select count(*) from assent_task where state = 'p' and tries = 2 "
                              "and error = 'refused: ?poison'"),
                  1);
        EXPECT_EQ(out.step(soon()), 0u);

        // What a person does: docs/guide/messages.md.
        broker.refused.clear();
        from.execute("update assent_task set state = 's', tries = 0 where state = 'p'");
        EXPECT_TRUE(becomes_true([&] { return out.step(soon()) == 2; }, 60s)) << "by its due time";
        EXPECT_THAT(broker.in_places("k"), ElementsAre("poison", "behind it"));
    }
}

TEST_F(Relay, SendsAgainAfterItsSessionWasCut)
{
    opened at;
    for (auto const& from : at.both()) {
        SCOPED_TRACE(from.name);
        shelf broker;
        relay out{*from.home, broker, carrying()};
        at.put(from, "1", "k");
        at.put(from, "2", "k");
        at.net.wire.hold(from.wire, from.name == "accounts" ? "DELETE FROM" : "delete t from");
        EXPECT_THROW(out.step(steady_clock::now() + 2s), driver_error);
        at.net.wire.let_go(from.wire);
        EXPECT_THAT(broker.bodies(), ElementsAre("1", "2"));
        drain(out, from);
        EXPECT_THAT(broker.received().begin()->second, ElementsAre("1", "2"));
    }
}

TEST_F(Relay, LeavesItsLanesWhereItsHostVanishes)
{
    opened at;
    for (auto const& from : at.both()) {
        SCOPED_TRACE(from.name);
        at.put(from, "1", "k");
        // It has the lane, and says nothing any more; nobody closes its connection.
        auto& driver = *from.home->driver();
        auto const silent = driver.connect(assent::session_purpose::guardian, soon());

        auto const manage = driver.connect(assent::session_purpose::manage, soon());
        driver.lanes()->ensure_lanes(*manage, soon());
        ASSERT_EQ(driver.lanes()->claim_lanes(*silent, "shop", 0, 64, soon()).size(), 1u);

        shelf broker;
        relay out{*from.home, broker, carrying()};
        EXPECT_EQ(out.step(soon()), 0u) << "somebody has it";
        drain(out, from);
        EXPECT_THAT(broker.bodies(), ElementsAre("1"));
    }
}

TEST_F(Relay, ShowsItsReceiversThatItWasRestored)
{
    opened at;
    for (auto const& from : at.both()) {
        SCOPED_TRACE(from.name);
        shelf broker;
        relay out{*from.home, broker, carrying()};
        at.put(from, "1", "k");
        drain(out, from);
        auto const backup = broker.all.back().at;
        at.put(from, "2", "k");
        drain(out, from);
        // As the table was after the first.
        from.execute("update assent_lane set last = '" + backup.position +
                     "' where name like 'shop%'");
        at.put(from, "3", "k");
        drain(out, from);

        auto const& last = broker.all.back();
        EXPECT_EQ(last.at.previous, backup.position);
        EXPECT_GT(last.at.position, broker.all[1].at.position) << "or it would pass for seen";
        EXPECT_THAT(broker.received().begin()->second, ElementsAre("1", "2", "gap"));
    }
}

TEST_F(Relay, SaysWhatAnAdministratorIsToRun)
{
    opened at;
    for (auto const& from : at.both()) {
        SCOPED_TRACE(from.name);
        at.put(from, "1", "k");
        shelf broker;
        relay out{*from.home, broker, carrying()};
        drain(out, from);
        from.execute("drop table assent_lane");
        from.execute(from.name == "accounts" ? "create table assent_lane (name varchar(5) primary "
                                               "key, last text not null)"
                                             : "create table assent_lane (name varbinary(5) not "
                                               "null primary key, last char(40) not null)");
        relay next{*from.home, broker, carrying()};
        try {
            next.step(soon());
            ADD_FAILURE() << "names would be cut";
        } catch (driver_error const& e) {
            EXPECT_THAT(e.what(), HasSubstr("assent_lane cannot hold the positions of messages"));
        }
        from.execute("drop table assent_lane");
    }
}

}  // namespace
