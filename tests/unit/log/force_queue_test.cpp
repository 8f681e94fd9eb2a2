// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// force_queue_test.cpp -- threads that share forces, and forces that do not end.
//
// A gate in the file layer holds a force back until the test has seen who waits for the next one,
// so that what shares a force is decided here and not by the scheduler.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <csignal>

#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "forwarding_file_layer.hpp"
#include "log/file_log.hpp"
#include "log_fixture.hpp"

namespace assent::testing {
namespace {

using kind = ports::force_failure::kind;
using namespace std::chrono_literals;

/// Lets forces through one by one, or all.
class gated_file_layer final : public forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;

    long fdatasync(handle file) noexcept override
    {
        {
            std::unique_lock held(mutex_);
            ++arrived_;
            changed_.notify_all();
            changed_.wait(held, [this] { return is_open_ || passes_ > 0; });
            if (!is_open_) --passes_;
            sigset_t now;
            ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
            was_undisturbed_ = was_undisturbed_ && ::sigismember(&now, SIGTERM) == 1;
        }
        return target().fdatasync(file);
    }

    void shut()
    {
        std::lock_guard const held(mutex_);
        is_open_ = false;
        arrived_ = 0;
    }
    void let_one_pass()
    {
        std::lock_guard const held(mutex_);
        ++passes_;
        changed_.notify_all();
    }
    void open_for_good()
    {
        std::lock_guard const held(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }
    /// Waits until `n` forces have come to the gate since it was shut.
    void await_arrival(unsigned n)
    {
        std::unique_lock held(mutex_);
        changed_.wait(held, [&] { return arrived_ >= n; });
    }
    bool was_undisturbed()
    {
        std::lock_guard const held(mutex_);
        return was_undisturbed_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_open_ = true;
    bool was_undisturbed_ = true;
    unsigned passes_ = 0;
    unsigned arrived_ = 0;
};

struct gated_log
{
    explicit gated_log(std::chrono::milliseconds force_wait = 60s)
    {
        auto options = repeatable(gate);
        options.segment_bytes = 1024 * 1024;
        options.force_wait = force_wait;
        options.idle_seal_wait =
            1h;  // on a thread of the log's own, and nothing is sealed meanwhile
        log = std::make_unique<log::file_log>("simulated", options);
    }

    void await_queued(std::size_t n) const
    {
        while (log->queued() < n)
            std::this_thread::yield();
    }

    std::shared_ptr<simulated_disk> disk = std::make_shared<simulated_disk>();
    std::shared_ptr<gated_file_layer> gate =
        std::make_shared<gated_file_layer>(disk->attach_layer());
    std::unique_ptr<log::file_log> log;
};

TEST(ForceQueue, SixteenThreadsNeedFewerThanHalfAsManyForcesAsCommits)
{
    constexpr unsigned threads = 16;
    constexpr unsigned rounds = 25;
    gated_log on;
    auto const before = on.disk->forces();
    std::barrier sync(threads + 1);
    std::atomic<unsigned> durable{0};
    std::vector<std::thread> workers;
    for (unsigned t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] {
            for (unsigned round = 0; round < rounds; ++round) {
                sync.arrive_and_wait();
                if (t != 0) on.gate->await_arrival(1);  // the first one's force is under way
                auto const what = decision_of(*on.log, 1 + round * threads + t);
                if (is_durable(on.log->force(what, far_away()))) ++durable;
                sync.arrive_and_wait();
            }
        });
    }
    for (unsigned round = 0; round < rounds; ++round) {
        on.gate->shut();
        sync.arrive_and_wait();
        on.gate->await_arrival(1);
        on.await_queued(threads - 1);
        on.gate->open_for_good();
        sync.arrive_and_wait();
    }
    for (auto& worker : workers) {
        worker.join();
    }

