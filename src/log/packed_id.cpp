// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// packed_id.cpp -- see packed_id.hpp.

#include "log/packed_id.hpp"

namespace assent::log {

packed_gtrid::packed_gtrid(gtrid::fields const& parts, bool is_null) noexcept
{
    if (is_null) return;
    place_ = std::uint64_t{static_cast<unsigned char>(parts.place)} << 48 |
             std::uint64_t{parts.place_resource_manager} << 32 | parts.node >> 32;
    node_epoch_ = parts.node << 32 | parts.epoch;
    nonce_ = parts.nonce;
    sequence_ = parts.sequence;
}

gtrid::fields packed_gtrid::parts() const noexcept
{
    gtrid::fields parts;
    if (is_null()) return parts;
    parts.place = static_cast<decision_place>(place_ >> 48);
    parts.place_resource_manager = static_cast<std::uint16_t>(place_ >> 32);
    parts.node = place_ << 32 | node_epoch_ >> 32;
    parts.epoch = static_cast<std::uint32_t>(node_epoch_);
    parts.nonce = nonce_;
    parts.sequence = sequence_;
    return parts;
}

}  // namespace assent::log
