// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_mutator.hpp -- changes a log as somebody would who knows its format.
//
//   change (bytes, a field, a record, a page, a file)  ->  repair as far as chosen:
//
//     nothing | checksums of pages | and of records | and places, neighbours, numbers, links
//
// Without the repairs no change would come further than a checksum.

#ifndef ASSENT_TESTS_LOG_MUTATOR_HPP
#define ASSENT_TESTS_LOG_MUTATOR_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "memory_files.hpp"

namespace assent::testing {

enum class repair : std::uint8_t { nothing = 0, pages = 1, records = 2, everything = 3 };

/// Changes bytes in place, in any way.
using byte_changer = std::function<void(std::span<std::byte>)>;

void mutate(std::vector<memory_file>& files, std::uint64_t seed, byte_changer const& change);

/// Makes what is damaged look whole again.
void restore(std::vector<memory_file>& files, repair how_far);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_LOG_MUTATOR_HPP
