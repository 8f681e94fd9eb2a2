// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_lock.hpp -- one process owns a log: an open-file-description lock on the file `lock`,
// which also says, for people, who the owner is.
//
//   pid 4711
//   epoch 12
//   started 1767225600000
//
// The kernel releases the lock when the last copy of the descriptor is closed, so a forked child
// must close its copy, and a killed owner holds nothing.
//
// Invariant: the lock decides who owns the log; what the file says is for messages only, with one
// exception: an epoch in it proves that segments were here.

#ifndef ASSENT_LOG_LOG_LOCK_HPP
#define ASSENT_LOG_LOG_LOCK_HPP

#include <chrono>
#include <cstdint>

#include "log/file_layer.hpp"

namespace assent::log {

struct lock_owner
{
    std::int64_t pid = 0;  ///< 0: the file does not say
    std::uint32_t epoch = 0;
    std::int64_t started_unix_ms = 0;
};

struct lock_facts
{
    bool is_held = false;
    lock_owner owner;  ///< the last one when not held
};

/// Thread safety: distinct objects safe.
class log_lock
{
public:
    /// Takes the lock, trying again until `wait` has passed.
    /// @throws log_error  locked, naming the owner's pid.
    log_lock(file_layer& files, std::chrono::milliseconds wait);
    log_lock(log_lock const&) = delete;
    log_lock& operator=(log_lock const&) = delete;

    /// Releases the lock.
    ~log_lock();

    /// What the file said when the lock was taken.
    lock_owner const& before() const noexcept { return before_; }

    /// Says who holds it.  @throws log_error
    void write(lock_owner const& owner);

private:
    file_layer& files_;
    file_layer::handle file_ = -1;
    lock_owner before_;
};

/// Who holds the lock of a log, without taking it.  @throws log_error
lock_facts look_at_lock(file_layer& files);

}  // namespace assent::log

#endif  // ASSENT_LOG_LOG_LOCK_HPP
