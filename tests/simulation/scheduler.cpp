// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/simulation/scheduler.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace assent::testing {

namespace {

constexpr std::uint64_t looks_max = 2'000;
constexpr std::chrono::hours ghost_life_max{1};
constexpr std::chrono::minutes ghost_stride{1};
constexpr std::uint64_t spins_max = 100'000;

}  // namespace

scheduler* scheduler::current_ = nullptr;

scheduler::scheduler(dice& chance) : dice_(chance), now_(std::chrono::hours{1'000'000})
{
    first_.fibers_.push_back(std::make_unique<fiber>(first_));
    first_.running_ = 1;
    running_ = first_.fibers_.back().get();
    adopt_running(*running_);
    processes_.push_back(&first_);
    current_ = this;
}

scheduler::~scheduler()
{
    if (processes_.size() != 1) give_up("a process outlives its world");
    current_ = nullptr;
}

void scheduler::give_up(char const* why)
{
    std::fprintf(stderr, "simulation: %s\n", why);
    std::abort();
}

deadline scheduler::now() const noexcept
{
    auto const& mine = *running_->process;
    return mine.is_dead_ ? mine.ghost_now_ : now_;
}

void scheduler::note_look()
{
    if (++looks_ < looks_max) return;
    if (++spins_ > spins_max) give_up("a thread looks at the clock without end, and never waits");
    looks_ = 0;
    yield();
}

fiber& scheduler::spawn(simulated_process& in, std::function<void()> body)
{
    if (std::find(processes_.begin(), processes_.end(), &in) == processes_.end()) {
        processes_.push_back(&in);
    }
    // Those that have ended, and that nobody will join, make room.
    auto const is_over = [](auto const& each) { return each->is_done && each->is_detached; };
    in.fibers_.erase(std::remove_if(in.fibers_.begin(), in.fibers_.end(), is_over),
                     in.fibers_.end());
    auto made = std::make_unique<fiber>(in);
    made->number = ++spawned_;
    made->body = [this, body = std::move(body)] {
        body();
        end();
    };
    prepare_to_run(*made);
    ++in.running_;
    make_ready(*made);
    in.fibers_.push_back(std::move(made));
    return *in.fibers_.back();
}

void scheduler::join(fiber& other)
{
    while (!other.is_done)
        wait(&other, deadline::max());
    other.is_detached = true;
}

void scheduler::end()
{
    fiber& ended = *running_;
    ended.is_done = true;
    wake_all(&ended);
    auto& process = *ended.process;
    if (--process.running_ == 0) wake_all(&process);
    running_ = &choose();
    switch_to(ended, *running_);
    std::abort();
}

void scheduler::make_ready(fiber& which)
{
    which.is_ready = true;
    if (which.awaits != nullptr) --waiting_on(which.awaits);
    which.awaits = nullptr;
    which.until = deadline::max();
    which.process->ready_.push_back(&which);
}

bool scheduler::wait(void const* on, deadline until)
{
    fiber& mine = *running_;
    mine.is_ready = false;
    mine.has_timed_out = false;
    mine.awaits = on;
    if (on != nullptr) ++waiting_on(on);
    mine.until = until;
    stop();
    return !mine.has_timed_out;
}

void scheduler::yield()
{
    make_ready(*running_);
    stop();
}

void scheduler::stop()
{
    fiber& mine = *running_;
    looks_ = 0;
    fiber& next = choose();
    if (&next == &mine) return;
    ++switches_;
    running_ = &next;
    switch_to(mine, next);
}

void scheduler::wake_one(void const* on)
{
    if (waiting_on(on) == 0) return;
    for (auto* process : processes_) {
        for (auto& each : process->fibers_) {
            if (each->awaits != on) continue;
            make_ready(*each);
            return;
        }
    }
}

