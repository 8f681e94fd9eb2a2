// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// fiber.hpp -- a thread of the simulation: a stack of its own, and the place where it stopped.
//
//   switch_to(a, b):  a keeps its registers and what it is catching; b goes on where it stopped
//
// Which one runs is the scheduler's to say.  Invariant: exactly one runs, on the one thread
// of the operating system.

#ifndef ASSENT_TESTS_SIMULATION_FIBER_HPP
#define ASSENT_TESTS_SIMULATION_FIBER_HPP

#include <chrono>
#include <cstddef>
#include <functional>

#include <assent/testing.hpp>

namespace assent::testing {

class simulated_process;

/// Memory for a fiber's stack, with a page before it that must not be touched.
class fiber_stack
{
public:
    static constexpr std::size_t size = 256 * 1024;

    fiber_stack();
    ~fiber_stack();
    fiber_stack(fiber_stack const&) = delete;
    fiber_stack& operator=(fiber_stack const&) = delete;

    std::byte* bottom() const noexcept { return bottom_; }
    std::byte* top() const noexcept { return top_; }

private:
    static constexpr std::size_t colours = 32;
    static constexpr std::size_t colour_bytes = 7 * 64;

    std::byte* bottom_;
    std::byte* top_;
};

struct fiber
{
    explicit fiber(simulated_process& of) : process(&of) {}
    fiber(fiber const&) = delete;
    fiber& operator=(fiber const&) = delete;
    ~fiber();

    simulated_process* process;
    int number = 0;  // for words only
    std::function<void()> body;

    // What it waits for; the scheduler's.
    void const* awaits = nullptr;
    deadline until = deadline::max();
    bool is_ready = false;
    bool has_timed_out = false;
    bool is_done = false;
    bool is_detached = false;

    // Where it stopped; switch_to()'s.
    fiber_stack* stack = nullptr;  // none: the stack that the program began on
    bool has_begun = false;
    void* place[5] = {};
    void* caught = nullptr;  // of the C++ runtime: the exceptions that it is handling
    unsigned uncaught = 0;
    void* sanitizer_stack = nullptr;
    void const* sanitizer_bottom = nullptr;
    std::size_t sanitizer_size = 0;
    void* sanitizer_thread = nullptr;
};

/// Stops `from` and goes on with `to`.  @pre  `from` runs.
void switch_to(fiber& from, fiber& to);

/// Gives a fiber that is not the program's first one a stack; it will begin with its body, which
/// never returns.
void prepare_to_run(fiber& made);

/// Tells the sanitizers of the fiber that runs already.
void adopt_running(fiber& first);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_FIBER_HPP
