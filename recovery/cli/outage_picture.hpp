// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outage_picture.hpp -- the pictures of a report, as SVG that is part of the page.
//
// Widths are in per cent and heights in pixels, so that text stays as large on a narrow screen.
// Whatever a picture shows stands in a table too.

#ifndef ASSENT_RECOVERY_CLI_OUTAGE_PICTURE_HPP
#define ASSENT_RECOVERY_CLI_OUTAGE_PICTURE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "recovery/cli/outage.hpp"

namespace assent::cli {

/// When what happened.  Long pauses are drawn shorter than they are, and their lengths written.
std::string picture_of_moments(outage_report const& of);

/// Under a minute, an hour, a day; a day and more; not known, without a decision in the log or with
/// one in the future.
inline constexpr std::array<char const*, 5> age_names{
    "decided less than a minute ago", "less than an hour ago", "less than a day ago",
    "a day ago, or more", "age not known"};
using ages = std::array<std::size_t, age_names.size()>;

/// The branches there, by how long ago the log says that they were decided.
ages ages_in(waiting_database const& which, std::int64_t now_ms);

/// A bar for each database that has branches.
std::string picture_of_ages(outage_report const& of);

/// `6 h 2 min`: the two largest units.
std::string length_of(std::int64_t ms);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_OUTAGE_PICTURE_HPP
