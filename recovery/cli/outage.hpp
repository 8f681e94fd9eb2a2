// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outage.hpp -- what status and scan found out, put together for a person who was called: what is
// wrong, what happened when, what waits where, and what to type next.
//
// It knows nothing that they do not; what was not asked, or did not answer, is said to be so.

#ifndef ASSENT_RECOVERY_CLI_OUTAGE_HPP
#define ASSENT_RECOVERY_CLI_OUTAGE_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "recovery/cli/configuration.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/log_tools/log_view.hpp"

namespace assent::cli {

enum class moment_kind : std::uint8_t {
    opening = 1,    ///< the log was opened: an epoch began
    decision = 2,   ///< to commit, and not finished yet
    heuristic = 3,  ///< it was recorded
    person = 4,     ///< a person ended a branch, forgot a heuristic, repaired the log
    database = 5,   ///< a person gave a database up, or said which one took its place
};

/// Something that the log dates.  Several of one kind, with nothing else between them, are one.
struct moment
{
    moment_kind kind = moment_kind::opening;
    std::int64_t from_ms = 0;
    std::int64_t until_ms = 0;
    std::size_t count = 1;
    std::string text;  ///< a sentence
};

/// A branch that a database lists, or that is due there while it does not tell what it lists.
struct waiting_branch
{
    xid id;
    std::string action;  ///< as in scanned_branch
    std::string why;
    std::int64_t decided_ms = 0;  ///< 0: the log has no decision
    bool is_of_twin = false;
    /// Where assent resolve refuses it: what a person does instead; empty: it does not.
    std::string by_other_means{};
};

struct waiting_database
{
    std::string name;
    std::string kind;
    bool is_configured = false;
    bool is_lost = false;
    bool is_conclusive = false;  ///< it was asked, and its answer counts
    std::string problem;
    std::size_t foreign_count = 0;
    std::vector<std::string> warnings;
    std::vector<waiting_branch> branches;
    std::size_t committed = 0;  ///< decided, and no longer listed

    /// Of those that no live process ends.
    std::size_t in_doubt() const noexcept;
    std::size_t count(std::string const& action) const noexcept;
};

/// What to do, and what to type for it.
struct step
{
    std::string what;
    std::vector<std::string> commands{};
};

struct outage_report : any_report
{
    std::string config;
    std::int64_t looked_ms = 0;
    bool is_offline = false;  ///< no database was asked
    bool needs_person = false;
    status_report status;
    std::vector<waiting_database> databases;
    std::vector<moment> moments;    ///< oldest first
    std::size_t earlier = 0;        ///< moments that are older than all that is still open
    std::string headline;           ///< what is wrong, or that nothing is
    std::vector<std::string> lead;  ///< what is wrong besides
    std::vector<step> steps;
};

/// More moments are no picture; the newest are kept.
inline constexpr std::size_t moments_max = 200;

/// @param scan  null: the databases were not asked.
/// @param unix_ms  now, by the clock that decisions are dated by.
outage_report make_outage(configuration const& from, log::log_view const& view,
                          scan_report const* scan, std::int64_t unix_ms);

/// What is wrong, in sentences, and what to do about it.  Fills `headline`, `lead` and `steps`.
void advise(outage_report& on);

/// A word of a command line, quoted where a shell would see more in it.
std::string shell_word(std::string const& text);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_OUTAGE_HPP
