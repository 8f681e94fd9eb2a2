// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// completion_queue.hpp -- branches of one resource manager that their owners could not finish:
// decided and not confirmed, to be rolled back and not confirmed, or to be verified by a list.
// Recovery of earlier epochs puts what it finds into the same queue.
// Branches of a transaction whose decision, in a row, is in doubt wait here until the row is known.
//
//   finish_later --> incoming --settle--> ready --take--> a finisher's --put_back--+-> ready, later
//                                           ^                                      +-> at a list
//                                           +---- a list, or a row, told ----------+-> at a row
//                                                                                  +-> finished
//
// The branches take turns: one that was tried goes behind all that wait, and its pauses grow.
// Whatever makes finishing a branch slow (a server that is silent, one day the application's own
// code) holds up only its finisher: a branch that was taken is nobody else's until it is put back.
//
// The transition table decides every step; the queue only keeps, and remembers.

#ifndef ASSENT_RECOVERY_COMPLETION_QUEUE_HPP
#define ASSENT_RECOVERY_COMPLETION_QUEUE_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocol/transition_table.hpp"
#include "shared/context.hpp"

namespace assent::recovery {

using shared::context;
using shared::global_transaction;

/// A branch that was listed, and could not be finished, so many times is kept by a session, which
/// must end.
inline constexpr int refusals_max = 3;

struct due_branch
{
    xid id;
    protocol::branch_state state = protocol::branch_state::commit_due;
    std::shared_ptr<global_transaction> owner;  ///< null: found by a list, of nobody here
    reply last_reply;                           ///< what made it a heuristic
    bool is_forget_due = false;                 ///< a recorded heuristic, to be forgotten
    /// Since when its session is known to be gone; the start of time: since another start of its
    /// server, as the log notes.
    std::optional<deadline> gone_since;
    std::string history;         ///< of the server when the branch began; empty: as the log notes
    std::string server_start;    ///< of its session; empty: as the log notes
    std::uint64_t reign = 0;     ///< of the guardian when it was decided; 0: not decided here
    bool may_be_turned = false;  ///< something other than its COMMIT may have ended it
    /// Each commit that was sent was answered: it was certainly not done.
    bool is_undone_for_certain = false;
    int refusals = 0;               ///< how often it was listed, and could not be finished
    std::uint32_t tries = 0;        ///< how often finishing it was tried
    deadline came_at{};             ///< into the queue
    bool was_failure_told = false;  ///< the observer was told that a handler fails
    bool was_told = false;          ///< the observer was told that it is a heuristic
    bool had_owner = false;         ///< which was let go when it was finished

    /// Presumed: no decision says so, and none of this epoch's transactions asks for it.
    bool is_presumed() const noexcept
    {
        return !owner && state == protocol::branch_state::rollback_due;
    }
    bool is_decided_commit() const noexcept
    {
        return state == protocol::branch_state::commit_due ||
               state == protocol::branch_state::commit_verify ||
               state == protocol::branch_state::hazard_verify;
    }
};

/// Thread safety: every member may be called from several threads at once.
class completion_queue
{
public:
    /// `on_news` is called, with no lock held, when one more branch waits for a list, and when no
    /// branch is left at all; `on_ready` when there is one more branch for the finishers to do, and
    /// one of them may sleep.
    completion_queue(context& shared, std::string resource_manager, std::function<void()> on_news,
                     std::function<void()> on_ready)
        : shared_(shared),
          resource_manager_(std::move(resource_manager)),
          on_news_(std::move(on_news)),
          on_ready_(std::move(on_ready))
    {
    }

    /// Leaves a branch to be finished, or verified.  In a list, so that it needs no memory.
    void finish_later(std::list<due_branch> one) noexcept;
    /// Adds a branch; one that it knows() stays as it is.
    void add(due_branch&& what);
    /// Whether the branch is queued, or was finished while the listing() lasts.
    bool knows(xid const& which) const;

    /// From before a list begins until all that it says was taken over: it may still show what is
    /// finished meanwhile.  One at a time.
    class listing
    {
    public:
        explicit listing(completion_queue& queue) noexcept;
        listing(listing const&) = delete;
        listing& operator=(listing const&) = delete;
        ~listing();

    private:
        completion_queue& queue_;
    };

