// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/worker.hpp"

#include <algorithm>
#include <new>

#include "ports/undisturbed.hpp"

namespace assent::recovery {

deadline worker::step() noexcept
{
    {
        std::lock_guard const held{mutex_};
        is_woken_ = false;
    }
    deadline next{};
    try {
        next = work();
    } catch (std::bad_alloc const&) {
        next = shared_.time.now() + shared_.bounds.retry_min;
    }
    std::lock_guard const held{mutex_};
    next_ = next;
    return is_woken_ ? deadline{} : next;
}

deadline worker::due() const
{
    std::lock_guard const held{mutex_};
    return is_woken_ ? deadline{} : next_;
}

void worker::start_thread()
{
    ports::undisturbed const here;  // the thread inherits it: signals are the application's
    thread_ = std::thread{[this] {
        for (;;) {
            auto const next = step();
            std::unique_lock held{mutex_};
            while (!is_stopping_ && !is_woken_ && shared_.time.now() < next) {
                // An hour stands for "for ever": some libraries overflow on deadline::max().
                auto const at_most = shared_.time.now() + std::chrono::hours{1};
                shared_.time.wait(held, changed_, std::min(next, at_most));
            }
            if (!is_stopping_) continue;
            has_ended_ = true;
            changed_.notify_all();
            return;
        }
    }};
}

bool worker::has_ended(deadline until)
{
    std::unique_lock held{mutex_};
    while (thread_.joinable() && !has_ended_ && shared_.time.now() < until)
        shared_.time.wait(held, changed_, until);
    return !thread_.joinable() || has_ended_;
}

void worker::ask_to_stop() noexcept
{
    std::lock_guard const held{mutex_};
    is_stopping_ = true;
    changed_.notify_all();
}

bool worker::is_asked_to_stop() const
{
    std::lock_guard const held{mutex_};
    return is_stopping_;
}

void worker::join() noexcept
{
    if (thread_.joinable()) thread_.join();
}

void worker::wake() noexcept
{
    std::lock_guard const held{mutex_};
    is_woken_ = true;
    changed_.notify_all();
}

}  // namespace assent::recovery
