// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// databases.hpp -- resource managers out of a configuration; the only file that knows adapters.

#ifndef ASSENT_RECOVERY_CLI_DATABASES_HPP
#define ASSENT_RECOVERY_CLI_DATABASES_HPP

#include <string>

#include <assent/driver.hpp>

#include "recovery/cli/configuration.hpp"

namespace assent::cli {

/// Connects to nothing.
/// @throws failure  misused: its secret cannot be read, its connect string is wrong, or this
///                  program was built without its client library.
resource_manager make_resource_manager(configured_database const& which);

/// For whoever acts on what a switch lists: the program must not make an identity that the
/// application did not, since a path that is wrong would look like another resource manager.
/// @throws failure  misused: the file that has the switch's identity is missing.
void require_identity(configured_database const& which);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_DATABASES_HPP
