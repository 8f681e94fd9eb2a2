// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// worker_test.cpp -- jobs that wait, jobs that never return, and the gate before them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "adapters/sql_text/gate.hpp"
#include "adapters/sql_text/worker.hpp"

namespace assent::sql_text {

namespace {

using namespace std::chrono_literals;

deadline in(std::chrono::milliseconds time)
{
    return deadline::clock::now() + time;
}

/// A call of a driver that hangs until the test lets it go.
class hanging
{
public:
    worker::job job()
    {
        return [until = released_] { until.wait(); };
    }
    void release() { promise_.set_value(); }

private:
    std::promise<void> promise_;
    std::shared_future<void> released_ = promise_.get_future().share();
};

bool eventually_unstuck()
{
    for (deadline const until = in(10s); worker::stuck_count() != 0;) {
        if (deadline::clock::now() > until) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

TEST(SqlTextWorker, RunsJobsInTheirOrder)
{
    std::vector<int> order;
    worker thread;

    for (int i = 0; i < 3; ++i)
        thread.post([&order, i] { order.push_back(i); });

    ASSERT_TRUE(thread.wait(in(10s)));
    EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2));
    EXPECT_TRUE(thread.is_idle());
}

TEST(SqlTextWorker, WaitsNoLongerThanTheDeadline)
{
    hanging call;
    worker thread;
    thread.post(call.job());

    EXPECT_FALSE(thread.wait(in(20ms)));
    EXPECT_FALSE(thread.is_idle());
    call.release();
    EXPECT_TRUE(thread.wait(in(10s)));
}

TEST(SqlTextWorker, IsLeftToItselfWhenItsJobDoesNotReturn)
{
    hanging call;
    auto const finished = std::make_shared<std::atomic<bool>>(false);
    {
        worker thread;
        thread.post(call.job());
        thread.post([finished] { *finished = true; });  // what its session asks for at last
    }

    EXPECT_EQ(worker::stuck_count(), 1u);
    EXPECT_FALSE(*finished);
    call.release();
    EXPECT_TRUE(eventually_unstuck());
    EXPECT_TRUE(*finished);
}

TEST(SqlTextWorker, IsLeftAtOnceWhereNobodyWantsToWaitAndCountedWithItsOwn)
{
    hanging call;
    auto const own = std::make_shared<stuck_workers>(0);
    auto const began = deadline::clock::now();
    for (std::size_t i = 0; i < stuck_workers_max; ++i) {
        worker thread{own};
        thread.post(call.job());
        thread.leave();
    }
    EXPECT_LT(deadline::clock::now() - began, 10s) << "half a second each would be 32 s";
    EXPECT_EQ(own->load(), stuck_workers_max);
    EXPECT_THROW(worker{own}, driver_error);
    EXPECT_EQ(worker::stuck_count(), 0u);
    EXPECT_NO_THROW(worker{}) << "what hangs there is nothing to others";
    call.release();
    for (deadline const until = in(10s); own->load() != 0 && deadline::clock::now() < until;)
        std::this_thread::sleep_for(1ms);
    EXPECT_EQ(own->load(), 0u);
}

TEST(SqlTextWorker, NoneIsMadeWhileTooManyAreStuck)
{
    hanging call;
    {
        std::vector<std::unique_ptr<worker>> all;
        std::vector<std::thread> ends;
        ends.reserve(stuck_workers_max);
        for (std::size_t i = 0; i < stuck_workers_max; ++i) {
            all.push_back(std::make_unique<worker>());
            all.back()->post(call.job());
        }
        for (auto& each : all)
            ends.emplace_back([gone = std::move(each)]() mutable { gone.reset(); });
        for (auto& each : ends)
            each.join();
    }

    EXPECT_EQ(worker::stuck_count(), stuck_workers_max);
    EXPECT_THROW(worker{}, driver_error);
    call.release();
    ASSERT_TRUE(eventually_unstuck());
    EXPECT_NO_THROW(worker{});
}

TEST(SqlTextGate, LetsNothingPassOnceItIsCut)
{
    gate before;

    EXPECT_TRUE(before.pass());
    before.cut();

    EXPECT_FALSE(before.pass());
    EXPECT_FALSE(before.pass_commit());
    EXPECT_FALSE(before.has_commit_passed()) << "it was never sent";
}

TEST(SqlTextGate, RemembersThatACommitPassedAndWhomToAsk)
{
    gate before;
    before.note_witness("17@1");

    EXPECT_TRUE(before.pass_commit());
    before.cut();

    EXPECT_TRUE(before.has_commit_passed());
    EXPECT_EQ(before.witness(), "17@1");
    before.forget_commit();
    EXPECT_FALSE(before.has_commit_passed());
    EXPECT_EQ(before.witness(), "");
}

}  // namespace

}  // namespace assent::sql_text
