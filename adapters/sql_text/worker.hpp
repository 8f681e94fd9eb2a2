// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// worker.hpp -- the thread of one session: its client can only wait, and the caller must not.
//
//   post(job)      returns at once; jobs run one after another
//   wait(until)    whether all of them are done, by the deadline
//
// A client's call that does not return cannot be ended from outside.  Its worker is then left to
// itself: whatever its jobs need they own, and it ends when the call returns.  So that a dead
// network cannot fill a process with threads, no more than stuck_workers_max may be in that state
// for whoever counts them together; then no new one is made.
//
// Invariant: a job touches nothing that the session's owner may have destroyed.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_WORKER_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_WORKER_HPP

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

#include <assent/driver.hpp>

namespace assent::sql_text {

/// Threads that wait in a client library for a session that nobody has any more.
inline constexpr std::size_t stuck_workers_max = 64;

/// Those of one service: what hangs there is nothing to another's.
using stuck_workers = std::atomic<std::size_t>;

/// Thread safety: one owner's thread at a time.
class worker
{
public:
    using job = std::function<void()>;

    /// @throws driver_error  there is no thread to be had, or too many are stuck.
    worker();
    /// The same, counted with those of `counted`.
    explicit worker(std::shared_ptr<stuck_workers> counted);
    /// Waits for the jobs to end, for a moment; then leaves the thread to itself.
    ~worker();
    worker(worker const&) = delete;
    worker& operator=(worker const&) = delete;

    /// Runs it after those posted before.  It must not throw.
    void post(job work);

    /// @return whether every job was done by `until`.
    bool wait(deadline until);
    bool is_idle() const;

    /// The thread's number at the kernel, while it runs a job; else 0.
    pid_t busy_thread() const;

    /// Leaves the thread to itself: at once where it runs a job, which is not waited for.  Nothing
    /// may be posted any more.
    void leave() noexcept;

    /// In a forked child, where the thread is not: forgets it without a lock.
    void abandon() noexcept;

    /// How many threads are stuck now, of those that nobody counts apart.
    static std::size_t stuck_count() noexcept;

private:
    struct shared;
    void end(deadline until) noexcept;
    static void run(std::shared_ptr<shared> const& with);

    std::shared_ptr<shared> shared_;  // null once abandoned
};

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_WORKER_HPP