void scheduler::wake_all(void const* on)
{
    if (waiting_on(on) == 0) return;
    for (auto* process : processes_) {
        for (auto& each : process->fibers_) {
            if (each->awaits == on) make_ready(*each);
        }
    }
}

bool scheduler::may_run(simulated_process const& which) const noexcept
{
    if (buried_ != nullptr) return &which == buried_;
    return !which.is_dead_ && which.paused_until_ <= now_;
}

fiber& scheduler::choose()
{
    for (;;) {
        std::size_t count = 0;
        for (auto const* process : processes_) {
            if (may_run(*process)) count += process->ready_.size();
        }
        // Whoever buries goes on when nothing of the dead is left.
        if (count == 0 && buried_ != nullptr && buried_->running_ == 0) {
            count = first_.ready_.size();
            if (count == 0) give_up("nobody waits for the dead");
            buried_ = nullptr;
        }
        if (count != 0) {
            auto at = dice_.roll(count);
            for (auto* process : processes_) {
                auto& ready = process->ready_;
                if (!may_run(*process)) continue;
                if (at >= ready.size()) {
                    at -= ready.size();
                    continue;
                }
                fiber& chosen = *ready[at];
                ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(at));
                trace_ = trace_ * 0x9e3779b97f4a7c15u + at + 1;
                return chosen;
            }
        }
        bool const has_passed = pass_time(buried_ != nullptr ? buried_->ghost_now_ : now_);
        if (buried_ != nullptr && buried_->fibers_.front()->is_done) {
            // Its main thread has ended, and with it the process, whoever else there was: a log
            // whose force hangs leaves its threads behind.
            bool const is_over = !has_passed || buried_->ghost_now_ > now_ + ghost_life_max;
            if (is_over) {
                buried_->running_ = 0;
                for (auto* each : buried_->ready_)
                    each->is_ready = false;
                buried_->ready_.clear();
                wake_all(buried_);
                continue;
            }
        }
        if (!has_passed) {
            for (auto const* process : processes_) {
                for (auto const& each : process->fibers_) {
                    if (each->is_done) continue;
                    std::fprintf(stderr, "simulation: %s thread waits on %p%s\n",
                                 process == &first_  ? "the world's"
                                 : process->is_dead_ ? "a ghost's"
                                                     : "a machine's",
                                 each->awaits, process == buried_ ? " (buried)" : "");
                }
            }
            give_up("deadlock: everybody waits for somebody");
        }
    }
}

/// Moves a clock to the next moment that somebody who may run waits for, and wakes them.
bool scheduler::pass_time(deadline& clock)
{
    auto next = deadline::max();
    for (auto const* process : processes_) {
        if (buried_ == nullptr && !process->is_dead_ && process->paused_until_ > now_) {
            next = std::min(next, process->paused_until_);
        }
        if (!may_run(*process)) continue;
        for (auto const& each : process->fibers_)
            next = std::min(next, each->until);
    }
    if (next == deadline::max()) return false;
    // Nobody hears a ghost: it need not take each of its pauses to reach its end.
    clock = std::max(clock, next) + (buried_ != nullptr ? ghost_stride : deadline::duration{0});
    spins_ = 0;
    for (auto* process : processes_) {
        if (!may_run(*process)) continue;
        for (auto& each : process->fibers_) {
            if (each->until > clock) continue;
            each->has_timed_out = true;
            make_ready(*each);
        }
    }
    return true;
}

void scheduler::kill(simulated_process& which)
{
    which.is_dead_ = true;
    which.ghost_now_ = now_;
}

void scheduler::bury(simulated_process& which)
{
    while (which.running_ != 0) {
        buried_ = &which;
        wait(&which, deadline::max());
    }
    buried_ = nullptr;
    for (auto const& each : which.fibers_) {
        if (each->awaits != nullptr) --waiting_on(each->awaits);
    }
    which.fibers_.clear();
    processes_.erase(std::remove(processes_.begin(), processes_.end(), &which), processes_.end());
}

}  // namespace assent::testing
