// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_target.hpp -- the log whose files are looked at: of a configuration, or just a directory.

#ifndef ASSENT_RECOVERY_CLI_LOG_TARGET_HPP
#define ASSENT_RECOVERY_CLI_LOG_TARGET_HPP

#include <chrono>
#include <functional>
#include <string>

#include "log/posix_file_layer.hpp"
#include "recovery/cli/command_line.hpp"
#include "recovery/cli/failure.hpp"
#include "recovery/log_tools/log_inspection.hpp"

namespace assent::log {
class log_error;
}

namespace assent::cli {

/// An owner that is just closing gives the log up within this.
inline constexpr std::chrono::milliseconds closing_owner_wait{1'000};

struct log_target
{
    std::string directory;
    std::string node_label;  ///< empty: any
    std::string allow_file_system;
    std::string config;  ///< where the others come from; empty: from the command line
};

/// A directory on the command line is taken before a configuration.  @throws failure
log_target target_of(request const& asked);

/// What a log_error means for the operator.
failure explain(log_target const& which, log::log_error const& e);

using progress_function = std::function<void(log::inspection_progress const&)>;

/// The directory, opened; it may be looked at beside a live owner.
class opened_target
{
public:
    /// @throws failure  misused: there is none; failed: it cannot be read.
    explicit opened_target(log_target const& which);

    log_target const& target() const noexcept { return which_; }
    log::file_layer& files() noexcept { return files_; }
    log::directory_facts const& facts() const noexcept { return facts_; }

    /// Reads all of it.
    /// @throws failure  misused: there is no log, or it is that of another node; failed: it cannot
    ///                  be read.
    /// `is_owner`: its lock is held by this process.
    log::log_inspection inspect(progress_function const& progress, bool is_owner = false);

private:
    log_target which_;
    log::posix_file_layer files_;
    log::directory_facts facts_;
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOG_TARGET_HPP
