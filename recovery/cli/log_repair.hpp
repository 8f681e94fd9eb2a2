// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_repair.hpp -- repairs a torn log, or writes a new log from what is left of a damaged one.
//
//   lock --> inspect --> plan --> said and confirmed --> done, with a record of who and why
//
// It connects to no database.  A damaged log is only read.

#ifndef ASSENT_RECOVERY_CLI_LOG_REPAIR_HPP
#define ASSENT_RECOVERY_CLI_LOG_REPAIR_HPP

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "recovery/cli/log_target.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/cli/text.hpp"
#include "recovery/log_tools/log_repair.hpp"
#include "recovery/log_tools/log_salvage.hpp"

namespace assent::cli {

struct repair_report : any_report
{
    log::log_inspection seen;
    std::string state;                         ///< in one line: what is the matter
    std::vector<std::string> plan;             ///< sentences: what is to be done; empty: nothing
    std::optional<log::salvage_plan> salvage;  ///< what can be had back, where that is the question
    std::string salvage_into;
    bool has_acted = false;
    std::uint32_t epoch = 0;  ///< of the repair
    std::string done;         ///< what was done, in one line
};

struct repair_options
{
    std::string salvage_into;
    std::string reason;
    std::string who;
    bool is_confirmed = false;
    progress_function progress;
    /// Shows the plan to a person and asks; empty: there is nobody to ask.
    std::function<bool(repair_report const&)> ask;
    std::chrono::milliseconds lock_wait = closing_owner_wait;
};

/// Does what the plan says when a reason was given and it was confirmed.
/// @throws failure  misused: the new directory is not empty, or not needed; owned: a live process
///                  owns the log; failed.
repair_report repair(log_target const& which, repair_options const& how);

/// `uid 1000 (ann)`: the user that this process acts for.
std::string this_user();

std::string in_words(repair_report const& told, painter const& paint);
std::string in_json(repair_report const& told);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOG_REPAIR_HPP
