// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_salvage.hpp -- a new log out of what a damaged one still says.
//
//   damaged, only read:  header | snapshot | sound, damaged, sound ... |
//                                     \        \           \--- also what lies behind the damage
//   new directory:       lock, then one segment under its name only when all of it is forced
//
// Records are numbered, so it is known which are missing.  A missing one may be a decision: then
// every horizon is raised past everything that the damaged log can have decided, and a branch that
// no salvaged decision names is quarantined, never rolled back.  Each may be a binding: then the
// ids that it may have assigned are never assigned again, and a placeholder keeps every `drain`
// honest.
//
// The one invariant: nothing that the damaged log decided is ever presumed aborted by the new one.

#ifndef ASSENT_LOG_LOG_SALVAGE_HPP
#define ASSENT_LOG_LOG_SALVAGE_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "log/file_layer.hpp"
#include "log/log_image.hpp"
#include "log/log_inspection.hpp"
#include "log/log_lock.hpp"
#include "log/log_writer.hpp"
#include "log/segment_inspection.hpp"

namespace assent::log {

/// What cannot be had back.
struct salvage_loss
{
    limited_list<lsn_range> records;  ///< known to be missing, by number
    /// Damaged or missing pages behind the last sound one: what they held cannot be counted.
    std::uint32_t pages_at_end = 0;
    std::vector<std::uint16_t> ids;  ///< of bindings that are missing for certain
    std::uint16_t maybe_from = 0;    ///< ids that missing bindings may have; 0: none
    std::uint16_t maybe_to = 0;

    bool is_nothing() const noexcept { return records.total == 0 && pages_at_end == 0; }
};

struct salvage_plan
{
    segment_header from;        ///< of the damaged log's newest segment
    log_writer::position at;    ///< behind it
    log_image image;            ///< what is left, as it stands there
    std::uint64_t records = 0;  ///< that were read
    salvage_loss loss;
};

/// Reads what is left of the log that `seen` tells of.  Writes nothing.  @pre  attached.
/// @throws log_error  saying why nothing can be salvaged.
salvage_plan plan_salvage(file_layer& files, log_inspection const& seen);

struct repair_settings
{
    std::string who;
    std::string why;
    std::function<std::uint64_t()> random;
    std::function<std::int64_t()> unix_ms;
    std::size_t segment_bytes = 16 * 1024 * 1024;
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

#endif  // ASSENT_LOG_LOG_SALVAGE_HPP
