// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// late_decisions.hpp -- decisions that nobody was told of in time: the force ended after its owner
// had given up, or after the lock of a guardian had lapsed, when a copy of the log may already have
// presumed abort.  Such a decision is durable, and is sent to nobody until it is known to be whole:
//
//   in doubt --durable in the log-+-> every database, guarded again, lists its branch: carried out
//                                 +-> one does not: hazard, recorded; nothing is sent
//
// The transaction stays live meanwhile, so that nobody finishes or presumes anything of it.

#ifndef ASSENT_RECOVERY_LATE_DECISIONS_HPP
#define ASSENT_RECOVERY_LATE_DECISIONS_HPP

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "shared/context.hpp"

namespace assent::recovery {

using shared::branch;
using shared::context;
using shared::global_transaction;
using shared::left_as;

/// Those that are durable by now, and in nobody's hands; to be asked before a list begins.
std::vector<std::shared_ptr<global_transaction>> late_decisions(context& shared);

/// What the list of resource manager `id` says of those.
/// @param term  of its guardian, held from before the list until after it; 0: it was not.
void note_listed(context& shared, std::uint16_t id,
                 std::vector<std::shared_ptr<global_transaction>> const& late,
                 std::set<xid> const& listed, std::uint64_t term);

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_LATE_DECISIONS_HPP
