// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/unit/protocol/table_view.hpp"

#include <stdexcept>

namespace protocol_test {

namespace protocol = assent::protocol;

std::vector<protocol::transition> all_rows()
{
    return {protocol::table::rows.begin(), protocol::table::rows.end()};
}

protocol::transition row_for(protocol::branch_state from, protocol::reply_class on)
{
    auto const* const row = protocol::find_transition(from, on);
    if (row == nullptr) throw std::logic_error("the state waits for nothing");
    return *row;
}

}  // namespace protocol_test
