// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reservation_count_test.cpp -- two reservations send these messages, in these rounds, and force
// the log once; by hand the same work sends those.  Both commit as often, and each commit is one
// forced write of its server.
//
// Invariant: where a client joins messages, a local transaction of ours sends none more than one by
// hand.  What is sent besides is the vote, and the resets, for which nobody waits.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "bench.hpp"
#include "reserving.hpp"
#include "stepping.hpp"

namespace {

using namespace assent::bench;

struct expectation
{
    std::string_view variant;
    /// As in costs.hpp; what stands in braces comes once for each statement of a handler.
    std::string_view rounds;
    int forces;
};

// clang-format off
constexpr expectation expectations[] = {
    //                   attempt     attempt     vote   confirm, confirm              unawaited
    {"hand-mixed",       "p {p} p     m {m} m            p {p} p      m {m} m",                  0},
    {"hand-postgresql",  "p {p} p     p {p} p            p {p} p      p {p} p",                  0},
    {"hand-mariadb",     "m {m} m     m {m} m            m {m} m      m {m} m",                  0},
    {"assent-mixed",     "p {p} p     m {m} m     pm     pm {pm} pm                 (ppmm)",      1},
    {"assent-postgresql", "p {p} p    p {p} p     pp     pp {pp} pp                 (pppp)",      1},
    {"assent-mariadb",   "m {m} m     m {m} m     mm     mm {mm} mm                 (mmmm)",      1},
};
// clang-format on

std::string repeated(std::string_view rounds, int statements)
{
    std::string text;
    for (std::size_t at = 0; at < rounds.size(); ++at) {
        if (rounds[at] != '{') {
            text += rounds[at];
            continue;
        }
        auto const end = rounds.find('}', at);
        for (int i = 0; i < statements; ++i)
            text.append(i == 0 ? "" : " ").append(rounds.substr(at + 1, end - at - 1));
        at = end;
    }
    return text;
}

constexpr int statements_of[] = {1, 10};

struct scenery
{
    variant& named(std::string const& name) const
    {
        auto const found = std::find_if(all.begin(), all.end(),
                                        [&](auto const& each) { return each->name() == name; });
        if (found == all.end()) throw std::runtime_error("there is no variant " + name);
        return **found;
    }

    shop at;
    scratch const in;
    stepping_network net{at};
    variants all = reserving(net.where().front(), in.path(),
                             {std::begin(statements_of), std::end(statements_of)});
    std::size_t resets = 0;  // that all variants together have brought about
};

class ReservationCount : public ::testing::TestWithParam<std::tuple<expectation, int>>
{
protected:
    static void SetUpTestSuite()
    {
        require_disk();
        scene_ = std::make_unique<scenery>();
    }
    static void TearDownTestSuite()
    {
        EXPECT_NO_THROW(scene_->at.require_whole());
        scene_.reset();
    }

    static inline std::unique_ptr<scenery> scene_;
};

TEST_P(ReservationCount, IsAsItsLineSays)
{
    auto const& [what, statements] = GetParam();
    auto const rounds = repeated(what.rounds, statements);
    auto& of = scene_->named(std::string{what.variant} + '-' + std::to_string(statements));
    auto& net = scene_->net;
    // Two attempts, and two ends.
    std::size_t const resets_of_each = of.name().substr(0, 4) == "hand" ? 0 : 4;
    std::uint64_t sequence = 1;
    of.open(1);
    for (; sequence < 5; ++sequence)  // what only the first does
        of.transfer(0, sequence);
    of.settle();
    // Nobody waits for the last ones, which would be taken for the next transaction's.
    scene_->resets += 5 * resets_of_each;
    EXPECT_TRUE(net.becomes_reset(scene_->resets));
    net.hold();
    auto const forces = of.forces();
    auto const commits = net.commits();

    // What the first leaves unsaid comes with the second.
    for (int twice = 0; twice < 2 && !HasFailure(); ++twice)
        step(net, {what.variant, rounds, 0}, [&] { of.transfer(0, sequence++); });
    scene_->resets += 2 * resets_of_each;

    EXPECT_EQ(net.commits() - commits, 2u * 4u) << "an attempt and an end of each";
    net.let_all_go();
    EXPECT_EQ(of.forces() - forces, 2u * static_cast<unsigned>(what.forces));
}

std::string in_words(::testing::TestParamInfo<std::tuple<expectation, int>> const& of)
{
    std::string name{std::get<0>(of.param).variant};
    std::replace(name.begin(), name.end(), '-', '_');
    return name + '_' + std::to_string(std::get<1>(of.param));
}

INSTANTIATE_TEST_SUITE_P(Each, ReservationCount,
                         ::testing::Combine(::testing::ValuesIn(expectations),
                                            ::testing::ValuesIn(statements_of)),
                         in_words);

}  // namespace
