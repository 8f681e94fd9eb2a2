// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// places.hpp -- places in a lane by small numbers, for tests.

#ifndef ASSENT_TESTS_UNIT_MESSAGE_PLACES_HPP
#define ASSENT_TESTS_UNIT_MESSAGE_PLACES_HPP

#include <string>
#include <utility>

#include <assent/delivery.hpp>

namespace assent::testing {

inline std::string at_place(int number)
{
    auto const digits = std::to_string(number);
    return std::string(message::position_size - digits.size(), '0') + digits;
}

/// A message at `position`, behind the one at `previous`, of a sender of its own.
inline message::delivery delivered(std::string to, unsigned lane, int position, int previous)
{
    message::delivery made;
    made.at = {std::string(message::source_size, 'a'), std::move(to), lane, at_place(position),
               at_place(previous)};
    made.id = std::to_string(position);
    made.body = std::to_string(position);
    made.window = 256;
    return made;
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_UNIT_MESSAGE_PLACES_HPP
