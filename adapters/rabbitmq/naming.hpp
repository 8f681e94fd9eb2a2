// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// naming.hpp -- what both ends call the lanes of a destination, and which brokers they speak to.

#ifndef ASSENT_ADAPTERS_RABBITMQ_NAMING_HPP
#define ASSENT_ADAPTERS_RABBITMQ_NAMING_HPP

#include <cstddef>
#include <string>

#include <assent/rabbitmq.hpp>

namespace assent::rabbitmq_adapter {

/// The protocol's short strings: names and ids.
inline constexpr std::size_t name_bytes_max = 255;

/// @throws driver_error  errc::bad_argument.
[[noreturn]] void refuse(std::string const& why);
/// @throws driver_error  errc::bad_argument.
void require_sane(rabbitmq::connect_options const& where);

/// "07"; also the routing key of a lane at an exchange.
std::string two_digits(unsigned lane);
/// The queue of a lane.
std::string lane_name(std::string const& of, unsigned lane);

}  // namespace assent::rabbitmq_adapter

#endif  // ASSENT_ADAPTERS_RABBITMQ_NAMING_HPP
