// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// paragraphs.hpp -- what every report is made of, for people.

#ifndef ASSENT_RECOVERY_CLI_PARAGRAPHS_HPP
#define ASSENT_RECOVERY_CLI_PARAGRAPHS_HPP

#include <string>
#include <utility>
#include <vector>

#include "recovery/cli/report.hpp"
#include "recovery/cli/text.hpp"

namespace assent::cli {

/// `name   value` lines, the values below each other.
std::string pairs(std::vector<std::pair<std::string, std::string>> const& all,
                  painter const& paint);

/// An empty line and the heading.
std::string heading(std::string const& text, painter const& paint);

/// A line for each sentence that a person should read; empty when there is none.
std::string attention(any_report const& told, painter const& paint);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_PARAGRAPHS_HPP