    EXPECT_EQ(durable, threads * rounds);
    EXPECT_EQ(on.disk->forces() - before, 2 * rounds) << "the first one's, and everybody else's";
    EXPECT_EQ(on.log->state().forces, 2 * rounds);
    EXPECT_EQ(on.log->state().decisions, threads * rounds);
    EXPECT_TRUE(on.gate->was_undisturbed()) << "signals reach no thread inside a force";
    auto const after = open_on(on.disk->power_loss(1), 2);
    EXPECT_EQ(after->unfinished().size(), threads * rounds);
}

TEST(ForceQueue, WhatDoesNotFitIntoOneForceGoesWithTheNext)
{
    constexpr unsigned behind = 300;
    constexpr unsigned per_page = log::page_payload_bytes / log::decision_bytes(log::branches_max);
    constexpr unsigned per_force = per_page * log::force_pages_max;
    static_assert(behind > per_force && behind < 2 * per_force);
    gated_log on;
    auto const before = on.disk->forces();
    on.gate->shut();
    std::atomic<unsigned> durable{0};
    std::vector<std::thread> threads;
    auto const commit = [&](std::uint64_t sequence) {
        auto const what = decision_of(*on.log, sequence, log::branches_max);
        if (is_durable(on.log->force(what, far_away()))) ++durable;
    };
    threads.emplace_back(commit, 1);
    on.gate->await_arrival(1);
    for (unsigned i = 0; i < behind; ++i) {
        threads.emplace_back(commit, 2 + i);
    }
    on.await_queued(behind);
    on.gate->let_one_pass();
    on.gate->await_arrival(2);
    EXPECT_EQ(on.log->queued(), behind - per_force);
    on.gate->open_for_good();
    for (auto& one : threads) {
        one.join();
    }

    EXPECT_EQ(durable, 1 + behind);
    EXPECT_EQ(on.disk->forces() - before, 3U);
    EXPECT_EQ(on.log->state().forces, 3U);
    EXPECT_EQ(open_on(on.disk->power_loss(1), 2)->unfinished().size(), 1 + behind);
}

/// What a heuristic and an operator who forgets it leave, when one force carries both.
std::size_t heuristics_left(bool is_forgotten_first)
{
    gated_log on;
    xid const branch{name_of(*on.log, 9), bqual::make({1, 1, 4001})};
    auto const forget = [&] {
        on.log->record(log::operator_record{branch, log::operator_verdict::forget_heuristic, 1,
                                            "ann", "compared"});
    };
    auto const suffer = [&] {
        on.log->record(ports::heuristic_record{branch, "orders", xa_code::heurmix, "seen", 1});
    };
    on.gate->shut();
    std::vector<std::thread> threads;
    threads.emplace_back([&] { on.log->force(decision_of(*on.log, 1), far_away()); });
    on.gate->await_arrival(1);
    threads.emplace_back([&] { is_forgotten_first ? forget() : suffer(); });
    on.await_queued(1);
    threads.emplace_back([&] { is_forgotten_first ? suffer() : forget(); });
    on.await_queued(2);
    on.gate->open_for_good();
    for (auto& one : threads) {
        one.join();
    }
    auto const left = on.log->heuristics().size();
    EXPECT_EQ(open_on(on.disk->process_crash(), 2)->heuristics().size(), left);
    return left;
}

TEST(ForceQueue, RecordsOfOneForceCountInTheirOrder)
{
    EXPECT_EQ(heuristics_left(true), 1U) << "the second is a new one";
    EXPECT_EQ(heuristics_left(false), 0U);
}

TEST(ForceQueue, SurvivesRollsUnderLoad)
{
    constexpr unsigned threads = 8;
    constexpr unsigned commits = 300;
    auto const disk = std::make_shared<simulated_disk>();
    auto options = repeatable(disk->attach_layer());
    options.segment_bytes = log::segment_pages_min * log::page_bytes;
    options.idle_seal_wait = 1ms;
    auto log = std::make_unique<log::file_log>("simulated", options);
    std::vector<std::thread> workers;
    std::atomic<unsigned> durable{0};
    for (unsigned t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] {
            for (unsigned i = 0; i < commits; ++i) {
                auto const what = decision_of(*log, 1 + i * threads + t);
                if (!is_durable(log->force(what, far_away()))) continue;
                ++durable;
                if (i % 10 != 0) finish(*log, what);
                log->raise_horizon(1, {1, i});
                log->raise_horizon(2, {1, i});
                if (i % 50 == 0) log->bind("rm" + std::to_string(t), "memory", std::to_string(t));
            }
        });
    }
    for (auto& worker : workers) {
        worker.join();
    }
    EXPECT_EQ(durable, threads * commits);
    EXPECT_EQ(log->bindings().size(), threads);
    log.reset();
    log = open_on(disk, 2);
    EXPECT_EQ(log->unfinished().size(), threads * commits / 10);
    EXPECT_EQ(log->bindings().size(), threads);
}

