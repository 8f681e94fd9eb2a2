// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_reader.hpp -- reads a whole log directory, changing nothing.
//
//   ...1f.seg  left over when its owner died between beginning 20 and removing it
//   ...20.seg  the newest: its snapshot and what followed are the state
//
// The newest segment got its name only after its snapshot was forced, so it alone says what the
// log is.  Older ones are only checked to be its predecessors, and wait to be removed.
//
// Invariant: segments that do not form one chain of one node are refused, not repaired.

#ifndef ASSENT_LOG_LOG_READER_HPP
#define ASSENT_LOG_LOG_READER_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "log/file_layer.hpp"
#include "log/log_image.hpp"
#include "log/segment_reader.hpp"

namespace assent::log {

struct older_segment
{
    std::uint64_t number = 0;
    segment_end end = segment_end::none;  ///< as its successor says
};

struct log_contents
{
    log_image image;
    segment_header newest;
    segment_tail tail;
    std::vector<older_segment> older;  ///< oldest first
};

/// The numbers of the segments, ascending, without a gap, and none missing that another file's
/// name proves.
/// @throws log_error  foreign or missing_segment.
std::vector<std::uint64_t> list_segments(file_layer& files);

/// @return the log, or nothing when there is none in the directory.
/// @throws log_error
std::optional<log_contents> read_log(file_layer& files);

}  // namespace assent::log

#endif  // ASSENT_LOG_LOG_READER_HPP
