// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mix.hpp -- numbers that look random and are the same each time (splitmix64).

#ifndef ASSENT_TESTS_MIX_HPP
#define ASSENT_TESTS_MIX_HPP

#include <cstddef>
#include <cstdint>

namespace assent::testing {

/// A number that depends on both.
inline std::uint64_t mix(std::uint64_t one, std::uint64_t other) noexcept
{
    std::uint64_t mixed = one * 0x9e3779b97f4a7c15U + other + 0x632be59bd9b4e019U;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31;
}

/// Nothing to set up, for a million short sequences.
class small_random
{
public:
    explicit small_random(std::uint64_t seed) noexcept : seed_(seed) {}

    std::uint64_t next() noexcept { return mix(seed_, count_++); }
    std::uint64_t below(std::uint64_t limit) noexcept { return next() % limit; }
    bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }
    std::byte byte() noexcept { return static_cast<std::byte>(next()); }

private:
    std::uint64_t seed_;
    std::uint64_t count_ = 0;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_MIX_HPP
