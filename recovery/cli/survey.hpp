// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// survey.hpp -- asks every configured database, at the same time, what it lists as prepared.
//
// It writes nothing there: no preflight (which may make a table), no guardian's lock, no verb.

#ifndef ASSENT_RECOVERY_CLI_SURVEY_HPP
#define ASSENT_RECOVERY_CLI_SURVEY_HPP

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <assent/driver.hpp>

namespace assent::cli {

struct surveyed_database
{
    std::string name;
    std::optional<scan_result> scan;  ///< nothing when it could not be asked
    std::string problem;              ///< why not
    std::vector<decision_row> rows;   ///< commit rows, of any node
    std::string rows_problem;         ///< why they could not be read; empty: they were
};

/// In the order of `all`; each within `wait` for connecting, and once more for the answer.
std::vector<surveyed_database> survey(std::vector<resource_manager> const& all,
                                      std::chrono::milliseconds wait);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_SURVEY_HPP
