// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// fnv.hpp -- FNV-1a of 64 bits: the same in every build, so that servers and people may keep it.
// Nobody may gain by a collision.

#ifndef ASSENT_PORTS_FNV_HPP
#define ASSENT_PORTS_FNV_HPP

#include <cstdint>
#include <string_view>

namespace assent::ports {

constexpr std::uint64_t fnv1a(std::string_view text) noexcept
{
    std::uint64_t sum = 0xcbf29ce484222325;
    for (char const each : text)
        sum = (sum ^ static_cast<unsigned char>(each)) * 0x100000001b3;
    return sum;
}

}  // namespace assent::ports

#endif  // ASSENT_PORTS_FNV_HPP
