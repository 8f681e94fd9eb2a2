// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// matrix_test.cpp -- every answer of X/Open to every call, in every position, in a run and in
// recovery, against the table of expected answers.
//
//   ASSENT_CELLS=200 ASSENT_SEED=7 ASSENT_COMMIT=... xopen_matrix_test
//
// Without ASSENT_CELLS all are played; with it so many, drawn by the seed, that is printed.  A
// failure says its number: ASSENT_CELL=<number> plays that one alone.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "tests/unit/xopen/matrix_cell.hpp"
#include "tests/unit/xopen/monitor.hpp"

namespace xopen_test {
namespace {

// Nearly all of a cell's time is spent waiting for the disk and for later.
constexpr int players = 8;

unsigned long setting(char const* name, unsigned long otherwise)
{
    char const* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

/// Plays them, several at once.
/// @return how many.
int play_all(std::vector<int> const& numbers, variant how)
{
    std::atomic<int> played{0};
    wreckage const left;
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::vector<std::thread> all;
    all.reserve(players);
    for (int i = 0; i < players; ++i) {
        all.emplace_back([&] {
            for (auto at = next++; at < numbers.size(); at = next++) {
                auto one = cell_of(numbers[at]);
                one.how = how;
                if (!is_played(one)) continue;
                ++played;
                auto const wrong = play(one, left);
                std::lock_guard const held{mutex};
                for (auto const& each : wrong)
                    ADD_FAILURE() << "cell " << numbers[at] << ": " << each;
            }
        });
    }
    for (auto& each : all)
        each.join();
    return played;
}

std::vector<int> numbers_to_play(unsigned long seed)
{
    if (std::getenv("ASSENT_CELL") != nullptr)
        return {static_cast<int>(setting("ASSENT_CELL", 0) % cell_count)};
    std::vector<int> numbers(cell_count);
    std::iota(numbers.begin(), numbers.end(), 0);
    std::mt19937_64 dice{seed};
    std::shuffle(numbers.begin(), numbers.end(), dice);
    numbers.resize(std::min(numbers.size(), setting("ASSENT_CELLS", cell_count)));
    return numbers;
}

void play_matrix(variant how)
{
    auto const seed = setting("ASSENT_SEED", std::random_device{}());
    auto const numbers = numbers_to_play(seed);
    auto const begun = std::chrono::steady_clock::now();

    int const played = play_all(numbers, how);

    char const* const commit = std::getenv("ASSENT_COMMIT");
    auto const took = std::chrono::steady_clock::now() - begun;
    std::cout << "matrix of answers: commit " << (commit != nullptr ? commit : "not given")
              << ", seed " << seed << ": " << played << " of " << cell_count << " cells in "
              << std::chrono::duration_cast<std::chrono::seconds>(took).count() << " s\n";
    // One that was asked for by its number may be none of this variant's; else nothing was tested.
    EXPECT_TRUE(played > 0 || std::getenv("ASSENT_CELL") != nullptr);
}

TEST(Matrix, EveryAnswerToEveryCall)
{
    play_matrix(variant::as_xa_says);
}

TEST(Matrix, WhatWasDoneBeforeAnAnswerThatDoesNotSaySo)
{
    play_matrix(variant::was_done);
}

TEST(Matrix, WhatIsAnsweredSoThreeTimesIsDoneAtLast)
{
    play_matrix(variant::repeated);
}

TEST(Matrix, OfSwitchesThatRegister)
{
    play_matrix(variant::registering);
}

TEST(Matrix, OfSwitchesWhoseCallsAreCompleted)
{
    play_matrix(variant::asynchronous);
}

TEST(Matrix, EachRowOfTheTableIsSomeCells)
{
    std::set<expected const*> met;
    for (int number = 0; number < cell_count; ++number)
        met.insert(&expectation_of(cell_of(number)));

    EXPECT_EQ(cell_count, 1848);
    EXPECT_EQ(met.size(), table::rows.size());
}

}  // namespace
}  // namespace xopen_test
