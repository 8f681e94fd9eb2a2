// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// global_transaction.hpp -- the state of one transaction and its branches, as threads share it.
//
//   owner's thread   enlists, ends; the only one that touches sessions and handles
//   collector        after an early return, in the owner's place, for what is left to be done
//   reaper           marks rollback-only at the deadline; names the branches to cancel
//   keeper           cancels a branch from its own connection, under the branch's lock, and only
//                    while the branch is active; finishes branches that were left to it
//
// Invariant: once the owner has submitted END, PREPARE or ROLLBACK on a branch, nobody
// cancels there.

#ifndef ASSENT_SHARED_GLOBAL_TRANSACTION_HPP
#define ASSENT_SHARED_GLOBAL_TRANSACTION_HPP

#include <algorithm>
#include <any>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/error.hpp>
#include <assent/transaction.hpp>

#include "ports/coordinator_log.hpp"
#include "ports/forks.hpp"
#include "ports/server_lives.hpp"
#include "protocol/coordinator.hpp"
#include "shared/session_pool.hpp"

namespace assent {
namespace recovery {
class keeper;
}
}  // namespace assent

namespace assent::shared {

/// What a user's lease points at.
class leased_handle
{
public:
    explicit leased_handle(void* handle) noexcept : handle_(handle) {}

    /// @throws error  errc::lease_ended; errc::forked, since in a child the connection's descriptor
    ///                is closed, and its number may belong to another file by now.
    void* handle() const
    {
        if (generation_ != ports::fork_generation()) {
            throw error{errc::forked, "this lease belongs to the process that forked this one"};
        }
        void* const alive = handle_.load(std::memory_order_acquire);
        if (alive == nullptr) {
            throw error{errc::lease_ended,
                        "this lease ended with its transaction; take a new one from a new "
                        "transaction"};
        }
        return alive;
    }
    void end() noexcept { handle_.store(nullptr, std::memory_order_release); }

private:
    std::atomic<void*> handle_;
    std::uint64_t const generation_ = ports::fork_generation();
};

/// What its owner left behind.
enum class left_as : std::uint8_t {
    owned = 0,     ///< it is at work, or left nothing that anybody waits for
    in_doubt = 1,  ///< nobody knows whether the decision is durable; nothing was sent
    unknown = 2,   ///< memory ran out when it was handed over
    split = 3,     ///< decided too late, and a branch is gone: nothing is sent
};

/// One branch and the session it works on.
struct branch
{
    xid id;
    std::shared_ptr<recovery::keeper> rm;
    std::unique_ptr<driver_session> session;
    ports::inherited_descriptor in_child;  // a borrowed socket is its owner's affair
    session_origin origin;                 // of a session of the pool
    pool_seat seat;
    bool is_borrowed = false;
    branch_modes modes;                // as it was begun; what is read only the server enforces
    bool is_last = false;              // not prepared: its commit carries the decision
    bool always_votes = false;         // also where it is alone
    std::string history;               // of the server when it began
    server_life life;                  // of the server that its session is on
    std::uint64_t reign = 0;           // of the guardian, when the decision was forced
    std::uint64_t term = 0;            // likewise; 0: the decision does not name it
    std::uint64_t asked_in_term = 0;   // likewise, when it was asked to prepare
    std::uint64_t listed_in_term = 0;  // guarded by the transaction's mutex; see late_decisions.hpp
    void* handle = nullptr;
    release_function<void*> on_release;
    std::shared_ptr<leased_handle> lease;

    // Owner's thread only.
    bool is_connected = true;  // no reply was lost, and it was not severed
    verb last_verb = verb::start;
    reply last_reply;
    bool is_record_due = false;  // a heuristic whose record could not be forced
    bool is_forget_due = false;  // recorded, and the server still remembers it
    bool carries_row = false;    // its commit was sent with the decision

    std::mutex lock;  // the owner's submits against the keeper's cancels
    bool is_cancellable = false;
    bool was_cancelled = false;
    bool is_session_ended = false;  // at the server, by the keeper
    bool is_session_gone = false;   // proved, after that; the scanner's alone

