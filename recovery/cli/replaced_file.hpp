// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// replaced_file.hpp -- a file that is written beside its place and then takes it, so that nobody
// sees it half written.

#ifndef ASSENT_RECOVERY_CLI_REPLACED_FILE_HPP
#define ASSENT_RECOVERY_CLI_REPLACED_FILE_HPP

#include <sys/types.h>

#include <string>

namespace assent::cli {

/// Who may read it: the owner alone; or whom the umask lets.
inline constexpr mode_t for_owner = 0600;
inline constexpr mode_t for_umask = 0666;

/// Puts `text` in place of the file, with that mode.  Not forced: it can be made again.
/// @throws failure  failed: it cannot be written; nothing has changed.
void replace_file(std::string const& file, std::string const& text, mode_t mode);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_REPLACED_FILE_HPP
