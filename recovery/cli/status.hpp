// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// status.hpp -- what the log alone says.

#ifndef ASSENT_RECOVERY_CLI_STATUS_HPP
#define ASSENT_RECOVERY_CLI_STATUS_HPP

#include <string>
#include <vector>

#include "recovery/cli/configuration.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/log_tools/log_view.hpp"

namespace assent::cli {

status_report make_status(configuration const& from, log::log_view const& view);

// Its parts, for the other commands.
log_report describe_log(configuration const& from, log::log_view const& view);
decision_report describe(log::log_view const& view, gtrid const& global,
                         log::decision_entry const& entry);
operator_report describe(log::operator_record const& record);
explanation explain_heuristic(ports::heuristic_record const& record);

/// Of a resource manager that the configuration does not have.
reason why_unconfigured(known_database const& which);

/// Of a database that is configured without its reservations.
inline constexpr char why_no_reservations[] =
    "the log knows this as reservations, and nothing is decided there otherwise: add `reservations "
    "= "
    "true`";

/// Every resource manager that the log knows, then those that only the configuration has.
std::vector<known_database> known_databases(configuration const& from, log::log_view const& view);

/// Of outcomes that nobody has forgotten, in what every report is told of.
void note_heuristics(any_report& into, std::size_t count);

/// Adds the sentence about each resource manager that the log knows and the configuration lacks.
void note_missing(any_report& into, configuration const& from,
                  std::vector<known_database> const& all);

/// `1 branch`, `2 branches`
std::string count_of(std::size_t number, std::string const& one, std::string const& many);

/// `process 4711`, or `another process` where the log does not say which.
std::string name_of_owner(log_report const& log);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_STATUS_HPP
