// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// prepared_branch.hpp -- what resolve and adopt do alike with the one branch that a person ends.

#ifndef ASSENT_RECOVERY_CLI_PREPARED_BRANCH_HPP
#define ASSENT_RECOVERY_CLI_PREPARED_BRANCH_HPP

#include <string>

#include "recovery/cli/act.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/resolving.hpp"

namespace assent::cli {

/// `committed`, or `rolled back`.
std::string what_it_does(bool is_commit);

/// @throws failure  attention: another account prepared it, and alone can end it.
void require_own_account(xid const& which, scan_result const& seen);

/// What came of it is done, or needs attention.
void say(act_report& told, recovery::resolved const& what);

/// Before anything is planned: a session that keeps it has to leave.  @throws failure, refusal
void wait_until_let_go(resource_manager const& rm, known_database const& where, xid const& which,
                       std::string const& noted_start, act_options const& how);

/// As the options are told of each step; what was sent is on its way, whatever comes of it.
recovery::step_function steps_of(act_report& told, act_options const& how);

/// What a person agreed to is what there is.  @throws failure  attention: it is not.
void require_unchanged(bool is_same);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_PREPARED_BRANCH_HPP
