// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// corruption_case.hpp -- opens a damaged log, and says whether the answer was true.
//
//   refused   by an error that names the damaged file, and the page where one page was damaged
//   complete  the damage touched nothing that counts: the log holds all that it promised
//   unproved  the last force is gone, whose seal was not written: no reader can tell
//   replaced  an older state of this log, or another log, lies there whole: no reader can tell
//   wrong     anything else
//
// Invariant: unproved and replaced are said only where the specimen allows them.

#ifndef ASSENT_TESTS_CORRUPTION_CASE_HPP
#define ASSENT_TESTS_CORRUPTION_CASE_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include "damage.hpp"

namespace assent::testing {

enum class reading : std::uint8_t {
    refused = 0,
    complete = 1,
    unproved = 2,
    replaced = 3,
    wrong = 4
};
inline constexpr std::size_t readings = 5;

struct finding
{
    reading what = reading::wrong;
    std::string why;          ///< when it is wrong
    std::size_t largest = 0;  ///< block of memory that was asked for
    std::size_t peak = 0;     ///< of memory that was held
};

/// Reads it, as opening does before it writes anything.
finding read_damaged(damaged_log const& of);

/// Opens it on a disk, and again; @return what is wrong with that, or nothing.
std::string open_damaged(damaged_log const& of, reading expected);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CORRUPTION_CASE_HPP