TEST(ForceQueue, ADeadlineInTheQueueMeansNotSubmitted)
{
    gated_log on;
    on.gate->shut();
    std::thread leader(
        [&] { EXPECT_TRUE(is_durable(on.log->force(decision_of(*on.log, 1), far_away()))); });
    on.gate->await_arrival(1);

    auto const late =
        on.log->force(decision_of(*on.log, 2), std::chrono::steady_clock::now() + 20ms);
    EXPECT_EQ(failure_of(late), kind::not_submitted);
    EXPECT_FALSE(on.log->state().is_poisoned) << "a short deadline is no fault of the log";

    on.gate->open_for_good();
    leader.join();
    EXPECT_EQ(open_on(on.disk->power_loss(1), 2)->unfinished().size(), 1U);
}

/// Forces that take long enough for deadlines to strike in them.
class slow_file_layer final : public forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;

    long fdatasync(handle file) noexcept override
    {
        std::this_thread::sleep_for(200us);
        return target().fdatasync(file);
    }
};

TEST(ForceQueue, ThreadsThatGiveUpAtAnyMomentAreAnsweredTruthfully)
{
    constexpr unsigned threads = 8;
    constexpr unsigned commits = 100;
    auto const disk = std::make_shared<simulated_disk>();
    auto options = repeatable(std::make_shared<slow_file_layer>(disk->attach_layer()));
    options.segment_bytes = 1024 * 1024;
    auto log = std::make_unique<log::file_log>("simulated", options);
    std::vector<ledger> promises(threads);
    std::vector<std::thread> workers;
    for (unsigned t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] {
            for (unsigned i = 0; i < commits; ++i) {
                auto const what = decision_of(*log, 1 + i * threads + t);
                auto const patience = std::chrono::microseconds{(i * threads + t) % 50 * 10};
                promises[t].commit(*log, what, std::chrono::steady_clock::now() + patience);
            }
        });
    }
    for (auto& worker : workers) {
        worker.join();
    }

    EXPECT_FALSE(log->state().is_poisoned) << log->state().why;
    EXPECT_TRUE(is_durable(log->force(decision_of(*log, 1'000'000), far_away())));
    std::size_t gave_up = 0;
    std::size_t durable = 0;
    auto const after = open_on(disk->power_loss(1), 2);
    for (ledger const& one : promises) {
        one.check(*log);
        one.check(*after);
        durable += one.durable.size();
        gave_up += one.not_submitted.size() + one.in_doubt.size();
        for (gtrid const& which : one.in_doubt) {
            EXPECT_TRUE(after->find(which).has_value()) << "its force ended well after all";
        }
    }
    EXPECT_GT(durable, 0U);
    EXPECT_GT(gave_up, 0U);
}

