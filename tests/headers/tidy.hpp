// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tidy.hpp -- what a formatter does not see: how every file of ours begins, and what none holds.
//
//   code       C++, CMake and shell: ASCII, at most 100 columns (tables 120), no tab, no
//              trailing blank, a copyright line where the language has room for it
//   headers    a guard named after the path
//   all text   ends with one line break; no note to oneself, no path of somebody's machine

#ifndef ASSENT_TESTS_HEADERS_TIDY_HPP
#define ASSENT_TESTS_HEADERS_TIDY_HPP

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace assent::testing {

struct tidy_report
{
    std::size_t files = 0;
    std::vector<std::string> violations;  ///< file:line: what is wrong
    std::vector<std::string> long_files;  ///< over 500 lines: a place to look for a second noun
};

tidy_report check_tidiness(std::filesystem::path const& root);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_HEADERS_TIDY_HPP
