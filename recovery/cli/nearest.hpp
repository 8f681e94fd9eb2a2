// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// nearest.hpp -- which known word somebody may have meant.

#ifndef ASSENT_RECOVERY_CLI_NEAREST_HPP
#define ASSENT_RECOVERY_CLI_NEAREST_HPP

#include <initializer_list>
#include <string_view>

namespace assent::cli {

/// The known word with the fewest letters changed, added, dropped or swapped; the first of equals.
/// @pre  `known` is not empty.
std::string_view nearest(std::string_view word, std::initializer_list<std::string_view> known);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_NEAREST_HPP
