// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_story.hpp -- lives of a log in which each thing that it can do is done, under watch.
//
//   a whole life        new, bindings, forces alone and together, seal, heuristic, three segments
//                       with what is dropped between them, close, and opening again
//   a torn end          opening after a force that tore
//   two segments        opening after a death between a new segment and the removal of the old
//   repaired            a person has a torn log repaired
//   salvaged            a new log is made out of another one
//
// Everything is decided by the seed: no thread but those that share a force, and no clock.

#ifndef ASSENT_TESTS_LOG_STORY_HPP
#define ASSENT_TESTS_LOG_STORY_HPP

#include <cstdint>

#include "power_loss_watch.hpp"

namespace assent::testing {

enum class story : std::uint8_t {
    whole_life = 1,
    torn_end = 2,
    two_segments = 3,
    repaired = 4,
    salvaged = 5
};

struct story_disk
{
    bool is_write_through = false;  ///< O_DIRECT and O_DSYNC; else page cache and fdatasync
};

/// Tells one story; what power loss makes of it is in the report.
void tell(story which, story_disk how, power_loss_effort const& effort, power_loss_report& report);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_LOG_STORY_HPP
