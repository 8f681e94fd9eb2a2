// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// coordinator.hpp -- one global transaction, as a pure state machine: no I/O, clock, lock or
// thread.
//
//   commit() --> preparing --one writer--> one_phase --> ending_reads ---------+
//      |             +--all yes--> deciding --decided(token)--> committing ----+--> ended
//      |             +--any no---> rolling_back -------------------------------+
//      +-- rollback-only ----------^
//
// If only one branch writes, it is not asked to prepare, unless it can only promise; the others,
// declared read-only, are asked before it commits.  They only vote then: they end with the outcome.
//
// One branch may be the last resource: it is not prepared, and its commit, which carries a row, is
// the decision (deciding).  Where nobody else voted yes, it commits in one phase, without a row.
//
// The engine asks advance() for the stage, sends every branch the verb that send() gives, tells
// on_reply() what came back, and asks again when nothing is outstanding.  All verbs of a stage may
// overlap.  Phase 2 is entered with a durable_decision and nothing else.

#ifndef ASSENT_PROTOCOL_COORDINATOR_HPP
#define ASSENT_PROTOCOL_COORDINATOR_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include <assent/xid.hpp>

#include "protocol/durable_decision.hpp"
#include "protocol/transition_table.hpp"

namespace assent::protocol {

enum class stage : std::uint8_t {
    active = 0,
    ending_reads =
        1,  // the outcome is known, and branches that were declared read-only end with it
    preparing = 2,
    one_phase = 3,
    deciding = 4,
    committing = 5,
    rolling_back = 6,
    undecided = 7,  // the force failed after submission: neither commit nor rollback may be sent
    ended = 8,
};

/// What is known of the whole, by what its caller must do next.
enum class verdict : std::uint8_t {
    open = 0,
    committed = 1,
    committed_pending = 2,  // decided; a branch has yet to confirm
    rolled_back = 3,        // confirmed by every branch
    rolled_back_unconfirmed = 4,
    heuristic = 5,  // some branch went, or may have gone, against the decision
    in_doubt = 6,
};

/// What a branch is asked for.
enum class branch_role : std::uint8_t {
    voter = 0,     // prepare, then commit or rollback
    reader = 1,    // declared read-only: it votes, and ends with the outcome
    last = 2,      // the last resource: its commit carries the decision
    promiser = 3,  // a voter that votes also where it is the only writer
};

class coordinator
{
public:
    /// Adds a branch that was started.  @pre  stage is active; there is no other last resource.
    std::size_t add_branch(branch_role role);
    /// So that adding the `count`-th branch needs no memory.
    void reserve(std::size_t count) { branches_.reserve(count); }

    /// Begins to commit; rolls back instead when `is_rollback_only`.  @pre  stage is active.
    void commit(bool is_rollback_only) noexcept;
    void rollback() noexcept;

    /// Gives up before the decision: a vote that must not count (deadline, lost guardian).
    /// @pre  stage is preparing or deciding, and nothing is outstanding.
    void veto() noexcept;

    /// The commit point has passed.
    /// @pre  stage is deciding, and the last resource, if there is one, is committed.
    void decided(durable_decision const& proof) noexcept;
    /// Nothing of the decision reached the log: roll back, truthfully.  @pre  stage is deciding.
    void decision_refused() noexcept { veto(); }
    /// Nobody knows whether the decision is durable.  @pre  stage is deciding.
    void decision_unknown() noexcept;

    stage now() const noexcept { return stage_; }
    std::size_t size() const noexcept { return branches_.size(); }
    branch_state state(std::size_t i) const noexcept { return branches_[i].state; }

    /// The verb that branch `i` must be sent in this stage, marking it outstanding, or nothing.
    /// `is_first_on_usable_connection` tells a commit whose NOTA is a hazard from a repeat.
    bool send(std::size_t i, verb& what, bool is_first_on_usable_connection = true) noexcept;

    follow_up on_reply(std::size_t i, reply_class what) noexcept;

    /// Moves on to the next stage when nothing is outstanding and nothing is left to send.
    stage advance() noexcept;

    verdict outcome() const noexcept;

private:
    struct branch
    {
        branch_state state = branch_state::active;
        branch_role role = branch_role::voter;
        bool is_sent = false;  // in this stage
    };

    verb due(branch const& b) const noexcept;
    void enter(stage next) noexcept;
    bool any(branch_state what) const noexcept;
    bool is_unanimous() const noexcept;
    bool is_committed() const noexcept;
    branch const* last_resource() const noexcept;
    std::size_t writers() const noexcept;

    stage stage_ = stage::active;
    std::vector<branch> branches_;
    bool is_decided_ = false;
    bool was_rolled_back_ = false;
};

}  // namespace assent::protocol

#endif  // ASSENT_PROTOCOL_COORDINATOR_HPP
