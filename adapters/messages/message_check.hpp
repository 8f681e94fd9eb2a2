// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// message_check.hpp -- what may be put: refused by name, before anything is gathered.

#ifndef ASSENT_ADAPTERS_MESSAGES_MESSAGE_CHECK_HPP
#define ASSENT_ADAPTERS_MESSAGES_MESSAGE_CHECK_HPP

#include <string>

#include <assent/message.hpp>

namespace assent::messages {

/// @throws error  errc::bad_argument, with the transaction's name.
void require_destination(std::string const& to, gtrid const& of);

/// @return its headers as they are kept.
/// @throws error  errc::bad_argument, with the transaction's name.
std::string require_fit(message::message const& what, gtrid const& of);

}  // namespace assent::messages

#endif  // ASSENT_ADAPTERS_MESSAGES_MESSAGE_CHECK_HPP
