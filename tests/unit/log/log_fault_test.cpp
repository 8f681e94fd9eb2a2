// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_fault_test.cpp -- every call that the log makes fails once.
//
// Whatever happens, the log's answers stay true: `durable` is found again, `not submitted` never
// is, nothing is appended behind a force that failed, and a log that could not be opened can be
// opened once the fault is gone.  tests/fuzz/log_power_loss_test loses power instead.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "log/file_log.hpp"
#include "log/format.hpp"
#include "log_fixture.hpp"
#include "tests/simulation/log_action.hpp"

namespace assent::testing {
namespace {

using effect = disk_fault::effect;
using kind = disk_call::kind;

/// A short life of a log: two openings, bindings, commits, notes, and several segments.
class life
{
public:
    life(std::shared_ptr<simulated_disk> disk, ledger& promises)
        : disk_(std::move(disk)), promises_(promises)
    {
        disk_->watch([this](disk_call const& call) {
            action_.see(call);
            bool const is_append = call.what == kind::write && call.name.ends_with(".seg");
            if (has_failed_ && is_append) ++appended_after_failure_;
        });
    }
    life(life const&) = delete;
    life& operator=(life const&) = delete;
    ~life() { disk_->watch({}); }

    /// What the log is doing: "append", "open again, checkpoint", ...
    std::string step() const
    {
        return action_.name().empty() ? phase_ : phase_ + ", " + action_.name();
    }
    unsigned appended_after_failure() const noexcept { return appended_after_failure_; }

    void live()
    {
        for (std::uint64_t opening = 1; opening <= 2; ++opening) {
            live_once(opening);
            leave_half_made();
        }
    }

    /// When something in it fails the program stops, and what it was told is kept.
    void live_until_it_fails()
    {
        try {
            live();
        } catch (std::system_error const&) {
            return;
        }
    }

private:
    void live_once(std::uint64_t opening)
    {
        phase_ = opening == 1 ? "open" : "open again";
        has_failed_ = false;
        auto options = repeatable(disk_->attach_layer(), opening);
        options.segment_bytes = log::segment_pages_min * log::page_bytes;
        log::file_log log("simulated", options);
        try {
            work(log, "rm-" + std::to_string(opening));
        } catch (std::system_error const&) {
            has_failed_ = log.state().is_poisoned;
            phase_ = "close";
            throw;
        }
        phase_ = "close";
    }

    /// As an owner that was killed does.
    void leave_half_made()
    {
        std::uint64_t newest = 0;
        for (std::string const& name : disk_->names()) {
            newest = std::max(newest, log::segment_number(name).value_or(0));
        }
        disk_->put(log::segment_name(newest + 1) + ".tmp", std::vector<std::byte>(100));
    }

    void work(log::file_log& log, std::string const& name)
    {
        phase_ = "append";
        promises_.bound[log.bind(name, "memory", "server of " + name)] = name;
        for (std::uint64_t i = 1; i <= 8; ++i) {
            auto const what = decision_of(log, i);
            commit(log, what);
            if (i % 2 == 0) finish(log, what);
            if (i == 3) log.note_rolled_back(name_of(log, 100));
            if (i == 5) log.raise_horizon(1, {log.current().epoch, 2});
            if (i == 6) {
                log.record(ports::heuristic_record{
                    {what.global, what.branches[0]}, name, xa_code::heurhaz, "seen", 1});
                ++promises_.heuristics;
            }
            // Branches 1 and 2 never pass the horizon of both, so that nothing is dropped here.
        }
        phase_ = "seal";
        log.seal();
        finish(log, decision_of(log, 7));  // for the close to write
    }

    void commit(log::file_log& log, ports::decision const& what)
    {
        auto const result = promises_.commit(log, what);
        if (is_durable(result) || failure_of(result) != ports::force_failure::kind::in_doubt)
            return;
        has_failed_ = true;
        EXPECT_TRUE(log.state().is_poisoned);
        EXPECT_FALSE(log.reserve());
        EXPECT_EQ(log.outcome(what.global), ports::recorded_outcome::unknown);
        EXPECT_EQ(log.find(what.global), std::nullopt);
        EXPECT_EQ(failure_of(log.force(what, far_away())), ports::force_failure::kind::in_doubt)
            << "once in doubt, it stays so until the log is opened again";
    }

