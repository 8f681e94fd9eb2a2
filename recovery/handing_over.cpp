// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/handing_over.hpp"

#include <algorithm>
#include <utility>

#include "protocol/assert.hpp"
#include "recovery/keeper.hpp"

namespace assent::recovery {

due_branch due_of(shared::branch const& b)
{
    due_branch item;
    item.id = b.id;
    item.history = b.history;
    item.server_start = b.life.start;
    item.is_undone_for_certain = b.last_verb == verb::commit && b.last_reply.code == xa_code::retry;
    return item;
}

std::vector<std::uint16_t> places_of(std::list<due_branch> const& due)
{
    std::vector<std::uint16_t> places;
    for (due_branch const& one : due)
        places.push_back(one.id.branch.parts().resource_manager);
    return places;
}

void hand_over(context& shared, std::shared_ptr<global_transaction> const& tx,
               std::list<due_branch> due, std::vector<std::uint16_t> places) noexcept
{
    tx->branches_left = due.size();
    shared.live.await(*tx, std::move(places));
    while (!due.empty()) {
        auto const at = std::find_if(tx->branches.begin(), tx->branches.end(),
                                     [&](auto const& b) { return b->id == due.front().id; });
        ASSENT_ASSERT(at != tx->branches.end());
        due.front().owner = tx;
        std::list<due_branch> one;
        one.splice(one.end(), due, due.begin());
        (*at)->rm->finish_later(std::move(one));
    }
}

}  // namespace assent::recovery
