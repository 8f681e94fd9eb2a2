// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// by_recovery.cpp -- finishes what is left by opening a manager, and watches it.

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <assent/observer.hpp>
#include <assent/postgresql.hpp>

#include "accounts_session.hpp"
#include "bench.hpp"
#include "finishing.hpp"
#include "orders_session.hpp"

namespace assent::bench {

namespace {

constexpr auto patience = std::chrono::minutes{10};

/// Counts what is finished, and when.
class watch final : public observer
{
public:
    explicit watch(std::size_t count) : count_(count) {}

    void begin() { begin_ = clock::now(); }

    void on(event const& what) override
    {
        bool const is_odd = what.level == severity::alarm;
        if (!is_odd && what.name != "branch.finished") return;
        double const now = seconds_since(begin_);
        std::lock_guard const held{mutex_};
        if (is_odd && odd_.empty()) odd_ = std::string(what.name) + ": " + std::string(what.text);
        if (!is_odd) {
            finishing& at = what.resource_manager == "accounts" ? accounts_ : orders_;
            if (at.count++ == 0) at.first_s = now;
            at.last_s = now;
        }
        if (is_odd || is_over()) changed_.notify_all();
    }

    void wait()
    {
        std::unique_lock held{mutex_};
        bool const is_in_time =
            changed_.wait_for(held, patience, [this] { return is_over() || !odd_.empty(); });
        if (!odd_.empty()) throw std::runtime_error(odd_);
        if (!is_in_time) throw std::runtime_error("recovery does not come to an end");
    }

    finishing const& accounts() const noexcept { return accounts_; }
    finishing const& orders() const noexcept { return orders_; }
    clock::time_point beginning() const noexcept { return begin_; }

private:
    bool is_over() const
    {
        auto const count = static_cast<double>(count_);
        return accounts_.count >= count && orders_.count >= count;
    }

    std::size_t const count_;
    clock::time_point begin_;
    std::mutex mutex_;
    std::condition_variable changed_;
    finishing accounts_;
    finishing orders_;
    std::string odd_;
};

/// Threads that transfer money until they are told to stop, and note when each transfer ended.
class work
{
public:
    work(transaction_manager& tm, postgresql::resource_manager const& accounts,
         mysql::resource_manager const& orders, std::size_t threads, clock::time_point begin)
        : times_(threads)
    {
        for (std::size_t thread = 0; thread < threads; ++thread) {
            threads_.emplace_back([&tm, accounts, orders, thread, begin, this] {
                try {
                    for (std::uint64_t i = 0; !is_over_; ++i) {
                        transfer(tm, accounts, orders, shop::row_of(thread, i));
                        times_[thread].push_back(seconds_since(begin));
                    }
                } catch (...) {
                    failures_[thread % failures_.size()] = std::current_exception();
                }
            });
        }
    }

    void stop()
    {
        is_over_ = true;
        for (auto& each : threads_)
            each.join();
        for (auto const& each : failures_) {
            if (each) std::rethrow_exception(each);
        }
    }

    /// @pre  stop().
    double between(double from_s, double to_s) const
    {
        double count = 0;
        for (auto const& of_thread : times_) {
            count += static_cast<double>(
                std::count_if(of_thread.begin(), of_thread.end(),
                              [&](double at) { return at >= from_s && at < to_s; }));
        }
        return count;
    }

private:
    static void transfer(transaction_manager& tm, postgresql::resource_manager const& accounts,
                         mysql::resource_manager const& orders, int row)
    {
        auto tx = tm.begin();
        auto const from = tx.lease(accounts);
        auto const to = tx.lease(orders);
        add_by_text(from, row, -1);
        add_by_text(to, row, 1);
        if (tx.commit() != outcome::committed) throw std::runtime_error("not committed");
    }

    std::atomic<bool> is_over_{false};
    std::vector<std::vector<double>> times_;
    std::array<std::exception_ptr, 64> failures_{};
    std::vector<std::thread> threads_;
};

/// Transfers a second, while branches were being finished on either database, and afterwards.
transfers rates(work const& done, finishing const& a, finishing const& b, double end_s)
{
    auto const& first = a.first_s < b.first_s ? a : b;
    auto const& second = a.first_s < b.first_s ? b : a;
    // Between the two of them nothing is finished, where the second one begins later.
    double const from = std::max(second.first_s, first.last_s);
    double const until = std::max(second.last_s, from);
    double const last = std::max(first.last_s, second.last_s);
    transfers made;
    made.meanwhile = (done.between(first.first_s, first.last_s) + done.between(from, until)) /
                     (first.last_s - first.first_s + until - from);
    made.alone = done.between(last, end_s) / (end_s - last);
    return made;
}

}  // namespace

finished finish_by_recovery(addresses const& where, recovery_plan const& what)
{
    auto const seen = std::make_shared<watch>(what.count);
    finished all;
    double const cpu = cpu_seconds();
    seen->begin();
    transaction_manager tm(
        recovery_options(what.directory, what.presumed_abort_delay).observe(seen));
    auto const accounts = tm.add(postgresql::resource_manager{"accounts", where.accounts});
    auto const orders = tm.add(mysql::resource_manager{"orders", where.orders});
    if (what.threads == 0) {
        seen->wait();
    } else {
        work meanwhile(tm, accounts, orders, what.threads, seen->beginning());
        try {
            seen->wait();
        } catch (...) {
            meanwhile.stop();
            throw;
        }
        std::this_thread::sleep_for(std::chrono::duration<double>{what.seconds});
        double const end = seconds_since(seen->beginning());
        meanwhile.stop();
        all.work = rates(meanwhile, seen->accounts(), seen->orders(), end);
    }
    all.cpu_seconds = cpu_seconds() - cpu;
    all.accounts = seen->accounts();
    all.orders = seen->orders();
    return all;
}

}  // namespace assent::bench
