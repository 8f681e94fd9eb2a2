// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// open_log.hpp -- from options to an opened decision log.

#ifndef ASSENT_API_OPEN_LOG_HPP
#define ASSENT_API_OPEN_LOG_HPP

#include <memory>

#include <assent/options.hpp>

#include "ports/coordinator_log.hpp"

namespace assent::api {

/// @throws error  errc::bad_argument, errc::log_unusable.
std::unique_ptr<ports::coordinator_log> open_log(options const& how);

}  // namespace assent::api

#endif  // ASSENT_API_OPEN_LOG_HPP
