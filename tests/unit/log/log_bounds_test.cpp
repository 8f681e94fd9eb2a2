// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_bounds_test.cpp -- what the log keeps ends some time, and what it shows is found without
// keeping commits waiting; what an opening records of its limits outlives it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <system_error>
#include <thread>

#include "log/file_log.hpp"
#include "log/log_image.hpp"
#include "log_fixture.hpp"

namespace assent::testing {
namespace {

using log::file_log;
using namespace std::chrono_literals;

std::unique_ptr<file_log> open_with(std::shared_ptr<simulated_disk> const& disk,
                                    std::uint64_t decisions_max)
{
    auto options = repeatable(disk->attach_layer());
    options.segment_bytes = 1024 * 1024;  // none but the first is begun
    options.decisions_max = decisions_max;
    return std::make_unique<file_log>("simulated", options);
}

void raise_both(file_log& log, std::uint64_t sequence)
{
    log.raise_horizon(1, {log.current().epoch, sequence});
    log.raise_horizon(2, {log.current().epoch, sequence});
}

TEST(DecisionsMax, IsNoEndOnceWhatIsKeptWasFinished)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_with(disk, 10);
    for (std::uint64_t i = 1; i <= 10; ++i) {
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, i), far_away())));
        if (i != 10) finish(*log, decision_of(*log, i));
    }
    ASSERT_FALSE(log->reserve());
    EXPECT_THAT(log->state().why, ::testing::HasSubstr("more are not allowed"));
    auto const others = log->state().other_forces;

    raise_both(*log, 9);

    EXPECT_EQ(log->state().kept_decisions, 1U);
    EXPECT_EQ(log->state().other_forces, others) << "nothing had to be forced for it";
    ASSERT_TRUE(log->reserve());
    log->release();
    EXPECT_TRUE(is_durable(log->force(decision_of(*log, 11), far_away())));
    // What the segment still says of them contradicts nothing.
    EXPECT_EQ(open_on(disk->power_loss(1), 2)->state().kept_decisions, 11U);
}

TEST(DecisionsMax, IsNoEndWhereTheHorizonCameBeforeTheLastNote)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_with(disk, 2);
    for (std::uint64_t i = 1; i <= 2; ++i) {
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, i), far_away())));
    }
    raise_both(*log, 2);
    finish(*log, decision_of(*log, 1));
    std::this_thread::sleep_for(1100ms);  // it does not look again and again

    ASSERT_TRUE(log->reserve());
    log->release();
    EXPECT_EQ(log->state().kept_decisions, 1U);
}

TEST(DecisionsMax, KeepsWhatIsNotFinished)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_with(disk, 4);
    for (std::uint64_t i = 1; i <= 4; ++i) {
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, i), far_away())));
    }
    raise_both(*log, 4);

    EXPECT_EQ(log->state().kept_decisions, 4U);
    EXPECT_FALSE(log->reserve());
}

std::multiset<std::string> names_of(std::vector<ports::logged_decision> const& all)
{
    std::multiset<std::string> names;
    for (auto const& one : all)
        names.emplace(one.what.global.text());
    return names;
}

TEST(Unfinished, IsFoundByResourceManagerPageByPage)
{
    constexpr std::uint64_t many = 1000;
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_with(disk, 1'000'000);
    std::multiset<std::string> at_one;
    std::multiset<std::string> at_two;
    std::multiset<std::string> at_any;
    for (std::uint64_t i = 1; i <= many; ++i) {
        auto const what = decision_of(*log, i);
        ASSERT_TRUE(is_durable(log->force(what, far_away())));
        if (i % 2 == 0) log->note_finished({what.global, what.branches[0]});
        if (i % 3 == 0) log->note_finished({what.global, what.branches[1]});
        if (i % 2 != 0) at_one.emplace(what.global.text());
        if (i % 3 != 0) at_two.emplace(what.global.text());
        if (i % 6 != 0) at_any.emplace(what.global.text());
    }
    for (bool const is_reopened : {false, true}) {
        if (is_reopened) {
            log.reset();
            log = open_on(disk, 2);
        }
        EXPECT_EQ(names_of(log->unfinished_at(1)), at_one);
        EXPECT_EQ(names_of(log->unfinished_at(2)), at_two);
        EXPECT_TRUE(log->unfinished_at(3).empty());
        EXPECT_EQ(names_of(log->unfinished()), at_any);
    }
}

TEST(Unfinished, IsFoundAtADatabaseUntilItsLastBranchThereIsFinished)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_with(disk, 1'000'000);
    ports::decision what;
    what.global = name_of(*log, 1);
    what.branches = {bqual::make({7, 1, 41}), bqual::make({7, 2, 42})};
    ASSERT_TRUE(is_durable(log->force(what, far_away())));

    log->note_finished({what.global, what.branches[1]});
    ASSERT_EQ(log->unfinished_at(7).size(), 1U);
    EXPECT_EQ(log->unfinished_at(7)[0].is_finished, (std::vector<bool>{false, true}));
    log->note_finished({what.global, what.branches[0]});
    EXPECT_TRUE(log->unfinished_at(7).empty());
}

TEST(Unfinished, HasEverythingThatWasUnfinishedAllTheTime)
{
    constexpr std::uint64_t old = 2000;
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_with(disk, 1'000'000);
    for (std::uint64_t i = 1; i <= old; ++i) {
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, 2 * i), far_away())));
    }
    std::atomic<bool> is_over{false};
    std::thread others([&] {
        for (std::uint64_t i = 1; !is_over; ++i) {
            auto const what = decision_of(*log, i <= old ? 2 * i + 1 : 2 * old + i);
            if (is_durable(log->force(what, far_away()))) finish(*log, what);
        }
    });
    for (int again = 0; again < 20; ++again) {
        EXPECT_GE(log->unfinished().size(), old);
        EXPECT_GE(log->unfinished_at(1).size(), old);
    }
    is_over = true;
    others.join();
}

