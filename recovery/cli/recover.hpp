// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// recover.hpp -- becomes the owner of the log and lets the library recover.

#ifndef ASSENT_RECOVERY_CLI_RECOVER_HPP
#define ASSENT_RECOVERY_CLI_RECOVER_HPP

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <assent/transaction_manager.hpp>

#include "recovery/cli/command_line.hpp"
#include "recovery/cli/configuration.hpp"
#include "recovery/cli/report.hpp"

namespace assent::cli {

struct recover_options
{
    std::chrono::milliseconds timeout = request{}.timeout;
    std::chrono::milliseconds presumed_abort_delay = request{}.presumed_abort_delay;
    /// Told now and then how it stands; may be empty.
    std::function<void(manager_state const&)> progress;
    /// Whether somebody wants it to end early; may be empty.
    std::function<bool()> is_interrupted;
};

/// Recovers until nothing is left, or the timeout.  Where a live process owns the log it acts on
/// nothing and reports exit_code::owned.
/// @throws failure
recover_report recover(configuration const& from, recover_options const& how);
recover_report recover(configuration const& from, recover_options const& how,
                       std::vector<resource_manager> const& all);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_RECOVER_HPP
