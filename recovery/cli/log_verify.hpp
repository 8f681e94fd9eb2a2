// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_verify.hpp -- what an inspection of the log's files means, and what is to be done.

#ifndef ASSENT_RECOVERY_CLI_LOG_VERIFY_HPP
#define ASSENT_RECOVERY_CLI_LOG_VERIFY_HPP

#include <string>

#include "recovery/cli/log_target.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/cli/text.hpp"
#include "recovery/log_tools/log_inspection.hpp"

namespace assent::cli {

struct verify_report : any_report
{
    log::log_inspection seen;
    std::string verdict;  ///< one line
    std::string advice;
};

verify_report make_verify(log::log_inspection seen);
verify_report verify(log_target const& which, progress_function const& progress);

std::string in_words(verify_report const& told, painter const& paint);
std::string in_json(verify_report const& told);

/// `torn`, `corrupt`, ...: how a segment ends.
std::string word_for(log::segment_state state);
/// `sound`, `damaged`, ...
std::string word_for(log::log_verdict verdict);
/// `9`, or `9 to 12`
std::string range_of(std::uint64_t first, std::uint64_t last);
/// `process 4711`, or `another process` where the lock file does not say which.
std::string name_of_owner(log::lock_facts const& lock);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOG_VERIFY_HPP
