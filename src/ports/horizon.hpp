// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// horizon.hpp -- up to where everything is finished on one resource manager.
//
//   epoch       1         2         3         4         5 (this one)
//   finished    all       1..17     ?         1..9      1..4711
//               `- everything: 2/17 -'        `- alone -'
//
// A branch of an earlier epoch can still come, as long as that epoch's sessions may be connected;
// one of this epoch cannot, once its transaction is finished.  So an epoch can be ahead of those
// before it, and a session that never goes away does not keep what was decided since.
//
// Invariant: the epochs alone are all newer than that of `everything`.

#ifndef ASSENT_PORTS_HORIZON_HPP
#define ASSENT_PORTS_HORIZON_HPP

#include <algorithm>
#include <compare>
#include <cstdint>
#include <map>

namespace assent::ports {

/// A place in the order of transactions.
struct position
{
    std::uint32_t epoch = 0;
    std::uint64_t sequence = 0;

    friend auto operator<=>(position const&, position const&) = default;
};

/// Thread safety: distinct objects safe.
class horizon
{
public:
    horizon() noexcept = default;
    /// Everything up to there; so a position stands for the horizon it draws.
    horizon(position everything) noexcept : everything_(everything) {}

    /// @return whether it rose: everything at or below `to`, of every epoch, is finished.
    bool raise(position to) noexcept
    {
        if (to <= everything_) return false;
        everything_ = to;
        join();
        return true;
    }
    /// @return whether it rose: everything at or below `to`, of the epoch of `to`, is finished.
    bool raise_alone(position to)
    {
        if (covers(to)) return false;
        if (to.epoch == everything_.epoch) return raise(to);
        alone_[to.epoch] = to.sequence;
        return true;
    }
    /// Takes over what `other` covers, and leaves it empty.  Never allocates.
    void absorb(horizon& other) noexcept
    {
        alone_.merge(other.alone_);
        for (auto const& [epoch, sequence] : other.alone_) {
            auto& mine = alone_.find(epoch)->second;
            mine = std::max(mine, sequence);
        }
        everything_ = std::max(everything_, other.everything_);
        join();
        other = {};
    }

    bool covers(position at) const noexcept
    {
        if (at <= everything_) return true;
        auto const own = alone_.find(at.epoch);
        return own != alone_.end() && at.sequence <= own->second;
    }
    position everything() const noexcept { return everything_; }
    /// By epoch: the sequence up to which it is finished.
    std::map<std::uint32_t, std::uint64_t> const& alone() const noexcept { return alone_; }

    friend bool operator==(horizon const&, horizon const&) = default;

private:
    /// What everything has reached is alone no longer.
    void join() noexcept
    {
        while (!alone_.empty() && alone_.begin()->first <= everything_.epoch) {
            auto const [epoch, sequence] = *alone_.begin();
            if (epoch == everything_.epoch) {
                everything_.sequence = std::max(everything_.sequence, sequence);
            }
            alone_.erase(alone_.begin());
        }
    }

    position everything_;
    std::map<std::uint32_t, std::uint64_t> alone_;
};

}  // namespace assent::ports

#endif  // ASSENT_PORTS_HORIZON_HPP
