// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// guardian.hpp -- the connection that holds this node's lock at one database.
//
// Two processes with copies of one log would presume abort for each other's transactions.  The
// lock, held on the server under a lease, lets only one of them vote and presume there.
//
//   term    a time without a gap in which votes count; the next one has another number
//   reign   a time in which no copy can have presumed an abort: it survives gaps that are shorter
//           than the time a copy must wait before it presumes, and is over after a gap of that time

#ifndef ASSENT_RECOVERY_GUARDIAN_HPP
#define ASSENT_RECOVERY_GUARDIAN_HPP

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "recovery/own_session.hpp"
#include "recovery/worker.hpp"
#include "shared/backoff.hpp"

namespace assent::recovery {

using shared::backoff;
using shared::context;

inline constexpr std::uint64_t no_reign = ~std::uint64_t{0};

class guardian final : public worker
{
public:
    guardian(context& shared, bound_database& at);

    bool is_held() const noexcept { return is_held_.load(std::memory_order_acquire); }

    /// Whether votes count: the lease was renewed less than limits::guardian_lapse ago.
    bool is_fresh() const noexcept { return term() != 0; }
    /// Which term this is; 0 while votes do not count.
    std::uint64_t term() const noexcept;
    /// Which reign this is; no_reign when a copy may have presumed an abort, and still may.
    std::uint64_t reign() const noexcept;
    /// Whether that one lasts.
    bool is_reign(std::uint64_t which) const noexcept
    {
        return which != no_reign && which == reign();
    }

    /// Whether the lock has been held long enough for its former holder to have noticed.
    bool may_presume_abort() const noexcept;
    /// Until when that is so, if nothing is heard meanwhile.
    deadline fresh_until() const noexcept;

    /// Gives the lock back by closing the connection.  @pre  its thread was joined.
    void release() noexcept;
    void cut() noexcept override { session_.cut(); }

private:
    deadline work() override;
    void take(driver_session& session);
    void renew(driver_session& session);
    void lost(std::string const& why);
    void note_asked(deadline asked_at) noexcept;
    bool is_reign_over() const noexcept;

    using ticks = std::chrono::steady_clock::rep;

    bound_database& at_;
    own_session session_;
    backoff retry_;
    deadline next_{};
    std::string refused_;  // as last told
    std::atomic<bool> is_held_{false};
    std::atomic<bool> is_refused_{false};  // another process held it when we last asked
    std::atomic<ticks> confirmed_{0};      // the lock was ours then
    std::atomic<ticks> fresh_until_{0};
    std::atomic<ticks> presumes_from_{0};
    std::atomic<std::uint64_t> term_{0};
    std::atomic<std::uint64_t> reign_{1};
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_GUARDIAN_HPP
