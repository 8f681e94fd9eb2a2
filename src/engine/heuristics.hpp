// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// heuristics.hpp -- a heuristic is recorded durably before the server may forget it.

#ifndef ASSENT_ENGINE_HEURISTICS_HPP
#define ASSENT_ENGINE_HEURISTICS_HPP

#include <string>

#include "engine/context.hpp"
#include "protocol/transition_table.hpp"

namespace assent::engine {

/// Forces the record.  @return whether it is durable; the observer is told in either case.
bool record_heuristic(context& shared, std::string const& resource_manager, xid const& id,
                      protocol::branch_state state, reply const& what) noexcept;

/// Whether the server itself remembers the heuristic and waits for xa_forget.
bool is_forget_due(reply const& what) noexcept;

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_HEURISTICS_HPP
