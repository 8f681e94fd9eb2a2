// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "log/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

#include "log/log_error.hpp"

namespace assent::log {

std::uint64_t kernel_random()
{
    std::uint64_t made = 0;
    while (::getrandom(&made, sizeof made, 0) != sizeof made) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    return made;
}

std::uint64_t nonzero(random_source const& random, std::uint64_t mask)
{
    constexpr int tries_max = 16;
    for (int i = 0; i < tries_max; ++i) {
        if (std::uint64_t const made = random() & mask; made != 0) return made;
    }
    throw log_error(log_fault::bad_option, std::make_error_code(std::errc::invalid_argument),
                    "random source", "it gives only zeros");
}

}  // namespace assent::log
