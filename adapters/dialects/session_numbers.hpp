// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session_numbers.hpp -- which of two sessions of a server is the older one.

#ifndef ASSENT_ADAPTERS_DIALECTS_SESSION_NUMBERS_HPP
#define ASSENT_ADAPTERS_DIALECTS_SESSION_NUMBERS_HPP

#include <cstdint>

namespace assent::dialects {

/// MariaDB's numbers rise, have 32 bits and come round again, so "before" is a distance.
constexpr bool is_older_of_32_bits(std::uint64_t other, std::uint64_t ours) noexcept
{
    auto const distance = static_cast<std::uint32_t>(ours - other);
    return distance != 0 && distance < 0x80000000U;
}

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_SESSION_NUMBERS_HPP
