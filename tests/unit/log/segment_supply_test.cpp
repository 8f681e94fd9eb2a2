// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_supply_test.cpp -- the next segment is made beside the commits, by a thread.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "forwarding_file_layer.hpp"
#include "log/file_log.hpp"
#include "log/segment_supply.hpp"
#include "log_fixture.hpp"

namespace assent::testing {
namespace {

using kind = ports::force_failure::kind;
using namespace std::chrono_literals;

bool is_released(std::shared_ptr<simulated_disk> const& disk)
{
    try {
        open_on(disk, 2);
        return true;
    } catch (log::log_error const&) {
        return false;
    }
}

/// Holds back the making of segments, or fails it, while everything else goes on.
class guarded_file_layer final : public forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;

    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        if (mode == log::open_mode::create_new) {
            std::unique_lock held(mutex_);
            ++arrived_;
            changed_.notify_all();
            changed_.wait(held, [this] { return is_open_; });
            if (error_ != 0) return -error_;
        }
        return target().open(name, mode);
    }
    long unlink(std::string const& name) noexcept override
    {
        {
            std::unique_lock held(mutex_);
            if (unlink_error_ != 0 && name.ends_with(".seg")) return -unlink_error_;
            ++removing_;
            changed_.notify_all();
            changed_.wait(held, [this] { return may_remove_; });
        }
        return target().unlink(name);
    }

    void shut()
    {
        set([this] { is_open_ = false; });
    }
    void open_again()
    {
        set([this] { is_open_ = true; });
    }
    void fail_making(int error)
    {
        set([this, error] { error_ = error; });
    }
    void fail_removing(int error)
    {
        set([this, error] { unlink_error_ = error; });
    }
    void hold_removals(bool is_held)
    {
        set([&] { may_remove_ = !is_held; });
    }
    void await_removal()
    {
        std::unique_lock held(mutex_);
        changed_.wait(held, [this] { return removing_ > 0; });
    }
    void await_arrival(unsigned n)
    {
        std::unique_lock held(mutex_);
        changed_.wait(held, [&] { return arrived_ >= n; });
    }

private:
    template <typename Change>
    void set(Change&& change)
    {
        std::lock_guard const held(mutex_);
        change();
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_open_ = true;
    bool may_remove_ = true;
    int error_ = 0;
    int unlink_error_ = 0;
    unsigned arrived_ = 0;
    unsigned removing_ = 0;
};

constexpr char second[] = "0000000000000002.seg";

struct supplied_log
{
    explicit supplied_log(std::chrono::milliseconds force_wait = 60s)
    {
        auto options = repeatable(files);
        options.makes_segments_ahead = true;
        options.force_wait = force_wait;
        log = std::make_unique<log::file_log>("simulated", options);
    }

    /// Waits for the thread; a test that waits in vain is ended by its own time limit.
    template <typename Condition>
    void await(Condition&& holds) const
    {
        while (!holds())
            std::this_thread::yield();
    }
    void await_spare() const
    {
        await([this] { return log->state().room > 6; });
    }
    /// Nearly fills the first segment.
    void fill()
    {
        for (std::uint64_t i = 1; i <= 10; ++i) {
            auto const what = decision_of(*log, i);
            ASSERT_TRUE(is_durable(log->force(what, far_away())));
            finish(*log, what);
        }
    }
    /// Goes on until the second segment is begun.
    void roll()
    {
        for (std::uint64_t i = 100; !has(second); ++i) {
            ASSERT_LT(i, 120U);
            ASSERT_TRUE(is_durable(log->force(decision_of(*log, i), far_away())));
        }
    }
    bool has(std::string const& name) const
    {
        auto const names = disk->names();
        return std::count(names.begin(), names.end(), name) == 1;
    }

    std::shared_ptr<simulated_disk> disk = std::make_shared<simulated_disk>();
    std::shared_ptr<guarded_file_layer> files =
        std::make_shared<guarded_file_layer>(disk->attach_layer());
    std::unique_ptr<log::file_log> log;
};

TEST(SegmentSupply, ASpareIsWholeOnTheDiskBeforeItIsNeeded)
{
    supplied_log on;
    on.await_spare();
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        auto const after = on.disk->power_loss(seed);
        auto const names = after->names();
        if (std::count(names.begin(), names.end(), std::string(second) + ".tmp") == 0) continue;
        auto const bytes = after->contents(std::string(second) + ".tmp");
        EXPECT_EQ(bytes.size(), small_segment);
        EXPECT_TRUE(
            std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; }));
    }
}

TEST(SegmentSupply, ARollTakesTheSpareAndMakesNothing)
{
    supplied_log on;
    on.await_spare();
    on.files->shut();
    on.fill();
    on.roll();  // though no segment can be made
    on.files->open_again();
}

