// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// process.hpp -- the one lock of all exported switches of a process, and what fork() does to them.
//
// Tables are changed under the lock, and no database is asked under it, so that fork() never waits
// for one: it takes the lock, and the child finds every table whole.

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_PROCESS_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_PROCESS_HPP

#include <mutex>

namespace assent::switch_out {

/// It is never destroyed: threads that end late close what they opened.
std::mutex& process_lock() noexcept;

/// Has `forget` called in every forked child, with the lock held and all connections abandoned.
/// @throws std::bad_alloc
void on_fork(void (*forget)(void*), void* what);

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_PROCESS_HPP
