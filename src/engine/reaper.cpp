// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/reaper.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "engine/keeper.hpp"

namespace assent::engine {

void reaper::watch(deadline until)
{
    std::lock_guard const held{mutex_};
    if (until >= next_) return;
    next_ = until;
    changed_.notify_all();
}

deadline reaper::step()
{
    auto const now = shared_.time.now();
    {
        std::lock_guard const held{mutex_};
        if (now < next_) return next_;
        next_ = deadline::max();  // a transaction begun from here on is watched anew
    }
    auto soonest = deadline::max();
    try {
        for (auto const& tx : shared_.live.all()) {
            if (tx->until > now) {
                soonest = std::min(soonest, tx->until);
            } else {
                expire(*tx, "its deadline passed", shared_.bounds.deadline_grace);
            }
        }
    } catch (std::bad_alloc const&) {
        soonest = now + shared_.bounds.retry_min;  // whoever was not reached is late then, too
    }
    watch(soonest);
    std::lock_guard const held{mutex_};
    return next_;
}

void reaper::expire(global_transaction& tx, std::string const& why, limits::duration grace)
{
    std::vector<std::shared_ptr<branch>> active;
    gtrid id;
    {
        std::lock_guard const held{tx.mutex};
        if (tx.is_ending || tx.is_expired) return;
        active = tx.branches;
        id = tx.id;
        tx.is_expired = true;
    }
    try {
        tx.mark_rollback_only({why, false});
        shared_.tell(severity::warning, "transaction.expired", {}, id.text(), why);
        auto const end_at = shared_.time.now() + grace;
        for (auto& each : active)
            each->rm->cancel(each, end_at);
    } catch (std::bad_alloc const&) {
        std::lock_guard const held{tx.mutex};
        tx.is_expired = false;
        throw;
    }
}

void reaper::start_thread()
{
    thread_ = std::thread{[this] {
        for (;;) {
            auto const next = step();
            std::unique_lock held{mutex_};
            while (!is_stopping_ && next_ >= next && shared_.time.now() < next) {
                // An hour stands for "for ever": some libraries overflow on deadline::max().
                auto const at_most = shared_.time.now() + std::chrono::hours{1};
                shared_.time.wait(held, changed_, std::min(next, at_most));
            }
            if (is_stopping_) return;
        }
    }};
}

void reaper::stop()
{
    {
        std::lock_guard const held{mutex_};
        is_stopping_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

}  // namespace assent::engine
