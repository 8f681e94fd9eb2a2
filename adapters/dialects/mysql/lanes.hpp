// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lanes.hpp -- the table assent_lane, and what a relay does with the messages of assent_task: see
// lane_table.hpp.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_LANES_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_LANES_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <assent/lane_table.hpp>

#include "adapters/dialects/mysql/question.hpp"

namespace assent::mysql_dialect::lanes {

void ensure(question& q);
std::string source(question& q);
std::vector<std::uint8_t> claim(question& q, std::string_view to, std::uint8_t from,
                                std::size_t at_most);
std::vector<placed_task> place(question& q, std::string_view to,
                               std::vector<std::uint8_t> const& which, turn_limits const& limits);
void end_turn(question& q, std::string_view to, std::vector<lane_end> const& ends);

}  // namespace assent::mysql_dialect::lanes

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_LANES_HPP
