// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session_pool.hpp -- idle sessions of one database, for leases.  Last in, first out, so that
// what is not needed grows old at the bottom.

#ifndef ASSENT_ENGINE_SESSION_POOL_HPP
#define ASSENT_ENGINE_SESSION_POOL_HPP

#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <assent/resource_manager.hpp>

#include "engine/descriptors.hpp"

namespace assent::engine {

struct pooled_session
{
    std::unique_ptr<driver_session> session;
    inherited_descriptor in_child;
};

/// Thread safety: every member may be called from several threads at once.
class session_pool
{
public:
    explicit session_pool(std::size_t idle_max) : idle_max_(idle_max) {}

    /// An idle session, or an empty one.
    pooled_session take()
    {
        std::lock_guard const held{mutex_};
        if (idle_.empty()) return {};
        pooled_session taken = std::move(idle_.back());
        idle_.pop_back();
        return taken;
    }

    /// @pre  is_reusable(): its last branch ended well.
    void give(pooled_session idle) noexcept
    {
        pooled_session surplus;  // closed outside the lock
        std::lock_guard const held{mutex_};
        try {
            if (idle_.size() < idle_max_) idle_.emplace_back();
        } catch (std::bad_alloc const&) {
            // Without memory to keep it, it is closed.
            surplus = std::move(idle);
            return;
        }
        if (idle_.empty() || idle_.back().session) {
            surplus = std::move(idle);
        } else {
            idle_.back() = std::move(idle);
        }
    }

    void clear()
    {
        std::vector<pooled_session> gone;
        std::lock_guard const held{mutex_};
        gone.swap(idle_);
    }

private:
    std::size_t const idle_max_;
    std::mutex mutex_;
    std::vector<pooled_session> idle_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_SESSION_POOL_HPP
