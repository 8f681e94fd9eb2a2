// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reaper.hpp -- deadlines that act: a transaction whose time is over becomes rollback-only, its
// statements are cancelled, and after a grace its sessions are ended at their servers, so that no
// lock outlives deadline + grace, whatever its owner does.
//
// The reaper touches no handle; the keepers cancel from connections of their own.

#ifndef ASSENT_ENGINE_REAPER_HPP
#define ASSENT_ENGINE_REAPER_HPP

#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/context.hpp"

namespace assent::engine {

class reaper
{
public:
    explicit reaper(context& shared) : shared_(shared) {}
    ~reaper() { stop(); }

    /// A transaction that ends at `until` was begun.
    void watch(deadline until);

    /// Expires what is due.  @return when the next one is.
    deadline step();

    /// Makes `tx` rollback-only and has its active branches cancelled; their sessions are ended
    /// `grace` later.
    void expire(global_transaction& tx, std::string const& why, limits::duration grace);

    void start_thread();
    void stop();

private:
    context& shared_;
    std::mutex mutex_;
    std::condition_variable changed_;
    deadline next_ = deadline::max();
    bool is_stopping_ = false;
    std::thread thread_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_REAPER_HPP
