// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transfer_count_test.cpp -- each variant of a transfer sends the messages that costs.hpp says, in
// its rounds, and forces the log as often.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "bench.hpp"
#include "stepping.hpp"
#include "variant.hpp"

namespace {

using namespace assent::bench;

enum class databases : std::uint8_t { two, eight };

/// One for all tests of the program: servers take seconds to start.
struct scenery
{
    scenery()
    {
        for (auto const over : {databases::two, databases::eight}) {
            auto const where = over == databases::two ? places{net.where().front()} : net.where();
            std::string const directory = in.path() + (over == databases::two ? "/two" : "/eight");
            std::filesystem::create_directory(directory);
            auto& made = all[over];
            made = by_hand(where, directory);
            for (auto& each : by_assent(where, directory))
                made.push_back(std::move(each));
        }
    }

    variant& named(std::string_view name, databases over)
    {
        for (auto const& each : all[over]) {
            if (each->name() == name) return *each;
        }
        throw std::runtime_error("there is no variant " + std::string(name));
    }

    shop at{4};
    scratch const in;
    stepping_network net{at};
    std::map<databases, variants> all;
};

struct expectation
{
    databases over;
    cost what;
};

std::vector<expectation> expectations()
{
    std::vector<expectation> found;
    for (cost const& each : costs)
        found.push_back({databases::two, each});
    for (cost const& each : costs_of_eight)
        found.push_back({databases::eight, each});
    return found;
}

class TransferCount : public ::testing::TestWithParam<expectation>
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

TEST_P(TransferCount, IsAsTheTableSays)
{
    cost const& what = GetParam().what;
    auto& of = scene_->named(what.variant, GetParam().over);
    std::uint64_t sequence = 1;
    of.open(1);
    for (; sequence < 4; ++sequence)  // what only the first does
        of.transfer(0, sequence);
    of.settle();
    scene_->net.hold();
    auto const forces = of.forces();

    // What the first leaves unsaid comes with the second.
    for (int twice = 0; twice < 2 && !HasFailure(); ++twice)
        step(scene_->net, what, [&] { of.transfer(0, sequence++); });

    scene_->net.let_all_go();
    EXPECT_EQ(of.forces() - forces, 2u * static_cast<unsigned>(what.forces));
}

std::string in_words(::testing::TestParamInfo<expectation> const& of)
{
    std::string name(of.param.what.variant);
    std::replace(name.begin(), name.end(), '-', '_');
    return name + (of.param.over == databases::eight ? "_of_eight" : "");
}

INSTANTIATE_TEST_SUITE_P(Each, TransferCount, ::testing::ValuesIn(expectations()), in_words);

TEST(TransferCost, IsKnownOfEachVariant)
{
    cost const* const known = cost_of("hand-promises");

    ASSERT_NE(known, nullptr);
    EXPECT_EQ(known->messages(), 10);
    EXPECT_EQ(known->sequential_rounds(), 5);
    EXPECT_EQ(cost_of("by magic"), nullptr);
}

}  // namespace
