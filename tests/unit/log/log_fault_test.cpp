// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_fault_test.cpp -- every call that the log makes fails once, and power is lost at every call.
//
// Whatever happens, the log's answers stay true: `durable` is found again, `not submitted` never
// is, and a log that could not be opened can be opened once the fault is gone.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "log/file_log.hpp"
#include "log_fixture.hpp"

namespace assent::testing {
namespace {

using effect = disk_fault::effect;

/// A short life of a log: two openings, bindings, commits, notes, and several segments.
void live(std::shared_ptr<simulated_disk> const& disk, ledger& promises)
{
    for (std::uint64_t opening = 1; opening <= 2; ++opening) {
        auto options = repeatable(disk->attach_layer(), opening);
        options.segment_bytes = log::segment_pages_min * log::page_bytes;
        log::file_log log("simulated", options);
        std::string const name = "rm-" + std::to_string(opening);
        promises.bound[log.bind(name, "memory", "server of " + name)] = name;
        for (std::uint64_t i = 1; i <= 8; ++i) {
            auto const what = decision_of(log, i);
            promises.commit(log, what);
            if (i % 2 == 0) finish(log, what);
            if (i == 3) log.note_rolled_back(name_of(log, 100));
            if (i == 5) log.raise_horizon(1, {log.current().epoch, 2});
            if (i == 6) {
                log.record(ports::heuristic_record{
                    {what.global, what.branches[0]}, name, xa_code::heurhaz, "seen", 1});
                ++promises.heuristics;
            }
            // Branches 1 and 2 never pass the horizon of both, so that nothing is dropped here.
        }
        log.seal();
    }
}

/// As live(), when something in it fails: the program stops, and what it was told is kept.
void live_until_it_fails(std::shared_ptr<simulated_disk> const& disk, ledger& promises)
{
    try {
        live(disk, promises);
    } catch (std::system_error const&) {
        return;
    }
}

void expect_truth(std::shared_ptr<simulated_disk> const& disk, ledger const& promises)
{
    std::uint32_t last_epoch = 0;
    for (std::uint64_t again = 1; again <= 2; ++again) {
        std::unique_ptr<log::file_log> log;
        ASSERT_NO_THROW(log = open_on(disk, 1000 + again));
        EXPECT_GT(log->current().epoch, last_epoch);
        last_epoch = log->current().epoch;
        promises.check(*log);
    }
}

std::uint64_t calls_of_a_life()
{
    auto const disk = std::make_shared<simulated_disk>();
    ledger promises;
    live(disk, promises);
    std::uint64_t const calls = disk->calls();
    EXPECT_EQ(promises.durable.size(), 16U);
    expect_truth(disk, promises);
    return calls;
}

struct named_fault
{
    char const* name;
    disk_fault how;
};

class EachCallFails : public ::testing::TestWithParam<named_fault>
{
};

TEST_P(EachCallFails, AndTheAnswersStayTrue)
{
    std::uint64_t failed = 0;
    std::uint64_t in_doubt = 0;
    for (std::uint64_t n = 1;; ++n) {
        SCOPED_TRACE("call " + std::to_string(n));
        auto const disk = std::make_shared<simulated_disk>();
        disk->fail_call(n, GetParam().how);
        ledger promises;
        live_until_it_fails(disk, promises);
        if (!disk->has_fired()) break;
        ++failed;
        in_doubt += promises.in_doubt.size();
        EXPECT_LE(promises.in_doubt.size(), 1U) << "only the one whose force failed";
        expect_truth(disk->process_crash(), promises);
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            expect_truth(disk->power_loss(seed * 7919 + n), promises);
        }
        if (HasFailure()) return;
    }
    EXPECT_EQ(failed, calls_of_a_life());
    EXPECT_GE(in_doubt, 16U) << "the failing write or force of each commit was among them";
}

INSTANTIATE_TEST_SUITE_P(LogFaults, EachCallFails,
                         ::testing::Values(named_fault{"Eio", {EIO, effect::none}},
                                           named_fault{"EioThoughDone", {EIO, effect::full}},
                                           named_fault{"EioPartWritten", {EIO, effect::part}},
                                           named_fault{"ShortWrite", {0, effect::part}},
                                           named_fault{"Enospc", {ENOSPC, effect::none}},
                                           named_fault{"EnospcPartWritten",
                                                       {ENOSPC, effect::part}}),
                         [](auto const& of) { return of.param.name; });

TEST(LogFaults, AnInterruptedReadIsRepeatedAndAnInterruptedForceIsNot)
{
    std::uint64_t repeated = 0;
    std::uint64_t in_doubt = 0;
    for (std::uint64_t n = 1;; ++n) {
        SCOPED_TRACE("call " + std::to_string(n));
        auto const disk = std::make_shared<simulated_disk>();
        disk->fail_call(n, {EINTR, effect::none});
        ledger promises;
        bool has_thrown = false;
        try {
            live(disk, promises);
        } catch (std::system_error const&) {
            has_thrown = true;
        }
        if (!disk->has_fired()) break;
        in_doubt += promises.in_doubt.size();
        if (!has_thrown && promises.durable.size() == 16) ++repeated;
        expect_truth(disk->process_crash(), promises);
        expect_truth(disk->power_loss(n), promises);
        if (HasFailure()) return;
    }
    EXPECT_GT(repeated, 0U);
    EXPECT_GE(in_doubt, 16U);
}

TEST(LogFaults, APoisonedLogNeverWritesAgainAndSaysWhy)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_on(disk);
    ledger promises;
    auto const first = decision_of(*log, 1);
    promises.commit(*log, first);
    disk->fail_call(2, {EIO, effect::none});  // the force after the write
    auto const second = decision_of(*log, 2);
    EXPECT_EQ(failure_of(promises.commit(*log, second)), ports::force_failure::kind::in_doubt);
    auto const calls = disk->calls();

