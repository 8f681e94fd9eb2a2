// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scan.hpp -- what every database lists for this node, and what recovery would do with it.

#ifndef ASSENT_RECOVERY_CLI_SCAN_HPP
#define ASSENT_RECOVERY_CLI_SCAN_HPP

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <assent/options.hpp>

#include "recovery/cli/configuration.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/cli/survey.hpp"

namespace assent::cli {

/// How long a database may take to be connected to, and again to answer.
inline constexpr std::chrono::milliseconds survey_wait = limits{}.connect;

/// Applies the rules that recovery goes by to what was seen.
scan_report judge(configuration const& from, two_looks const& seen,
                  std::vector<surveyed_database> const& listed);

struct scanned
{
    two_looks seen;
    scan_report report;
    std::vector<surveyed_database> listed;
};

/// Every configured database.  Connects to none.  @throws failure
std::vector<resource_manager> all_of(configuration const& from);

/// @pre  there is one of that name.
resource_manager const& find_manager(std::string const& name,
                                     std::vector<resource_manager> const& all);

/// Looks at the log, asks every configured database, looks again.  Changes nothing anywhere.
/// @param on_answer  as in survey().
/// @throws failure
scanned scan(configuration const& from,
             std::function<void(std::string const&)> const& on_answer = {});
scanned scan(configuration const& from, std::vector<resource_manager> const& all,
             std::function<void(std::string const&)> const& on_answer = {});

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_SCAN_HPP
