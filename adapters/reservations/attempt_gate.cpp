// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/reservations/attempt_gate.hpp"

namespace assent::reservations {

attempt_gate::commit::commit(attempt_gate& gate, std::uint64_t session)
    : gate_(gate), session_(session)
{
    std::unique_lock held{gate_.mutex_};
    gate_.changed_.wait(held, [this] { return gate_.cancelling_.count(session_) == 0; });
    gate_.committing_.insert(session_);
}

attempt_gate::commit::~commit()
{
    std::lock_guard const held{gate_.mutex_};
    gate_.committing_.erase(session_);
}

bool attempt_gate::cancel(std::uint64_t session, std::function<void()> const& cancel)
{
    struct mark
    {
        attempt_gate& gate;
        std::uint64_t const session;
        ~mark()
        {
            std::lock_guard const held{gate.mutex_};
            gate.cancelling_.erase(session);
            gate.changed_.notify_all();
        }
    };
    {
        std::lock_guard const held{mutex_};
        if (committing_.count(session) != 0) return false;
        cancelling_.insert(session);
    }
    mark const marked{*this, session};
    cancel();
    return true;
}

}  // namespace assent::reservations
