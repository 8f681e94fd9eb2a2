// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transfer_main.cpp -- the program `assent_transfer_bench`: transfers between a PostgreSQL and a
// MariaDB of its own, by the library and by hand, in turns.
//
//   --threads=1,4,16,64   how many at a time
//   --rounds=N            in each of which every variant runs once, in an order of its own
//   --seconds=S           of a variant in a round
//   --only=NAME,NAME      of the variants; hand-sequential is what the others are compared with
//   --seed=N              of the orders
//   --round-trip-ms=N     adds that to each round trip: through a network of this process, on TCP
//   --databases=N         2, 4, 6 or 8: half in PostgreSQL, half in MariaDB, in each transfer
//   --tls                 encrypted, on TCP
//   --json=FILE           everything, for programs
//   --svg=FILE            a picture
//   --directory=DIR       on a disk, for logs; TMPDIR or /tmp without it.  The servers are in
//   TMPDIR
//   --blink               as little as possible, to see that all of it still runs
//
// What could not do its work makes the program fail.  What is slow never does.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench.hpp"
#include "results.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::bench {

namespace {

struct wishes
{
    std::vector<std::size_t> threads{1, 4, 16, 64};
    std::vector<std::string> only;
    std::size_t rounds = 21;
    double seconds = 0.5;
    std::uint64_t seed = 1;
    int round_trip_ms = 0;
    std::size_t databases = 2;
    wire how = wire::in_the_clear;
    std::string json;
    std::string svg;
};

std::vector<std::string> parts_of(std::string const& list)
{
    std::vector<std::string> found;
    std::istringstream in(list);
    for (std::string part; std::getline(in, part, ',');)
        found.push_back(part);
    return found;
}

std::vector<std::size_t> threads_of(std::string const& list)
{
    std::vector<std::size_t> found;
    for (auto const& each : parts_of(list)) {
        found.push_back(std::stoul(each));
        if (found.back() < 1 || found.back() > shop::threads_max) {
            throw std::runtime_error("threads are 1 to " + std::to_string(shop::threads_max));
        }
    }
    return found;
}

void blink(wishes& all)
{
    choose().is_blink = true;
    all.threads = {2};
    all.rounds = 1;
    all.seconds = 0.01;
}

wishes read_options(int count, char** values)
{
    wishes all;
    for (int i = 1; i < count; ++i) {
        std::string const one = values[i];
        auto const equals = std::min(one.find('='), one.size());
        std::string const name = one.substr(0, equals);
        std::string const value = one.substr(std::min(equals + 1, one.size()));
        if (one == "--blink") {
            blink(all);
        } else if (name == "--databases") {
            all.databases = std::stoul(value);
            if (all.databases % 2 != 0 || all.databases < 2 || all.databases > 8) {
                throw std::runtime_error("databases are 2, 4, 6 or 8");
            }
        } else if (one == "--tls") {
            all.how = wire::encrypted;
        } else if (name == "--threads") {
            all.threads = threads_of(value);
        } else if (name == "--rounds") {
            all.rounds = std::max(1ul, std::stoul(value));
        } else if (name == "--seconds") {
            all.seconds = std::stod(value);
        } else if (name == "--only") {
            all.only = parts_of(value);
        } else if (name == "--seed") {
            all.seed = std::stoull(value);
        } else if (name == "--round-trip-ms") {
            all.round_trip_ms = std::stoi(value);
        } else if (name == "--json") {
            all.json = value;
        } else if (name == "--svg") {
            all.svg = value;
        } else if (name == "--directory") {
            choose().directory = value;
        } else {
            throw std::runtime_error("there is no option " + one);
        }
    }
    if (all.how == wire::encrypted && all.round_trip_ms != 0) {
        throw std::runtime_error("--round-trip-ms is for a network in the clear");
    }
    return all;
}

/// The way to the databases, with what it adds to a round trip.
class road
{
public:
    road(shop& to, int round_trip_ms) : where_(to.directly())
    {
        if (round_trip_ms == 0) return;
        network_ = std::make_unique<testing::proxy>();
        using protocol = testing::wire_protocol;
        auto const accounts = network_->add(protocol::postgresql, to.postgresql().port());
        auto const orders = network_->add(protocol::mysql, to.mariadb().port());
        where_ = to.by_port(network_->port(accounts), network_->port(orders));
        for (auto const database : {accounts, orders}) {
            network_->delay(database, std::chrono::milliseconds{round_trip_ms},
                            std::chrono::milliseconds{0});
        }
    }

    places const& where() const noexcept { return where_; }

    /// What was recorded would fill the memory.
    void forget() const
    {
        if (network_) network_->clear();
    }

private:
    std::unique_ptr<testing::proxy> network_;
    places where_;
};

variants make_variants(places const& where, std::string const& directory,
                       std::vector<std::string> const& only)
{
    variants all = by_hand(where, directory);
    for (auto& each : by_assent(where, directory))
        all.push_back(std::move(each));
    for (auto const& name : only) {
        if (std::none_of(all.begin(), all.end(),
                         [&](auto const& each) { return each->name() == name; })) {
            throw std::runtime_error("there is no variant " + name);
        }
    }
    std::erase_if(all, [&](auto const& each) {
        return !only.empty() && std::count(only.begin(), only.end(), each->name()) == 0;
    });
    return all;
}

void measure_all(shop& at, road const& by, variants const& all, wishes const& how, results& into)
{
    std::mt19937_64 random(how.seed);
    std::vector<std::size_t> order(all.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::vector<std::uint64_t> sequences(all.size(), 1);
    for (std::size_t const threads : how.threads) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i]->open(threads);
            measure(at, *all[i], threads, std::chrono::milliseconds{10}, sequences[i]);
        }
        for (std::size_t round = 0; round < how.rounds; ++round) {
            std::shuffle(order.begin(), order.end(), random);
            for (std::size_t const i : order) {
                into.take(threads, all[i]->name(),
                          measure(at, *all[i], threads, std::chrono::duration<double>{how.seconds},
                                  sequences[i]));
                by.forget();
            }
        }
    }
}

void write_file(std::string const& path, std::string const& text)
{
    if (path.empty()) return;
    std::ofstream out(path);
    out << text;
    if (!out.flush()) throw std::runtime_error(path + " cannot be written");
}

int run(int count, char** values)
{
    wishes const how = read_options(count, values);
    require_disk();
    scratch const in;
    shop at(how.databases / 2, how.how);
    results found(
        {machine(), how.rounds, how.seconds, how.seed, how.round_trip_ms, how.how, how.databases});
    {
        road const by(at, how.round_trip_ms);
        variants const all = make_variants(by.where(), in.path(), how.only);
        for (auto const& each : all)
            found.know(*each);
        measure_all(at, by, all, how, found);
    }
    at.require_whole();
    write_file(how.json, json_of(found));
    write_file(how.svg, svg_of(found));
    std::printf("%s", table_of(found).c_str());
    return 0;
}

}  // namespace

}  // namespace assent::bench

int main(int count, char** values)
{
    try {
        return assent::bench::run(count, values);
    } catch (std::exception const& failed) {
        std::fprintf(stderr, "assent_transfer_bench: %s\n", failed.what());
        return 2;
    }
}
