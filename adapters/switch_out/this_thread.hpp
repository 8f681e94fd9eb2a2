// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// this_thread.hpp -- what the calling thread has open, and why its last call was refused.
//
// Closed when the thread ends: by a key of its own, whose destructors run behind those of C++'s
// thread-local objects.  A monitor that closes what it opened by such an object finds it open.  One
// that comes later still finds nothing open, which is no error.

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_THIS_THREAD_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_THIS_THREAD_HPP

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "adapters/switch_out/control.hpp"

namespace assent::switch_out {

class resource;

struct this_thread
{
    std::map<std::pair<resource const*, int>, std::unique_ptr<control>> openings;
    std::string words;

    /// Null: it has never had any.
    static this_thread* find() noexcept;
    /// @throws std::bad_alloc
    static this_thread& get();
};

/// Keeps `words` for the thread's next question, unless there is no memory for them.
void say(char const* words) noexcept;

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_THIS_THREAD_HPP