TEST(SegmentSupply, ARollWaitsForASpareThatIsBeingMade)
{
    supplied_log on;
    on.await_spare();
    on.files->shut();
    std::atomic<unsigned> durable{0};
    constexpr unsigned wanted = 40;  // more than both segments hold
    std::thread committer([&] {
        for (std::uint64_t i = 1; i <= wanted; ++i) {
            durable += is_durable(on.log->force(decision_of(*on.log, i), far_away()));
        }
    });
    on.files->await_arrival(3);  // of the opening, the first spare, the second
    on.files->open_again();
    committer.join();
    EXPECT_EQ(durable, wanted);
}

TEST(SegmentSupply, WithoutSpaceForcesAreRefusedTruthfullyAndGoOnWhenThereIsSome)
{
    supplied_log on;
    on.await_spare();
    on.disk->is_full = true;
    ledger promises;
    ports::force_result last = promises.commit(*on.log, decision_of(*on.log, 1));
    for (std::uint64_t i = 2; is_durable(last); ++i) {
        ASSERT_LT(i, 100U);
        last = promises.commit(*on.log, decision_of(*on.log, i));
    }
    EXPECT_EQ(failure_of(last), kind::not_submitted);
    EXPECT_THAT(std::get<ports::force_failure>(last).why,
                ::testing::HasSubstr("No space left on device"));
    EXPECT_FALSE(on.log->state().is_poisoned);
    EXPECT_FALSE(on.log->reserve());

    on.disk->is_full = false;
    on.await([&] { return on.log->reserve(); });
    on.log->release();
    EXPECT_TRUE(is_durable(promises.commit(*on.log, decision_of(*on.log, 1'000))));
    on.log.reset();
    promises.check(*open_on(on.disk, 2));
}

TEST(SegmentSupply, ThatCannotRemoveAnOldSegmentMakesNoNewOne)
{
    supplied_log on;
    on.await_spare();
    on.files->fail_removing(EIO);
    for (std::uint64_t i = 1;; ++i) {
        ASSERT_LT(i, 100U);
        if (!is_durable(on.log->force(decision_of(*on.log, i), far_away()))) break;
    }
    EXPECT_FALSE(on.log->state().is_poisoned);
    EXPECT_THAT(on.log->state().why, ::testing::HasSubstr("cannot remove the old segment"));
    EXPECT_LE(on.disk->names().size(), 3U) << "two segments and the lock";

    on.files->fail_removing(0);
    on.await([&] { return is_durable(on.log->force(decision_of(*on.log, 1'000), far_away())); });
    on.await([&] { return !on.has("0000000000000001.seg"); });
}

TEST(SegmentSupply, AFailureOfTheMakerIsTriedAgainAndPoisonsNothing)
{
    supplied_log on;
    on.await_spare();
    on.files->fail_making(EIO);
    on.fill();
    on.roll();
    on.await([&] { return !on.log->state().why.empty() || on.log->state().room > 0; });
    on.files->fail_making(0);
    on.await([&] { return on.has("0000000000000003.seg.tmp"); });
    EXPECT_FALSE(on.log->state().is_poisoned);
}

TEST(SegmentSupply, ThatHangsIsNotWaitedForAtTheCloseAndKeepsTheLock)
{
    supplied_log on{50ms};
    on.await_spare();
    on.files->shut();
    on.fill();
    on.roll();
    on.files->await_arrival(3);

    on.log->close();
    EXPECT_THROW(open_on(on.disk, 2), log::log_error) << "its thread may still write";
    on.files->open_again();
    on.await([&] {
        on.log->close();
        return is_released(on.disk);
    });
}

/// Without a thread of its own the work is done by whoever calls: one at a time.
TEST(SegmentSupply, WithoutAThreadACallerLeavesTheWorkToTheOneThatIsAtIt)
{
    auto const disk = std::make_shared<simulated_disk>();
    guarded_file_layer files{disk->attach_layer()};
    log::segment_supply::settings how;
    how.has_thread = false;
    how.unix_ms = [] { return 0; };
    log::segment_supply supply{files, how};
    files.hold_removals(true);
    std::thread at_it{[&] { supply.retire({1, log::segment_end::sealed}); }};
    files.await_removal();

    std::thread another{[&] {
        supply.retire({2, log::segment_end::sealed});
        supply.want(3, 4);
    }};
    another.join();  // which waits for nobody's call
    files.hold_removals(false);
    at_it.join();

    EXPECT_EQ(supply.why_not(), "");
    EXPECT_EQ(supply.ready_pages(), 4U) << "what the other one wanted";
}

TEST(SegmentSupply, ALargerSpareIsMadeWhenMoreTransactionsAreOpen)
{
    supplied_log on;
    on.await_spare();
    auto const before = on.log->state().room;
    int held = 0;
    while (on.log->reserve())
        ++held;
    EXPECT_GE(held, 5);
    ASSERT_TRUE(is_durable(on.log->force(decision_of(*on.log, 1), far_away())));
    on.await([&] { return on.log->reserve(); });
    EXPECT_GT(on.log->state().room + held, before);
    for (; held >= 0; --held)
        on.log->release();
}

}  // namespace
}  // namespace assent::testing
