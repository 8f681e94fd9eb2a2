// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// loading.hpp -- a switch is found, and looked at, before anything of it is called.

#ifndef ASSENT_ADAPTERS_XOPEN_LOADING_HPP
#define ASSENT_ADAPTERS_XOPEN_LOADING_HPP

#include <string>

#include <xopen/xa.h>
#include <assent/xopen.hpp>

namespace assent::xopen_switch {

/// The switch in a library, which stays loaded for ever.
/// @throws driver_error  errc::bad_argument: it is not there.
xa_switch_t const& load(std::string const& resource_manager, xopen::library const& from);

/// @throws driver_error  errc::bad_argument: it is of another version, a routine is missing, its
///                       name has no end.
void require_sound(std::string const& resource_manager, xa_switch_t const& entries);

/// @throws driver_error  errc::bad_argument: it is too long, or holds a NUL.
void require_info(std::string const& resource_manager, std::string const& xa_info);

}  // namespace assent::xopen_switch

#endif  // ASSENT_ADAPTERS_XOPEN_LOADING_HPP
