// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reserved_room.hpp -- the pages that decisions will need, promised when their transactions begin.
//
//   begin --reserve--> [reserved: three pages each]  <=  [free: this segment + the spare]
//   decided, or over --release-->
//
// A full disk thereby refuses the beginning of a transaction, and never its decision.
//
// Invariant: what is reserved fits into what was free when it was reserved; whoever wrote
// into the log says anew what is free.

#ifndef ASSENT_LOG_RESERVED_ROOM_HPP
#define ASSENT_LOG_RESERVED_ROOM_HPP

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace assent::log {

/// What a transaction reserves: the page that its decision begins, the seal after it, and what the
/// decision takes in the snapshot of the next segment.
inline constexpr std::int64_t pages_reserved = 3;

/// Thread safety: every member may be called from several threads at once.
class reserved_room
{
public:
    /// Reserves room for one more transaction.  @return false when there is none.
    bool reserve() noexcept
    {
        auto const with_mine = reserved_.fetch_add(1) + 1;
        if (with_mine * pages_reserved <= free_.load()) return true;
        --reserved_;
        return false;
    }
    void release() noexcept { --reserved_; }

    void set_free_pages(std::int64_t pages) noexcept { free_ = pages; }

    /// The pages that transactions which have begun have reserved.
    std::int64_t reserved_pages() const noexcept { return reserved_.load() * pages_reserved; }
    /// How many transactions may still begin.
    std::int64_t transactions_left() const noexcept
    {
        return std::max<std::int64_t>(free_ / pages_reserved - reserved_, 0);
    }

    /// Whether, of `free` pages, so many records that reserved nothing leave what was reserved.
    bool is_left_beside(std::int64_t records, std::int64_t free) const noexcept
    {
        auto const reserved = reserved_.load();
        return reserved == 0 || free >= (reserved + records) * pages_reserved;
    }

private:
    std::atomic<std::int64_t> free_{0};      // pages that may still be reserved or are
    std::atomic<std::int64_t> reserved_{0};  // transactions
};

}  // namespace assent::log

#endif  // ASSENT_LOG_RESERVED_ROOM_HPP
