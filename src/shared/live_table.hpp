// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// live_table.hpp -- the transactions of this epoch that are not finished.
//
//   sequence    1    2    3    4    5    6
//                    |         |         `- being worked on: holds every horizon
//                    |         `- expired, its owner has not come back: holds those of its
//                    |            branches, until their sessions are gone and a list lacks them
//                    `- waits for a database that is down: holds that one's horizon
//
// Invariant: a transaction leaves only after its outcome is in the decisions, or every one
// of its branches is rolled back, confirmed; so "not here and not decided" means abort.

#ifndef ASSENT_SHARED_LIVE_TABLE_HPP
#define ASSENT_SHARED_LIVE_TABLE_HPP

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "ports/clock.hpp"
#include "shared/global_transaction.hpp"

namespace assent::shared {

/// Thread safety: every member may be called from several threads at once.
class live_table
{
public:
    using maker = std::function<std::shared_ptr<global_transaction>(std::uint64_t sequence)>;

    /// Makes a transaction with the next sequence and enters it, in one step, so that the horizon
    /// never passes a transaction that is being begun.
    std::shared_ptr<global_transaction> enter(maker const& make);

    /// Gives a transaction its final name.  @pre  it has no branch yet.
    void rename(global_transaction& which, gtrid const& name);

    void leave(global_transaction const& which) noexcept;
    bool contains(gtrid const& which) const { return find(which) != nullptr; }
    std::shared_ptr<global_transaction> find(gtrid const& which) const;
    /// Whether the transaction with that sequence is here, by whatever name.
    /// @return nothing where none was begun with it yet.
    std::optional<bool> is_live(std::uint64_t sequence) const;
    std::size_t size() const;
    // Whoever is asked for many has seen each that was live, and as it was asked for, from before
    // the call until it returns, and perhaps others: the table is read in pages, and what begins or
    // ends meanwhile does not wait for more than one.
    std::vector<std::shared_ptr<global_transaction>> all() const;
    std::vector<gtrid> names() const;

    /// The owner is done with the transaction: from now on it can have branches only at the
    /// resource managers `left_at`.  May be called again, with fewer.
    void await(global_transaction const& which, std::vector<std::uint16_t> left_at) noexcept;

    /// The same for a transaction that its owner still has, but that can neither decide nor begin a
    /// branch any more.
    void bar(global_transaction const& which, std::vector<std::uint16_t> left_at) noexcept;
    /// The transactions whose owners are done, and whose decisions nobody knows.
    std::vector<std::shared_ptr<global_transaction>> left_in_doubt() const;

    /// The transactions that are barred, and may have a branch at resource manager `id`.
    std::vector<std::shared_ptr<global_transaction>> barred_at(std::uint16_t id) const;
    /// It was proved that no branch of `which` is left at resource manager `id`, or can come there.
    void finished_at(std::uint16_t id, gtrid const& which) noexcept;

    /// Every transaction with a sequence up to this one is finished at resource manager `id`, and
    /// none of them can begin a branch there.  One that waits for another database does not count:
    /// a database that is down for hours must not keep the log of all others.
    std::uint64_t finished_up_to(std::uint16_t id) const;

    /// The oldest transaction that only waits for branches at resource manager `id`, and perhaps
    /// at others: the one that keeps its horizon.
    std::optional<gtrid> oldest_left_at(std::uint16_t id) const;

    /// Waits until no more than `at_most` are left, or `until`.  @return whether they are.
    bool wait_for_size(std::size_t at_most, ports::clock& time, deadline until);

private:
    struct entry
    {
        std::shared_ptr<global_transaction> tx;
        std::optional<std::vector<std::uint16_t>> left_at;  // as await() or bar() was told
        bool is_barred = false;

        bool may_be_at(std::uint16_t id) const noexcept;
        bool is_left_at(std::uint16_t id) const noexcept { return left_at && may_be_at(id); }
    };
    using order = std::map<std::uint64_t, entry>;

    order::const_iterator at(gtrid const& which) const noexcept;
    void note_left(global_transaction const& which, std::vector<std::uint16_t> left_at,
                   bool is_barred) noexcept;
    template <typename Visit>
    std::uint64_t visit_page(std::uint64_t from, Visit const& visit) const;
    template <typename Is>
    std::vector<std::shared_ptr<global_transaction>> those(Is const& is) const;
    bool look_further(std::uint16_t id, std::uint64_t& reached) const;

    mutable std::mutex mutex_;
    std::condition_variable left_;
    std::uint64_t last_sequence_ = 0;
    order live_;
    /// By resource manager: up to where no transaction was found to hold its horizon.  What does
    /// not hold it now never will, so the next look begins there.
    mutable std::map<std::uint16_t, std::uint64_t> looked_up_to_;
};

}  // namespace assent::shared

#endif  // ASSENT_SHARED_LIVE_TABLE_HPP
