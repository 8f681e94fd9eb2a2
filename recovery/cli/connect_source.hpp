// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connect_source.hpp -- connect strings, which may hold passwords: where they may come from.

#ifndef ASSENT_RECOVERY_CLI_CONNECT_SOURCE_HPP
#define ASSENT_RECOVERY_CLI_CONNECT_SOURCE_HPP

#include <sys/types.h>

#include <string>
#include <string_view>

#include "recovery/cli/configuration.hpp"

namespace assent::cli {

/// Whether a connect string seems to hold a password.  Sooner says yes than no.
bool holds_password(std::string_view connect);

/// Whether group or others may do anything with a file of that mode.
bool is_shared(mode_t mode) noexcept;

struct small_file
{
    std::string text;
    mode_t mode = 0;
};

/// Reads a plain file of at most a mebibyte.  @throws failure  misused, naming it as `what`.
small_file read_small_file(std::string const& path, std::string const& what);

/// The connect string of a database.
/// @throws failure  misused; never with a word of the string.
std::string resolve(configured_database const& which);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_CONNECT_SOURCE_HPP
