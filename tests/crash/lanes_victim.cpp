// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lanes_victim.cpp -- the programs that are killed between two databases.  `lanes_victim PLAN`, see
// plan.hpp; the plan says also `port` and `password` of the broker.
//
//   mode=relay     carries "shop" from the accounts to the broker
//   mode=receive   does each message once: a row in `done` of both databases
//
// Both go on until they are killed.

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>

#include <assent/inbox.hpp>
#include <assent/rabbitmq.hpp>
#include <assent/relay.hpp>

#include "tests/crash/plan.hpp"
#include "tests/crash/teller.hpp"
#include "tests/crash/victim_main.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::message::delivery;

auto in(std::chrono::seconds time)
{
    return std::chrono::steady_clock::now() + time;
}

assent::rabbitmq::connect_options broker(plan const& what)
{
    assent::rabbitmq::connect_options where;
    where.host = "127.0.0.1";
    where.port = static_cast<std::uint16_t>(what.number("port"));
    where.account = "shop";
    where.password_file = what.text("password");
    return where;
}

/// It is killed with a whole program around it: each failure is said, and it goes on.
template <class Work>
void go_on(Work const& work)
{
    for (;;) {
        try {
            work();
        } catch (std::exception const& e) {
            std::cerr << e.what() << '\n';
            std::this_thread::sleep_for(50ms);
        }
    }
}

void relay(plan const& what)
{
    assent::postgresql::resource_manager const accounts{"accounts", what.text("accounts")};
    assent::rabbitmq::transport by{broker(what)};
    assent::message::relay out{
        accounts, by,
        assent::message::relay_options{}.carries("shop").turn({4, 16, 100'000}).lanes_at_most(8)};
    go_on([&] {
        if (out.step(in(10s)) == 0) std::this_thread::sleep_for(10ms);
    });
}

void receive(plan const& what)
{
    assent::transaction_manager tm{crash_options(what.text("log"))};
    auto const at = add_both(tm, what);
    assent::message::inbox each{tm, at.orders, "billing"};
    assent::rabbitmq::receive_options chosen;
    chosen.to = "shop";
    assent::rabbitmq::receiver from{broker(what), chosen};
    auto const work = [&](delivery const& one) {
        return [&](assent::transaction& tx) {
            auto const values = " values ('" + one.key + "', " + one.body + ")";
            execute(tx.lease(at.orders), "insert into done (who, number)" + values);
            execute(tx.lease(at.accounts), "insert into done (who, number)" + values);
        };
    };
    go_on([&] {
        auto const next = from.next(in(5s));
        if (!next) return;
        // The same one until it is done; behind a gap what is missing comes, and then this again.
        for (bool is_done = false; !is_done;) {
            try {
                each.once(*next, work(*next));
                is_done = true;
            } catch (assent::message::gap_error const&) {
                return;
            } catch (assent::error const& e) {
                std::cerr << e.what() << '\n';
                std::this_thread::sleep_for(50ms);
            }
        }
        from.acknowledge(*next);
    });
}

void obey(plan const& what)
{
    if (what.text("mode") == "relay") relay(what);
    receive(what);
}

}  // namespace

int main(int count, char** words)
{
    return assent::testing::victim_main("lanes_victim", count, words, &obey);
}
