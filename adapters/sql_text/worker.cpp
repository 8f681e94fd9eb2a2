// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/sql_text/worker.hpp"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace assent::sql_text {

namespace {

constexpr std::chrono::milliseconds end_wait{500};

/// Of connections; never destroyed, as a thread that is stuck may outlast the statics.
std::shared_ptr<stuck_workers> const& of_connections()
{
    static auto* const all = new auto(std::make_shared<stuck_workers>(0));
    return *all;
}

}  // namespace

struct worker::shared
{
    explicit shared(std::shared_ptr<stuck_workers> counted) : stuck(std::move(counted)) {}

    std::shared_ptr<stuck_workers> const stuck;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<job> jobs;
    bool is_running = false;  ///< a job
    bool is_stopping = false;
    bool is_stuck = false;  ///< its owner has gone
    bool is_over = false;
    pid_t id = 0;
    std::thread thread;
};

worker::worker() : worker(of_connections()) {}

worker::worker(std::shared_ptr<stuck_workers> counted)
    : shared_(std::make_shared<shared>(std::move(counted)))
{
    if (shared_->stuck->load() >= stuck_workers_max) {
        throw driver_error(std::to_string(stuck_workers_max) +
                           " calls hang in the client library; no more are made until one of them "
                           "returns");
    }
    // Signals are the application's: none is to be handled on this thread.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        shared_->thread = std::thread{[with = shared_] { run(with); }};
    } catch (std::system_error const& error) {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw driver_error(std::string{"no thread could be started for a connection: "} +
                           error.what());
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

worker::~worker()
{
    end(deadline::clock::now() + end_wait);
}

void worker::leave() noexcept
{
    end({});
    shared_ = nullptr;
}

void worker::end(deadline until) noexcept
{
    if (shared_ == nullptr) return;
    std::unique_lock held{shared_->mutex};
    shared_->is_stopping = true;
    shared_->changed.notify_all();
    bool const is_over =
        shared_->changed.wait_until(held, until, [this] { return shared_->is_over; });
    if (is_over) {
        held.unlock();
        shared_->thread.join();
        return;
    }
    shared_->is_stuck = true;
    shared_->stuck->fetch_add(1);
    shared_->thread.detach();
}

void worker::post(job work)
{
    std::lock_guard const held{shared_->mutex};
    shared_->jobs.push_back(std::move(work));
    shared_->changed.notify_all();
}

bool worker::wait(deadline until)
{
    std::unique_lock held{shared_->mutex};
    return shared_->changed.wait_until(
        held, until, [this] { return shared_->jobs.empty() && !shared_->is_running; });
}

bool worker::is_idle() const
{
    std::lock_guard const held{shared_->mutex};
    return shared_->jobs.empty() && !shared_->is_running;
}

pid_t worker::busy_thread() const
{
    std::lock_guard const held{shared_->mutex};
    return shared_->is_running ? shared_->id : 0;
}

void worker::abandon() noexcept
{
    // Its mutex may be locked for ever.  The thread is not in this process, so the share that it
    // holds is never given back, and what it shares never destroyed.
    shared_ = nullptr;
}

std::size_t worker::stuck_count() noexcept
{
    return of_connections()->load();
}

void worker::run(std::shared_ptr<shared> const& with)
{
    std::unique_lock held{with->mutex};
    with->id = gettid();
    for (;;) {
        with->changed.wait(held, [&with] { return with->is_stopping || !with->jobs.empty(); });
        if (with->jobs.empty()) break;
        {
            job const next = std::move(with->jobs.front());
            with->jobs.pop_front();
            with->is_running = true;
            held.unlock();
            next();
        }
        held.lock();
        with->is_running = false;
        with->changed.notify_all();
    }
    with->is_over = true;
    if (with->is_stuck) with->stuck->fetch_sub(1);
    with->changed.notify_all();
}

}  // namespace assent::sql_text
