// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// crash.cpp -- the server's own life: crash and restart, backup and restore.
//
// What is in durable_state survives a crash, but for active branches; a restore puts an older one
// in its place.

#include <algorithm>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

void server::crash_locked()
{
    // What has not reached the binlog stays prepared.
    held_.erase(std::remove_if(held_.begin(), held_.end(),
                               [](held_request const& each) { return each.is_in_xa_commit; }),
                held_.end());
    late_kills_.clear();
    while (!sessions_.empty())
        end_session(sessions_.begin()->first);
    is_up_ = false;
    is_frozen_ = false;
    nameless_.clear();  // the engine tells the names when it starts
    for (auto const& x : live_)
        durable_.branches[x].kept_until = {};
    if (options_.acts_as == personality::mariadb) {
        // A prepared branch that wrote nothing does not survive a crash there.
        std::vector<xid> const live(live_.begin(), live_.end());
        for (auto const& x : live) {
            branch& b = durable_.branches[x];
            if (b.at == phase::prepared && !b.has_written()) finish(b, branch_fate::rolled_back);
        }
    }
    changed_.notify_all();
}

void server::crash()
{
    lock held(mutex_);
    crash_locked();
}

void server::restart()
{
    lock held(mutex_);
    crash_locked();
    start_again();
}

void server::start_again()
{
    is_up_ = true;
    ++starts_;
    if (!options_.gives_numbers_again) return;
    sessions_made_ = 0;
    numbered_ += numbers_max;
}

bool server::is_up() const
{
    lock held(mutex_);
    return is_up_;
}

memory_backup server::backup() const
{
    lock held(mutex_);
    return std::make_shared<durable_state>(durable_);
}

void server::restore(memory_backup const& from)
{
    lock held(mutex_);
    crash_locked();
    durable_ = *from;
    live_.clear();
    for (auto& [x, b] : durable_.branches) {
        b.owner = 0;
        b.left_by = 0;
        b.kept_until = {};
        // The manager of today has heard nothing of this past, and may have seen more of it.
        b.end_heard_in = 0;
        b.had_commit = b.had_rollback = b.had_one_phase = false;
        b.is_yes_heard = true;
        if (b.at == phase::active) {
            b.writes.clear();
            b.reads.clear();
            b.at = phase::finished;
            b.fate = branch_fate::rolled_back;
        }
        if (b.at != phase::finished) live_.insert(x);
    }
    start_again();
    ++restores_;
}

}  // namespace assent::inline v0::testing::memory
