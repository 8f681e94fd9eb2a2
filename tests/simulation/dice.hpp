// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// dice.hpp -- where all chance of a simulation comes from (splitmix64: a seed costs nothing).

#ifndef ASSENT_TESTS_SIMULATION_DICE_HPP
#define ASSENT_TESTS_SIMULATION_DICE_HPP

#include <cstdint>

#include <assent/testing.hpp>

namespace assent::testing {

class dice
{
public:
    explicit dice(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t operator()() noexcept
    {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::uint64_t roll(std::uint64_t sides) noexcept { return (*this)() % sides; }
    bool chance(unsigned percent) noexcept { return roll(100) < percent; }
    bool one_in(std::uint64_t sides) noexcept { return roll(sides) == 0; }

private:
    std::uint64_t state_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_DICE_HPP
