// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// command_line.hpp -- what the operator asked for.  No secret can be given here: argv is public.

#ifndef ASSENT_RECOVERY_CLI_COMMAND_LINE_HPP
#define ASSENT_RECOVERY_CLI_COMMAND_LINE_HPP

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <assent/options.hpp>

namespace assent::cli {

struct request
{
    std::string command;  ///< status, scan, doctor, recover, show, forget, log verify, ...
    std::string config;
    bool is_json = false;
    bool is_all = false;  ///< of doctor: also what is ok
    std::chrono::milliseconds timeout{60'000};
    std::chrono::milliseconds presumed_abort_delay = limits{}.presumed_abort_delay;
    /// How long a live owner of the log may take to answer a request.
    std::chrono::milliseconds owner_wait{30'000};
    std::string output;       ///< of metrics and report, if not empty
    bool is_offline = false;  ///< of report: the log alone
    std::string transaction;  ///< of show, forget, resolve, adopt; of log dump, if not empty

    // Of the commands that act.
    std::string resource_manager;  ///< --branch of forget, resolve and adopt; the name for retire
    bool is_commit = false;        ///< of resolve
    bool is_rollback = false;
    bool is_dry_run = false;

    // Of status.
    std::optional<std::chrono::milliseconds> watch_interval;

    // Of the log's commands.
    std::string directory;  ///< instead of a configuration
    bool has_progress = false;
    std::vector<std::string> types;
    bool is_unfinished_only = false;
    std::string salvage_into;
    std::string reason;         ///< also of the commands that act
    bool is_confirmed = false;  ///< likewise
};

/// There is nothing to do but to say something: --help, --version, or what is wrong.
struct reply_only
{
    int status = 0;
    std::string text;
};

std::variant<request, reply_only> parse_command_line(int argc, char const* const* argv);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_COMMAND_LINE_HPP
