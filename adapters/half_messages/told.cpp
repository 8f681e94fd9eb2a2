// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/half_messages/told.hpp"

#include <new>

namespace assent::half_messages {

void told_commits::note(xid const& half) noexcept
try {
    std::lock_guard const held{mutex_};
    if (all_.count(half) != 0) return;
    std::list<xid> one{half};
    all_.emplace(half, one.begin());
    order_.splice(order_.end(), one);
    if (all_.size() <= kept_max) return;
    all_.erase(order_.front());
    order_.pop_front();
} catch (std::bad_alloc const&) {
    // As if as many had come after it.
}

bool told_commits::take(xid const& half) noexcept
{
    std::lock_guard const held{mutex_};
    auto const at = all_.find(half);
    if (at == all_.end()) return false;
    order_.erase(at->second);
    all_.erase(at);
    return true;
}

}  // namespace assent::half_messages
