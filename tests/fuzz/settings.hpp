// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// settings.hpp -- how much a run does, and with which seed, from the environment.

#ifndef ASSENT_TESTS_FUZZ_SETTINGS_HPP
#define ASSENT_TESTS_FUZZ_SETTINGS_HPP

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace assent::testing {

/// ASSENT_SEED, or one that is printed so that the run can be repeated.
inline std::uint64_t seed_of_this_run()
{
    static std::uint64_t const seed = [] {
        char const* const given = std::getenv("ASSENT_SEED");
        std::uint64_t const chosen =
            given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
        std::cout << "ASSENT_SEED=" << chosen << '\n';
        return chosen;
    }();
    return seed;
}

inline std::string text_of_setting(char const* name)
{
    char const* const given = std::getenv(name);
    return given == nullptr ? "" : given;
}

inline std::uint64_t setting(char const* name, std::uint64_t otherwise)
{
    auto const given = text_of_setting(name);
    return given.empty() ? otherwise : std::strtoull(given.c_str(), nullptr, 10);
}

/// ASSENT_CASES=all
inline bool is_campaign()
{
    return text_of_setting("ASSENT_CASES") == "all";
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_FUZZ_SETTINGS_HPP
