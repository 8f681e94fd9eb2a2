// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// survey.hpp -- asks every configured database, at the same time, what it lists as prepared, and
// what else recovery will go by: its past, its commit rows, who holds this node's lock, whether the
// sessions are still there that prepared the branches.
//
// It writes nothing there: no preflight (which may make a table), no guardian's lock, no verb.

#ifndef ASSENT_RECOVERY_CLI_SURVEY_HPP
#define ASSENT_RECOVERY_CLI_SURVEY_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <assent/driver.hpp>

#include "recovery/cli/reason.hpp"

namespace assent::cli {

struct surveyed_database
{
    std::string name;
    std::optional<scan_result> scan;         ///< nothing when it could not be asked
    std::string problem;                     ///< why not
    std::vector<decision_row> rows;          ///< commit rows, of any node
    std::string rows_problem;                ///< why they could not be read; empty: they were
    reason why_not = reason::not_answering;  ///< what kind of problem it is
    std::optional<kept_past> past{};         ///< nothing: nothing is kept there
    std::string past_problem{};              ///< why that could not be read; empty: it was
    std::string lock_holder{};               ///< of the node's lock; empty: nobody, or not known
    std::string lock_problem{};
    bool runs_handlers = false;          ///< as driver_capabilities
    std::set<std::uint64_t> sessions{};  ///< those of listed branches that are still there
    std::string sessions_problem{};
};

/// More of them wait for something than anybody reads; what is then not seen is "not known".
inline constexpr std::size_t survey_rows_max = 10'000;

/// So many sessions are asked for in each database; of the others nothing is said.
inline constexpr std::size_t survey_sessions_max = 100;

/// In the order of `all`; each within `wait` for connecting, and once more for each answer.
/// @param on_answer  told the name of each that has answered, or will not; from any thread.
std::vector<surveyed_database> survey(
    std::vector<resource_manager> const& all, std::uint64_t node, std::chrono::milliseconds wait,
    std::function<void(std::string const&)> const& on_answer = {});

/// @return null  no database of that name was asked.
surveyed_database const* listing_of(std::string const& name,
                                    std::vector<surveyed_database> const& all) noexcept;

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_SURVEY_HPP
