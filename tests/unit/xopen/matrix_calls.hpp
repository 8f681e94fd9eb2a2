// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// matrix_calls.hpp -- what a cell's switches were called for, judged.

#ifndef ASSENT_TESTS_UNIT_XOPEN_MATRIX_CALLS_HPP
#define ASSENT_TESTS_UNIT_XOPEN_MATRIX_CALLS_HPP

#include <optional>
#include <string>
#include <vector>

#include <assent/testing_switch.hpp>

#include "tests/unit/xopen/expected_answers.hpp"

namespace xopen_test {

using calls = std::vector<assent::testing::switch_event>;

/// What the branch was called for after the nth call of `routine`, which was made for it, or last
/// before which something was.
/// @return nothing: there was no such call.
std::optional<calls> sent_after(calls const& all, assent::testing::switch_call routine, int nth);

bool fits(next then, calls const& sent);

/// We join, resume and suspend nothing, wait for every answer, and go through a list in one way.
bool has_flags_of_ours(assent::testing::switch_event const& one, bool is_asynchronous);

/// A list may be a connection's only cursor.
bool is_listed_before_it_is_finished(calls const& all);

std::string words_of(assent::testing::switch_event const& one);
std::string words_of(calls const& all);

}  // namespace xopen_test

#endif  // ASSENT_TESTS_UNIT_XOPEN_MATRIX_CALLS_HPP
