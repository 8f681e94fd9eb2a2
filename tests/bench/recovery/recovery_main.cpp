// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// recovery_main.cpp -- the program `assent_recovery_bench`: thousands of prepared branches on a
// PostgreSQL and a MariaDB of its own, finished by a manager that is opened, and by hand.
//
//   assent_recovery_bench --help
//
// In each round all ways run once, in an order of the round's own.  What could not do its work
// makes the program fail.  What is slow never does.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench.hpp"
#include "recovery_results.hpp"

namespace assent::bench {

namespace {

struct wishes
{
    std::size_t count = 10'000;
    std::size_t connections = limits{}.completion_sessions_max;
    std::size_t rounds = 5;
    std::size_t threads = 4;
    double seconds = 2;
    int presumed_abort_delay_ms = static_cast<int>(limits{}.presumed_abort_delay.count());
    std::uint64_t seed = 1;
    std::vector<std::string> only;
    std::string json;
};

std::vector<std::string> const all_ways{"commit", "commit by hand", "rollback", "rollback by hand",
                                        "busy commit"};

void blink(wishes& all)
{
    choose().is_blink = true;
    all.count = 100;
    all.rounds = 1;
    all.threads = 2;
    all.seconds = 0.05;
    all.presumed_abort_delay_ms = 0;
}

void declare(CLI::App& at, wishes& all)
{
    at.add_option("--count", all.count, "branches on each database")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    at.add_option("--connections", all.connections, "to each database, by hand")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    at.add_option("--rounds", all.rounds, "in each of which every way runs once")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    at.add_option("--threads", all.threads, "that transfer money, in \"busy commit\"")
        ->check(CLI::Range(std::size_t{1}, shop::threads_max))
        ->capture_default_str();
    at.add_option("--seconds", all.seconds, "of transfers after \"busy commit\"")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    at.add_option("--presumed-abort-delay", all.presumed_abort_delay_ms, "in milliseconds")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    at.add_option("--only", all.only, "ways, by name; all without it")
        ->delimiter(',')
        ->check(CLI::IsMember(all_ways));
    at.add_option("--seed", all.seed, "of the orders")->capture_default_str();
    at.add_option("--json", all.json, "a file for everything, for programs");
    at.add_option("--directory", choose().directory,
                  "on a disk, for logs; TMPDIR or /tmp without it");
    at.add_flag_callback(
        "--blink", [&] { blink(all); }, "as little as possible, to see that all of it still runs");
}

finished measure(addresses const& where, std::string const& way, wishes const& how)
{
    auto const what = way.find("rollback") == std::string::npos ? ending::commit : ending::rollback;
    bool const is_by_hand = way.find("by hand") != std::string::npos;
    limits::duration const delay{how.presumed_abort_delay_ms};
    if (is_by_hand) {
        leave_to_hands(where, how.count);
        auto const settled = limits{}.detach_settle;
        auto const later = what == ending::commit ? settled : settled - std::min(settled, delay);
        return finish_by_hand(where, how.count, what, how.connections, later);
    }
    scratch const in;
    recovery_plan plan;
    plan.directory = in.path() + "/log";
    plan.count = how.count;
    plan.presumed_abort_delay = delay;
    plan.threads = way == "busy commit" ? how.threads : 0;
    plan.seconds = how.seconds;
    bind_all(where, plan.directory);
    leave_behind(where, plan.directory, how.count, what);
    return finish_by_recovery(where, plan);
}

void run(wishes const& how)
{
    require_disk();
    shop at(1, wire::in_the_clear, how.count + 200);
    addresses const where = at.directly().front();
    make_room(where);
    recovery_results found({machine(), how.count, how.connections, how.rounds, how.threads,
                            limits::duration{how.presumed_abort_delay_ms}});
    std::vector<std::string> ways = how.only.empty() ? all_ways : how.only;
    std::mt19937_64 random(how.seed);
    for (std::size_t round = 0; round < how.rounds; ++round) {
        std::shuffle(ways.begin(), ways.end(), random);
        for (auto const& way : ways) {
            found.take(way, measure(where, way, how));
            bool const is_commit = way.find("rollback") == std::string::npos;
            require_ended(where, is_commit ? how.count : 0);
        }
    }
    at.require_whole();
    write_file(how.json, json_of(found));
    std::printf("%s", table_of(found).c_str());
}

}  // namespace

}  // namespace assent::bench

int main(int count, char** values)
{
    CLI::App at{"Prepared branches, finished by a manager that is opened, and by hand."};
    assent::bench::wishes how;
    assent::bench::declare(at, how);
    CLI11_PARSE(at, count, values);
    try {
        assent::bench::run(how);
        return 0;
    } catch (std::exception const& failed) {
        std::fprintf(stderr, "assent_recovery_bench: %s\n", failed.what());
        return 2;
    }
}