    /// Whether its session can be one of that server, in that life.
    bool is_life_of(server_life const& other) const noexcept
    {
        return ports::is_same_where_known(life, other);
    }
};

/// A number of the calling thread; unlike its id it was never that of an earlier thread.
std::uint64_t this_thread() noexcept;

/// Cuts the branch's connection; whatever is still asked of it was lost.
void lose(branch& b) noexcept;

/// Why a transaction can only be rolled back: the first reason, kept for every later error.
struct rollback_cause
{
    std::string text;
    bool is_transient = false;  // the same work may succeed when it is run again
};

/// What is to be run on the session of a branch there when the commit begins.
struct last_work
{
    std::shared_ptr<recovery::keeper> rm;
    std::function<void(driver_session&, deadline)> work;
};

class global_transaction
{
public:
    global_transaction(gtrid const& global, deadline end, limits::duration longest_wait,
                       ports::reservation in_log, std::shared_ptr<recovery::keeper> place,
                       branch_modes const& of_branches,
                       commit_return when = commit_return::completed)
        : id(global),
          until(end),
          patience(longest_wait),
          row_place(std::move(place)),
          modes(of_branches),
          returns(when),
          room(std::move(in_log))
    {
    }

    /// Final from the first branch on: until its resource manager is bound, a commit row has no
    /// place.  Written by the owner, under `mutex` and the live table's.
    gtrid id;
    deadline const until;
    /// Of one wait: a transaction that was begun without a deadline still waits for nobody for
    /// ever.
    limits::duration const patience;
    /// Whose commit row decides; null: the log does.
    std::shared_ptr<recovery::keeper> const row_place;
    branch_modes const modes;  // of each branch that does not ask for less

    std::atomic<assent::status> status{assent::status::active};

    // Guards what other threads may reach: the five below.
    std::mutex mutex;
    bool is_ending = false;  // commit's votes or a rollback began
    bool is_expired = false;
    std::optional<rollback_cause> cause;  // where it came before is_ending, nothing is prepared
    std::vector<std::shared_ptr<branch>> branches;
    std::vector<std::uint16_t> places;  // where a branch was begun, or is about to be

    /// The thread that its thread-bound branches belong to; 0: it may move.
    std::atomic<std::uint64_t> bound_to{0};

    // Owner's thread only.
    commit_return returns;
    ports::reservation room;  // for the decision; given back when it is made or needed no more
    protocol::coordinator coordinator;
    std::vector<synchronization> synchronizations;
    std::vector<synchronization> interposed;  // called inside of the others
    std::vector<last_work> last_works;
    bool has_begun_commit = false;              // and takes no more of them
    std::map<std::string, std::any> resources;  // the application's; gone when it has ended
    bool is_placed = false;                     // the place of its decision is fixed, and usable
    std::uint16_t branches_named = 0;           // each start has a name of its own
    bool is_completed = false;
    bool is_suspended = false;  // its thread-bound branches are not worked on
    bool is_in_end = false;     // what is called back from there cannot end it again

    /// Branches left to the completion queue; the transaction stays in the live table meanwhile.
    std::atomic<std::size_t> branches_left{0};
    /// Stays in the live table until the log shows the decision, or is opened again: nobody knows
    /// it.
    std::atomic<bool> is_undecided{false};
    /// Set last: from here on its owner sends nothing for it, ever.
    std::atomic<left_as> left{left_as::owned};

    /// Keeps the first cause.  @return whether this was it.
    bool mark_rollback_only(rollback_cause why);
    /// The same, by who holds the mutex.
    bool keep_cause(rollback_cause&& why) noexcept;
    bool is_rollback_only();

    /// The end of a wait that begins now.
    deadline wait_end(deadline now) const noexcept { return std::min(until, now + patience); }
    /// Whether the calling thread may send for it.
    bool is_here() const noexcept { return bound_to == 0 || bound_to == this_thread(); }

    /// How a branch that asks for `wanted` is begun.
    branch_modes modes_for(access wanted) const noexcept
    {
        branch_modes begun = modes;
        if (wanted == access::read_only) begun.may = wanted;
        return begun;
    }
};

}  // namespace assent::shared

#endif  // ASSENT_SHARED_GLOBAL_TRANSACTION_HPP
