// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// heuristics.hpp -- a heuristic (a branch that was ended without the decision, perhaps against it)
// is recorded durably before the server may forget it.

#ifndef ASSENT_RECOVERY_HEURISTICS_HPP
#define ASSENT_RECOVERY_HEURISTICS_HPP

#include <string>

#include "protocol/transition_table.hpp"
#include "shared/context.hpp"

namespace assent::recovery {

using shared::context;

/// Forces the record.  @return whether it is durable; the observer is told in either case.
bool record_heuristic(context& shared, std::string const& resource_manager, xid const& id,
                      protocol::branch_state state, reply const& what,
                      bool is_first = true) noexcept;

/// Whether the server itself remembers the heuristic and waits for xa_forget.
bool is_forget_due(reply const& what) noexcept;

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_HEURISTICS_HPP
