// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// crc32c.hpp -- the Castagnoli checksum (RFC 3720), which finds every burst up to 32 bits and
// every one to five flipped bits in a page of 4096 bytes.
//
// It guards against accidents, not against people: whoever may write the log can forge it.

#ifndef ASSENT_LOG_CRC32C_HPP
#define ASSENT_LOG_CRC32C_HPP

#include <cstddef>
#include <cstdint>
#include <span>

namespace assent::log {

/// The checksum of `bytes`, or of everything so far when `sum` is the checksum of what came
/// before.  Uses the processor's instruction where there is one.
std::uint32_t crc32c(std::span<std::byte const> bytes, std::uint32_t sum = 0) noexcept;

/// The same by table, on any processor.
std::uint32_t crc32c_portable(std::span<std::byte const> bytes, std::uint32_t sum = 0) noexcept;

}  // namespace assent::log

#endif  // ASSENT_LOG_CRC32C_HPP
