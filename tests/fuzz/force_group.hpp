// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// force_group.hpp -- decisions that share one force, by the test's choice and not the scheduler's.
//
//   first thread leads --> its write waits at the gate
//   the others queue, one after the other          --> the gate opens: two forces, [1] and [n - 1]

#ifndef ASSENT_TESTS_FORCE_GROUP_HPP
#define ASSENT_TESTS_FORCE_GROUP_HPP

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "log/file_log.hpp"
#include "tests/unit/log/forwarding_file_layer.hpp"

namespace assent::testing {

/// Holds one write back.
class write_gate final : public forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;

    long write(handle file, std::span<std::byte const> from, std::uint64_t offset) noexcept override
    {
        {
            std::unique_lock held(mutex_);
            has_come_ = true;
            changed_.notify_all();
            changed_.wait(held, [this] { return is_open_; });
        }
        return target().write(file, from, offset);
    }

    void shut()
    {
        std::lock_guard const held(mutex_);
        is_open_ = false;
        has_come_ = false;
    }
    void open_again()
    {
        std::lock_guard const held(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }
    /// A force has ended, if without a write.
    void pass_by()
    {
        std::lock_guard const held(mutex_);
        has_come_ = true;
        changed_.notify_all();
    }
    void await_write()
    {
        std::unique_lock held(mutex_);
        changed_.wait(held, [this] { return has_come_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_open_ = true;
    bool has_come_ = false;
};

/// Forces the first of `all` alone and then all others together, in their order.
/// @pre  the log waits long for a force: whatever watches its calls may take its time.
inline void force_group(log::file_log const& log, write_gate& gate,
                        std::vector<ports::decision> const& all,
                        std::function<void(ports::decision const&)> const& force)
{
    gate.shut();
    std::vector<std::thread> threads;
    threads.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        threads.emplace_back([&, i] {
            force(all[i]);
            gate.pass_by();
        });
        if (i == 0) {
            gate.await_write();
        } else {
            while (log.queued() < i && !log.state().is_poisoned) {
                std::this_thread::yield();
            }
        }
    }
    gate.open_again();
    for (std::thread& one : threads) {
        one.join();
    }
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_FORCE_GROUP_HPP
