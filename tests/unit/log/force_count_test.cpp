// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// force_count_test.cpp -- what a commit costs at the files, counted call by call, on a real file
// system: past the page cache, and through it.
//
// A gate in front of the forces decides who shares one, so that the numbers are exact.

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "forwarding_file_layer.hpp"
#include "log/file_log.hpp"
#include "log/posix_file_layer.hpp"
#include "log_fixture.hpp"
#include "temporary_directory.hpp"

namespace assent::testing {
namespace {

struct file_calls
{
    unsigned writes = 0;
    std::size_t bytes = 0;
    unsigned fdatasyncs = 0;
    unsigned others = 0;  ///< opens, names, whole files

    friend bool operator==(file_calls const&, file_calls const&) = default;
    friend std::ostream& operator<<(std::ostream& to, file_calls const& all)
    {
        return to << all.writes << " writes of " << all.bytes << " bytes, " << all.fdatasyncs
                  << " fdatasyncs, " << all.others << " others";
    }
};

/// Counts what changes files, and lets forces wait before a gate.
class counting_file_layer final : public forwarding_file_layer
{
public:
    counting_file_layer(std::shared_ptr<log::file_layer> to, bool is_buffered)
        : forwarding_file_layer(std::move(to)), is_buffered_(is_buffered)
    {
    }

    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        count(&file_calls::others);
        bool const is_changed = is_buffered_ && mode == log::open_mode::force;
        return target().open(name, is_changed ? log::open_mode::read_write : mode);
    }
    long write(handle file, std::span<std::byte const> from, std::uint64_t offset) noexcept override
    {
        wait_at_gate();
        {
            std::lock_guard const held(mutex_);
            ++calls_.writes;
            calls_.bytes += from.size();
        }
        return target().write(file, from, offset);
    }
    long fdatasync(handle file) noexcept override
    {
        count(&file_calls::fdatasyncs);
        return target().fdatasync(file);
    }
    long fsync(handle file) noexcept override
    {
        count(&file_calls::others);
        return target().fsync(file);
    }
    long rename(std::string const& from, std::string const& to) noexcept override
    {
        count(&file_calls::others);
        return target().rename(from, to);
    }
    long unlink(std::string const& name) noexcept override
    {
        count(&file_calls::others);
        return target().unlink(name);
    }
    long sync_directory() noexcept override
    {
        count(&file_calls::others);
        return target().sync_directory();
    }

    /// What was called since the last time.
    file_calls take()
    {
        std::lock_guard const held(mutex_);
        return std::exchange(calls_, {});
    }
    void shut()
    {
        std::lock_guard const held(mutex_);
        is_open_ = false;
        arrived_ = 0;
    }
    void open_again()
    {
        std::lock_guard const held(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }
    void await_arrival()
    {
        std::unique_lock held(mutex_);
        changed_.wait(held, [this] { return arrived_ > 0; });
    }

private:
    void count(unsigned file_calls::*which)
    {
        std::lock_guard const held(mutex_);
        ++(calls_.*which);
    }
    void wait_at_gate()
    {
        std::unique_lock held(mutex_);
        ++arrived_;
        changed_.notify_all();
        changed_.wait(held, [this] { return is_open_; });
    }

    bool const is_buffered_;
    std::mutex mutex_;
    std::condition_variable changed_;
    file_calls calls_;
    bool is_open_ = true;
    unsigned arrived_ = 0;
};

class ForceCount : public ::testing::TestWithParam<bool>
{
protected:
    void SetUp() override
    {
        files = std::make_shared<counting_file_layer>(
            std::make_shared<log::posix_file_layer>(in.path() + "/log"), is_buffered());
        auto options = repeatable(files);
        options.segment_bytes = 1024 * 1024;
        log = std::make_unique<log::file_log>(in.path() + "/log", options);
        if (log->is_write_through() == is_buffered()) {
            GTEST_SKIP() << "this file system takes no O_DIRECT: " << log->state().medium;
        }
        files->take();
    }

    static bool is_buffered() { return GetParam(); }
    /// So many forces of one page each.
    static file_calls forces(unsigned count)
    {
        return {count, count * log::page_bytes, is_buffered() ? count : 0, 0};
    }

    temporary_directory in;
    std::shared_ptr<counting_file_layer> files;
    std::unique_ptr<log::file_log> log;
};

TEST_P(ForceCount, IsOneForEachCommitOfOneThread)
{
    for (unsigned i = 1; i <= 20; ++i) {
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, i, i), far_away())));
        EXPECT_EQ(files->take(), forces(1)) << i << " branches";
    }
    EXPECT_EQ(log->state().forces, 20U);
    EXPECT_EQ(log->state().decisions, 20U);
}

TEST_P(ForceCount, IsNoneForWhatIsOnlyNoted)
{
    auto const what = decision_of(*log, 1);
    ASSERT_TRUE(is_durable(log->force(what, far_away())));
    files->take();

    finish(*log, what);
    log->note_rolled_back(name_of(*log, 2));
    log->raise_horizon(1, {1, 1});
    ASSERT_TRUE(log->reserve());
    log->release();

    EXPECT_EQ(files->take(), file_calls{});
    ASSERT_TRUE(is_durable(log->force(decision_of(*log, 3), far_away())));
    EXPECT_EQ(files->take(), forces(1)) << "the notes ride with it";
}

TEST_P(ForceCount, TellsSealsFromForces)
{
    ASSERT_TRUE(is_durable(log->force(decision_of(*log, 1), far_away())));
    auto const before = log->state();
    files->take();

    log->seal();
    EXPECT_EQ(files->take(), forces(1));
    log->seal();
    EXPECT_EQ(files->take(), file_calls{}) << "what is sealed is sealed once";

    EXPECT_EQ(log->state().forces, before.forces);
    EXPECT_EQ(log->state().other_forces, before.other_forces + 1);
    EXPECT_EQ(log->state().decisions, before.decisions);
}

TEST_P(ForceCount, IsTwoForAnyNumberOfThreadsThatComeDuringOne)
{
    std::uint64_t sequence = 0;
    for (unsigned threads : {2U, 16U, 40U}) {
        files->shut();
        std::vector<std::thread> all;
        std::atomic<unsigned> durable{0};
        for (unsigned i = 0; i < threads; ++i) {
            all.emplace_back([&, what = decision_of(*log, ++sequence)] {
                if (is_durable(log->force(what, far_away()))) ++durable;
            });
            if (i == 0) files->await_arrival();
        }
        while (log->queued() < threads - 1)
            std::this_thread::yield();
        files->open_again();
        for (auto& one : all) {
            one.join();
        }
        EXPECT_EQ(durable, threads);
        EXPECT_EQ(files->take(), forces(2)) << threads << " threads: the first one's, and the rest";
    }
    EXPECT_EQ(log->state().forces, 6U);
    EXPECT_EQ(log->state().decisions, 58U);
}

INSTANTIATE_TEST_SUITE_P(OnFiles, ForceCount, ::testing::Bool(), [](auto const& one) {
    return std::string(one.param ? "ThroughThePageCache" : "PastThePageCache");
});

}  // namespace
}  // namespace assent::testing
