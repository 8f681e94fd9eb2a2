// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commit_row.hpp -- what the rows of the table assent_decision say.  Pure.
//
//   gtrid                                  kind  content
//   asn1 r RRRR node epoch nonce sequence  c     branch qualifiers, 24 digits each: all branches
//   asn1 r RRRR node epoch nonce sequence  a     -
//   asn1 r RRRR node 0     0     0         h     resource manager 4, epoch 8, sequence 12; and so
//                                                on: the first of a resource manager is everything
//                                                up to there, each other one that epoch alone
//
// A commit row goes when each of its branches is finished, for the same reason and by the same
// scans as a decision of the log.  What was deleted must not be mistaken for what never was: the
// horizon row says, for each resource manager, up to where everything was finished there, and it is
// written in the transaction that deletes.
//
// Invariant: a branch that a deleted row has committed is covered by a durable horizon.

#ifndef ASSENT_RECOVERY_COMMIT_ROW_HPP
#define ASSENT_RECOVERY_COMMIT_ROW_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>
#include <assent/xid.hpp>

#include "ports/coordinator_log.hpp"

namespace assent::recovery {

using horizon_map = std::map<std::uint16_t, ports::horizon>;

/// What every kind of database can hold in one row; a horizon that is longer deletes nothing.
inline constexpr std::size_t content_bytes_max = 60'000;

std::string content_of(std::vector<bqual> const& branches);
/// @return nothing when the content is not exactly such a list.
std::optional<std::vector<bqual>> branches_in(std::string_view content);

std::string content_of(horizon_map const& horizons);
std::optional<horizon_map> horizons_in(std::string_view content);

/// The name of the horizon row; its first characters begin every name that this node keeps there.
gtrid horizon_row_name(std::uint16_t resource_manager, std::uint64_t node) noexcept;
std::string_view prefix_of(gtrid const& horizon_row_name) noexcept;

/// A commit row as a decision, the place's own branch finished: it is what committed the row.
/// @return nothing when it is no commit row, or cannot be read.
std::optional<ports::logged_decision> decision_in(decision_row const& row);

struct pruning_facts
{
    std::function<bool(ports::opening const&)> knows;
    std::function<ports::horizon(std::uint16_t)> horizon;
    /// Whether a scan has yet to say something of a branch of this older transaction.
    std::function<bool(gtrid const&)> is_unfinished;
    /// Whether the place's horizon says that sessions are gone.  Where nothing is ever prepared it
    /// rises without that.
    bool sees_sessions = true;
    std::uint32_t epoch = 0;  ///< of this opening
};

/// Whether a row may be deleted.  An abort row stays while the session whose commit it fences may
/// still be there, which the place's own horizon tells, once it was raised in this epoch.
bool may_prune(decision_row const& row, pruning_facts const& facts);

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_COMMIT_ROW_HPP
