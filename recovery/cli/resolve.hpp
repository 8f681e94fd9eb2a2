// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resolve.hpp -- a person ends one prepared branch.

#ifndef ASSENT_RECOVERY_CLI_RESOLVE_HPP
#define ASSENT_RECOVERY_CLI_RESOLVE_HPP

#include <string>
#include <vector>

#include "recovery/cli/act.hpp"
#include "recovery/cli/configuration.hpp"

namespace assent::cli {

struct resolve_request
{
    std::string transaction;       ///< gtrid, or gtrid.bqual
    std::string resource_manager;  ///< the database that lists the branch
    bool is_commit = false;        ///< otherwise it is rolled back
};

/// What a decision says is just carried out.  Anything else is first recorded as a heuristic:
///
///   the person's record -> a hazard -> COMMIT or ROLLBACK -> the list -> what it became
///
/// @throws failure  misused: there is no such branch, or it is another node's or a twin's; owned;
///                  failed: a database does not answer; attention: its session lives, a copy of the
///                  log holds this node's lock, the database is another one than before.
act_report resolve(configuration const& from, resolve_request const& what, act_options const& how);
/// The same, for databases that are made already.
act_report resolve(configuration const& from, resolve_request const& what, act_options const& how,
                   std::vector<resource_manager> const& all);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_RESOLVE_HPP
