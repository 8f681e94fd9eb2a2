// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_salvage.hpp -- what a damaged log still says, and what of it cannot be had back.
//
//   only read:  header | snapshot | sound, damaged, sound ... |
//                            \        \           \--- also what lies behind the damage
//
// Records are numbered, so it is known which are missing.  Each may be a decision, or a binding:
// then the ids that it may have assigned are part of the loss.  log_repair.hpp makes a new log of
// the plan.
//
// Invariant: what may be missing is said to be lost; where the loss has no bound, nothing
// is salvaged.

#ifndef ASSENT_RECOVERY_LOG_TOOLS_LOG_SALVAGE_HPP
#define ASSENT_RECOVERY_LOG_TOOLS_LOG_SALVAGE_HPP

#include <cstdint>
#include <vector>

#include "log/file_layer.hpp"
#include "log/log_image.hpp"
#include "log/log_writer.hpp"
#include "recovery/log_tools/log_inspection.hpp"
#include "recovery/log_tools/segment_inspection.hpp"

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

}  // namespace assent::log

#endif  // ASSENT_RECOVERY_LOG_TOOLS_LOG_SALVAGE_HPP
