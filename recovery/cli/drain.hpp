// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// drain.hpp -- whether nothing of this node is left anywhere, so that its machine, or its log, may
// go.
//
//   recover, and give the log up  -->  ask every database once more  -->  say what is left

#ifndef ASSENT_RECOVERY_CLI_DRAIN_HPP
#define ASSENT_RECOVERY_CLI_DRAIN_HPP

#include <string>
#include <vector>

#include "recovery/cli/recover.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/text.hpp"

namespace assent::cli {

/// A database that was ever bound.
struct drained_database
{
    std::string name;
    std::string kind;
    bool is_asked = false;  ///< it answered after everything else, and its answer counts
    bool is_drained = false;
    std::vector<std::string> why;  ///< sentences: what is left there, or why nobody knows
};

struct drain_report : any_report
{
    log_report log;
    bool has_acted = false;
    bool is_drained = false;
    std::uint32_t epoch = 0;
    std::int64_t took_ms = 0;
    std::vector<drained_database> databases;
    std::vector<std::string> retired;  ///< names: given up by a person, and not asked
    std::size_t due = 0;               ///< decisions in the log that are not carried out
    std::size_t heuristics = 0;        ///< that nobody has forgotten
};

/// Recovers as `recover` does, then asks every database once more.  Where a live process owns the
/// log nothing is done, and what is seen is told as exit_code::owned, whatever that is: the next
/// transaction may begin at any moment.
/// @throws failure
drain_report drain(configuration const& from, recover_options const& how);

/// What is left, as `seen` shows it and `done` tells of what the recovery found out.
drain_report judge_drain(configuration const& from, scanned const& seen,
                         std::vector<recovered_database> const& done);

std::string in_words(drain_report const& told, painter const& paint);
std::string in_json(drain_report const& told);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_DRAIN_HPP
