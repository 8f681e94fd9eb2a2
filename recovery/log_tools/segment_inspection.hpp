// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_inspection.hpp -- everything that is wrong with one segment, and how it ends.
//
// The verdict is that of tail_judge, as where a log is opened.  This goes on past it: each damaged
// page, what proves that it was durable, and which records are missing.
//
// Invariant: what segment_reader refuses is never called sound here.

#ifndef ASSENT_RECOVERY_LOG_TOOLS_SEGMENT_INSPECTION_HPP
#define ASSENT_RECOVERY_LOG_TOOLS_SEGMENT_INSPECTION_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "recovery/log_tools/segment_scan.hpp"

namespace assent::log {

enum class segment_state : std::uint8_t {
    sealed = 1,    ///< closed in order
    unsealed = 2,  ///< its owner died; nothing is damaged
    live = 3,      ///< its owner writes it
    torn = 4,      ///< its last force, of which nobody was told, is incomplete
    corrupt = 5,   ///< something that was durable is damaged
    headless = 6,  ///< its header is damaged
    newer = 7,     ///< written by a later version
};

/// Pages beside each other with the same fault.
struct damage
{
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    page_kind kind = page_kind::damaged;
    std::string why;
    bool is_of_snapshot = false;    ///< durable before the segment got its name
    std::uint32_t promised_by = 0;  ///< the page that says that they were durable; 0: none does
    bool is_contradiction = false;  ///< sound, but its records contradict those before
};

/// Ranges, so many of them, and how much all of them are together.
template <typename Range>
struct limited_list
{
    static constexpr std::size_t kept_max = 256;

    std::vector<Range> first;    ///< the first ones
    std::uint64_t left_out = 0;  ///< how many more there are
    std::uint64_t total = 0;     ///< of pages or records, in all of them
};

struct segment_inspection
{
    std::uint64_t number = 0;
    std::string path;
    std::uint64_t file_bytes = 0;
    std::optional<segment_header> header;
    std::string header_problem;
    std::optional<generation> writer;

    segment_state state = segment_state::unsealed;
    std::uint32_t page = 0;  ///< torn, corrupt, newer: where; 0 is the file as a whole
    std::string why;

    std::uint32_t last_page = 0;    ///< the last sound page
    std::uint32_t sound_pages = 0;  ///< without the header
    std::uint64_t first_lsn = 0;
    std::uint64_t next_lsn = 0;
    std::uint64_t records = 0;        ///< in sound pages
    std::uint64_t records_after = 0;  ///< of these, behind the page that `state` names
    std::uint64_t decisions = 0;
    bool names_writer = false;  ///< the last opening that it knows is the one that wrote it
    limited_list<damage> damaged;
    limited_list<lsn_range> lost;
    std::uint32_t damaged_at_end = 0;  ///< damaged pages behind the last sound one
    std::uint32_t missing_pages = 0;   ///< the file is so many pages too short
};

/// Reads all of it, as often as its decisions need; see decision_window.
segment_inspection inspect(segment_scan& scan, std::uint64_t number, bool is_live,
                           std::size_t decisions_at_once);

}  // namespace assent::log

#endif  // ASSENT_RECOVERY_LOG_TOOLS_SEGMENT_INSPECTION_HPP
