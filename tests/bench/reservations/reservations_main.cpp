// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reservations_main.cpp -- the program `assent_reservations_bench`: two reservations in a
// transaction, by the library and by hand, in turns.
//
//   assent_reservations_bench --help
//
// Every variant runs once in each round, in an order of the round's own.  The servers are in
// TMPDIR.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench.hpp"
#include "reserving.hpp"
#include "results.hpp"

namespace assent::bench {

namespace {

struct wishes
{
    std::vector<std::size_t> threads{1, 4, 16};
    std::vector<int> statements{1, 10};
    std::vector<std::string> only;
    std::size_t workers = 2;
    std::size_t rounds = 21;
    double seconds = 0.5;
    std::uint64_t seed = 1;
    std::uint32_t force_us = 0;
};

void declare(CLI::App& at, wishes& all)
{
    at.add_option("--threads", all.threads, "how many at a time")
        ->delimiter(',')
        ->check(CLI::Range(std::size_t{1}, shop::threads_max))
        ->capture_default_str();
    at.add_option("--statements", all.statements, "of a handler")
        ->delimiter(',')
        ->check(CLI::Range(std::size_t{1}, shop::rows_per_thread))
        ->capture_default_str();
    at.add_option("--only", all.only, "variants, by name; all without it")->delimiter(',');
    at.add_option("--workers", all.workers, "of each resource manager, for confirms")
        ->check(CLI::Range(std::size_t{1}, std::size_t{16}))
        ->capture_default_str();
    at.add_option("--rounds", all.rounds, "in each of which every variant runs once")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    at.add_option("--seconds", all.seconds, "of a variant in a round")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    at.add_option("--seed", all.seed, "of the orders")->capture_default_str();
    at.add_option("--forces-take", all.force_us,
                  "microseconds at the least, ours and the servers', as on a slower disk");
    at.add_option("--directory", choose().directory,
                  "on a disk, for the log; TMPDIR or /tmp without it");
    at.add_flag_callback(
        "--blink",
        [&] {
            choose().is_blink = true;
            all.threads = {2};
            all.rounds = 1;
            all.seconds = 0.01;
        },
        "as little as possible, to see that all of it still runs");
}

/// Again, with the slow disk (tests/bench/slow_disk.cpp) before the system's functions, here and in
/// the servers that are started from here.
void slow_down(char** values, std::uint32_t force_us)
{
    if (force_us == 0 || std::getenv("ASSENT_FORCE_US") != nullptr) return;
    ::setenv("ASSENT_FORCE_US", std::to_string(force_us).c_str(), 1);
    ::setenv("LD_PRELOAD", ASSENT_SLOW_DISK, 1);
    ::execv("/proc/self/exe", values);
    throw std::system_error(errno, std::generic_category(), "cannot run itself again");
}

/// By hand four transactions are forced one after the other.
void require_slow(results const& all, std::uint32_t force_us)
{
    for (std::size_t const threads : all.threads()) {
        for (auto const& line : all.lines()) {
            if (line.rival.empty()) continue;
            double const most = static_cast<double>(threads) / (4e-6 * force_us);
            if (all.of(threads, line.rival, &sample::per_second).median > most) {
                throw std::runtime_error(
                    "the servers force faster than was asked for: can they "
                    "read " ASSENT_SLOW_DISK "?");
            }
        }
    }
}

struct lane
{
    variant* of;
    std::uint64_t sequence = 1;  // of its next transaction
};

void measure_all(shop& at, variants const& all, wishes const& how, results& into)
{
    std::vector<lane> lanes;
    for (auto const& each : all)
        lanes.push_back({each.get()});
    std::mt19937_64 random(how.seed);
    for (std::size_t const threads : how.threads) {
        for (auto& each : lanes) {
            each.of->open(threads);
            measure(at, *each.of, threads, std::chrono::milliseconds{10}, each.sequence);
        }
        for (std::size_t round = 0; round < how.rounds; ++round) {
            std::shuffle(lanes.begin(), lanes.end(), random);
            for (auto& each : lanes) {
                std::chrono::duration<double> const time{how.seconds};
                into.take(threads, each.of->name(),
                          measure(at, *each.of, threads, time, each.sequence));
            }
        }
    }
}

/// A line for each variant that has a rival.
void print(results const& all)
{
    auto const show = [](std::optional<estimate> const& one) {
        std::printf(" | %.2f (%.2f-%.2f)", one->median, one->low, one->high);
    };
    std::printf(
        "| threads | two reservations | tx/s | by hand | ratio | CPU us | by hand | with servers "
        "us "
        "| by hand | ratio | forces |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (std::size_t const threads : all.threads()) {
        for (auto const& line : all.lines()) {
            if (!all.ratio(threads, line.name, line.rival, &sample::per_second)) continue;
            std::printf("| %zu | %s | %.0f | %.0f", threads, line.name.c_str(),
                        all.of(threads, line.name, &sample::per_second).median,
                        all.of(threads, line.rival, &sample::per_second).median);
            show(all.ratio(threads, line.name, line.rival, &sample::per_second));
            for (figure const what : {&sample::cpu_us, &sample::machine_cpu_us}) {
                std::printf(" | %.0f | %.0f", all.of(threads, line.name, what).median,
                            all.of(threads, line.rival, what).median);
            }
            show(all.ratio(threads, line.name, line.rival, &sample::machine_cpu_us));
            std::printf(" | %.2f |\n", all.mean(threads, line.name, &sample::forces));
        }
    }
}

void run(wishes const& how)
{
    require_disk();
    scratch const in;
    shop at;
    conditions where;
    where.machine = machine();
    where.rounds = how.rounds;
    where.seconds = how.seconds;
    where.seed = how.seed;
    results found(where);
    {
        auto all = reserving(at.directly().front(), in.path(), how.statements, how.workers);
        std::erase_if(all, [&](auto const& each) {
            return !how.only.empty() &&
                   std::count(how.only.begin(), how.only.end(), each->name()) == 0;
        });
        if (all.empty()) throw std::runtime_error("there is no such variant");
        for (auto const& each : all)
            found.know(*each);
        measure_all(at, all, how, found);
    }
    at.require_whole();
    if (how.force_us > 0 && !chosen().is_blink) require_slow(found, how.force_us);
    std::printf("%s; %zu rounds of %.2g s, seed %llu", where.machine.c_str(), how.rounds,
                how.seconds, static_cast<unsigned long long>(how.seed));
    if (how.force_us > 0) std::printf("; a forced write takes %u us or more", how.force_us);
    std::printf("\n\n");
    print(found);
}

}  // namespace

}  // namespace assent::bench

int main(int count, char** values)
{
    CLI::App at{"Two reservations in a transaction, by the library and by hand, in turns."};
    assent::bench::wishes how;
    assent::bench::declare(at, how);
    CLI11_PARSE(at, count, values);
    try {
        assent::bench::slow_down(values, how.force_us);
        assent::bench::run(how);
        return 0;
    } catch (std::exception const& failed) {
        std::fprintf(stderr, "assent_reservations_bench: %s\n", failed.what());
        return 2;
    }
}
