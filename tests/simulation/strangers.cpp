// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// strangers.cpp -- sessions of the application's own, which the manager knows nothing of, on
// servers that give their session numbers again with each start.
//
//   session 7 prepares --- the server starts again --- session 7 is somebody else's, or ours again
//
// They go with their process.  Within one life of a server no number is given twice, and they come
// after the manager's first session there: older ones of its account keep it from being drained,
// rightly.

#include "tests/simulation/world.hpp"

namespace assent::testing {

namespace {

constexpr std::uint64_t strangers_max = 12;

}  // namespace

/// The manager has read a list there, and so has its first session.
void world::meet_strangers(machine const& here, std::size_t at)
{
    auto& those = strangers_[at];
    bool const is_wanted = gives_numbers_again_ && &here == machine_.get() &&
                           databases_[at].is_up() && (!is_stormy_ || dice_.one_in(2));
    bool const are_there = !those.empty() && those.front()->is_open();
    if (!is_wanted || are_there) return;
    those.clear();
    mix_.note(mishap::strangers);
    for (auto more = 1 + dice_.roll(strangers_max); more != 0; --more)
        those.push_back(databases_[at].connect());
}

void world::part_from_strangers()
{
    for (auto& those : strangers_)
        those.clear();
}

}  // namespace assent::testing
