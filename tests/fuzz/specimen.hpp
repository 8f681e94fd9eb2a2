// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// specimen.hpp -- logs to be damaged, written by the real one, and what their writer was told.
//
//   sealed        closed in order
//   unsealed      its owner died: the last force, of three pages, was acknowledged, not sealed
//   torn          as that, and a further force of three pages, of which parts reached the disk
//   two_segments  its owner died between beginning a segment and removing the one before
//   reopened      its owner died when it had just opened it: all lies in the snapshot

#ifndef ASSENT_TESTS_SPECIMEN_HPP
#define ASSENT_TESTS_SPECIMEN_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "memory_files.hpp"
#include "witness.hpp"

namespace assent::testing {

enum class log_end : std::uint8_t {
    sealed = 1,
    unsealed = 2,
    torn = 3,
    two_segments = 4,
    reopened = 5,
};
inline constexpr std::size_t log_ends = 5;

char const* name_of(log_end end) noexcept;

struct specimen
{
    log_end end = log_end::sealed;
    std::vector<memory_file> files;  ///< the segments, oldest first
    std::shared_ptr<witness const> promises;
    memory_file older;               ///< what the same log held before, a segment just as full
    std::vector<std::byte> foreign;  ///< the same life of another log
    std::size_t decisions = 0;       ///< in the newest segment
    // What was acknowledged, and nothing behind it calls it durable: the last force before its
    // seal.
    std::set<gtrid> unproved;
    std::uint32_t unproved_from = 0;  ///< its first page
    std::uint32_t unproved_to = 0;    ///< one behind its last page
};

specimen make_specimen(log_end end);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SPECIMEN_HPP
