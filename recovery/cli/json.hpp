// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// json.hpp -- reports, for programs.  Keys are never renamed; new ones may come.

#ifndef ASSENT_RECOVERY_CLI_JSON_HPP
#define ASSENT_RECOVERY_CLI_JSON_HPP

#include <string>

#include "recovery/cli/report.hpp"

namespace assent::cli {

std::string in_json(status_report const& told);
std::string in_json(scan_report const& told);
std::string in_json(recover_report const& told);
std::string in_json(show_report const& told);
std::string in_json(doctor_report const& told);
std::string in_json(std::string const& command, failure const& what);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_JSON_HPP
