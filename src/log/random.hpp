// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// random.hpp -- where a node's id and the nonce of an opening come from.

#ifndef ASSENT_LOG_RANDOM_HPP
#define ASSENT_LOG_RANDOM_HPP

#include <cstdint>
#include <functional>

namespace assent::log {

using random_source = std::function<std::uint64_t()>;

/// The kernel's.  Waits until it was seeded.  @throws std::system_error
std::uint64_t kernel_random();

/// Random bits of `mask`, at least one of which is set: 0 stands for "none".
/// @throws log_error  the source gives only zeros.
std::uint64_t nonzero(random_source const& random, std::uint64_t mask);

}  // namespace assent::log

#endif  // ASSENT_LOG_RANDOM_HPP
