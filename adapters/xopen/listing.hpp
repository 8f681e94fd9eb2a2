// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// listing.hpp -- xa_recover, page by page: a list is whole, or it is none.

#ifndef ASSENT_ADAPTERS_XOPEN_LISTING_HPP
#define ASSENT_ADAPTERS_XOPEN_LISTING_HPP

#include <string>

#include <assent/server.hpp>

#include "adapters/xopen/thread_opening.hpp"

namespace assent::xopen_switch {

/// Adds what is listed.
/// @throws driver_error  errc::unavailable: the switch refused, or its list has no end.
void list(std::string const& resource_manager, thread_opening& by, scan_result& into);

}  // namespace assent::xopen_switch

#endif  // ASSENT_ADAPTERS_XOPEN_LISTING_HPP
