// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_medium.hpp -- the directory of the log, and the disk below it: whether decisions are safe
// there, and how quickly they are forced.
//
// The force is measured on a file without a name (O_TMPFILE): nothing of it can stay behind, and
// whoever reads the directory meanwhile does not see it.

#ifndef ASSENT_RECOVERY_CLI_LOG_MEDIUM_HPP
#define ASSENT_RECOVERY_CLI_LOG_MEDIUM_HPP

#include <optional>

#include "recovery/cli/configuration.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/log_tools/log_view.hpp"

namespace assent::cli {

struct examined_log
{
    examined told;
    std::optional<log::log_view> view;  ///< nothing: there is no log yet, or it cannot be read
};

/// Before the first start of the application, what is nearest above the directory is examined.
examined_log examine_log(configuration const& from);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOG_MEDIUM_HPP
