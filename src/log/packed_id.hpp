// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// packed_id.hpp -- gtrid and bqual as the numbers that they spell: 32 and 12 bytes instead of 57
// and 24, and compared by words.
//
// The log keeps millions of them in memory.  Each converts to the text and back by itself, so that
// only the log itself sees the difference.
//
// Invariant: packed and back is the same text, and packed ones have the order of the texts.

#ifndef ASSENT_LOG_PACKED_ID_HPP
#define ASSENT_LOG_PACKED_ID_HPP

#include <compare>
#include <cstdint>
#include <string>

#include <assent/xid.hpp>

#include "ports/coordinator_log.hpp"

namespace assent::log {

class packed_gtrid
{
public:
    packed_gtrid() noexcept = default;  ///< the null gtrid
    packed_gtrid(gtrid const& which) noexcept : packed_gtrid(which.parts(), which.is_null()) {}

    /// @pre  nonce and sequence fit in 48 bits; the place is one of the three.
    explicit packed_gtrid(gtrid::fields const& parts, bool is_null = false) noexcept;

    operator gtrid() const noexcept { return is_null() ? gtrid{} : gtrid::make(parts()); }

    gtrid::fields parts() const noexcept;
    std::string text() const { return std::string(gtrid(*this).text()); }
    bool is_null() const noexcept { return place_ == 0; }

    /// Where it stands in the order of its node's transactions.
    ports::position position() const noexcept
    {
        return {static_cast<std::uint32_t>(node_epoch_), sequence_};
    }

    friend auto operator<=>(packed_gtrid const&, packed_gtrid const&) = default;
    friend bool operator==(packed_gtrid const&, packed_gtrid const&) = default;
    friend bool operator==(packed_gtrid const& a, gtrid const& b) noexcept
    {
        return a == packed_gtrid(b);
    }

private:
    // In the order of the text.
    std::uint64_t place_ = 0;       // place 16, its resource manager 16, node's upper half 32
    std::uint64_t node_epoch_ = 0;  // node's lower half 32, epoch 32
    std::uint64_t nonce_ = 0;
    std::uint64_t sequence_ = 0;
};

class packed_bqual
{
public:
    packed_bqual() noexcept = default;
    packed_bqual(bqual const& which) noexcept : packed_bqual(which.parts()) {}
    explicit packed_bqual(bqual::fields const& parts) noexcept
        : resource_manager_(parts.resource_manager),
          branch_(parts.branch),
          session_{static_cast<std::uint32_t>(parts.session >> 32),
                   static_cast<std::uint32_t>(parts.session)}
    {
    }

    operator bqual() const noexcept { return bqual::make(parts()); }

    bqual::fields parts() const noexcept
    {
        return {resource_manager_, branch_, std::uint64_t{session_[0]} << 32 | session_[1]};
    }

    friend bool operator==(packed_bqual const&, packed_bqual const&) = default;
    friend bool operator==(packed_bqual const& a, bqual const& b) noexcept
    {
        return a == packed_bqual(b);
    }

private:
    std::uint16_t resource_manager_ = 0;
    std::uint16_t branch_ = 0;
    std::uint32_t session_[2] = {};  // in halves: 12 bytes, not 16
};
static_assert(sizeof(packed_gtrid) == 32 && sizeof(packed_bqual) == 12);

}  // namespace assent::log

#endif  // ASSENT_LOG_PACKED_ID_HPP
