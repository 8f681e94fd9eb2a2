// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// crc32c.cpp -- polynomial 0x1edc6f41, reflected, by eight tables or by SSE 4.2.

#include "log/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#include "log/bytes.hpp"

namespace assent::log {

namespace {

using table = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr table make_tables() noexcept
{
    table made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t sum = i;
        for (int bit = 0; bit < 8; ++bit) {
            sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78U : 0U);
        }
        made[0][i] = sum;
    }
    for (std::uint32_t i = 0; i < 256; ++i) {
        for (std::size_t k = 1; k < 8; ++k) {
            made[k][i] = made[k - 1][i] >> 8 ^ made[0][made[k - 1][i] & 0xff];
        }
    }
    return made;
}

constexpr table tables = make_tables();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::span<std::byte const> bytes,
                                                             std::uint32_t sum) noexcept
{
    std::uint64_t state = ~sum;
    std::byte const* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        state = _mm_crc32_u64(state, word);
    }
    std::uint32_t last = static_cast<std::uint32_t>(state);
    for (; left > 0; ++at, --left) {
        last = _mm_crc32_u8(last, std::to_integer<unsigned char>(*at));
    }
    return ~last;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(std::span<std::byte const> bytes, std::uint32_t sum) noexcept
{
    sum = ~sum;
    std::byte const* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t const word = get_le<std::uint64_t>(at) ^ sum;
        sum = 0;
        for (std::size_t k = 0; k < 8; ++k) {
            sum ^= tables[7 - k][word >> (8 * k) & 0xff];
        }
    }
    for (; left > 0; ++at, --left) {
        sum = sum >> 8 ^ tables[0][(sum ^ std::to_integer<std::uint32_t>(*at)) & 0xff];
    }
    return ~sum;
}

std::uint32_t crc32c(std::span<std::byte const> bytes, std::uint32_t sum) noexcept
{
#if defined(__x86_64__)
    static bool const has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) return crc32c_sse42(bytes, sum);
#endif
    return crc32c_portable(bytes, sum);
}

}  // namespace assent::log