    /// Takes over the branches that were left.
    /// @throws std::bad_alloc  the rest stays for the next time.
    void settle();

private:
    using order = std::set<std::pair<deadline, xid>>;

public:
    /// A branch in the hands of one finisher; put back, or finished, at the latest when it ends.
    class turn
    {
    public:
        turn() noexcept = default;
        turn(turn&& other) noexcept
            : queue_(std::exchange(other.queue_, nullptr)),
              item_(other.item_),
              place_(std::move(other.place_)),
              was_at_list_(other.was_at_list_),
              is_guest_(other.is_guest_),
              rows_heard_(other.rows_heard_)
        {
        }
        turn& operator=(turn&&) = delete;
        ~turn() { put_back(); }

        explicit operator bool() const noexcept { return queue_ != nullptr; }
        due_branch& operator*() const noexcept { return *item_; }
        due_branch* operator->() const noexcept { return item_; }

        /// Not before `when`, whatever its back-off says.
        void postpone(deadline when) noexcept { not_before_ = when; }
        void put_back() noexcept;
        /// The branch is settled: notes that in the log and in its transaction, and forgets it.
        void finish() noexcept;

        /// The branch is nobody's business here any more: another has noted what became of it.
        void forget() noexcept;

        /// Changes the branch as a reply, or a list, says, by the transition table alone; a
        /// heuristic is recorded.  @return whether the branch is settled.
        bool apply(protocol::branch_state from, protocol::reply_class on, reply const& what);

    private:
        friend class completion_queue;
        turn(completion_queue& from, due_branch& item, order::node_type&& place,
             bool was_at_list) noexcept
            : queue_(&from),
              item_(&item),
              place_(std::move(place)),
              was_at_list_(was_at_list),
              rows_heard_(from.rows_heard_)
        {
        }
        void leave(completion_queue& from) noexcept;

        completion_queue* queue_ = nullptr;
        due_branch* item_ = nullptr;
        order::node_type place_;
        bool was_at_list_ = false;
        bool is_guest_ = false;  // here for as long as it is claimed
        std::uint64_t rows_heard_ = 0;
        deadline not_before_{};
    };

    /// Takes the branch that has waited longest.
    /// @return nothing where none is due, or no more than `behind` branches are ready or taken.
    turn take(deadline now, std::size_t behind);
    /// When a branch is due next.
    deadline next_due() const;
    /// A row was read: the branches that wait for one are looked at again.
    void hear_of_row() noexcept;

    /// The branches about which only a list can tell something, as they are now.
    std::vector<xid> waiting_for_list() const;
    /// Takes one of those, for whoever has a list; nothing where it is not one of them any more.
    turn take_from_list(xid const& which);

    /// Takes that branch, whatever it waits for, for whoever ends it at a person's word; one that
    /// is not here is a guest, and is forgotten instead of being put back.
    /// @return nothing where it is in other hands, or was finished while the listing() lasts.
    turn claim(xid const& which);

    /// Whether a finisher can do something for it, rather than a list or a row.
    static bool is_ready(due_branch const& what) noexcept;

    void close() noexcept;
    std::size_t size() const;
    /// When the one came that has waited longest; nothing where none waits.
    std::optional<deadline> oldest() const;
    bool is_empty() const { return size() == 0; }
    bool needs_list() const;
    /// Counts the branches that ever came to wait for a list.
    std::uint64_t lists_wanted() const;

private:
    enum class audience : std::uint8_t { nobody, scanner, finishers };

    order& order_of(due_branch const& what) noexcept;
    turn take(order& from, order::iterator at);
    audience place(due_branch const& what, order::node_type&& where, bool has_looked,
                   bool was_at_list) noexcept;
    void tell(audience who) const;
    void let_go(global_transaction& owner) const noexcept;
    limits::duration pause_after(std::uint32_t tries) const noexcept;

    context& shared_;
    std::string const resource_manager_;
    std::function<void()> const on_news_;
    std::function<void()> const on_ready_;

    mutable std::mutex mutex_;  // guards what follows
    std::list<due_branch> incoming_;
    bool is_closed_ = false;
    std::map<xid, due_branch> items_;
    order ages_;  // of the items, by when they came
    bool is_listing_ = false;
    std::map<xid, due_branch> finished_;  // since the list began
    // Owners that left a branch here which a list had found before.
    std::map<xid, std::shared_ptr<global_transaction>> heirs_;
    // Each item that is not taken is in one of these: a node that moves between them, so that
    // nothing is lost for want of memory.
    order ready_;
    order at_list_;
    order at_row_;
    std::size_t taken_ = 0;
    std::uint64_t rows_heard_ = 0;
    std::uint64_t lists_wanted_ = 0;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_COMPLETION_QUEUE_HPP
