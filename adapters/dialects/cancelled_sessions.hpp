// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cancelled_sessions.hpp -- sessions that were sent a cancel.
//
// It may arrive late and hit somebody else's statement, so such a session never serves another
// transaction.

#ifndef ASSENT_ADAPTERS_DIALECTS_CANCELLED_SESSIONS_HPP
#define ASSENT_ADAPTERS_DIALECTS_CANCELLED_SESSIONS_HPP

#include <cstdint>
#include <mutex>
#include <set>

namespace assent::dialects {

/// Thread safety: every member may be called from several threads at once.
class cancelled_sessions
{
public:
    void add(std::uint64_t id)
    {
        std::lock_guard const hold(mutex_);
        ids_.insert(id);
    }
    void forget(std::uint64_t id)
    {
        std::lock_guard const hold(mutex_);
        ids_.erase(id);
    }
    bool contains(std::uint64_t id) const
    {
        std::lock_guard const hold(mutex_);
        return ids_.count(id) != 0;
    }

private:
    mutable std::mutex mutex_;
    std::set<std::uint64_t> ids_;
};

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_CANCELLED_SESSIONS_HPP
