// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server_past.hpp -- which starts and histories of one server the log has noted, epoch by epoch.
//
//   another start of the server:  every session of the starts before it is gone
//   another history (a failover, a restore):  what was prepared in the old one may be lost
//
// A history is what only a promotion or a restore changes (server_facts::history): PostgreSQL's
// timeline is one.
//
// The one invariant: without a note nothing is concluded.

#ifndef ASSENT_ENGINE_SERVER_PAST_HPP
#define ASSENT_ENGINE_SERVER_PAST_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "engine/context.hpp"

namespace assent::engine {

/// Thread safety: its keeper's step() alone.
class server_past
{
public:
    server_past(context& shared, std::string resource_manager)
        : shared_(shared), resource_manager_(std::move(resource_manager))
    {
    }

    /// Takes down what the server, known to the log as `id`, is now.
    /// Durability: forced before the call returns.  @throws std::system_error
    void note(std::uint16_t id, server_facts const& now);

    /// Whether a session of that epoch may still be connected.  @pre  note() has returned.
    bool is_same_start(std::uint32_t epoch) const;

    /// Whether the server may have lost a branch of that epoch with a part of its past.
    /// `prepared_in` is the history in which the branch was; empty: any that the epoch saw.
    /// @pre  note() has returned.
    bool has_other(std::uint32_t epoch, std::string const& prepared_in) const;

private:
    context& shared_;
    std::string const resource_manager_;
    std::uint16_t id_ = 0;
    std::string start_;                // of today, as is the history
    std::string history_;              // empty: this kind of server does not tell
    std::vector<std::string> of_run_;  // histories that this epoch has seen, the last few
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_SERVER_PAST_HPP
