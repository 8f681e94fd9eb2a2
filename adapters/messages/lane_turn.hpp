// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lane_turn.hpp -- one turn of a relay with one destination: places what waits, sends it, deletes
// what the broker keeps.

#ifndef ASSENT_ADAPTERS_MESSAGES_LANE_TURN_HPP
#define ASSENT_ADAPTERS_MESSAGES_LANE_TURN_HPP

#include <functional>
#include <string>
#include <vector>

#include <assent/driver.hpp>
#include <assent/relay.hpp>

namespace assent::messages {

/// What a turn is given.
struct turn_of
{
    std::string to;
    std::string source;
    std::uint8_t from = 0;  // the lane to begin with
    unsigned lanes_at_most = 1;
    turn_limits limits;
    /// How a refused message goes on, which was refused so many times before.
    std::function<lane_end(unsigned tries)> refusal;
};

/// What came of it.
struct turn_result
{
    std::size_t kept = 0;
    std::uint8_t next = 0;           // the lane to begin the next turn with
    bool is_full = false;            // more may wait
    std::string why;                 // what was not kept, and was not refused: the broker is away
    message::relay_trouble refused;  // the message that was; none: without an id
};

/// @param owner  of session_purpose::guardian; to be closed where this throws.
/// @throws driver_error  by the database.
turn_result take_turn(lane_table& table, driver_session& owner, message::transport& by,
                      turn_of const& what, deadline until);

}  // namespace assent::messages

#endif  // ASSENT_ADAPTERS_MESSAGES_LANE_TURN_HPP
