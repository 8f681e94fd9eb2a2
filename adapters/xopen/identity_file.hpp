// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// identity_file.hpp -- a random name in a file beside the data, for what has no identity of its
// own.
//
// Invariant: what was read is on disk.  A file that is lost is another identity: the manager then
// refuses the resource manager, as it would another server.

#ifndef ASSENT_ADAPTERS_XOPEN_IDENTITY_FILE_HPP
#define ASSENT_ADAPTERS_XOPEN_IDENTITY_FILE_HPP

#include <optional>
#include <string>

namespace assent::xopen_switch {

/// The identity in the file, which is made where there is none.
/// @throws driver_error  errc::unavailable: it cannot be read, or made, or is none of ours.
std::string identity_in(std::string const& resource_manager, std::string const& path);

/// The same, where there is one; nothing is made.
/// @throws driver_error  errc::unavailable: it cannot be read, or is none of ours.
std::optional<std::string> known_identity_in(std::string const& resource_manager,
                                             std::string const& path);

/// Whether a text may be an identity: 1 to 100 printable ASCII characters.
bool is_good_identity(std::string const& text) noexcept;

}  // namespace assent::xopen_switch

#endif  // ASSENT_ADAPTERS_XOPEN_IDENTITY_FILE_HPP
