// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// numbering.hpp -- which messages a turn takes, and which positions they get.
//
//   position = turn, n    twenty digits each: turn = max(last turn + 1, the server's clock in us)
//
// The clock makes a sender that was restored from a backup give positions that its receivers do not
// take for those of before; the turn rises without it, too.

#ifndef ASSENT_PORTS_NUMBERING_HPP
#define ASSENT_PORTS_NUMBERING_HPP

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <assent/export.hpp>
#include <assent/lane_table.hpp>

namespace assent::ports {

/// A message that waits in a lane that is claimed.
struct waiting_task
{
    std::uint64_t id = 0;
    std::uint8_t lane = 0;
    std::size_t bytes = 0;  // of its body
    std::string position;   // empty: it has none yet
    std::string previous;
};

/// The last position that was given, by lane.
using last_positions = std::map<std::uint8_t, std::string>;

/// Those of `waiting` that the limits let through, lane by lane, from the first of each on: what
/// has a position before the rest, which is taken only where nothing has one, by its id.
ASSENT_EXPORT std::vector<waiting_task> chosen(std::vector<waiting_task> waiting,
                                               turn_limits const& limits);

/// Without what is behind a message of its lane that is not among `free`: somebody has that one,
/// and what follows it must not overtake.  What has a position is free.
ASSENT_EXPORT std::vector<waiting_task> up_to_taken(std::vector<waiting_task> const& tasks,
                                                    std::set<std::uint64_t> const& free);

/// Gives those that have none their positions.
/// @return the lanes that have moved, with their last position.
/// @throws driver_error  a last position is not one of ours.
ASSENT_EXPORT last_positions number(std::vector<waiting_task>& tasks, last_positions const& last,
                                    std::uint64_t microseconds);

/// Those in the lanes that have moved: a turn takes of a lane what has a position, or what has
/// none.
ASSENT_EXPORT std::vector<waiting_task> in_lanes(std::vector<waiting_task> const& tasks,
                                                 last_positions const& moved);

/// What was read of `tasks`, by id, in their order and with their positions.
/// @throws driver_error  one of them was not read.
ASSENT_EXPORT std::vector<placed_task> in_order(std::map<std::uint64_t, placed_task> read,
                                                std::vector<waiting_task> const& tasks);

/// The name of a lane's row in assent_lane; no destination has a blank.
ASSENT_EXPORT std::string lane_name(std::string_view to, std::uint8_t lane);
/// Of the row that keeps the source.
inline constexpr char source_row[] = " source";

/// The number of the lock that owns a lane.
ASSENT_EXPORT std::uint64_t lane_lock(std::string_view to, std::uint8_t lane);

/// 24 hexadecimal digits.
ASSENT_EXPORT std::string new_source();

}  // namespace assent::ports

#endif  // ASSENT_PORTS_NUMBERING_HPP
