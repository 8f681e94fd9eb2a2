// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// metrics.hpp -- what the log and the databases say, for whatever scrapes it.

#ifndef ASSENT_RECOVERY_CLI_METRICS_HPP
#define ASSENT_RECOVERY_CLI_METRICS_HPP

#include <cstdint>
#include <string>

#include "recovery/cli/report.hpp"

namespace assent::cli {

/// Text of Prometheus, exposition format 0.0.4 (docs/reference/metrics.md).
/// @param unix_ms  now, by the clock that decisions are dated by.
std::string in_metrics(status_report const& log, scan_report const& databases,
                       std::int64_t unix_ms);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_METRICS_HPP
