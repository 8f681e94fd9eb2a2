// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// keeper.hpp -- a keeper looks after one resource manager: it has all the workers that work for it
// in the background, on connections of the transaction manager's own.  They share facts and a
// queue, and never wait for one another: a database that is slow with one thing is not slow with
// the others, and one that hangs holds up nobody but its own keeper.
//
//   scanner     who the server is, which branches it lists, what that means     1 connection
//   guardian    the node's lock                                                 1
//   canceller   statements and sessions of transactions that are late           1, when needed
//   row keeper  commit rows: looks, questions, pruning                          1, when needed
//   finishers   the completion queue                                            up to
//                                                                 limits::completion_sessions_max,
//                                                                 when needed
//   asked end   a branch that a person asks the owner to end        1, when needed; no worker: it
//                                                                 runs in the desk's thread

#ifndef ASSENT_RECOVERY_KEEPER_HPP
#define ASSENT_RECOVERY_KEEPER_HPP

#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <assent/transaction_manager.hpp>

#include "recovery/asked_end.hpp"
#include "recovery/bound_database.hpp"
#include "recovery/canceller.hpp"
#include "recovery/completion_queue.hpp"
#include "recovery/finisher.hpp"
#include "recovery/guardian.hpp"
#include "recovery/row_keeper.hpp"
#include "recovery/scanner.hpp"
#include "shared/session_pool.hpp"

namespace assent::recovery {

using shared::branch;
using shared::context;
using shared::session_pool;

/// Thread safety: every member may be called from several threads at once, but for step().
class keeper
{
public:
    keeper(context& shared, resource_manager rm);
    ~keeper();

    std::string const& name() const noexcept { return database_.name(); }
    resource_manager const& manager() const noexcept { return database_.manager(); }
    resource_manager_driver& driver() const noexcept { return database_.driver(); }
    session_pool& pool() noexcept { return pool_; }

    /// Waits until leases may be given.
    /// @return the id under which the log knows it.
    /// @throws error  errc::unavailable by `until` at the latest, naming what it waits for.
    std::uint16_t wait_until_serving(deadline until);

    /// Says that transactions will want their decisions in commit rows there.
    void want_rows() { rows_.want(); }
    /// As wait_until_serving(), and waits until decisions may live in commit rows there.
    std::uint16_t wait_until_holding_rows(deadline until);

    /// The id under which the log knows it; 0: it was never bound.
    std::uint16_t known_id() const { return database_.known_id(); }

    /// @pre  was serving once.
    server_facts facts() const { return database_.facts(); }
    server_life life() const { return database_.life(); }
    /// Of facts().
    std::string history() const { return database_.history(); }
    bool is_one_phase_durable() const { return database_.is_one_phase_durable(); }
    void note_begun() noexcept { database_.note_begun(); }
    /// Whether a session in that life of a server may be one of the server that is scanned.
    bool may_be_life(server_life const& other) const { return database_.may_be_life(other); }
    /// Whether one in that life may be asked to prepare.
    bool is_noted(server_life const& other) const { return database_.is_noted(other); }
    /// @throws driver_error  it is known to be on another server.
    void require_same_instance(server_life const& other) const
    {
        database_.require_same_instance(other);
    }

    /// Which term of its guardian this is; 0: votes there do not count now.
    std::uint64_t guard_term() const noexcept { return guardian_.term(); }
    bool is_guarded() const noexcept { return guard_term() != 0; }
    /// What is said where it is not.
    std::string why_unguarded() const
    {
        return "the guardian of \"" + name() + "\" lost its lock; votes there do not count";
    }
    std::uint64_t guard_reign() const noexcept { return guardian_.reign(); }

    /// Leaves a branch to be finished, or verified.  In a list, so that handing it over needs no
    /// memory.
    void finish_later(std::list<due_branch> one) noexcept;

    /// Cancels the branch's statement now if it is still active, and ends its session at `end_at`.
    void cancel(std::shared_ptr<branch> target, deadline end_at);

    /// What a person asks for while the application runs.
    asked_end& asked() noexcept { return asked_; }

    resource_manager_state state() const;
    bool is_drained() const { return state().is_drained; }

    /// All workers of this keeper, to be stepped by hand.
    std::vector<worker*> const& workers() const noexcept { return workers_; }
    /// Has each worker do what is due.
    void step();

    /// @throws std::system_error  there is no thread to be had; those that began go on until
    /// stop().
    void start_threads();
    /// After it returned, nothing of this keeper runs and its sessions are closed.  What still
    /// waits for its server at `until` is cut.
    void stop(deadline until);

private:
    std::size_t rows_asked() const;
    void wake_all();
    void wake_finishers() noexcept;

    context& shared_;
    bound_database database_;
    session_pool pool_;
    completion_queue queue_;
    guardian guardian_;
    canceller canceller_;
    row_keeper rows_;
    scanner scanner_;
    asked_end asked_;
    std::vector<std::unique_ptr<finisher>> finishers_;
    std::vector<worker*> workers_;  // all of them
    std::atomic<bool> is_listening_{false};
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_KEEPER_HPP
