// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lanes.hpp -- the table assent_lane, and what a relay does with the messages of assent_task: see
// lane_table.hpp.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_LANES_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_LANES_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <assent/lane_table.hpp>

#include "adapters/dialects/postgresql/server.hpp"

namespace assent::postgresql_dialect::lanes {

void ensure(question& manage, session_identity const& asking);
std::string source(question& manage);
std::vector<std::uint8_t> claim(question& owner, std::string_view to, std::uint8_t from,
                                std::size_t at_most);
std::vector<placed_task> place(question& owner, std::string_view to,
                               std::vector<std::uint8_t> const& which, turn_limits const& limits);
void end_turn(question& owner, std::string_view to, std::vector<lane_end> const& ends);

}  // namespace assent::postgresql_dialect::lanes

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_LANES_HPP
