// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// forget.hpp -- a person has seen a recorded heuristic outcome, and repaired what it did.

#ifndef ASSENT_RECOVERY_CLI_FORGET_HPP
#define ASSENT_RECOVERY_CLI_FORGET_HPP

#include <functional>
#include <string>
#include <vector>

#include <assent/resource_manager.hpp>

#include "recovery/cli/act.hpp"
#include "recovery/cli/configuration.hpp"

namespace assent::cli {

struct forget_request
{
    std::string transaction;       ///< gtrid, or gtrid.bqual
    std::string resource_manager;  ///< only of this one; empty: of all
};

/// The record of the person takes the heuristic's place, in one forced write for each branch.
/// @throws failure  misused: nothing of it is recorded; owned; failed; attention: its branch is
///                  still to be finished, or nobody can tell.
act_report forget(configuration const& from, forget_request const& what, act_options const& how);
/// @param managers  whom to ask, where only its database tells whether a branch is over: a commit
///                  row decides it, or a handler would run again at what is still listed.
act_report forget(configuration const& from, forget_request const& what, act_options const& how,
                  std::function<std::vector<resource_manager>()> const& managers);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_FORGET_HPP
