// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// attempt_gate.hpp -- keeps cancels away from the COMMIT of an attempt.
//
// A session that is cancelled or ended while it commits may answer anything, and MariaDB may undo
// what it commits.  The engine knows of no such COMMIT: to it the branch is active.  So a session
// passes here before it commits, and whoever cancels it does, too: one waits for, or gives way to,
// the other.
//
// Thread safety: every member may be called from several threads at once.

#ifndef ASSENT_ADAPTERS_RESERVATIONS_ATTEMPT_GATE_HPP
#define ASSENT_ADAPTERS_RESERVATIONS_ATTEMPT_GATE_HPP

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>

namespace assent::reservations {

class attempt_gate
{
public:
    /// A session commits as long as this lives.  Waits for a cancel that is under way.
    class commit
    {
    public:
        commit(attempt_gate& gate, std::uint64_t session);
        ~commit();
        commit(commit const&) = delete;
        commit& operator=(commit const&) = delete;

    private:
        attempt_gate& gate_;
        std::uint64_t const session_;
    };

    /// Calls `cancel`, unless the session commits.  @return whether it was called.
    bool cancel(std::uint64_t session, std::function<void()> const& cancel);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::uint64_t> committing_, cancelling_;
};

}  // namespace assent::reservations

#endif  // ASSENT_ADAPTERS_RESERVATIONS_ATTEMPT_GATE_HPP
