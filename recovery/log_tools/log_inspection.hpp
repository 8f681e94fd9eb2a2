// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_inspection.hpp -- every byte of a log directory, looked at from outside.
//
// It takes no lock, forces nothing and writes nothing.  Beside a live owner segments come and go
// while they are read, and the end moves: then reading begins again, a few times, and what is being
// written is no damage.
//
// Invariant: a log that read_log() refuses is never called sound here.

#ifndef ASSENT_RECOVERY_LOG_TOOLS_LOG_INSPECTION_HPP
#define ASSENT_RECOVERY_LOG_TOOLS_LOG_INSPECTION_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "log/file_layer.hpp"
#include "log/log_lock.hpp"
#include "recovery/log_tools/decision_window.hpp"
#include "recovery/log_tools/reader_patience.hpp"
#include "recovery/log_tools/segment_inspection.hpp"

namespace assent::log {

enum class log_verdict : std::uint8_t {
    none = 0,     ///< there is no log in the directory
    sound = 1,    ///< it can be opened, and nothing is lost
    torn = 2,     ///< likewise: what nobody was told of is incomplete, and is left behind
    damaged = 3,  ///< the newest segment is damaged: it is refused
    foreign = 4,  ///< segments that are none of one log: it is refused
    missing = 5,  ///< a segment is missing: it is refused
    newer = 6,    ///< written by a later version
};

/// How a segment and the one before it belong together.
enum class chain_link : std::uint8_t {
    first = 1,      ///< there was none before, or it is not needed any more and gone
    whole = 2,      ///< the one before ends as this one says
    cut = 3,        ///< its end, as this one knew it, is not there; all of it is in this one
    foreign = 4,    ///< the one before is of another log, or not the one that this one followed
    not_known = 5,  ///< a header is damaged
    hole = 6,       ///< the one before is missing
};

struct linked_segment
{
    segment_inspection is;
    chain_link link = chain_link::first;
};

struct other_file
{
    using role = file_role;

    std::string name;
    role what = role::stranger;
    std::uint64_t bytes = 0;
};

struct log_inspection
{
    std::string directory;
    lock_facts lock;
    std::vector<linked_segment> segments;  ///< oldest first
    std::vector<other_file> others;
    log_verdict verdict = log_verdict::none;
    std::string where;  ///< the path of what decides the verdict
    std::uint32_t page = 0;
    std::string why;
    bool is_newest_missing = false;  ///< what is here is not the last that this log said

    segment_inspection const* newest() const noexcept
    {
        return segments.empty() ? nullptr : &segments.back().is;
    }
};

struct inspection_progress
{
    std::uint64_t segment = 0;
    std::uint64_t bytes_read = 0;  ///< of all segments; more than `bytes` when one is read again
    std::uint64_t bytes = 0;
};

struct inspection_settings
{
    std::function<void(inspection_progress const&)> progress;  ///< may be empty
    std::size_t decisions_at_once = decision_window::capacity_usual;
    bool is_owner = false;  ///< the caller holds the lock: nobody else writes
    std::chrono::milliseconds patience = reader_patience::usual;  ///< with an owner that goes on
};

/// What lies in the directory.
struct directory_contents
{
    std::vector<std::uint64_t> segments;  ///< their numbers, ascending
    std::vector<other_file> others;
    std::uint64_t bytes = 0;  ///< of the segments
};

/// @throws log_error  io
directory_contents list_directory(file_layer& files);

/// Inspects the log.  @pre  attached.
/// @throws log_error  io: the directory, or a segment as a whole, cannot be read.
log_inspection inspect_log(file_layer& files, inspection_settings const& how);

}  // namespace assent::log

#endif  // ASSENT_RECOVERY_LOG_TOOLS_LOG_INSPECTION_HPP
