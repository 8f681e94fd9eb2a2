// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// include_arrows.hpp -- which folder may include which.
//
//   application -> include/assent -> src/api, src/tx -> src/engine -> src/protocol -> src/ports
//                                                                     src/log, adapters -^
//
// The table is in include_arrows.cpp; an arrow that it does not have is a violation.

#ifndef ASSENT_TESTS_HEADERS_INCLUDE_ARROWS_HPP
#define ASSENT_TESTS_HEADERS_INCLUDE_ARROWS_HPP

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace assent::testing {

struct arrow_report
{
    std::size_t files = 0;
    std::size_t includes = 0;
    std::vector<std::string> violations;  ///< file:line: what is wrong
};

/// Reads the `#include` lines of the library, the adapters and recovery under `root`.
arrow_report check_include_arrows(std::filesystem::path const& root);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_HEADERS_INCLUDE_ARROWS_HPP
