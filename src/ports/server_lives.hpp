// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server_lives.hpp -- whether two sessions are on one server, and in one of its lives.

#ifndef ASSENT_PORTS_SERVER_LIVES_HPP
#define ASSENT_PORTS_SERVER_LIVES_HPP

#include <string>

#include <assent/server.hpp>

namespace assent::ports {

/// Whether the two do not differ in anything that is known of both.
inline bool is_same_where_known(server_life const& a, server_life const& b) noexcept
{
    auto const differ = [](std::string const& one, std::string const& other) {
        return !one.empty() && !other.empty() && one != other;
    };
    return !differ(a.instance, b.instance) && !differ(a.start, b.start);
}

}  // namespace assent::ports

#endif  // ASSENT_PORTS_SERVER_LIVES_HPP
