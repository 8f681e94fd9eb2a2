// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// keeper.hpp -- one resource manager's own worker: everything that needs the manager's own
// connections.  A database that hangs holds up its own keeper and nobody else.
//
//   unbound --connect, preflight, identity--> bound --guardian's lock--> guarded --scan--> serving
//      ^                                                                                     |
//      +---------------------- connection lost, identity changed, lock refused --------------+
//
// step() does whatever is due and says when it wants to be called next: a thread calls it in a
// loop, the simulation calls it by hand.  Only step() touches the manager's own sessions.

#ifndef ASSENT_ENGINE_KEEPER_HPP
#define ASSENT_ENGINE_KEEPER_HPP

#include <atomic>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <assent/transaction_manager.hpp>

#include "engine/backoff.hpp"
#include "engine/canceller.hpp"
#include "engine/completion_queue.hpp"
#include "engine/context.hpp"
#include "engine/guardian.hpp"
#include "engine/row_keeper.hpp"
#include "engine/server_past.hpp"
#include "engine/session_pool.hpp"
#include "recovery/resolver.hpp"

namespace assent::engine {

class keeper
{
public:
    keeper(context& shared, resource_manager rm);
    ~keeper();

    std::string const& name() const noexcept { return rm_.name(); }
    resource_manager const& manager() const noexcept { return rm_; }
    resource_manager_driver& driver() const noexcept { return *rm_.driver(); }
    session_pool& pool() noexcept { return pool_; }

    /// Waits until leases may be given.
    /// @return the id under which the log knows it.
    /// @throws error  errc::unavailable by `until` at the latest, naming what it waits for.
    std::uint16_t wait_until_serving(deadline until);

    /// Transactions will want their decisions in commit rows there.
    void want_rows();
    /// As above, and until they may.
    std::uint16_t wait_until_holding_rows(deadline until);

    /// The id under which the log knows it; 0: it was never bound.
    std::uint16_t known_id() const;

    /// @pre  was serving once.
    server_facts facts() const;
    /// Of facts().
    std::string history() const;

    /// Whether a vote there counts now: the guardian's lock was confirmed a moment ago.
    bool is_guarded() const noexcept;

    /// Leaves a branch to be finished, or verified, by this keeper.  In a list, so that handing it
    /// over needs no memory.
    void finish_later(std::list<due_branch> one) noexcept;

    /// Cancels the branch's statement now if it is still active, and ends its session at `end_at`.
    void cancel(std::shared_ptr<branch> target, deadline end_at);

    resource_manager_state state() const;
    bool is_drained() const;

    /// Does what is due; without memory for it, soon again.  @return when to be called next.
    deadline step();

    void start_thread();
    /// After it returned, nothing of this keeper runs and its sessions are closed.
    void stop();
    /// Interrupts the wait between two steps.
    void wake();

private:
    std::uint16_t wait_until(bool (keeper::*is_so)() const, deadline until);
    bool is_serving() const { return is_connected_ && has_scanned_ && guardian_.is_held(); }
    bool is_holding_rows() const { return is_serving() && holds_rows_; }

    deadline work();
    bool ensure_connected();
    void identify();
    void lose_connection(std::string const& why);
    bool may_presume_abort() const;

    // scanning.cpp
    void scan();
    deadline next_scan_after(bool is_waiting, bool is_older_left);
    void carry_out(recovery::plan const& what);
    bool is_certain(xid const& id, std::set<xid>& suspects) const;
    void finish_listed(xid const& id, protocol::listed_action how);
    void quarantine(xid const& id, protocol::listed_action why);
    void await_row(xid const& id, std::set<xid>& suspects);
    void conclude_finished(xid const& id);
    void raise_horizon() noexcept;
    void note_older_runs(recovery::plan const& what);
    std::string places_of(recovery::plan const& what) const;
    void warn_of_growth();
    void note_session_presence(due_branch& item);

    void take_incoming();
    void note_why(std::string why);
    void hear_of_row(bool is_question);
    std::size_t rows_asked() const;
    bool is_proxied() const;
    deadline call_end() const;
    deadline next_step(deadline now) const;

    context& shared_;
    resource_manager const rm_;
    session_pool pool_;
    guardian guardian_;
    row_keeper rows_;
    completion_queue due_;
    server_past past_;
    canceller cancels_;

    // Touched by step() only.
    pooled_session manage_;
    backoff reconnect_;
    backoff unsettled_;
    deadline next_connect_{};
    deadline next_scan_{};
    bool are_older_sessions_gone_ = false;
    bool was_growth_told_ = false;
    bool is_older_finished_ = false;  // so the horizon is of everything, not of this epoch
    std::set<std::string> warnings_;  // of the server, as told
    std::set<xid> suspects_;          // of this epoch, listed once though not live
    bool awaits_rows_ = false;        // a listed branch is decided by a row that was not read yet
    std::list<due_branch> taken_;     // of incoming_, on their way into due_
    bool was_drained_ = false;        // as last told

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::uint16_t id_ = 0;
    server_facts facts_;
    bool is_connected_ = false;
    bool has_scanned_ = false;
    bool holds_rows_ = false;
    std::string why_no_rows_;
    std::string why_ = "has not been contacted yet";
    std::list<due_branch> incoming_;
    std::vector<cancel_task> incoming_cancels_;
    std::size_t due_count_ = 0;
    std::string undrained_ = "it was not scanned yet";  // empty: nothing of earlier epochs is left
    bool is_asked_ = false;                             // for a row of this database
    bool has_row_news_ = false;
    bool is_woken_ = false;
    bool is_stopping_ = false;

    std::thread thread_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_KEEPER_HPP