    std::shared_ptr<simulated_disk> disk_;
    ledger& promises_;
    log_action action_;
    std::string phase_;
    bool has_failed_ = false;
    unsigned appended_after_failure_ = 0;
};

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

std::shared_ptr<simulated_disk> disk_of(bool is_write_through)
{
    auto disk = std::make_shared<simulated_disk>();
    disk->is_write_through = is_write_through;
    return disk;
}

std::uint64_t calls_of_a_life(bool is_write_through)
{
    auto const disk = disk_of(is_write_through);
    ledger promises;
    life(disk, promises).live();
    std::uint64_t const calls = disk->calls();
    EXPECT_EQ(promises.durable.size(), 16U);
    expect_truth(disk, promises);
    return calls;
}

struct named_fault
{
    char const* name;
    disk_fault how;
    bool is_write_through = false;
};

class EachCallFails : public ::testing::TestWithParam<named_fault>
{
};

TEST_P(EachCallFails, AndTheAnswersStayTrue)
{
    std::uint64_t failed = 0;
    std::uint64_t in_doubt = 0;
    std::set<std::string> met;
    for (std::uint64_t n = 1;; ++n) {
        SCOPED_TRACE("call " + std::to_string(n));
        auto const disk = disk_of(GetParam().is_write_through);
        ledger promises;
        life one(disk, promises);
        disk->fail_calls(
            [&, made = std::uint64_t{0}](disk_call const& call) mutable {
                if (++made != n) return false;
                met.insert(one.step() + ": " + name_of(call.what));
                return true;
            },
            GetParam().how);
        one.live_until_it_fails();
        if (!disk->has_fired()) break;
        disk->heal();
        ++failed;
        in_doubt += promises.in_doubt.size();
        EXPECT_LE(promises.in_doubt.size(), 1U) << "only the one whose force failed";
        EXPECT_EQ(one.appended_after_failure(), 0U);
        expect_truth(disk->process_crash(), promises);
        for (std::uint64_t seed = 1; seed <= 2; ++seed) {
            expect_truth(disk->power_loss(seed * 7919 + n), promises);
        }
        if (HasFailure()) return;
    }
    EXPECT_EQ(failed, calls_of_a_life(GetParam().is_write_through));
    EXPECT_GE(in_doubt, 16U) << "the failing write or force of each commit was among them";
    for (std::string const step : {"open: attach",
                                   "open: open",
                                   "open: lock",
                                   "open: write",
                                   "open: list",
                                   "open: sync_directory",
                                   "open, make ahead: open",
                                   "open, make ahead: write",
                                   "open, make ahead: fsync",
                                   "open, checkpoint: write",
                                   "open, cut: rename",
                                   "open, cut: sync_directory",
                                   "open again, settle: fsync",
                                   "open again, settle: sync_directory",
                                   "open again: size",
                                   "open again: read",
                                   "open again, discard: unlink",
                                   "open again, retire: unlink",
                                   "open again, retire: sync_directory",
                                   "append: write",
                                   "append, checkpoint: write",
                                   "append, cut: rename",
                                   "append, cut: sync_directory",
                                   "append, retire: unlink",
                                   "append, retire: sync_directory",
                                   "append, make ahead: open",
                                   "append, make ahead: write",
                                   "append, make ahead: fsync",
                                   "seal: write",
                                   "close: write",
                                   "close, discard: unlink"}) {
        EXPECT_EQ(met.count(step), 1U) << step;
    }
    if (GetParam().is_write_through) return;
    for (std::string const step : {"append: fdatasync", "append, checkpoint: fdatasync",
                                   "seal: fdatasync", "close: fdatasync"}) {
        EXPECT_EQ(met.count(step), 1U) << step;
    }
}

INSTANTIATE_TEST_SUITE_P(
    LogFaults, EachCallFails,
    ::testing::Values(named_fault{"Eio", {EIO, effect::none}},
                      named_fault{"EioThoughDone", {EIO, effect::full}},
                      named_fault{"EioPartWritten", {EIO, effect::part}},
                      named_fault{"ShortWrite", {0, effect::part}},
                      named_fault{"Enospc", {ENOSPC, effect::none}},
                      named_fault{"EnospcPartWritten", {ENOSPC, effect::part}},
                      named_fault{"EioThrough", {EIO, effect::none}, true},
                      named_fault{"EioThoughDoneThrough", {EIO, effect::full}, true},
                      named_fault{"ShortWriteThrough", {0, effect::part}, true},
                      named_fault{"EnospcPartWrittenThrough", {ENOSPC, effect::part}, true}),
    [](auto const& of) { return of.param.name; });

TEST(LogFaults, AnInterruptedReadIsRepeatedAndAnInterruptedForceIsNot)
{
    std::uint64_t repeated = 0;
    std::uint64_t in_doubt = 0;
    for (std::uint64_t n = 1;; ++n) {
        SCOPED_TRACE("call " + std::to_string(n));
        auto const disk = disk_of(n % 2 == 0);
        disk->fail_call(n, {EINTR, effect::none});
        ledger promises;
        life one(disk, promises);
        bool has_thrown = false;
        try {
            one.live();
        } catch (std::system_error const&) {
            has_thrown = true;
        }
        if (!disk->has_fired()) break;
        in_doubt += promises.in_doubt.size();
        if (!has_thrown && promises.durable.size() == 16) ++repeated;
        EXPECT_EQ(one.appended_after_failure(), 0U);
        expect_truth(disk->process_crash(), promises);
        expect_truth(disk->power_loss(n), promises);
        if (HasFailure()) return;
    }
    EXPECT_GT(repeated, 0U);
    EXPECT_GE(in_doubt, 8U);
}

struct supply_fault
{
    char const* action;
    kind what;
    disk_fault how;
};

/// Commits with reservations until there are none; every one of them must be durable.
void commit_until_refused(log::file_log& log, ledger& promises)
{
    std::uint64_t sequence = 0;
    while (log.reserve()) {
        ASSERT_TRUE(is_durable(promises.commit(log, decision_of(log, ++sequence))));
        log.release();
        ASSERT_LT(sequence, 1000U) << "room does not end";
    }
    EXPECT_GT(sequence, 0U);
}

TEST(LogFaults, ASegmentThatCannotBeMadeRefusesReservationsAndPoisonsNothing)
{
    std::vector<supply_fault> faults;
    for (disk_fault const how : {disk_fault{EIO, effect::none}, disk_fault{EIO, effect::full},
                                 disk_fault{ENOSPC, effect::none}, disk_fault{EINTR, effect::none},
                                 disk_fault{0, effect::part}, disk_fault{ENOSPC, effect::part}}) {
        for (kind const what : {kind::open, kind::write, kind::fsync}) {
            faults.push_back({"make ahead", what, how});
        }
        faults.push_back({"retire", kind::unlink, how});
        faults.push_back({"retire", kind::sync_directory, how});
    }
    for (bool const is_write_through : {false, true}) {
        for (supply_fault const& fault : faults) {
            SCOPED_TRACE(std::string(fault.action) + ": " + name_of(fault.what) + ", errno " +
                         std::to_string(fault.how.error) + (is_write_through ? ", through" : ""));
            auto const disk = disk_of(is_write_through);
            ledger promises;
            auto log = open_on(disk);
            log_action action;
            disk->watch([&](disk_call const& call) { action.see(call); });
            disk->fail_calls(
                [&](disk_call const& call) {
                    return action.name() == fault.action && call.what == fault.what;
                },
                fault.how);

            commit_until_refused(*log, promises);

            EXPECT_TRUE(disk->has_fired());
            EXPECT_FALSE(log->state().is_poisoned);
            EXPECT_EQ(log->state().room, 0);
            EXPECT_NE(log->state().why.find("no room"), std::string::npos) << log->state().why;

            disk->heal();
            log->seal();
            EXPECT_TRUE(log->reserve()) << log->state().why;
            EXPECT_TRUE(is_durable(promises.commit(*log, decision_of(*log, 5000))));
            log->release();
            log.reset();
            disk->watch({});
            expect_truth(disk, promises);
            if (HasFailure()) return;
        }
    }
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
    EXPECT_EQ(log->outcome(second.global), ports::recorded_outcome::unknown);
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

}  // namespace
}  // namespace assent::testing
