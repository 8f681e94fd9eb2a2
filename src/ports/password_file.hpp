// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#ifndef ASSENT_PORTS_PASSWORD_FILE_HPP
#define ASSENT_PORTS_PASSWORD_FILE_HPP

#include <string>

#include <assent/export.hpp>

namespace assent::ports {

/// What the file holds, without the line's end.
/// @throws driver_error  it cannot be read, is too long, or others than its owner may read it.
ASSENT_EXPORT std::string read_password(std::string const& path);

}  // namespace assent::ports

#endif  // ASSENT_PORTS_PASSWORD_FILE_HPP
