// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// require_sane.hpp -- limits that cannot be kept are refused before anything is opened.

#ifndef ASSENT_API_REQUIRE_SANE_HPP
#define ASSENT_API_REQUIRE_SANE_HPP

#include <assent/options.hpp>

namespace assent::api {

/// @throws error  errc::bad_argument: it names the limit, and says what is possible.
void require_sane(limits const& all);

}  // namespace assent::api

#endif  // ASSENT_API_REQUIRE_SANE_HPP
