// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lanes_main.cpp -- the program `assent_lanes_bench`: what a relay costs against a bare publisher
// with confirms, and an inbox against the same transaction without, on servers of its own.
//
//   assent_lanes_bench [--rounds N] [--messages N] [--blink]
//
// The sides of a pair take turns.  The ratio of a round is one value; printed is their median with
// the least and the greatest.  Above 1 ours is the faster.  What could not do its work makes the
// program fail; what is slow never does.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <assent/inbox.hpp>
#include <assent/message.hpp>
#include <assent/rabbitmq.hpp>
#include <assent/relay.hpp>

#include "bench.hpp"
#include "tests/integration/bank.hpp"

namespace assent::bench {

namespace {

using namespace std::chrono_literals;
using message::delivery;
using testing::bank;
using testing::private_server;

constexpr std::size_t body_bytes = 300;
constexpr std::size_t put_at_once = 1000;

struct wishes
{
    std::size_t rounds = 7;
    std::size_t messages = 10'000;
    std::size_t transactions = 2'000;
};

void require(bool holds, std::string const& what)
{
    if (!holds) throw std::runtime_error(what);
}

rabbitmq::connect_options at(private_server const& broker)
{
    rabbitmq::connect_options where;
    where.host = "127.0.0.1";
    where.port = static_cast<std::uint16_t>(broker.port());
    where.account = broker.account();
    where.password_file = broker.directory() + "/password";
    return where;
}

/// Seconds for as many messages as `all`, sent as a relay would send them, from memory.
double publish(rabbitmq::transport& by, std::vector<message::parcel> const& all, std::size_t turn)
{
    auto const begin = clock::now();
    for (std::size_t sent = 0; sent < all.size();) {
        auto const end = std::min(all.size(), sent + turn);
        auto const count = end - sent;
        for (; sent < end; ++sent)
            by.send(all[sent], clock::now() + 60s);
        require(by.settle(clock::now() + 60s).kept == count, "the broker did not keep them");
    }
    return seconds_since(begin);
}

void put(transaction_manager& tm, message::queue const& into, std::size_t count)
{
    for (std::size_t done = 0; done < count;) {
        auto tx = tm.begin();
        for (std::size_t i = 0; i < put_at_once && done < count; ++i, ++done)
            into.put(tx, {"relayed", std::to_string(done % 997), std::string(body_bytes, 'x')});
        require(tx.commit() == outcome::committed, "messages were not put");
    }
}

std::vector<message::parcel> parcels(std::size_t count)
{
    std::vector<message::parcel> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        delivery one;
        one.at = {std::string(message::source_size, 'a'), "bare",
                  static_cast<unsigned>(i * message::lanes / count),
                  std::string(message::position_size, '2'),
                  std::string(message::position_size, '1')};
        one.id = std::to_string(i);
        one.key = "key";
        one.body = std::string(body_bytes, 'x');
        all.push_back(to_parcel(one));
    }
    return all;
}

void print(char const* what, std::vector<double> ratios, double rate)
{
    std::sort(ratios.begin(), ratios.end());
    std::printf("%-46s %5.2f  [%.2f, %.2f]  %8.0f a second\n", what, ratios[ratios.size() / 2],
                ratios.front(), ratios.back(), rate);
}

/// One relay, one publisher, on one thread each.
void compare_relay(char const* what, wishes const& how, transaction_manager& tm,
                   resource_manager const& home, private_server const& broker)
{
    rabbitmq::transport bare{at(broker)};
    rabbitmq::transport ours{at(broker)};
    auto const all = parcels(how.messages);
    message::queue const into{home};
    message::relay out{home, ours, message::relay_options{}.carries("relayed").lanes_at_most(64)};
    auto const turn = turn_limits{}.messages;
    auto const relayed = [&](std::size_t count) {
        put(tm, into, count);
        auto const begin = clock::now();
        for (std::size_t kept = 0; kept < count;)
            kept += out.step(clock::now() + 60s);
        return seconds_since(begin);
    };
    publish(bare, {all.front()}, turn);
    relayed(1);
    std::vector<double> ratios;
    double took = 0;
    for (std::size_t i = 0; i < how.rounds; ++i) {
        double const theirs = publish(bare, all, turn);
        double const its = relayed(how.messages);
        ratios.push_back(theirs / its);
        took += its;
    }
    print(what, ratios, static_cast<double>(how.rounds * how.messages) / took);
}

/// The work of a message: a row changed.
void compare_inbox(char const* what, wishes const& how, transaction_manager& tm,
                   resource_manager const& home, std::function<void(transaction&)> const& work)
{
    message::inbox each{tm, home, what};
    delivery one;
    one.at = {std::string(message::source_size, 'a'), "inbox", 0, message::position_zero,
              message::position_zero};
    std::uint64_t number = 0;
    auto const next = [&] {
        auto const digits = std::to_string(++number);
        one.at.previous = one.at.position;
        one.at.position = std::string(message::position_size - digits.size(), '0') + digits;
        require(each.once(one, work), "a message was not done");
    };
    auto const plain = [&] {
        auto tx = tm.begin(begin_options{}.isolation_level(isolation::read_committed));
        work(tx);
        require(tx.commit() == outcome::committed, "a transaction was not committed");
    };
    next();
    plain();
    std::vector<double> ratios;
    double took = 0;
    for (std::size_t i = 0; i < how.rounds; ++i) {
        double with = 0;
        double without = 0;
        for (std::size_t k = 0; k < how.transactions; ++k) {
            auto const begin = clock::now();
            plain();
            auto const middle = clock::now();
            next();
            without += std::chrono::duration<double>(middle - begin).count();
            with += seconds_since(middle);
        }
        ratios.push_back(without / with);
        took += with;
    }
    print((std::string{what} + ", a transaction with its inbox / without").c_str(), ratios,
          static_cast<double>(how.rounds * how.transactions) / took);
}

wishes parse(int count, char** words)
{
    wishes how;
    for (int i = 1; i < count; ++i) {
        std::string const word = words[i];
        auto const value = [&] {
            require(i + 1 < count, word + " needs a number");
            return static_cast<std::size_t>(std::strtoul(words[++i], nullptr, 10));
        };
        if (word == "--blink") {
            how = {1, 200, 5};
        } else if (word == "--rounds") {
            how.rounds = std::max<std::size_t>(1, value());
        } else if (word == "--messages") {
            how.messages = std::max<std::size_t>(message::lanes, value());
        } else {
            throw std::runtime_error(
                "usage: assent_lanes_bench [--rounds N] [--messages N] "
                "[--blink]");
        }
    }
    return how;
}

void run(wishes const& how)
{
    require_disk();
    bank shop;
    auto const broker = private_server::rabbitmq();
    transaction_manager tm{testing::test_options(shop.new_log_directory())};
    auto const accounts = tm.add(shop.accounts_manager());
    auto const orders = tm.add(shop.orders_manager());
    std::printf("%s\n", machine().c_str());
    compare_relay("PostgreSQL, a relay / a bare publisher", how, tm, accounts, *broker);
    compare_relay("MariaDB, a relay / a bare publisher", how, tm, orders, *broker);
    auto const sql = std::string{"update balance set amount = amount + 1 where id = 1"};
    compare_inbox("PostgreSQL", how, tm, accounts,
                  [&](transaction& tx) { testing::execute(tx.lease(accounts), sql); });
    compare_inbox("MariaDB", how, tm, orders,
                  [&](transaction& tx) { testing::execute(tx.lease(orders), sql); });
}

}  // namespace

}  // namespace assent::bench

int main(int count, char** words)
try {
    assent::bench::run(assent::bench::parse(count, words));
    return EXIT_SUCCESS;
} catch (std::exception const& e) {
    std::fprintf(stderr, "assent_lanes_bench: %s\n", e.what());
    return EXIT_FAILURE;
}
