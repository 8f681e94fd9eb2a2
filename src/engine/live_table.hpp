// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// live_table.hpp -- the transactions of this epoch that are not finished.
//
// The one invariant: a transaction leaves only after its outcome is in the decisions, or every one
// of its branches is rolled back, confirmed; so "not here and not decided" means abort.

#ifndef ASSENT_ENGINE_LIVE_TABLE_HPP
#define ASSENT_ENGINE_LIVE_TABLE_HPP

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/global_transaction.hpp"
#include "ports/clock.hpp"

namespace assent::engine {

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
    std::size_t size() const;
    std::vector<std::shared_ptr<global_transaction>> all() const;
    std::vector<gtrid> names() const;

    /// The owner is done with a transaction: only branches at these resource managers are left.
    void await(global_transaction const& which, std::vector<std::uint16_t> left_at) noexcept;

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
    mutable std::mutex mutex_;
    std::condition_variable left_;
    std::uint64_t last_sequence_ = 0;
    struct entry
    {
        std::shared_ptr<global_transaction> tx;
        std::optional<std::vector<std::uint16_t>> left_at;  // once its owner is done with it
    };
    std::unordered_map<gtrid, entry> live_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_LIVE_TABLE_HPP
