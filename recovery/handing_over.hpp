// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// handing_over.hpp -- a transaction whose branches the keepers must finish: by its owner, which
// could not, or by the list that makes a late decision whole.
//
//   due_of each branch --> places_of all --> hand_over: each to the queue of its keeper
//
// Invariant: the transaction stays live until the last of its branches is finished.

#ifndef ASSENT_RECOVERY_HANDING_OVER_HPP
#define ASSENT_RECOVERY_HANDING_OVER_HPP

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "recovery/completion_queue.hpp"
#include "shared/context.hpp"

namespace assent::recovery {

/// Which branch, and what is known of its session and server; its state is the caller's affair.
due_branch due_of(shared::branch const& b);

/// At which resource managers they are.
std::vector<std::uint16_t> places_of(std::list<due_branch> const& due);

/// From here on they are the keepers'.  Needs no memory.
/// @pre  `due` are branches of `tx`, which is live; `places` is places_of(due).
void hand_over(context& shared, std::shared_ptr<global_transaction> const& tx,
               std::list<due_branch> due, std::vector<std::uint16_t> places) noexcept;

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_HANDING_OVER_HPP
