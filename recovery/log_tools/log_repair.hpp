// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_repair.hpp -- a new log out of a damaged one, and a torn one closed by hand.
//
//   damaged:  plan_salvage --> new directory: lock, then one segment under its name only when all
//                              of it is forced; the damaged log is only read
//   torn:     a fresh segment in the same directory, as opening makes it
//
// Where a record is missing it may be a decision: then every horizon is raised past everything that
// the damaged log can have decided, and a branch that no salvaged decision names is quarantined,
// never rolled back.  It may be a binding: then the ids that it may have assigned are never
// assigned again, and a placeholder keeps every `drain` honest.
//
// Invariant: nothing that the damaged log decided is ever presumed aborted by the new one.

#ifndef ASSENT_RECOVERY_LOG_TOOLS_LOG_REPAIR_HPP
#define ASSENT_RECOVERY_LOG_TOOLS_LOG_REPAIR_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <assent/options.hpp>

#include "log/file_layer.hpp"
#include "log/log_lock.hpp"
#include "log/random.hpp"
#include "recovery/log_tools/log_salvage.hpp"

namespace assent::log {

struct repair_settings
{
    std::string who;
    std::string why;
    random_source random;
    std::function<std::int64_t()> unix_ms;
    std::size_t segment_bytes = limits{}.segment_bytes;
};

/// Makes the new log.  The directory may hold what a salvage that was cut short left: a lock file
/// and half-made segments.
/// Durability: the new log survives power loss; before that it has no name and counts for nothing.
/// @pre  attached safely.  @return the new log's opening.  @throws log_error
ports::opening write_salvage(salvage_plan plan, file_layer& into, repair_settings const& how);

/// Does what opening a torn log does: a fresh segment with all that counts; the torn one is kept.
/// @pre  attached safely; `lock` is held.  @return the opening.  @throws log_error
ports::opening repair_torn(file_layer& files, log_lock& lock, std::string const& node_label,
                           repair_settings const& how);

}  // namespace assent::log

#endif  // ASSENT_RECOVERY_LOG_TOOLS_LOG_REPAIR_HPP
