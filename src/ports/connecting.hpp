// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connecting.hpp -- a session that no forked child has a copy of.
//
// A client library makes its socket within the call, where no fork handler knows of it, and a fork
// must not wait for a connect that takes seconds.  So what was opened across a fork is cut, which a
// copy in a child does not outlive, and another one is opened.

#ifndef ASSENT_PORTS_CONNECTING_HPP
#define ASSENT_PORTS_CONNECTING_HPP

#include <memory>
#include <string>

#include <assent/driver.hpp>

#include "ports/forks.hpp"

namespace assent::ports {

/// Why a connection with this descriptor cannot take part; empty: nothing against it.
std::string why_not(int descriptor);

/// Connects so that the socket gets none of the numbers of the standard streams.
/// @param in_child  set to the session's socket.
/// @throws driver_error    also for whatever else the application's connect function throws.
/// @throws std::bad_alloc  there is no memory.
ASSENT_EXPORT std::unique_ptr<driver_session> connect(resource_manager_driver& to,
                                                      session_purpose purpose, deadline until,
                                                      inherited_descriptor& in_child);

}  // namespace assent::ports

#endif  // ASSENT_PORTS_CONNECTING_HPP
