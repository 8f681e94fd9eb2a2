// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reserving.hpp -- two reservations in one transaction, by the library and by hand.
//
//   attempt    `statements` updates take one from each of as many rows
//   confirm    `statements` updates give it back
//
// By hand: for each of the two a local transaction that attempts and one that confirms, one after
// the other, each statement in a message, as durable as the server is; no table, no decision, and
// nothing that recovers.

#ifndef ASSENT_TESTS_BENCH_RESERVATIONS_RESERVING_HPP
#define ASSENT_TESTS_BENCH_RESERVATIONS_RESERVING_HPP

#include <cstdint>
#include <string>

#include "variant.hpp"

namespace assent::bench {

/// Where the two reservations are.
enum class spread : std::uint8_t { mixed, postgresql, mariadb };

inline constexpr spread all_spreads[] = {spread::mixed, spread::postgresql, spread::mariadb};

inline char const* name_of(spread where) noexcept
{
    switch (where) {
        case spread::mixed:
            return "mixed";
        case spread::postgresql:
            return "postgresql";
        case spread::mariadb:
            return "mariadb";
    }
    return "";
}

/// hand-mixed-1 and assent-mixed-1, its rival the first, and so on.  `directory` is for a log.
/// @param workers  of each resource manager, for confirms.
variants reserving(addresses const& where, std::string const& directory,
                   std::vector<int> const& statements, std::size_t workers = 2);

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_RESERVATIONS_RESERVING_HPP
