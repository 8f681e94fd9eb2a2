// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// file_damage.hpp -- segments that go, come, change their names, or belong to somebody else.

#ifndef ASSENT_TESTS_FILE_DAMAGE_HPP
#define ASSENT_TESTS_FILE_DAMAGE_HPP

#include <cstddef>
#include <vector>

#include "specimen.hpp"

namespace assent::testing {

struct file_damage
{
    char const* name;
    /// To segment `which` of `files`.
    void (*apply)(std::vector<memory_file>& files, std::size_t which, specimen const& of);
    /// What lies there afterwards may be a log, whole in itself: an older state, or another log.
    bool is_substitution = false;
};

std::vector<file_damage> const& file_damages();

}  // namespace assent::testing

#endif  // ASSENT_TESTS_FILE_DAMAGE_HPP
