// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// worker.hpp -- something that is done again and again: by a thread of its own, in a loop, or by
// hand, in tests and in the simulation.
//
//   step(): does what is due, says when it wants to be called next;  wake(): makes that now
//
// Invariant: no two steps of one worker run at once; whatever else a step touches is
// shared, and no lock is held while a database or the observer is asked.

#ifndef ASSENT_RECOVERY_WORKER_HPP
#define ASSENT_RECOVERY_WORKER_HPP

#include <condition_variable>
#include <mutex>
#include <thread>

#include "shared/context.hpp"

namespace assent::recovery {

using shared::context;

class worker
{
public:
    explicit worker(context& shared) : shared_(shared) {}
    worker(worker const&) = delete;
    worker& operator=(worker const&) = delete;
    /// @pre  its thread was joined: what a derived class has is gone by now.
    virtual ~worker() = default;

    /// Does what is due; without memory for it, soon again.  @return when to be called next.
    deadline step() noexcept;
    /// When step() wants to be called next.
    deadline due() const;

    /// @throws std::system_error  there is no thread to be had.
    void start_thread();
    /// From now on no further step begins by itself.
    void ask_to_stop() noexcept;
    /// @pre  ask_to_stop().  @return whether its last step has ended, by `until` at the latest.
    bool has_ended(deadline until);
    /// @pre  ask_to_stop().  After it returned nothing of it runs.
    void join() noexcept;
    /// Ends what it waits for at its server.  From any thread.
    virtual void cut() noexcept = 0;

    /// Interrupts the wait between two steps.
    void wake() noexcept;

protected:
    /// May throw std::bad_alloc; everything else is its own affair.
    virtual deadline work() = 0;
    /// For work() that could go on for ever.
    bool is_asked_to_stop() const;

    context& shared_;

private:
    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    deadline next_{};
    bool is_woken_ = true;
    bool is_stopping_ = false;
    bool has_ended_ = false;

    std::thread thread_;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_WORKER_HPP