ports::heuristic_record heuristic(file_log const& log, std::uint64_t sequence)
{
    return {{name_of(log, sequence), bqual::make({1, 1, 4001})},
            "orders",
            xa_code::heurmix,
            "seen",
            static_cast<std::int64_t>(sequence)};
}

TEST(Heuristics, AreRecordedOnce)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_on(disk);
    log->record(heuristic(*log, 1));
    auto const forces = log->state().other_forces;
    log->record(heuristic(*log, 1));
    EXPECT_EQ(log->heuristics().size(), 1U);
    EXPECT_EQ(log->state().other_forces, forces);
}

TEST(Heuristics, AreNeverDroppedButRefusedWhenThereAreTooMany)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto options = repeatable(disk->attach_layer());
    options.segment_bytes = 16 * 1024 * 1024;
    file_log log("simulated", options);
    for (std::uint64_t i = 1; i <= log::heuristics_max; ++i) {
        ASSERT_NO_THROW(log.record(heuristic(log, i)));
    }
    try {
        log.record(heuristic(log, log::heuristics_max + 1));
        FAIL() << "it was taken";
    } catch (std::system_error const& refused) {
        EXPECT_THAT(refused.what(), ::testing::HasSubstr("operator"));
    }
    EXPECT_EQ(log.heuristics().size(), log::heuristics_max);
    log.record(log::operator_record{heuristic(log, 1).branch,
                                    log::operator_verdict::forget_heuristic, 1, "ann", "settled"});
    EXPECT_NO_THROW(log.record(heuristic(log, log::heuristics_max + 1)));
}

std::size_t openings_kept(log::log_image const& image)
{
    log::log_image kept;
    image.for_each_kept([&](log::record const& one) { ASSERT_TRUE(kept.apply(one)); });
    auto dropped = image;
    dropped.drop_forgettable();
    EXPECT_EQ(dropped.openings(), kept.openings()) << "memory and disk agree";
    EXPECT_EQ(kept.last_epoch(), image.last_epoch());
    return kept.openings().size();
}

TEST(Openings, OfWhichThereAreManyEndWithTheOldestThatNothingCanName)
{
    constexpr std::uint32_t more = 100;
    constexpr auto last = static_cast<std::uint32_t>(log::openings_max) + more;
    log::log_image image;
    for (std::uint32_t epoch = 1; epoch <= last; ++epoch) {
        image.apply(log::record{log::opening_record{{epoch, 7}, 0}});
    }
    image.apply(log::record{ports::binding{1, "orders", "memory", "one"}});
    EXPECT_EQ(openings_kept(image), last) << "no horizon says that their branches are finished";
    image.raise({1, {50, 9}, false});
    EXPECT_EQ(openings_kept(image), last - 49);
    image.raise({1, {last, 9}, false});
    EXPECT_EQ(openings_kept(image), log::openings_max);

    auto const decided = gtrid::make({decision_place::log, 0, 5, 20, 7, 1});
    image.apply(log::record{log::decision_record{{decided, {bqual::make({1, 1, 1})}}, 0, 0}});
    EXPECT_EQ(openings_kept(image), last - 19) << "a decision names the twentieth";
}

std::unique_ptr<file_log> open_recording(std::shared_ptr<simulated_disk> const& disk,
                                         std::chrono::milliseconds lapse,
                                         std::chrono::milliseconds force, std::uint64_t seed)
{
    auto options = repeatable(disk->attach_layer(), seed);
    options.guardian_lapse = lapse;
    options.log_force = force;
    return std::make_unique<file_log>("simulated", options);
}

TEST(PresumptionDelay, IsTheLongestThatAnyOpeningRecorded)
{
    auto const disk = std::make_shared<simulated_disk>();
    EXPECT_EQ(open_on(disk)->presumption_delay(), 7s) << "as limits have it";
    EXPECT_EQ(open_recording(disk, 1s, 500ms, 2)->presumption_delay(), 7s);
    EXPECT_EQ(open_recording(disk, 5s, 20s, 3)->presumption_delay(), 25s);
    EXPECT_EQ(open_recording(disk, 1s, 500ms, 4)->presumption_delay(), 25s);

    auto const fresh = std::make_shared<simulated_disk>();
    EXPECT_EQ(open_recording(fresh, 1s, 500ms, 5)->presumption_delay(), 1500ms);
}

TEST(PresumptionDelay, CountsAnOpeningThatRecordedNothingAsTheLongestOfItsTime)
{
    log::log_image image;
    EXPECT_EQ(image.presumption_delay(), 0s) << "there was none";
    image.apply(log::record{log::opening_record{{1, 7}, 0}});
    EXPECT_EQ(image.presumption_delay(), 15s);
    image.apply(log::record{log::opening_record{{2, 7}, 0}});
    image.apply(log::record{log::opening_limits_record{{2, 7}, 5s, 2s, 10s, 7s}});
    EXPECT_EQ(image.presumption_delay(), 7s);
    image.apply(log::record{log::opening_record{{3, 7}, 0}});
    EXPECT_EQ(image.presumption_delay(), 15s) << "an older version was here since";
}

}  // namespace
}  // namespace assent::testing
