// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lanes_crash_test.cpp -- messages from PostgreSQL by a broker into MariaDB and PostgreSQL, while
// relays, receivers and the broker are killed: each is done once, in the order of its key.
//
//   ASSENT_SEED      which are killed, and when (1)
//   ASSENT_KILLS     how many kills there are (16)
//   ASSENT_MESSAGES  how many messages (400)

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <assent/message.hpp>

#include "tests/crash/scene.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;

unsigned chosen(char const* name, unsigned otherwise)
{
    auto const* const said = std::getenv(name);
    return said != nullptr ? static_cast<unsigned>(std::strtoul(said, nullptr, 10)) : otherwise;
}

class LanesCrash : public ::testing::Test
{
protected:
    static constexpr int keys = 5;

    LanesCrash()
    {
        execute(here.money().look_accounts(),
                "create table done (who text not null, number int not null)");
        execute(here.money().look_orders(),
                "create table done (id int auto_increment primary key, who varchar(20) not null, "
                "number int not null)");
    }
    ~LanesCrash() override
    {
        for (auto const& [name, victim] : running)
            end(victim);
    }

    void start(std::string const& name, std::string const& mode)
    {
        auto& what = plans[name];
        if (!what.has("mode")) {
            what = here.new_plan(mode, handles::leased);
            what.set("program", ASSENT_LANES_VICTIM);
            what.set("password", broker->directory() + "/password");
        }
        what.set("port", broker->port());
        running[name] = here.start(what);
    }
    static void end(pid_t victim)
    {
        ::kill(victim, SIGKILL);
        scene::wait(victim);
    }
    std::int64_t done() { return number(here.money().look_orders(), "select count(*) from done"); }

    scene here;
    std::unique_ptr<private_server> broker = private_server::rabbitmq();
    std::map<std::string, plan> plans;
    std::map<std::string, pid_t> running;
};

TEST_F(LanesCrash, EachMessageIsDoneOnceAndInOrderWhateverIsKilled)
{
    auto const seed = chosen("ASSENT_SEED", 1);
    auto const kills = chosen("ASSENT_KILLS", 16);
    auto const messages = chosen("ASSENT_MESSAGES", 400);
    SCOPED_TRACE("ASSENT_SEED=" + std::to_string(seed));
    std::mt19937 random{seed};
    std::vector<std::pair<std::string, std::string>> const programs{{"relay 1", "relay"},
                                                                    {"relay 2", "relay"},
                                                                    {"receiver 1", "receive"},
                                                                    {"receiver 2", "receive"}};
    for (auto const& [name, mode] : programs)
        start(name, mode);

    std::thread writer{[&, seed] {
        assent::transaction_manager tm{test_options(here.money().new_log_directory())};
        auto const accounts = tm.add(here.money().accounts_manager());
        assent::message::queue const out{accounts};
        std::mt19937 choice{seed};
        std::map<unsigned, int> numbers;
        for (unsigned i = 0; i < messages; ++i) {
            auto const key = static_cast<unsigned>(choice() % keys);
            auto tx = tm.begin();
            out.put(tx, {"shop", "key " + std::to_string(key), std::to_string(numbers[key]++)});
            EXPECT_EQ(tx.commit(), assent::outcome::committed);
        }
    }};
    for (unsigned i = 0; i < kills; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds{100 + random() % 900});
        // The broker takes seconds to start: one in eight.
        if (i % 8 == 7) {
            broker->kill();
            broker->start();
            continue;
        }
        auto const& [name, mode] = programs[random() % programs.size()];
        end(running[name]);
        start(name, mode);
    }
    writer.join();
    auto const until = in_seconds(300);
    while (done() < messages && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(200ms);

    for (auto const& [name, victim] : running)
        end(victim);
    running.clear();
    for (auto const& [name, mode] : programs) {
        if (mode == "receive") here.recover(plans[name]);
    }
    EXPECT_EQ(done(), messages) << "none lost, none twice";
    EXPECT_EQ(number(here.money().look_accounts(), "select count(*) from done"), messages);
    EXPECT_EQ(number(here.money().look_accounts(),
                     "select count(*) from (select distinct who, number from done) each"),
              messages);
    EXPECT_EQ(number(here.money().look_orders(),
                     "select count(*) from done a join done b on a.who = b.who and a.id < b.id and "
                     "a.number >= b.number"),
              0)
        << "out of order";
    EXPECT_EQ(number(here.money().look_orders(), "select count(*) from assent_inbox"),
              number(here.money().look_orders(), "select count(distinct who) from done"))
        << "a row for each lane";
}

}  // namespace
