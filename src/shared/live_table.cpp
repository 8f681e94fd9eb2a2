// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "shared/live_table.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <new>
#include <utility>

#include "protocol/assert.hpp"
#include "protocol/mutation.hpp"

namespace assent::shared {

namespace {

// No commit waits while more than that is looked at.
constexpr std::size_t page = 256;
constexpr auto past_all = std::numeric_limits<std::uint64_t>::max();

}  // namespace

bool live_table::entry::may_be_at(std::uint16_t id) const noexcept
{
    if (is_barred && protocol::mutated(protocol::mutation::expired_keeps_horizon)) return true;
    return !left_at || std::find(left_at->begin(), left_at->end(), id) != left_at->end();
}

/// Every name is of this epoch, so the sequence finds it; that it is this very name is looked at.
live_table::order::const_iterator live_table::at(gtrid const& which) const noexcept
{
    auto const found = live_.find(which.parts().sequence);
    return found != live_.end() && found->second.tx->id == which ? found : live_.end();
}

std::shared_ptr<global_transaction> live_table::enter(maker const& make)
{
    std::lock_guard const held{mutex_};
    auto made = make(last_sequence_ + 1);
    live_.emplace_hint(live_.end(), last_sequence_ + 1, entry{made, std::nullopt, false});
    ++last_sequence_;
    return made;
}

void live_table::rename(global_transaction& which, gtrid const& name)
{
    ASSENT_ASSERT(name.parts().sequence == which.id.parts().sequence);
    std::lock_guard const held{mutex_};
    std::lock_guard const reader_waits{which.mutex};
    which.id = name;
}

void live_table::leave(global_transaction const& which) noexcept
{
    std::shared_ptr<global_transaction> last;  // destroyed outside the lock
    std::lock_guard const held{mutex_};
    auto const found = at(which.id);
    if (found == live_.end()) return;
    last = found->second.tx;
    live_.erase(found);
    left_.notify_all();
}

std::shared_ptr<global_transaction> live_table::find(gtrid const& which) const
{
    std::lock_guard const held{mutex_};
    auto const found = at(which);
    return found == live_.end() ? nullptr : found->second.tx;
}

std::optional<bool> live_table::is_live(std::uint64_t sequence) const
{
    std::lock_guard const held{mutex_};
    if (sequence > last_sequence_) return std::nullopt;
    return live_.count(sequence) != 0;
}

std::size_t live_table::size() const
{
    std::lock_guard const held{mutex_};
    return live_.size();
}

std::vector<std::shared_ptr<global_transaction>> live_table::all() const
{
    return those([](entry const&) { return true; });
}

std::vector<gtrid> live_table::names() const
{
    std::vector<gtrid> names;
    for (auto const& each : all()) {
        std::lock_guard const held{each->mutex};  // it may be renamed
        names.push_back(each->id);
    }
    return names;
}

void live_table::await(global_transaction const& which, std::vector<std::uint16_t> left_at) noexcept
{
    note_left(which, std::move(left_at), false);
}

void live_table::bar(global_transaction const& which, std::vector<std::uint16_t> left_at) noexcept
{
    note_left(which, std::move(left_at), true);
}

void live_table::note_left(global_transaction const& which, std::vector<std::uint16_t> left_at,
                           bool is_barred) noexcept
{
    std::lock_guard const held{mutex_};
    auto const found = live_.find(which.id.parts().sequence);
    if (found == live_.end()) return;
    // Its owner is done with it, and has said more.
    if (is_barred && found->second.left_at) return;
    found->second.left_at = std::move(left_at);
    found->second.is_barred = is_barred;
}

/// Looks at one page.  @return where to go on; past everything at the end.
template <typename Visit>
std::uint64_t live_table::visit_page(std::uint64_t from, Visit const& visit) const
{
    std::lock_guard const held{mutex_};
    auto one = live_.lower_bound(from);
    for (std::size_t left = page; left > 0 && one != live_.end(); --left, ++one) {
        if (!visit(one->second)) return past_all;
    }
    return one == live_.end() ? past_all : one->first;
}

template <typename Is>
std::vector<std::shared_ptr<global_transaction>> live_table::those(Is const& is) const
{
    std::vector<std::shared_ptr<global_transaction>> found;
    std::vector<std::shared_ptr<global_transaction>> some;
    some.reserve(page);
    for (std::uint64_t from = 0; from != past_all;) {
        from = visit_page(from, [&](entry const& one) {
            if (is(one)) some.push_back(one.tx);
            return true;
        });
        found.insert(found.end(), std::make_move_iterator(some.begin()),
                     std::make_move_iterator(some.end()));
        some.clear();
    }
    return found;
}

std::vector<std::shared_ptr<global_transaction>> live_table::left_in_doubt() const
{
    return those([](entry const& one) {
        auto const left = one.tx->left.load();
        return left == left_as::in_doubt || left == left_as::unknown;
    });
}

std::vector<std::shared_ptr<global_transaction>> live_table::barred_at(std::uint16_t id) const
{
    return those([id](entry const& one) { return one.is_barred && one.is_left_at(id); });
}

void live_table::finished_at(std::uint16_t id, gtrid const& which) noexcept
{
    std::lock_guard const held{mutex_};
    auto const found = live_.find(which.parts().sequence);
    if (found == live_.end() || !found->second.left_at) return;
    auto& ids = *found->second.left_at;
    ids.erase(std::remove(ids.begin(), ids.end(), id), ids.end());
}

std::uint64_t live_table::finished_up_to(std::uint16_t id) const
{
    std::uint64_t reached = 0;
    while (!look_further(id, reached)) {
    }
    return reached;
}

/// One page further than the last look.  @return whether `reached` is as far as it goes.
bool live_table::look_further(std::uint16_t id, std::uint64_t& reached) const
{
    std::lock_guard const held{mutex_};
    if (protocol::mutated(protocol::mutation::horizon_too_early)) {
        reached = last_sequence_;
        return true;
    }
    auto const known = looked_up_to_.find(id);
    if (known != looked_up_to_.end()) reached = std::max(reached, known->second);
    auto one = live_.upper_bound(reached);
    for (std::size_t left = page; left > 0 && one != live_.end() && !one->second.may_be_at(id);
         --left) {
        ++one;
    }
    // Below the first transaction that may have a branch there: a branch at or below the horizon is
    // quarantined when it is listed, and its decision is dropped from the log.
    reached = one == live_.end() ? last_sequence_ : one->first - 1;
    try {
        looked_up_to_[id] = reached;
    } catch (std::bad_alloc const&) {
        // The next look begins where this one did.
    }
    return one == live_.end() || one->second.may_be_at(id);
}

std::optional<gtrid> live_table::oldest_left_at(std::uint16_t id) const
{
    std::optional<gtrid> found;
    for (std::uint64_t from = 0; from != past_all;) {
        from = visit_page(from, [&](entry const& one) {
            if (one.is_left_at(id)) found = one.tx->id;
            return !found;
        });
    }
    return found;
}

bool live_table::wait_for_size(std::size_t at_most, ports::clock& time, deadline until)
{
    std::unique_lock held{mutex_};
    while (live_.size() > at_most && time.now() < until)
        time.wait(held, left_, until);
    return live_.size() <= at_most;
}

}  // namespace assent::shared
