// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lane_table.hpp -- optional: a database whose messages a relay may carry to a broker, in the
// tables assent_task and assent_lane.
//
//   claim_lanes   lanes in which messages wait, for this session alone, until it ends
//   place_tasks   gives each message its position, and the one before it, in one transaction
//                 ... the relay sends them, and hears which of them the broker keeps ...
//   end_turn      deletes what is kept, notes what is not, and lets go of the lanes
//
// Whoever places messages in a lane holds the lane's row of assent_lane, and reads what waits after
// that: two messages of one key are placed in the order in which their transactions committed,
// since task_table keeps the key's slot from before the id to the end of the branch.  A lane that
// two relays believe they own loses nothing by it: a position is given once, and what both send is
// the same.

#ifndef ASSENT_LANE_TABLE_HPP
#define ASSENT_LANE_TABLE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver_session.hpp>
#include <assent/export.hpp>
#include <assent/task_table.hpp>

namespace assent {
inline namespace v0 {

/// A message that has its place in its lane.
struct placed_task
{
    task_row row;          ///< as it was put
    std::string position;  ///< forty digits, which rise within the lane
    std::string previous;  ///< the position before it
    unsigned tries = 0;    ///< how often it was refused
};

/// How much is placed in a turn.
struct turn_limits
{
    std::size_t lane_messages = 256;  ///< of one lane
    std::size_t messages = 1024;      ///< of all
    std::size_t bytes = 8'000'000;    ///< of all bodies; one message is read however long it is
};

/// How a lane's turn ended.
struct lane_end
{
    std::uint8_t lane = 0;  ///< that was claimed
    std::string kept;       ///< the broker keeps everything up to this position; empty: nothing
    std::string refused;    ///< the position that it refused; empty: none
    std::string why;        ///< its words, of a refused one
    std::chrono::seconds again_after{0};  ///< a refused one is not sent again before this
    bool is_parked = false;               ///< nor after it, until a person says so
};

/// Optional: what a database must do so that a relay can carry its messages away.
///
/// Each member throws driver_error when the server refused, or has not answered by `until`; the
/// session is then to be closed, which lets go of its lanes, and everything is safe to call again
/// on another one.
///
/// Thread safety: every member may be called from several threads at once, on distinct sessions.
class ASSENT_EXPORT lane_table
{
public:
    virtual ~lane_table() = default;

    /// Makes the table, and the index of assent_task that it needs, where they are missing and the
    /// account may do so.
    /// @throws driver_error  what() has the statements that make them.
    virtual void ensure_lanes(driver_session& manage, deadline until) = 0;

    /// The name of these tables for whoever receives: 24 hexadecimal digits, random, made once.
    virtual std::string lane_source(driver_session& manage, deadline until) = 0;

    /// Claims for `owner`, a session of session_purpose::guardian, lanes of `to` in which messages
    /// wait, beginning with lane `from`, and no more than `at_most`.  Passed over are lanes that
    /// another session has, whose first message is not due, or which are parked.
    virtual std::vector<std::uint8_t> claim_lanes(driver_session& owner, std::string_view to,
                                                  std::uint8_t from, std::size_t at_most,
                                                  deadline until) = 0;

    /// Gives positions to what waits in `lanes`, durably, but where a lane has messages that were
    /// placed before: these are first.  A message that a transaction has taken holds up what is
    /// behind it in its lane; nobody waits for it.
    /// @return what is to be sent now: each lane's from its first on, in its order.
    virtual std::vector<placed_task> place_tasks(driver_session& owner, std::string_view to,
                                                 std::vector<std::uint8_t> const& lanes,
                                                 turn_limits const& limits, deadline until) = 0;

    /// Deletes what is kept, notes what was refused, and lets go of all lanes.
    virtual void end_turn(driver_session& owner, std::string_view to,
                          std::vector<lane_end> const& ends, deadline until) = 0;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_LANE_TABLE_HPP
