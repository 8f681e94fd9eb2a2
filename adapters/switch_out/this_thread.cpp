// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/switch_out/this_thread.hpp"

#include <pthread.h>

#include <exception>
#include <new>

namespace assent::switch_out {

namespace {

struct thread_key
{
    pthread_key_t key{};
    bool is_made = ::pthread_key_create(
                       &key, [](void* ended) { delete static_cast<this_thread*>(ended); }) == 0;
};

thread_key const& the_key() noexcept
{
    static thread_key const made;
    return made;
}

}  // namespace

this_thread* this_thread::find() noexcept
{
    auto const& [key, is_made] = the_key();
    return is_made ? static_cast<this_thread*>(::pthread_getspecific(key)) : nullptr;
}

this_thread& this_thread::get()
{
    if (auto* const known = find()) return *known;
    auto made = std::make_unique<this_thread>();
    auto const& [key, is_made] = the_key();
    if (!is_made || ::pthread_setspecific(key, made.get()) != 0) throw std::bad_alloc{};
    return *made.release();
}

void say(char const* words) noexcept
{
    try {
        // Nothing to say, to a thread that was told nothing.
        if (*words != '\0' || this_thread::find() != nullptr) this_thread::get().words = words;
    } catch (std::exception const&) {
        return;  // the answer stands without them
    }
}

}  // namespace assent::switch_out
