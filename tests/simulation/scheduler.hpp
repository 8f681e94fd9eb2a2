// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scheduler.hpp -- the threads of simulated processes, and their time.
//
//   ready --dice--> runs --waits for a condition, a mutex, a moment, a thread--> waits --> ready
//                                    nobody is ready: the clock moves to the next moment awaited
//
// While a scheduler exists the threads, mutexes, condition variables and clocks of POSIX are its
// own (posix_threads.cpp), so that the engine's and the log's own threads run here as they are.
//
// A process that is killed is a ghost: it reaches nothing any more, and its calls have to return
// before its memory can go.  It is run to its end by itself, on a clock of its own, while the
// world's stands still.
//
// Everything follows from the dice.  Invariant: no real time, no thread of the operating
// system and no address decides who runs next.

#ifndef ASSENT_TESTS_SIMULATION_SCHEDULER_HPP
#define ASSENT_TESTS_SIMULATION_SCHEDULER_HPP

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <vector>

#include "tests/simulation/dice.hpp"
#include "tests/simulation/fiber.hpp"

namespace assent::testing {

/// The threads that die together.
class simulated_process
{
public:
    bool is_dead() const noexcept { return is_dead_; }

private:
    friend class scheduler;

    std::vector<std::unique_ptr<fiber>> fibers_;
    std::vector<fiber*> ready_;
    std::size_t running_ = 0;  // fibers that have not ended
    bool is_dead_ = false;
    deadline paused_until_{};
    deadline ghost_now_{};
};

class scheduler
{
public:
    explicit scheduler(dice& chance);
    ~scheduler();
    scheduler(scheduler const&) = delete;
    scheduler& operator=(scheduler const&) = delete;

    /// The one that exists; none: the program runs on real threads and real time.
    static scheduler* current() noexcept { return current_; }

    /// The time as the running thread sees it.
    deadline now() const noexcept;
    fiber& running() const noexcept { return *running_; }
    /// The running thread looked at the clock; one that does nothing else is overtaken, and one
    /// that never lets time pass ends the program: it would burn a processor.
    void note_look();

    /// A thread of a process, ready to run.
    fiber& spawn(simulated_process& in, std::function<void()> body);
    void join(fiber& other);

    /// Until woken (true) or `until` (false).  `on` is what wake() will be told, or null.
    bool wait(void const* on, deadline until);
    void wake_one(void const* on);
    void wake_all(void const* on);
    /// Lets others run, as the dice will; no time passes.
    void yield();
    void sleep_until(deadline until) { wait(nullptr, until); }
    void sleep(deadline::duration span) { wait(nullptr, now() + span); }

    /// The machine stands still, as a virtual one that is moved: its clock does not.
    void pause(simulated_process& which, deadline until) { which.paused_until_ = until; }
    /// From here on its threads run only when it is buried.
    void kill(simulated_process& which);
    /// Runs a dead process to its end, which is that of its first thread.  @pre  called by a thread
    /// of another one.
    void bury(simulated_process& which);

    /// Of every choice that was made.
    std::uint64_t trace() const noexcept { return trace_; }
    std::uint64_t switches() const noexcept { return switches_; }

private:
    /// How many wait on what falls there: nearly always nobody does.
    std::uint32_t& waiting_on(void const* what) noexcept
    {
        auto const at = reinterpret_cast<std::uintptr_t>(what);
        return waiting_[(at >> 3 ^ at >> 12) % std::size(waiting_)];
    }
    bool may_run(simulated_process const& which) const noexcept;
    void make_ready(fiber& which);
    void stop();      // the running fiber waits
    fiber& choose();  // who runs next, letting time pass if need be
    bool pass_time(deadline& clock);
    [[noreturn]] void end();  // of the running fiber
    [[noreturn]] static void give_up(char const* why);

    static scheduler* current_;

    dice& dice_;
    deadline now_;
    simulated_process first_;  // the program itself
    std::vector<simulated_process*> processes_;
    simulated_process* buried_ = nullptr;
    fiber* running_ = nullptr;
    int spawned_ = 0;
    std::uint32_t waiting_[1024] = {};
    std::uint64_t trace_ = 0;
    std::uint64_t switches_ = 0;
    std::uint64_t looks_ = 0;  // since the running thread waited
    std::uint64_t spins_ = 0;  // since time passed
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_SCHEDULER_HPP
