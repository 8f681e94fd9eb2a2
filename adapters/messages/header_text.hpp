// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// header_text.hpp -- the headers of a message as one text of printable ASCII: a line "name=value"
// for each, in their order.  What is no letter, digit or one of -._~ in a value is written as %XX.

#ifndef ASSENT_ADAPTERS_MESSAGES_HEADER_TEXT_HPP
#define ASSENT_ADAPTERS_MESSAGES_HEADER_TEXT_HPP

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assent::messages {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// @pre  no name holds '=' or a line's end.
std::string to_text(header_list const& headers);

/// What to_text() wrote.  @throws driver_error  it did not.
header_list from_text(std::string_view text);

}  // namespace assent::messages

#endif  // ASSENT_ADAPTERS_MESSAGES_HEADER_TEXT_HPP
