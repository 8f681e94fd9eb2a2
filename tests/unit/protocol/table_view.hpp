// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// table_view.hpp -- the transition table, seen from the tests.
//
// flip_cells links the same test objects against many broken tables, so no other file of these
// tests may look at the rows: they would be compiled into it.

#ifndef ASSENT_TESTS_UNIT_PROTOCOL_TABLE_VIEW_HPP
#define ASSENT_TESTS_UNIT_PROTOCOL_TABLE_VIEW_HPP

#include <vector>

#include "protocol/transition_table.hpp"

namespace protocol_test {

std::vector<assent::protocol::transition> all_rows();

/// The row that a reply finds.  @throws std::logic_error  when the state waits for nothing.
assent::protocol::transition row_for(assent::protocol::branch_state from,
                                     assent::protocol::reply_class on);

}  // namespace protocol_test

#endif  // ASSENT_TESTS_UNIT_PROTOCOL_TABLE_VIEW_HPP
