// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// bound_database.hpp -- one resource manager as all its workers know it: which server it is, and
// whether it serves.
//
//   scanner    reads who the server is, binds it in the log:  identify()
//   others     work only where that very server answers:      require_same()
//   guardian   has its lock, or why not:                      note_guard()
//   leases     wait until all of it is there:                 wait_until_serving()
//
// Invariant: whoever lists, finishes, cancels or guards is on the same instance of the
// server, or what one of them sees says nothing of what another does: a replica that takes writes
// has the identity of its primary.

#ifndef ASSENT_RECOVERY_BOUND_DATABASE_HPP
#define ASSENT_RECOVERY_BOUND_DATABASE_HPP

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <assent/transaction_manager.hpp>

#include "ports/server_lives.hpp"
#include "shared/backoff.hpp"
#include "shared/context.hpp"

namespace assent::recovery {

using shared::context;

/// The server that answers is not the one that is bound, or not fit for work.
class unfit_server : public driver_error
{
public:
    using driver_error::driver_error;
};

/// Thread safety: every member may be called from several threads at once.
class bound_database
{
public:
    bound_database(context& shared, resource_manager rm)
        : shared_(shared),
          rm_(std::move(rm)),
          refusals_(shared.bounds.retry_max,
                    std::max(shared.bounds.retry_max, shared.bounds.scan_interval))
    {
    }

    std::string const& name() const noexcept { return rm_.name(); }
    resource_manager const& manager() const noexcept { return rm_; }
    resource_manager_driver& driver() const noexcept { return *rm_.driver(); }

    /// The id under which the log knows it; 0: it was not identified yet.
    std::uint16_t id() const noexcept { return id_.load(std::memory_order_acquire); }

    // Who the server is.

    /// The id under which the log knows it, of whatever run; 0: it was never bound.
    std::uint16_t known_id() const;
    /// Binds the resource manager, or makes sure that this is the server it was bound to.
    /// Durability: forced before it returns.
    /// @throws driver_error  it is another one.  @throws std::system_error  the log refused.
    void identify(server_facts const& now);
    server_facts facts() const;
    server_life life() const;
    /// As note_history() was told last; empty before.
    std::string history() const;
    void note_history(std::string now);
    /// The log has it, as the last one that this epoch saw.
    void note_start(std::string const& start);
    /// Whether a session in that life of a server may be asked to prepare: the log has noted its
    /// start.  The next epoch takes the sessions of every start before the last one that this epoch
    /// noted for gone, and with them what they might still prepare (ADR 6).
    bool is_noted(server_life const& other) const;
    /// How many branches were begun there.
    std::uint64_t begun() const noexcept { return begun_.load(std::memory_order_relaxed); }
    void note_begun() noexcept { begun_.fetch_add(1, std::memory_order_relaxed); }
    bool is_proxied() const;
    /// Whether what it acknowledges in one phase survives its crash.
    bool is_one_phase_durable() const;
    /// Whether the server can tell of the session with that number; 0: nobody knows its number.
    bool can_see(std::uint64_t session) const { return session != 0 && !is_proxied(); }
    /// Whether it was proved that no session of an earlier run is left.
    bool are_older_gone() const noexcept { return are_older_gone_.load(std::memory_order_acquire); }
    void note_older_gone() noexcept { are_older_gone_.store(true, std::memory_order_release); }

    /// @throws driver_error  `other` is another server than the one that is scanned.
    void require_same(server_facts const& other) const;
    /// @throws driver_error  `other` is known to be another instance of it.
    void require_same_instance(server_life const& other) const;
    /// Whether nothing says that a session of `other` is on another instance, or another start.
    bool may_be_life(server_life const& other) const;

    // Whether its account may log in.  A server that counts refusals locks an account that is tried
    // by every worker again and again, so that one of them at a time tries, after growing pauses.

    /// @return when the caller may log in: later than `now`, or it is its turn.
    deadline claim_login(deadline now);
    /// @return when the next one may try.
    deadline note_login_refused();
    void note_login();

    // Whether it serves.

    void note_scanned();
    /// The scanner has no connection.  Who has been scanned once goes on to serve, as long as the
    /// guardian's lock is confirmed; but not where the server is known to be another one, or unfit.
    void note_lost(std::string why, bool is_unfit);
    void note_guard(bool is_held, std::string why);
    void note_rows(bool is_ready, std::string why);
    void note_undrained(std::string why);
    void close() noexcept;

    bool is_drained() const;  ///< besides the branches that are due
    /// Of the three, what is known: why it does not serve, holds no rows, is not drained.
    void describe(resource_manager_state& into) const;
    std::string why_no_rows() const;

    /// Waits until leases may be given, no longer than limits::first_scan.
    /// @return the id under which the log knows it.
    /// @throws error  errc::unavailable by `until` at the latest, naming what it waits for.
    std::uint16_t wait_until_serving(deadline until);
    /// As above, and until decisions may live in commit rows there.
    std::uint16_t wait_until_holding_rows(deadline until);

    deadline call_end() const { return shared_.time.now() + shared_.bounds.server_call; }

private:
    std::uint16_t wait_until(bool with_rows, deadline until);
    bool serves() const { return has_scanned_ && is_guarded_ && !is_unfit_; }
    std::string why() const;

    context& shared_;
    resource_manager const rm_;
    std::atomic<std::uint16_t> id_{0};
    std::atomic<std::uint64_t> begun_{0};
    std::atomic<bool> are_older_gone_{false};

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    shared::backoff refusals_;
    deadline next_login_{};  // nobody was refused: the start of time
    server_facts facts_;
    std::string history_;
    std::string noted_start_;
    bool is_connected_ = false;
    bool is_unfit_ = false;  // another server than the one that is bound, or no primary
    bool has_scanned_ = false;
    bool is_guarded_ = false;
    bool holds_rows_ = false;
    bool is_closed_ = false;
    std::string why_lost_ = "has not been contacted yet";
    std::string why_unguarded_ = "its guardian has no lock yet";
    std::string why_no_rows_;
    std::string undrained_ = "it was not scanned yet";  // empty: nothing of earlier epochs is left
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_BOUND_DATABASE_HPP
