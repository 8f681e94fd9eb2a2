// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_power_loss_test.cpp -- power is lost at every call that the log makes.
//
//   ASSENT_CASES=12000 ASSENT_SEED=1 log_power_loss_test        about so many images
//   ASSENT_CASES=all ASSENT_ROUNDS=10 log_power_loss_test       every image, in ten different lives
//   ASSENT_CASE=life_cached:12.7 ASSENT_SEED=1 log_power_loss_test        one image, alone
//
// Each image is opened, must hold all that was promised, commits once more, and is opened again.

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "log_story.hpp"
#include "power_losses.hpp"
#include "settings.hpp"
#include "tests/unit/log/log_fixture.hpp"

namespace assent::testing {
namespace {

constexpr std::uint64_t default_cases = 12'000;
constexpr std::uint64_t moments_of_all = 800;  // or nearly so: all stories on both kinds of disk

power_loss_effort effort_of_round(std::uint64_t round)
{
    power_loss_effort effort;
    effort.seed = seed_of_this_run() + round;
    if (is_campaign()) {
        effort.nested_every = 250;
        return effort;
    }
    effort.images = 1 + setting("ASSENT_CASES", default_cases) / moments_of_all;
    effort.nested = 2;
    effort.nested_every = 60;
    return effort;
}

/// The part of ASSENT_CASE behind `begin`, at each slash.
std::vector<std::string> path_behind(std::string const& begin)
{
    std::vector<std::string> parts;
    std::string const all = text_of_setting("ASSENT_CASE");
    if (!all.starts_with(begin)) return parts;
    std::istringstream rest(all.substr(begin.size()));
    for (std::string part; std::getline(rest, part, '/');) {
        parts.push_back(part);
    }
    return parts;
}

void say(power_loss_report const& report)
{
    for (auto const& [step, count] : report.images) {
        std::cout << "  " << count << " images: " << step << '\n';
    }
    for (auto const& [found, count] : report.openings) {
        std::cout << "  " << count << " images held " << found << '\n';
    }
    std::cout << "  " << report.total() << " images at " << report.moments << " moments, "
              << report.depth << " deep\n";
}

struct told_on
{
    story which;
    char const* name;
    bool is_write_through;
};

class PowerLoss : public ::testing::TestWithParam<told_on>
{
};

TEST_P(PowerLoss, AtAnyCallLosesNothingThatWasPromised)
{
    power_loss_report report;
    auto const only = path_behind(std::string(GetParam().name) + ":");
    bool const is_another = only.empty() && !text_of_setting("ASSENT_CASE").empty();
    std::uint64_t const rounds = is_another ? 0 : setting("ASSENT_ROUNDS", 1);
    for (std::uint64_t round = 0; round < rounds && report.failures.empty(); ++round) {
        auto effort = effort_of_round(round);
        effort.only = only;
        tell(GetParam().which, {GetParam().is_write_through}, effort, report);
        for (auto const& failure : report.failures) {
            ADD_FAILURE() << "ASSENT_SEED=" << effort.seed << " ASSENT_CASE=" << GetParam().name
                          << ":" << failure;
        }
        if (is_campaign()) {
            std::cout << "  round " << round + 1 << ": " << report.total() << " images so far\n"
                      << std::flush;
        }
    }
    say(report);
    if (!only.empty() || is_another) return;
    EXPECT_GT(report.moments, 20U);
    if (GetParam().which != story::whole_life) return;
    EXPECT_GE(report.depth, 1U) << "images of openings of images";
    std::set<std::string> seen;
    for (auto const& [step, count] : report.images) {
        seen.insert(step);
    }
    for (char const* step : {"open new",
                             "open new, make ahead",
                             "open new, checkpoint",
                             "open new, cut",
                             "append a binding",
                             "append alone",
                             "append together",
                             "append a heuristic",
                             "seal",
                             "append alone, checkpoint",
                             "append alone, cut",
                             "append alone, retire",
                             "append alone, make ahead",
                             "close",
                             "close, discard",
                             "open clean, settle",
                             "open clean, make ahead",
                             "open clean, checkpoint",
                             "open clean, cut",
                             "open clean, retire"}) {
        EXPECT_EQ(seen.count(step), 1U) << step;
    }
}

INSTANTIATE_TEST_SUITE_P(Proof, PowerLoss,
                         ::testing::Values(told_on{story::whole_life, "life_cached", false},
                                           told_on{story::whole_life, "life_through", true},
                                           told_on{story::torn_end, "torn_cached", false},
                                           told_on{story::torn_end, "torn_through", true},
                                           told_on{story::two_segments, "two_cached", false},
                                           told_on{story::two_segments, "two_through", true},
                                           told_on{story::repaired, "repaired_cached", false},
                                           told_on{story::repaired, "repaired_through", true},
                                           told_on{story::salvaged, "salvaged_cached", false},
                                           told_on{story::salvaged, "salvaged_through", true}),
                         [](auto const& of) { return of.param.name; });

/// What a disk may be after power loss, and what had been promised then.
struct moment
{
    std::shared_ptr<simulated_disk> disk;
    std::unique_ptr<witness> promises;
};

/// Threads that commit, one that makes segments, one that seals: what may be left at each call.
std::vector<moment> moments_beside_threads(std::uint64_t seed)
{
    constexpr unsigned threads = 4;
    constexpr unsigned commits = 30;  // of each
    std::vector<moment> moments;
    std::mutex mutex;
    witness promises;
    auto const disk = std::make_shared<simulated_disk>();
    disk->is_write_through = seed % 2 == 0;
    disk->watch([&](disk_call const&) {
        moment now;
        now.promises =
            promises.copy_while([&] { now.disk = disk->power_loss(mix(seed, disk->version())); });
        std::lock_guard const held(mutex);
        moments.push_back(std::move(now));
    });
    {
        auto options = repeatable(disk->attach_layer());
        options.segment_bytes = log::segment_pages_min * log::page_bytes;
        options.makes_segments_ahead = true;
        options.idle_seal_wait = std::chrono::milliseconds{1};
        log::file_log log("simulated", options);
        promises.opened(log);
        std::vector<std::thread> workers;
        for (unsigned t = 0; t < threads; ++t) {
            workers.emplace_back([&, t] {
                for (unsigned i = 0; i < commits; ++i) {
                    auto const what = decision_of(log, 1 + i * threads + t);
                    while (!log.reserve()) {
                        std::this_thread::yield();  // the next segment is being made
                    }
                    promises.commit(log, what);
                    log.release();
                    promises.finish(log, what);
                }
            });
        }
        for (auto& worker : workers) {
            worker.join();
        }
    }
    disk->watch({});
    EXPECT_EQ(promises.durable(), threads * commits);
    return moments;
}

TEST(PowerLossBesideThreads, LosesNothingThatWasPromised)
{
    if (!text_of_setting("ASSENT_CASE").empty()) GTEST_SKIP() << "another case was asked for";
    std::size_t images = 0;
    for (std::uint64_t round = 0; round < (is_campaign() ? 100U : 2U); ++round) {
        auto const moments = moments_beside_threads(seed_of_this_run() + round);
        ASSERT_GT(moments.size(), 100U);
        for (moment const& one : moments) {
            SCOPED_TRACE("image " + std::to_string(++images));
            auto const after = open_on(one.disk, 9000 + images);
            ASSERT_EQ(one.promises->judge(*after).text(), "");
        }
    }
    std::cout << "  " << images << " images beside threads\n";
}

}  // namespace
}  // namespace assent::testing
