// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rebind.hpp -- a database has another identity now, and a person says that it is the same one.

#ifndef ASSENT_RECOVERY_CLI_REBIND_HPP
#define ASSENT_RECOVERY_CLI_REBIND_HPP

#include <string>
#include <vector>

#include "recovery/cli/act.hpp"
#include "recovery/cli/configuration.hpp"

namespace assent::cli {

/// One forced record, after which recovery goes on there: what it lists is ended as usual, and what
/// it lacks of the time before is a hazard.
///
/// @throws failure  misused: the log has bound no such name, or it is not configured; owned;
/// failed:
///                  it does not answer; attention: what it shows proves that it is not the same, or
///                  not one to go on with.
act_report rebind(configuration const& from, std::string const& name, act_options const& how);
/// The same, for databases that are made already.
act_report rebind(configuration const& from, std::string const& name, act_options const& how,
                  std::vector<resource_manager> const& all);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_REBIND_HPP
