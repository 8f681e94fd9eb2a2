// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// posix_threads.cpp -- the threads, mutexes, condition variables and clocks of POSIX, as the
// scheduler has them.  A program's own definitions come before those of its libraries, so whatever
// std::thread and std::mutex do, in whichever library, ends here.
//
// A program with this file has one thread of the operating system.  Outside of a world a mutex is
// free when it is asked for, nothing can be waited for, and clocks are the machine's.

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "tests/simulation/scheduler.hpp"

namespace {

using assent::deadline;
using assent::testing::fiber;
using assent::testing::scheduler;

/// What is kept in the memory of a pthread_mutex_t; one that is all zeros is free.
struct simulated_mutex
{
    int is_held;
    int are_waiting;
};
static_assert(sizeof(simulated_mutex) <= sizeof(pthread_mutex_t));

simulated_mutex& of(pthread_mutex_t* mutex) noexcept
{
    return *reinterpret_cast<simulated_mutex*>(mutex);
}

[[noreturn]] void give_up(char const* why) noexcept
{
    std::fprintf(stderr, "simulation: %s\n", why);
    std::abort();
}

deadline moment(timespec const& at) noexcept
{
    if (at.tv_sec > std::int64_t{9'000'000'000}) return deadline::max();
    return deadline{std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec}};
}

}  // namespace

extern "C" {

// ---- mutexes ---------------------------------------------------------------------------------

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept
{
    simulated_mutex& mine = of(mutex);
    while (mine.is_held != 0) {
        auto* const all = scheduler::current();
        if (all == nullptr) give_up("a mutex is locked twice");
        mine.are_waiting = 1;
        all->wait(mutex, deadline::max());
    }
    mine.is_held = 1;
    return 0;
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept
{
    if (of(mutex).is_held != 0) return EBUSY;
    of(mutex).is_held = 1;
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept
{
    simulated_mutex& mine = of(mutex);
    mine.is_held = 0;
    if (mine.are_waiting == 0) return 0;
    mine.are_waiting = 0;
    scheduler::current()->wake_all(mutex);
    return 0;
}

// ---- condition variables ---------------------------------------------------------------------

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t,
                           timespec const* until)
{
    auto* const all = scheduler::current();
    if (all == nullptr) give_up("a condition is awaited outside of a world");
    pthread_mutex_unlock(mutex);
    bool const is_woken = all->wait(condition, moment(*until));
    pthread_mutex_lock(mutex);
    return is_woken ? 0 : ETIMEDOUT;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, timespec const* until)
{
    return pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, until);
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex)
{
    timespec const never{std::int64_t{9'100'000'000}, 0};
    return pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &never);
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept
{
    if (auto* const all = scheduler::current()) all->wake_one(condition);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept
{
    if (auto* const all = scheduler::current()) all->wake_all(condition);
    return 0;
}

// ---- threads ---------------------------------------------------------------------------------

int pthread_create(pthread_t* made, pthread_attr_t const*, void* (*run)(void*), void* with) noexcept
{
    auto* const all = scheduler::current();
    if (all == nullptr) give_up("a thread is started outside of a world");
    fiber& child = all->spawn(*all->running().process, [run, with] { run(with); });
    *made = reinterpret_cast<pthread_t>(&child);
    return 0;
}

int pthread_join(pthread_t which, void**)
{
    scheduler::current()->join(*reinterpret_cast<fiber*>(which));
    return 0;
}

int pthread_detach(pthread_t which) noexcept
{
    reinterpret_cast<fiber*>(which)->is_detached = true;
    return 0;
}

pid_t gettid() noexcept
{
    auto* const all = scheduler::current();
    return all == nullptr ? static_cast<pid_t>(::syscall(SYS_gettid)) : all->running().number;
}

/// Signals and cancellation are nobody's here: blocking them is four system calls for nothing.
int pthread_sigmask(int, sigset_t const*, sigset_t* was) noexcept
{
    if (was != nullptr) sigemptyset(was);
    return 0;
}

int pthread_setcancelstate(int, int* was)
{
    if (was != nullptr) *was = PTHREAD_CANCEL_ENABLE;
    return 0;
}

// ---- descriptors: none is opened -------------------------------------------------------------

/// The standard streams are open, which is asked at each connection.
int fcntl(int descriptor, int what, ...)
{
    bool const is_stream = descriptor >= 0 && descriptor <= STDERR_FILENO;
    if (scheduler::current() != nullptr && is_stream && what == F_GETFD) return 0;
    va_list rest;
    va_start(rest, what);
    long const with = va_arg(rest, long);
    va_end(rest);
    return static_cast<int>(::syscall(SYS_fcntl, descriptor, what, with));
}

// ---- time ------------------------------------------------------------------------------------

int clock_gettime(clockid_t which, timespec* into) noexcept
{
    auto* const all = scheduler::current();
    if (all == nullptr) return static_cast<int>(::syscall(SYS_clock_gettime, which, into));
    all->note_look();
    auto const since = all->now().time_since_epoch();
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    into->tv_sec = seconds.count();
    into->tv_nsec = std::chrono::nanoseconds{since - seconds}.count();
    return 0;
}

int nanosleep(timespec const* span, timespec*)
{
    auto* const all = scheduler::current();
    if (all == nullptr) give_up("a sleep outside of a world");
    all->sleep(std::chrono::seconds{span->tv_sec} + std::chrono::nanoseconds{span->tv_nsec});
    return 0;
}

}  // extern "C"

/// What the call above says: it is asked some hundred times for each transaction.
std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept
{
    if (auto* const all = scheduler::current()) {
        all->note_look();
        return all->now();
    }
    timespec present{};
    ::clock_gettime(CLOCK_MONOTONIC, &present);
    return time_point{std::chrono::seconds{present.tv_sec} +
                      std::chrono::nanoseconds{present.tv_nsec}};
}
