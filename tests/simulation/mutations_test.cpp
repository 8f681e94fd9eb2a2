// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mutations_test.cpp -- the simulation finds the faults that it is there to find.
//
// Each switch of protocol/mutation.hpp brings one back; a history must then fail within the seeds
// stated here.  ASSENT_MUTATION=<name> runs that one alone.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "protocol/mutation.hpp"
#include "tests/simulation/world.hpp"

namespace {

using namespace assent::testing;
using assent::protocol::mutation;

struct expectation
{
    mutation which;
    std::uint64_t seeds_max;
    unsigned transactions = 200;
    world::returns when = world::returns::completed;
    world::reserves what = world::reserves::nothing;
};

expectation reserving(mutation which, std::uint64_t seeds_max)
{
    return {which, seeds_max, 200, world::returns::completed, world::reserves::some};
}

std::string name_of(mutation which)
{
    return std::string{assent::protocol::mutation_names[static_cast<std::size_t>(which)]};
}

class Mutations : public ::testing::TestWithParam<expectation>
{
public:
    ~Mutations() override { assent::protocol::present_mutation = mutation::none; }
};

TEST_P(Mutations, IsFound)
{
    auto const [which, seeds_max, transactions, when, what] = GetParam();
    assent::protocol::present_mutation = which;

    for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
        world one{seed, transactions, when, what};
        auto const wrong = one.run();
        if (wrong.empty()) continue;
        std::cout << name_of(which) << ": found by seed " << seed << ": " << wrong.front() << '\n';
        return;
    }

    FAIL() << name_of(which) << " was not found within " << seeds_max << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    Each, Mutations,
    ::testing::Values(
        expectation{mutation::live_before_list, 200}, expectation{mutation::nota_finishes, 200},
        expectation{mutation::horizon_too_early, 200}, expectation{mutation::presence_ignored, 200},
        expectation{mutation::kill_decided_session, 200},
        expectation{mutation::list_older_than_prepare, 200},
        expectation{mutation::late_force_committed, 200},
        expectation{mutation::log_without_name, 200}, expectation{mutation::replica_scanned, 200},
        expectation{mutation::starving_queue, 1000},
        expectation{mutation::expired_keeps_horizon, 200},
        expectation{mutation::finish_while_detaching, 200},
        expectation{mutation::numbers_are_sessions, 400},
        expectation{mutation::restore_unnoticed, 400},
        expectation{mutation::rows_elsewhere_unread, 2000},
        expectation{mutation::late_binding_forgotten, 3000, 10},
        expectation{mutation::silence_behind_believed, 200, 200, world::returns::some_early},
        reserving(mutation::undecided_confirmed, 20), reserving(mutation::row_deleted_apart, 200),
        reserving(mutation::late_attempt_forgotten, 200)),
    [](auto const& tested) { return name_of(tested.param.which); });

}  // namespace