    EXPECT_TRUE(log->state().is_poisoned);
    EXPECT_NE(log->state().why.find("Input/output error"), std::string::npos);
    EXPECT_EQ(failure_of(promises.commit(*log, decision_of(*log, 3))),
              ports::force_failure::kind::not_submitted);
    EXPECT_EQ(failure_of(log->force(second, far_away())), ports::force_failure::kind::in_doubt)
        << "it was submitted, and no later answer may deny that";
    EXPECT_TRUE(is_durable(log->force(first, far_away())));
    EXPECT_EQ(log->outcome(second.global), ports::recorded_outcome::not_known);
    EXPECT_THROW(log->bind("orders", "mysql", "uuid"), std::system_error);
    log->seal();
    finish(*log, first);
    EXPECT_EQ(disk->calls(), calls);
    log->close();
    EXPECT_EQ(disk->calls(), calls + 1) << "the spare is removed";
}

TEST(LogFaults, WhatWasReadAfterAFailedForceIsForcedBeforeItIsShown)
{
    // The force failed and the page cache lies: the page reads well, and no force writes it.
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const what = decision_of(*log, 1);
    disk->fail_call(2, {EIO, effect::none});
    ASSERT_FALSE(is_durable(log->force(what, far_away())));
    auto const crashed = disk->process_crash();

    auto const reopened = open_on(crashed, 2);
    ASSERT_EQ(reopened->outcome(what.global), ports::recorded_outcome::committed);

    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        auto const after = open_on(crashed->power_loss(seed), 3);
        EXPECT_EQ(after->outcome(what.global), ports::recorded_outcome::committed);
    }
}

TEST(PowerLoss, WhileALogIsOpenedAfterAFailedForceLosesNothing)
{
    // The page that failed to be forced reads well until power goes: then it was never there.
    ledger promises;
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        promises.commit(*log, decision_of(*log, i));
    }
    disk->fail_call(2, {EIO, effect::none});
    promises.commit(*log, decision_of(*log, 4));
    ASSERT_EQ(promises.in_doubt.size(), 1U);
    bool is_open = false;
    for (std::uint64_t n = 1; !is_open; ++n) {
        auto const crashed = disk->process_crash();
        crashed->fail_call(n, {EIO, effect::full}, true);
        try {
            open_on(crashed, 2);
            is_open = !crashed->has_fired();
        } catch (std::system_error const&) {
            is_open = false;
        }
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            SCOPED_TRACE("call " + std::to_string(n) + " seed " + std::to_string(seed));
            expect_truth(crashed->power_loss(seed), promises);
            if (HasFailure()) return;
        }
    }
}

TEST(PowerLoss, AtAnyCallLosesNothingThatWasPromised)
{
    std::uint64_t const calls = calls_of_a_life();
    std::uint64_t images = 0;
    for (std::uint64_t n = 1; n <= calls; ++n) {
        for (auto last : {effect::none, effect::part, effect::full}) {
            auto const disk = std::make_shared<simulated_disk>();
            disk->fail_call(n, {EIO, last}, true);
            ledger promises;
            live_until_it_fails(disk, promises);
            for (std::uint64_t seed = 0; seed < 8; ++seed, ++images) {
                SCOPED_TRACE("call " + std::to_string(n) + " seed " + std::to_string(seed));
                expect_truth(disk->power_loss(n * 1000 + seed), promises);
                if (HasFailure()) return;
            }
        }
    }
    EXPECT_EQ(images, calls * 24);
}

TEST(PowerLoss, DuringRecoveryFromPowerLossLosesNothingEither)
{
    auto const disk = std::make_shared<simulated_disk>();
    ledger promises;
    auto log = open_on(disk);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        promises.commit(*log, decision_of(*log, i));
    }
    disk->fail_call(2, {EIO, effect::none}, true);  // written, not forced: the tail will tear
    promises.commit(*log, decision_of(*log, 4));
    std::uint64_t torn = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (std::uint64_t n = 1;; ++n) {
            auto const second = disk->power_loss(seed);
            second->fail_call(n, {EIO, effect::full}, true);
            bool const is_open = [&] {
                try {
                    open_on(second, 2);
                    return true;
                } catch (std::system_error const&) {
                    return false;
                }
            }();
            if (is_open) break;
            SCOPED_TRACE("seed " + std::to_string(seed) + " call " + std::to_string(n));
            auto const third = second->power_loss(seed * 100 + n);
            expect_truth(third, promises);
            for (auto const& name : third->names()) {
                if (name.find(".torn-") != std::string::npos) ++torn;
            }
            if (HasFailure()) return;
        }
    }
    EXPECT_GT(torn, 0U) << "some of these disks had a torn tail, kept under another name";
}

}  // namespace
}  // namespace assent::testing
