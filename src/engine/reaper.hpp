// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reaper.hpp -- deadlines that act: a transaction whose time is over becomes rollback-only, its
// statements are cancelled, and after a grace its sessions are ended at their servers, so that no
// lock outlives deadline + grace, whatever its owner does.
//
// Such a transaction is barred: it can neither decide nor begin a branch any more, whatever its
// owner does, and its branches cannot vote.  So it does not keep the horizon of a database from
// rising where it has no branch.  Where it has one, it does so until that branch is ended, or the
// branch's session is gone and a later list lacks the branch.
//
// The reaper touches no handle; the keepers cancel from connections of their own.

#ifndef ASSENT_ENGINE_REAPER_HPP
#define ASSENT_ENGINE_REAPER_HPP

#include <mutex>
#include <string>

#include "recovery/worker.hpp"

namespace assent::engine {

using shared::branch;
using shared::context;
using shared::global_transaction;
using shared::rollback_cause;

class reaper final : public recovery::worker
{
public:
    explicit reaper(context& shared) : worker(shared) {}
    ~reaper() override { stop(); }

    /// A transaction that ends at `until` was begun.
    void watch(deadline until);

    /// Makes `tx` rollback-only and has its active branches cancelled; their sessions are ended
    /// `grace` later.
    void expire(global_transaction& tx, std::string const& why, limits::duration grace);

    void stop() noexcept;

private:
    /// Expires what is due.  @return when the next one is.
    deadline work() override;
    void cut() noexcept override {}  // it waits for no server

    std::mutex mutex_;
    deadline soonest_ = deadline::max();  // of those that were begun
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_REAPER_HPP
