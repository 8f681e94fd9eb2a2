// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// retire.hpp -- a database is gone for good, and a person gives it up.

#ifndef ASSENT_RECOVERY_CLI_RETIRE_HPP
#define ASSENT_RECOVERY_CLI_RETIRE_HPP

#include <string>
#include <vector>

#include "recovery/cli/act.hpp"
#include "recovery/cli/configuration.hpp"

namespace assent::cli {

/// Its name and its database may be bound anew afterwards, by another id; a branch of the old one
/// that is listed again is quarantined.
///
///   the person's record -> of each branch that was due there, a hazard -> the branch is finished
///
/// @throws failure  misused: the log has bound no such name; owned; failed; attention: the database
///                  answers, and something of this node is prepared or due there.
act_report retire(configuration const& from, std::string const& name, act_options const& how);
/// The same, for databases that are made already.
act_report retire(configuration const& from, std::string const& name, act_options const& how,
                  std::vector<resource_manager> const& all);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_RETIRE_HPP
