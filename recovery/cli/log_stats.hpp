// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_stats.hpp -- how large a log is, what fills it, and how its forces were shared.
//
// The newest segment alone says what the log is, so it alone is counted.

#ifndef ASSENT_RECOVERY_CLI_LOG_STATS_HPP
#define ASSENT_RECOVERY_CLI_LOG_STATS_HPP

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "recovery/cli/log_target.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/cli/text.hpp"

namespace assent::cli {

struct sized_segment
{
    std::uint64_t number = 0;
    std::uint32_t pages = 0;  ///< header included
    std::uint32_t pages_used = 0;
    std::uint64_t bytes = 0;
    std::uint64_t bytes_on_disk = 0;
};

/// Why complete decisions are still kept.
struct keeping_database
{
    std::uint16_t id = 0;
    std::string name;
    ports::horizon horizon;
    std::uint64_t unfinished = 0;  ///< decisions that wait for it
    std::uint64_t held_back = 0;   ///< complete ones that its horizon has not passed
};

struct force_counts
{
    std::uint64_t forces = 0;  ///< seals by themselves included
    std::uint64_t pages = 0;
    std::uint64_t records = 0;
    std::uint64_t with_decisions = 0;
    std::uint64_t decisions = 0;
    std::uint64_t decisions_most = 0;  ///< in one force
    std::uint64_t pages_most = 0;
};

struct stats_report : any_report
{
    log::log_inspection seen;
    std::vector<sized_segment> segments;
    std::uint64_t other_bytes = 0;                 ///< of torn copies and half-made segments
    std::map<std::string, std::uint64_t> records;  ///< by type
    std::uint64_t snapshot_records = 0;
    std::uint64_t live = 0;       ///< decisions that are not carried out everywhere
    std::uint64_t complete = 0;   ///< carried out
    std::uint64_t droppable = 0;  ///< of these; the next segment begins without them
    std::vector<keeping_database> databases;
    force_counts forces;        ///< behind the snapshot
    std::int64_t first_ms = 0;  ///< of the times that are noted in it
    std::int64_t last_ms = 0;
    std::string file_system;
    bool is_unsafe = false;
    bool copies_on_write = false;
    std::string direct;  ///< whether it takes O_DIRECT: yes, no, or why that is not known
};

stats_report stats(log_target const& which, progress_function const& progress);

std::string in_words(stats_report const& told, painter const& paint);
std::string in_json(stats_report const& told);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOG_STATS_HPP
