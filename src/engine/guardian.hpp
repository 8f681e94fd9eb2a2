// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// guardian.hpp -- the connection that holds this node's lock at one database.
//
// Two processes with copies of one log would presume abort for each other's transactions.  The
// lock, held on the server under a lease, lets only one of them vote and presume there.

#ifndef ASSENT_ENGINE_GUARDIAN_HPP
#define ASSENT_ENGINE_GUARDIAN_HPP

#include <atomic>
#include <chrono>

#include "engine/backoff.hpp"
#include "engine/context.hpp"
#include "engine/session_pool.hpp"

namespace assent::engine {

class guardian
{
public:
    guardian(context& shared, resource_manager_driver& driver);

    /// Takes the lock, or renews its lease, when that is due.  Never throws.
    void step();

    bool is_held() const noexcept { return is_held_.load(std::memory_order_acquire); }

    /// Whether votes count: the lease was renewed less than limits::guardian_lapse ago.
    bool is_fresh() const noexcept;

    /// Whether the lock has been held long enough for its former holder to have noticed.
    bool may_presume_abort() const noexcept;

    /// Gives the lock back by closing the connection.
    void release() noexcept;

    deadline next_step() const noexcept { return next_; }
    std::string const& why() const noexcept { return why_; }  // of step()'s thread

private:
    void take();
    void renew();
    void lost(std::string const& why);

    context& shared_;
    resource_manager_driver& driver_;
    pooled_session session_;
    backoff retry_;
    deadline next_{};
    deadline taken_at_{};
    std::string why_ = "its guardian has no lock yet";
    std::atomic<bool> is_held_{false};
    std::atomic<std::chrono::steady_clock::rep> fresh_until_{0};
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_GUARDIAN_HPP
