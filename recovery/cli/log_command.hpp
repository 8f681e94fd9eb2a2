// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_command.hpp -- `assent log verify`, `dump`, `stats` and `repair`.

#ifndef ASSENT_RECOVERY_CLI_LOG_COMMAND_HPP
#define ASSENT_RECOVERY_CLI_LOG_COMMAND_HPP

#include "recovery/cli/command_line.hpp"
#include "recovery/cli/failure.hpp"

namespace assent::cli {

/// What the program's standard streams are.
struct terminals
{
    bool can_ask = false;  ///< standard input
    bool has_colours = false;
    bool shows_progress = false;  ///< standard error
};

/// Runs one of the log's commands, and writes what it found out.  @throws failure
exit_code run_log(request const& asked, terminals const& with);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOG_COMMAND_HPP
