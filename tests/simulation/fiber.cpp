// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// The switch is the compiler's own setjmp: unlike swapcontext it makes no system call, and unlike
// the library's longjmp no sanitizer takes it for a return.

#include "tests/simulation/fiber.hpp"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cxxabi.h>
#include <memory>
#include <new>
#include <vector>

#if defined(__SANITIZE_THREAD__)
#define ASSENT_FIBERS_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ASSENT_FIBERS_UNDER_TSAN 1
#endif
#endif

#ifdef ASSENT_FIBERS_UNDER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef ASSENT_FIBERS_UNDER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace assent::testing {

namespace {

/// As the C++ ABI lays it out.
struct exception_globals
{
    void* caught;
    unsigned uncaught;
};

exception_globals& globals()
{
    return *reinterpret_cast<exception_globals*>(abi::__cxa_get_globals());
}

std::size_t page_size()
{
    static auto const size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

/// Stacks are used again: making one costs two system calls.
std::vector<std::unique_ptr<fiber_stack>>& spare_stacks()
{
    static std::vector<std::unique_ptr<fiber_stack>> all;
    return all;
}

fiber* came_from = nullptr;
fiber* goes_to = nullptr;

void arrived([[maybe_unused]] fiber& here)
{
    exception_globals& now = globals();
    now.caught = here.caught;
    now.uncaught = here.uncaught;
#ifdef ASSENT_FIBERS_UNDER_ASAN
    __sanitizer_finish_switch_fiber(here.sanitizer_stack, &came_from->sanitizer_bottom,
                                    &came_from->sanitizer_size);
#endif
}

[[gnu::noinline]] void jump(void** to)
{
    __builtin_longjmp(to, 1);
}

void begin()
{
    arrived(*goes_to);
    goes_to->body();
}

/// Goes to the first line of a fiber's body.
void start(fiber& which)
{
#if defined(__x86_64__)
    // As a jump of the compiler's own, {frame, place, stack}: a context of the library costs two
    // system calls.  The stack is as a call leaves it, with nobody to return to.
    constexpr std::size_t alignment = 16;
    auto const end = reinterpret_cast<std::uintptr_t>(which.stack->top());
    auto* const top = reinterpret_cast<void**>(end / alignment * alignment) - 1;
    *top = nullptr;
    which.place[0] = nullptr;
    which.place[1] = reinterpret_cast<void*>(&begin);
    which.place[2] = top;
    jump(which.place);
#else
    ucontext_t first;
    ::getcontext(&first);
    first.uc_stack.ss_sp = which.stack->bottom();
    first.uc_stack.ss_size = static_cast<std::size_t>(which.stack->top() - which.stack->bottom());
    first.uc_link = nullptr;
    ::makecontext(&first, begin, 0);
    ::setcontext(&first);
#endif
}

[[gnu::noinline]] void exchange(void** from, fiber& to)
{
    if (__builtin_setjmp(from) != 0) return;
    if (to.has_begun) jump(to.place);
    to.has_begun = true;
    start(to);
}

}  // namespace

fiber_stack::fiber_stack()
{
    void* const all = ::mmap(nullptr, size + page_size(), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) throw std::bad_alloc{};
    ::mprotect(all, page_size(), PROT_NONE);
    bottom_ = static_cast<std::byte*>(all) + page_size();
    // Stacks that all end at the same place of a page drive each other out of the caches.
    static std::size_t made = 0;
    top_ = bottom_ + size - made++ % colours * colour_bytes;
}

fiber_stack::~fiber_stack()
{
    ::munmap(bottom_ - page_size(), size + page_size());
}

fiber::~fiber()
{
    if (stack == nullptr) return;
    spare_stacks().emplace_back(stack);
#ifdef ASSENT_FIBERS_UNDER_TSAN
    __tsan_destroy_fiber(sanitizer_thread);
#endif
}

void prepare_to_run(fiber& made)
{
    auto& spare = spare_stacks();
    if (spare.empty()) spare.push_back(std::make_unique<fiber_stack>());
    made.stack = spare.back().release();
    spare.pop_back();
    made.sanitizer_bottom = made.stack->bottom();
    made.sanitizer_size = fiber_stack::size;
#ifdef ASSENT_FIBERS_UNDER_ASAN
    // Whoever had it before may have ended in the middle of its calls.
    __asan_unpoison_memory_region(made.stack->bottom(), fiber_stack::size);
#endif
#ifdef ASSENT_FIBERS_UNDER_TSAN
    made.sanitizer_thread = __tsan_create_fiber(0);
#endif
}

void adopt_running([[maybe_unused]] fiber& first)
{
    first.has_begun = true;
#ifdef ASSENT_FIBERS_UNDER_TSAN
    first.sanitizer_thread = __tsan_get_current_fiber();
#endif
}

void switch_to(fiber& from, fiber& to)
{
    from.caught = globals().caught;
    from.uncaught = globals().uncaught;
    came_from = &from;
    goes_to = &to;
#ifdef ASSENT_FIBERS_UNDER_ASAN
    __sanitizer_start_switch_fiber(from.is_done ? nullptr : &from.sanitizer_stack,
                                   to.sanitizer_bottom, to.sanitizer_size);
#endif
#ifdef ASSENT_FIBERS_UNDER_TSAN
    __tsan_switch_to_fiber(to.sanitizer_thread, 0);
#endif
    exchange(from.place, to);
    arrived(from);
}

}  // namespace assent::testing
