// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// victim_main.hpp -- what every program that a crash test kills begins and ends with.

#ifndef ASSENT_TESTS_CRASH_VICTIM_MAIN_HPP
#define ASSENT_TESTS_CRASH_VICTIM_MAIN_HPP

#include "tests/crash/plan.hpp"
#include "tests/crash/point_watch.hpp"

namespace assent::testing {

/// Obeys the plan whose file is the only argument.  Nothing of a test outlives it.
int victim_main(char const* program, int count, char** words, void (*obey)(plan const& what));

/// Dies at the point that the plan names, if it names one.
void strike_as_planned(point_watch& watch, plan const& what);

/// Which points were reached, and how often, for the test to read.
void write_points(plan const& what, point_watch const& watch);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_VICTIM_MAIN_HPP