/// Two threads in one force that does not end: the one that waits is given `until`.
struct hanging_pair
{
    explicit hanging_pair(gated_log& on, std::chrono::milliseconds patience)
    {
        on.gate->shut();
        threads.emplace_back([&on] { on.log->force(decision_of(*on.log, 1), far_away()); });
        on.gate->await_arrival(1);
        for (std::uint64_t sequence : {2U, 3U}) {
            threads.emplace_back([this, &on, sequence, patience] {
                auto const until = std::chrono::steady_clock::now() + patience;
                auto result = on.log->force(decision_of(*on.log, sequence), until);
                std::lock_guard const held(mutex);
                results.push_back(result);
                changed.notify_all();
            });
        }
        on.await_queued(2);
        on.gate->let_one_pass();
        on.gate->await_arrival(2);
    }
    void await_results(std::size_t n)
    {
        std::unique_lock held(mutex);
        changed.wait(held, [&] { return results.size() >= n; });
    }
    ~hanging_pair()
    {
        for (auto& one : threads) {
            one.join();
        }
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::vector<ports::force_result> results;
    std::vector<std::thread> threads;
};

/// Until the force that everybody left has ended.
void await_decisions(gated_log const& on, std::uint64_t count)
{
    while (on.log->state().decisions < count)
        std::this_thread::yield();
}

TEST(ForceQueue, ADeadlineInsideAForceMeansInDoubtAndTheLogGoesOn)
{
    gated_log on;
    {
        hanging_pair pair(on, 1s);
        pair.await_results(2);
        EXPECT_EQ(failure_of(pair.results[0]), kind::in_doubt);
        EXPECT_EQ(failure_of(pair.results[1]), kind::in_doubt);
        EXPECT_FALSE(on.log->state().is_poisoned);
        on.gate->open_for_good();
        await_decisions(on, 3);
    }
    EXPECT_EQ(on.log->unfinished().size(), 3U) << "the log knows, for whoever asks later";
    EXPECT_TRUE(is_durable(on.log->force(decision_of(*on.log, 4), far_away())));
}

TEST(ForceQueue, AHungForceMeansInDoubtAndPoisonsTheLog)
{
    gated_log on(1s);
    {
        hanging_pair pair(on, 1h);
        pair.await_results(2);
        EXPECT_EQ(failure_of(pair.results[0]), kind::in_doubt);
        EXPECT_EQ(failure_of(pair.results[1]), kind::in_doubt);
        EXPECT_TRUE(on.log->state().is_poisoned);
        EXPECT_THAT(on.log->state().why, ::testing::HasSubstr("hangs"));
        EXPECT_FALSE(on.log->reserve());
        EXPECT_EQ(failure_of(on.log->force(decision_of(*on.log, 5), far_away())),
                  kind::not_submitted);
        on.gate->open_for_good();
        await_decisions(on, 3);
    }
    EXPECT_TRUE(on.log->state().is_poisoned) << "only another opening heals it";
    auto const after = open_on(on.disk->process_crash(), 2);
    EXPECT_EQ(after->unfinished().size(), 3U) << "what became durable late is durable";
}

/// What `act` answers, though the disk gives no answer at all; nothing when it does not return.
template <typename Act>
auto without_the_disk(gated_log& on, Act act) -> std::optional<decltype(act())>
{
    auto answer = std::async(std::launch::async, act);
    bool const has_returned = answer.wait_for(30s) == std::future_status::ready;
    if (!has_returned) on.gate->open_for_good();
    auto value = answer.get();
    if (!has_returned) return std::nullopt;
    return value;
}

TEST(ForceQueue, NobodyWaitsLongerThanAskedAlsoNotTheOnlyOne)
{
    gated_log on;
    on.gate->shut();
    auto const answer = without_the_disk(on, [&] {
        return on.log->force(decision_of(*on.log, 1), std::chrono::steady_clock::now() + 100ms);
    });

    ASSERT_TRUE(answer) << "it waited for the disk";
    EXPECT_EQ(failure_of(*answer), kind::in_doubt);
    EXPECT_FALSE(on.log->state().is_poisoned);
    on.gate->open_for_good();
    await_decisions(on, 1);
    EXPECT_TRUE(is_durable(on.log->force(decision_of(*on.log, 2), far_away())));
}

TEST(ForceQueue, AHungForceIsNoticedThoughEverybodyHasLeftIt)
{
    gated_log on(200ms);
    on.gate->shut();
    auto const answer = without_the_disk(on, [&] {
        return on.log->force(decision_of(*on.log, 1), std::chrono::steady_clock::now() + 50ms);
    });
    ASSERT_TRUE(answer);
    EXPECT_EQ(failure_of(*answer), kind::in_doubt);
    ASSERT_TRUE(on.log->reserve());
    on.log->release();

    std::this_thread::sleep_for(250ms);
    EXPECT_FALSE(on.log->reserve());
    EXPECT_THAT(on.log->state().why, ::testing::HasSubstr("hangs"));
    on.gate->open_for_good();
    await_decisions(on, 1);
    EXPECT_TRUE(on.log->state().is_poisoned);
}

TEST(ForceQueue, ASegmentThatCannotBeBegunKeepsNobodyWaiting)
{
    gated_log on;
    std::uint64_t sequence = 1;
    auto const writes = [&](std::uint64_t n) {
        return on.log->force(decision_of(*on.log, n), std::chrono::steady_clock::now() + 200ms);
    };
    // The segment is filled but for the page that is kept for its seal.
    auto const others = on.log->state().other_forces;
    auto const pages = 1024 * 1024 / log::page_bytes;
    while (sequence <= pages - 3 && on.log->state().other_forces == others)
        ASSERT_TRUE(is_durable(on.log->force(decision_of(*on.log, sequence++), far_away())));
    ASSERT_EQ(on.log->state().other_forces, others);
    on.gate->shut();
    auto const answer = without_the_disk(on, [&] { return writes(sequence); });

    ASSERT_TRUE(answer) << "it waited for the disk";
    EXPECT_EQ(failure_of(*answer), kind::not_submitted) << "the new segment was not there yet";
    on.gate->open_for_good();
    while (on.log->queued() > 0)
        std::this_thread::yield();
    EXPECT_TRUE(is_durable(on.log->force(decision_of(*on.log, sequence + 1), far_away())));
    EXPECT_EQ(on.log->outcome(name_of(*on.log, sequence)), ports::recorded_outcome::unknown);
}

/// Cancelled in the middle of a force, a thread hears the answer first.
TEST(ForceQueue, AThreadThatIsCancelledInAForceIsAnsweredAndThenEnds)
{
    struct life
    {
        gated_log on;
        std::atomic<bool> is_durable{false};
        std::atomic<bool> has_gone_on{false};
    } at;
    at.on.gate->shut();
    pthread_t thread{};
    auto const run = [](void* given) -> void* {
        auto& mine = *static_cast<life*>(given);
        auto const answer = mine.on.log->force(decision_of(*mine.on.log, 1), far_away());
        mine.is_durable = assent::testing::is_durable(answer);
        ::pthread_testcancel();
        mine.has_gone_on = true;
        return nullptr;
    };
    ASSERT_EQ(::pthread_create(&thread, nullptr, run, &at), 0);
    at.on.gate->await_arrival(1);

    ASSERT_EQ(::pthread_cancel(thread), 0);
    std::this_thread::sleep_for(20ms);  // time for it to do harm
    at.on.gate->open_for_good();
    void* ended = nullptr;
    ASSERT_EQ(::pthread_join(thread, &ended), 0);

    EXPECT_EQ(ended, PTHREAD_CANCELED);
    EXPECT_TRUE(at.is_durable);
    EXPECT_FALSE(at.has_gone_on);
    EXPECT_TRUE(is_durable(at.on.log->force(decision_of(*at.on.log, 2), far_away())));
}

/// Neither closing nor what is forced besides decisions is a place where a thread ends.
TEST(ForceQueue, AThreadThatIsCancelledBeforeItBindsRecordsOrClosesDoesSoAndThenEnds)
{
    gated_log on;
    pthread_t thread{};
    auto const run = [](void* given) -> void* {
        auto& log = *static_cast<log::file_log*>(given);
        ::pthread_cancel(::pthread_self());
        log.bind("orders", "memory", "one");
        log.record(ports::heuristic_record{
            {name_of(log, 9), bqual::make({1, 1, 1})}, "orders", xa_code::heurmix, "seen", 1});
        log.note_server_start(1, "today");
        static_cast<void>(log.unfinished());
        log.close();
        ::pthread_testcancel();
        return nullptr;
    };
    ASSERT_EQ(::pthread_create(&thread, nullptr, run, on.log.get()), 0);
    void* ended = nullptr;
    ASSERT_EQ(::pthread_join(thread, &ended), 0);

    EXPECT_EQ(ended, PTHREAD_CANCELED);
    auto const after = open_on(on.disk, 2);
    EXPECT_EQ(after->bindings().size(), 1U);
    EXPECT_EQ(after->heuristics().size(), 1U);
}

TEST(ForceQueue, ALogWhoseForceHangsIsNotReleasedByClose)
{
    gated_log on(50ms);
    on.gate->shut();
    std::thread leader([&] { on.log->force(decision_of(*on.log, 1), far_away()); });
    on.gate->await_arrival(1);

    on.log->close();
    EXPECT_TRUE(on.log->state().is_poisoned);
    EXPECT_THROW(open_on(on.disk, 2), log::log_error) << "the hung force may still write";

    on.gate->open_for_good();
    leader.join();
    auto const last = std::chrono::steady_clock::now() + 60s;
    while (!on.log->close() && std::chrono::steady_clock::now() < last)
        std::this_thread::yield();  // the carrier comes back from the disk a moment later
    EXPECT_NO_THROW(open_on(on.disk, 2));
}

TEST(ForceQueue, AHungForceGivesTheLogBackWhenItEndsThoughItsOwnerIsGone)
{
    gated_log on(50ms);
    on.gate->shut();
    std::thread leader(
        [&] { on.log->force(decision_of(*on.log, 1), std::chrono::steady_clock::now() + 50ms); });
    on.gate->await_arrival(1);
    leader.join();
    EXPECT_FALSE(on.log->close());

    on.log.reset();
    EXPECT_THROW(open_on(on.disk, 2), log::log_error) << "the hung force may still write";
    on.gate->open_for_good();

    auto const last = std::chrono::steady_clock::now() + 60s;
    bool is_open = false;
    while (!is_open && std::chrono::steady_clock::now() < last) {
        try {
            open_on(on.disk, 2);
            is_open = true;
        } catch (log::log_error const&) {
            std::this_thread::sleep_for(1ms);
        }
    }
    EXPECT_TRUE(is_open);
}

TEST(ForceQueue, AFailedForceIsInDoubtForAllInItAndNotSubmittedForAllBehindIt)
{
    gated_log on;
    on.gate->shut();
    std::mutex mutex;
    std::multiset<kind> failures;
    auto const commit = [&](std::uint64_t sequence) {
        auto const result = on.log->force(decision_of(*on.log, sequence), far_away());
        std::lock_guard const held(mutex);
        failures.insert(failure_of(result));
    };
    std::vector<std::thread> threads;
    threads.emplace_back(commit, 1);
    on.gate->await_arrival(1);
    for (std::uint64_t i = 2; i <= 6; ++i) {
        threads.emplace_back(commit, i);
    }
    on.await_queued(5);
    on.disk->fail_call(1, {EIO, disk_fault::effect::none});
    on.gate->open_for_good();
    for (auto& one : threads) {
        one.join();
    }

    EXPECT_EQ(failures.count(kind::in_doubt), 1U);
    EXPECT_EQ(failures.count(kind::not_submitted), 5U);
}

TEST(IdleSeal, SealsTheLastForceOnceWhenNoneFollows)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto options = repeatable(disk->attach_layer());
    options.idle_seal_wait = 1ms;
    log::file_log log("simulated", options);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        auto const others = log.state().other_forces;
        ASSERT_TRUE(is_durable(log.force(decision_of(log, i), far_away())));
        while (log.state().other_forces == others)
            std::this_thread::yield();
        auto const forces = disk->forces();
        std::this_thread::sleep_for(5ms);  // several times the wait: a second seal would show
        EXPECT_EQ(disk->forces(), forces);
    }
}

}  // namespace
}  // namespace assent::testing
