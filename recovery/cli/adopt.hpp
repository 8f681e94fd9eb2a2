// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// adopt.hpp -- a person ends one prepared branch of another node, whose log is lost.

#ifndef ASSENT_RECOVERY_CLI_ADOPT_HPP
#define ASSENT_RECOVERY_CLI_ADOPT_HPP

#include <vector>

#include "recovery/cli/resolve.hpp"

namespace assent::cli {

/// By its name, and never by a pattern.  The log of this node is the audit: the person's record,
/// then a hazard, then COMMIT or ROLLBACK, then what the database has confirmed.
///
/// @throws failure  misused: there is no such branch, or it is this node's own; owned; failed: a
///                  database does not answer; attention: a process holds that node's lock, its
///                  session lives, or a commit row that stands says the contrary.
act_report adopt(configuration const& from, resolve_request const& what, act_options const& how);
/// The same, for databases that are made already.
act_report adopt(configuration const& from, resolve_request const& what, act_options const& how,
                 std::vector<resource_manager> const& all);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_ADOPT_HPP
