// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// costs.hpp -- what a transfer costs, exactly: the one place of its messages, rounds and forces.
//
//   "p m p m pm pm (pm)"     a word is a round: what is sent without waiting for an answer
//                            p  a message to PostgreSQL: what ends by Sync, or a Query
//                            m  a message to MariaDB: one command
//                            () whoever called need not wait for the answers
//
// transfer_count_test holds every variant to it, on the wire.  Whoever makes one cheaper changes
// its line; whoever makes one dearer has to say why.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_COSTS_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_COSTS_HPP

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace assent::bench {

struct cost
{
    std::string_view variant;
    std::string_view rounds;
    int forces;  ///< of the log of decisions, where nobody else waits for it

    std::vector<std::string_view> words() const
    {
        std::vector<std::string_view> found;
        for (std::size_t end = 0;;) {
            auto const begin = rounds.find_first_not_of(' ', end);
            if (begin == std::string_view::npos) return found;
            end = std::min(rounds.find(' ', begin), rounds.size());
            found.push_back(rounds.substr(begin, end - begin));
        }
    }
    int messages() const { return messages_in(rounds, 'p') + messages_in(rounds, 'm'); }
    /// What is waited for, one after the other.
    int sequential_rounds() const
    {
        auto const all = words();
        return static_cast<int>(
            std::count_if(all.begin(), all.end(), [](auto each) { return each[0] != '('; }));
    }
    static int messages_in(std::string_view word, char what)
    {
        return static_cast<int>(std::count(word.begin(), word.end(), what));
    }
};

// clang-format off
inline constexpr cost costs[] = {
    // name             start  statements  prepare   commit  unawaited  forces
    {"hand-sequential", "p m     p m      m m p      p m",                  0},
    {"hand-overlapped", "p m     p m       pm         pm",                  0},
    {"hand-log",        "p m     p m       pm         pm",                  1},
    {"hand-commit-row", "p m     p m        m        p m",                  0},
    {"hand-two-local",  "p m     p m                  pm",                  0},
    {"hand-one-local",  "p       p p                   p",                  0},
    {"hand-promises",   "pm      p m       pm        ppm        (m)",       1},
    {"hand-row-promises", "pm    p m        m        p  pm      (m)",       0},
    {"hand-one-promises", "p     p p                 p p        (p)",       0},
    {"leased",          "pm      p m       pm         pm        (pm)",      1},
    {"leased-early",    "pm      p m       pm                   (pm) (pm)", 1},
    {"leased-as-left",  "pm      p m       pm         pm",                  1},
    {"borrowed",        "p p m m  p m     pm m        pm",                  1},
    {"commit-row",      "pm      p m        m        p m        (pm)",      0},
    {"commit-row-as-left", "pm   p m        m        p m",                  0},
    {"one-database",    "p       p p                 p p         (p)",      0},
    {"one-database-bare", "p     p p                   p",                  0},
    {"read-only",       "pm      p m       pm         pm        (pm)",      0},
    {"rollback",        "pm      p m       pm                   (pm)",      0},
};
// Over eight databases, four on each server.
inline constexpr cost costs_of_eight[] = {
    // name            start            statements       prepare  commit        unawaited forces
    {"hand-log",      "p m p m p m p m  p m p m p m p m  ppppmmmm ppppmmmm",              1},
    {"hand-promises", "ppppmmmm         p m p m p m p m  ppppmmmm ppppppppmmmm (mmmm)",     1},
    {"leased",        "ppppmmmm         p m p m p m p m  ppppmmmm ppppmmmm     (ppppmmmm)", 1},
    {"commit-row",    "ppppmmmm         p m p m p m p m  pppmmmm  p pppmmmm    (ppppmmmm)", 0},
};
// clang-format on

/// Of two databases.  @return null where nobody knows.
constexpr cost const* cost_of(std::string_view variant)
{
    for (cost const& each : costs) {
        if (each.variant == variant) return &each;
    }
    return nullptr;
}

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_COSTS_HPP
