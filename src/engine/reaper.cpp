// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/reaper.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "recovery/keeper.hpp"

namespace assent::engine {

void reaper::watch(deadline until)
{
    {
        std::lock_guard const held{mutex_};
        if (until >= soonest_) return;
        soonest_ = until;
    }
    wake();
}

deadline reaper::work()
{
    auto const now = shared_.time.now();
    {
        std::lock_guard const held{mutex_};
        if (now < soonest_) return soonest_;
        soonest_ = deadline::max();  // a transaction begun from here on is watched anew
    }
    auto next = deadline::max();
    try {
        for (auto const& tx : shared_.live.all()) {
            if (tx->until > now) {
                next = std::min(next, tx->until);
            } else {
                expire(*tx, "its deadline passed", shared_.bounds.deadline_grace);
            }
        }
    } catch (std::bad_alloc const&) {
        next = now + shared_.bounds.retry_min;  // whoever was not reached is late then, too
    }
    std::lock_guard const held{mutex_};
    soonest_ = std::min(soonest_, next);
    return soonest_;
}

void reaper::expire(global_transaction& tx, std::string const& why, limits::duration grace)
{
    std::vector<std::shared_ptr<branch>> active;
    std::vector<std::uint16_t> places;
    rollback_cause because{why, false};
    gtrid id;
    {
        // In one step with the look at is_ending: from here on it cannot vote.
        std::lock_guard const held{tx.mutex};
        if (tx.is_ending || tx.is_expired) return;
        active = tx.branches;
        places = tx.places;
        id = tx.id;
        tx.is_expired = true;
        tx.keep_cause(std::move(because));
    }
    shared_.live.bar(tx, std::move(places));
    try {
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

void reaper::stop() noexcept
{
    ask_to_stop();
    join();
}

}  // namespace assent::engine
