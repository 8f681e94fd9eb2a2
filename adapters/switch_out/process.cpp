// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/switch_out/process.hpp"

#include <pthread.h>

#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "adapters/switch_out/connection.hpp"

namespace assent::switch_out {

namespace {

using handlers = std::vector<std::pair<void (*)(void*), void*>>;

handlers& all_handlers()
{
    static auto* const all = new handlers;
    return *all;
}

void before_fork()
{
    process_lock().lock();
}

void in_parent()
{
    process_lock().unlock();
}

void in_child()
{
    connection::abandon_all();
    for (auto const& [forget, what] : all_handlers())
        forget(what);
    process_lock().unlock();
}

}  // namespace

std::mutex& process_lock() noexcept
{
    static_assert(std::is_trivially_destructible_v<std::mutex>);
    static std::mutex one;
    return one;
}

void on_fork(void (*forget)(void*), void* what)
{
    std::lock_guard const hold{process_lock()};
    static bool const is_registered = ::pthread_atfork(before_fork, in_parent, in_child) == 0;
    if (!is_registered) throw std::bad_alloc{};
    all_handlers().emplace_back(forget, what);
}

}  // namespace assent::switch_out
