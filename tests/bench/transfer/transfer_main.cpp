// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transfer_main.cpp -- the program `assent_transfer_bench`: transfers between a PostgreSQL and a
// MariaDB of its own, by the library and by hand, in turns.
//
//   assent_transfer_bench --help
//
// Every variant runs once in each round, in an order of the round's own; hand-sequential is what
// the others are compared with.  The servers are in TMPDIR.
//
// What could not do its work makes the program fail.  What is slow never does.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

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

void blink(wishes& all)
{
    choose().is_blink = true;
    all.threads = {2};
    all.rounds = 1;
    all.seconds = 0.01;
}

void declare(CLI::App& at, wishes& all)
{
    at.add_option("--threads", all.threads, "how many at a time")
        ->delimiter(',')
        ->check(CLI::Range(std::size_t{1}, shop::threads_max))
        ->capture_default_str();
    at.add_option("--rounds", all.rounds, "in each of which every variant runs once")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    at.add_option("--seconds", all.seconds, "of a variant in a round")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    at.add_option("--only", all.only, "variants, by name; all without it")->delimiter(',');
    at.add_option("--seed", all.seed, "of the orders")->capture_default_str();
    auto* const slow =
        at.add_option("--round-trip-ms", all.round_trip_ms,
                      "is added to each round trip: through a network of this process, on TCP")
            ->check(CLI::NonNegativeNumber);
    at.add_option("--databases", all.databases,
                  "half in PostgreSQL, half in MariaDB, in each transfer")
        ->check(CLI::IsMember({2, 4, 6, 8}))
        ->capture_default_str();
    at.add_flag_callback(
          "--tls", [&] { all.how = wire::encrypted; }, "encrypted, on TCP")
        ->excludes(slow);
    at.add_option("--json", all.json, "a file for everything, for programs");
    at.add_option("--svg", all.svg, "a file for a picture");
    at.add_option("--directory", choose().directory,
                  "on a disk, for logs; TMPDIR or /tmp without it");
    at.add_flag_callback(
        "--blink", [&] { blink(all); }, "as little as possible, to see that all of it still runs");
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
    struct lane
    {
        variant* of;
        std::uint64_t sequence = 1;  // of its next transfer
    };
    std::vector<lane> lanes;
    for (auto const& each : all)
        lanes.push_back({each.get()});
    std::mt19937_64 random(how.seed);
    for (std::size_t const threads : how.threads) {
        for (auto& [of, sequence] : lanes) {
            of->open(threads);
            measure(at, *of, threads, std::chrono::milliseconds{10}, sequence);
        }
        for (std::size_t round = 0; round < how.rounds; ++round) {
            std::shuffle(lanes.begin(), lanes.end(), random);
            for (auto& [of, sequence] : lanes) {
                std::chrono::duration<double> const time{how.seconds};
                into.take(threads, of->name(), measure(at, *of, threads, time, sequence));
                by.forget();
            }
        }
    }
}

void run(wishes const& how)
{
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
}

}  // namespace

}  // namespace assent::bench

int main(int count, char** values)
{
    CLI::App at{"Transfers between databases of its own, by the library and by hand, in turns."};
    assent::bench::wishes how;
    assent::bench::declare(at, how);
    CLI11_PARSE(at, count, values);
    try {
        assent::bench::run(how);
        return 0;
    } catch (std::exception const& failed) {
        std::fprintf(stderr, "assent_transfer_bench: %s\n", failed.what());
        return 2;
    }
}
