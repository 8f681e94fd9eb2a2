// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// doctor.hpp -- whether this node's log directory and databases are fit for what it promises.
//
//   the log's directory   log_medium.hpp
//   each database         its adapter's examination, at the same time; what concerns more than one
//                         of them, or the log's bindings, is found here
//
// It takes no lock and writes nothing that stays, so it may run beside the application; and it
// works before the application was ever started.

#ifndef ASSENT_RECOVERY_CLI_DOCTOR_HPP
#define ASSENT_RECOVERY_CLI_DOCTOR_HPP

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <assent/driver.hpp>
#include <assent/examination.hpp>
#include <assent/options.hpp>

#include "recovery/cli/configuration.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/log_tools/log_view.hpp"

namespace assent::cli {

/// How long a database may take to be connected to, and again to be examined.
inline constexpr std::chrono::milliseconds examination_wait = limits{}.connect;

/// Told when the examination of one of them ends, from any thread, one call at a time.
using examination_progress = std::function<void(std::string const& name)>;

/// In the order of `all`; each within `wait` for connecting, and once more for the answers.
std::vector<examined> examine(std::vector<resource_manager> const& all,
                              std::chrono::milliseconds wait,
                              examination_progress const& progress = {});

/// Adds what the databases and the log know of each other, and how the program will end.
/// @param view  nothing where there is no log yet, or it cannot be read
doctor_report diagnose(configuration const& from, std::optional<log::log_view> const& view,
                       examined directory, std::vector<examined> databases);

/// @throws failure  misused: a connect string cannot be used.
doctor_report doctor(configuration const& from, examination_progress const& progress = {});

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_DOCTOR_HPP
