// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// conversation.hpp -- what a network has recorded, session by session.

#ifndef ASSENT_TESTS_INTEGRATION_CONVERSATION_HPP
#define ASSENT_TESTS_INTEGRATION_CONVERSATION_HPP

#include <chrono>
#include <string>
#include <vector>

#include "tests/servers/wire.hpp"

namespace assent::testing {

/// What was sent and heard on the session that last sent `part`, in order.
inline std::vector<wire_message> conversation(std::vector<wire_message> const& all,
                                              std::string const& part)
{
    std::size_t session = 0;
    for (auto const& each : all) {
        if (each.is_request && each.text.find(part) != std::string::npos) session = each.session;
    }
    std::vector<wire_message> found;
    for (auto const& each : all) {
        if (each.session == session) found.push_back(each);
    }
    return found;
}

inline std::vector<wire_message> requests(std::vector<wire_message> const& all)
{
    std::vector<wire_message> found;
    for (auto const& each : all) {
        if (each.is_request) found.push_back(each);
    }
    return found;
}

/// When the first reply after `request` had arrived.
inline std::chrono::steady_clock::time_point answered(std::vector<wire_message> const& all,
                                                      wire_message const& request)
{
    for (auto const& each : all) {
        if (!each.is_request && each.session == request.session && each.at >= request.at) {
            return each.at;
        }
    }
    return std::chrono::steady_clock::time_point::max();
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_INTEGRATION_CONVERSATION_HPP
