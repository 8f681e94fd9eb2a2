// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "log/file_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "log/log_image.hpp"
#include "log_fixture.hpp"

namespace assent::testing {
namespace {

using log::file_log;
using log::log_error;
using log::log_fault;
using ports::recorded_outcome;

std::vector<std::string> segments_of(simulated_disk const& disk)
{
    auto names = disk.names();
    names.erase(
        std::remove_if(names.begin(), names.end(),
                       [](auto const& name) { return name == "lock" || name.ends_with(".tmp"); }),
        names.end());
    return names;
}

log_fault fault_of_opening(std::shared_ptr<simulated_disk> const& disk)
{
    try {
        open_on(disk);
    } catch (log_error const& error) {
        return error.fault();
    }
    ADD_FAILURE() << "the log was opened";
    return {};
}

TEST(FileLog, IsMadeWithANodeIdThatStays)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk, 1);
    std::uint64_t const node = log->node();
    EXPECT_NE(node, 0U);
    EXPECT_EQ(log->current().epoch, 1U);
    EXPECT_EQ(log->node_label(), "shop-1");
    log.reset();

    log = open_on(disk, 2);

    EXPECT_EQ(log->node(), node);
}

TEST(FileLog, RaisesTheEpochAtEachOpeningAndKnowsEveryPairItEverHad)
{
    auto const disk = std::make_shared<simulated_disk>();
    std::vector<ports::opening> had;
    for (std::uint32_t epoch = 1; epoch <= 200; ++epoch) {
        auto const log = open_on(disk, epoch);
        EXPECT_EQ(log->current().epoch, epoch);
        had.push_back(log->current());
        for (auto const& which : had) {
            ASSERT_TRUE(log->knows(which));
        }
        EXPECT_FALSE(log->knows({epoch, log->current().nonce + 1}));
        EXPECT_FALSE(log->knows({epoch + 1, log->current().nonce}));
    }
}

TEST(FileLog, KeepsADecisionOverAnyNumberOfOpenings)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const what = decision_of(*log, 1, 3);
    ASSERT_TRUE(is_durable(log->force(what, far_away())));
    log->note_finished({what.global, what.branches[1]});
    log.reset();

    for (unsigned i = 2; i < 10; ++i) {
        log = open_on(disk, i);
        auto const found = log->find(what.global);
        ASSERT_TRUE(found.has_value());
        EXPECT_EQ(found->what.branches, what.branches);
        EXPECT_EQ(found->is_finished, (std::vector<bool>{false, true, false}));
        EXPECT_EQ(log->unfinished().size(), 1U);
        EXPECT_EQ(log->state().live_decisions, 1U);
        EXPECT_EQ(log->outcome(what.global), recorded_outcome::committed);
        log.reset();
    }
}

TEST(FileLog, CarriesADecisionOfSixtyFourBranchesAndRefusesMore)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_on(disk);

    EXPECT_TRUE(is_durable(log->force(decision_of(*log, 1, 64), far_away())));
    auto const refused = log->force(decision_of(*log, 2, 65), far_away());
    EXPECT_EQ(failure_of(refused), ports::force_failure::kind::not_submitted);
    auto const empty = log->force(decision_of(*log, 3, 0), far_away());
    EXPECT_EQ(failure_of(empty), ports::force_failure::kind::not_submitted);
    EXPECT_FALSE(log->state().is_poisoned) << "one bad request is no reason to stop";
    EXPECT_EQ(log->unfinished().size(), 1U);
}

TEST(FileLog, AnswersADecisionThatItHasAsBefore)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_on(disk);
    auto const what = decision_of(*log, 1);
    ASSERT_TRUE(is_durable(log->force(what, far_away())));
    auto const forces = disk->forces();

    EXPECT_TRUE(is_durable(log->force(what, far_away())));
    auto const other = log->force(decision_of(*log, 1, 3), far_away());

    EXPECT_EQ(failure_of(other), ports::force_failure::kind::in_doubt);
    EXPECT_EQ(disk->forces(), forces);
}

TEST(FileLog, ForcesOnceForOneCommitAndNeverForNotes)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_on(disk);
    auto const what = decision_of(*log, 1);
    auto const before = disk->forces();

    ASSERT_TRUE(is_durable(log->force(what, far_away())));
    EXPECT_EQ(disk->forces(), before + 1);
    finish(*log, what);
    log->note_rolled_back(name_of(*log, 2));
    log->raise_horizon(1, {1, 1});

    EXPECT_EQ(disk->forces(), before + 1);
    EXPECT_EQ(log->state().forces, 1U);
    EXPECT_EQ(log->state().other_forces, 1U) << "of the segment that the opening began";
}

TEST(FileLog, NotesRideWithTheNextForce)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_on(disk);
    auto const what = decision_of(*log, 1);
    ASSERT_TRUE(is_durable(log->force(what, far_away())));
    finish(*log, what);
    log->note_rolled_back(name_of(*log, 2));

    auto const early = open_on(disk->power_loss(1), 2);
    ASSERT_TRUE(is_durable(log->force(decision_of(*log, 3), far_away())));
    auto const late = open_on(disk->power_loss(1), 2);

    EXPECT_FALSE(early->find(what.global)->is_complete());
    EXPECT_EQ(early->outcome(name_of(*log, 2)), recorded_outcome::unknown);
    EXPECT_TRUE(late->find(what.global)->is_complete());
    EXPECT_EQ(late->outcome(name_of(*log, 2)), recorded_outcome::rolled_back);
}

TEST(FileLog, ACleanCloseForcesTheNotes)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const what = decision_of(*log, 1);
    auto const rolled_back = name_of(*log, 2);
    ASSERT_TRUE(is_durable(log->force(what, far_away())));
    finish(*log, what);
    log->note_rolled_back(rolled_back);
    log.reset();

    log = open_on(disk->power_loss(1), 2);

    EXPECT_TRUE(log->find(what.global)->is_complete());
    EXPECT_TRUE(log->unfinished().empty());
    EXPECT_EQ(log->outcome(rolled_back), recorded_outcome::rolled_back);
}

TEST(FileLog, RemembersTheNewestRollbacksOnly)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    constexpr std::uint64_t more = log::rollback_notes_max + 10;
    std::vector<gtrid> names;
    for (std::uint64_t i = 1; i <= more; ++i) {
        names.push_back(name_of(*log, i));
        log->note_rolled_back(names.back());
    }
    ASSERT_TRUE(is_durable(log->force(decision_of(*log, more + 1), far_away())));
    log.reset();
    log = open_on(disk, 2);

    EXPECT_EQ(log->outcome(names[9]), recorded_outcome::unknown);
    EXPECT_EQ(log->outcome(names[10]), recorded_outcome::rolled_back);
    EXPECT_EQ(log->outcome(names.back()), recorded_outcome::rolled_back);
}

TEST(FileLog, BindsEachNameToOneIdAndOneServer)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    EXPECT_EQ(log->bind("orders", "mysql", "uuid-a"), 1);
    EXPECT_EQ(log->bind("ledger", "postgresql", "system-b"), 2);
    EXPECT_EQ(log->bind("orders", "mysql", "uuid-a"), 1);
    EXPECT_THROW(log->bind("orders", "mysql", "uuid-c"), std::system_error);
    EXPECT_THROW(log->bind("stock", "mysql", "uuid-a"), std::system_error);
    EXPECT_THROW(log->bind(std::string(65, 'n'), "mysql", "uuid-d"), std::system_error);
    EXPECT_THROW(log->bind("", "mysql", "uuid-d"), std::system_error);

    log = open_on(disk->power_loss(3), 2);

    ASSERT_EQ(log->bindings().size(), 2U);
    EXPECT_EQ(log->bindings()[1].name, "ledger");
    EXPECT_EQ(log->bindings()[1].kind, "postgresql");
    EXPECT_EQ(log->bindings()[1].identity, "system-b");
    EXPECT_EQ(log->bind("stock", "mysql", "uuid-d"), 3);
}

TEST(FileLog, KeepsHeuristicsUntilTheOperatorForgetsThem)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    xid const first{name_of(*log, 1), bqual::make({1, 1, 0})};
    xid const second{name_of(*log, 2), bqual::make({1, 1, 0})};
    log->record(ports::heuristic_record{first, "orders", xa_code::heurrb, "gone", 5});
    log->record(
        ports::heuristic_record{second, "orders", xa_code::heurhaz, std::string(900, 'x'), 6});
    log = open_on(disk->power_loss(1), 2);
    ASSERT_EQ(log->heuristics().size(), 2U);
    EXPECT_EQ(log->heuristics()[0].text, "gone");
    EXPECT_EQ(log->heuristics()[1].text.size(), 500U);

    log::operator_record forget;
    forget.branch = first;
    forget.verdict = log::operator_verdict::forget_heuristic;
    forget.who = "ann";
    log->record(forget);
    log->record(ports::heuristic_record{first, "orders", xa_code::heurmix, "again", 7});

    ASSERT_EQ(log->heuristics().size(), 2U);
    EXPECT_EQ(log->heuristics()[0].branch, second);
    EXPECT_EQ(log->heuristics()[1].text, "again") << "what came after the decree stays";
    ASSERT_EQ(log->operator_records().size(), 1U);
    EXPECT_EQ(log->operator_records()[0].who, "ann");
}

TEST(FileLog, WhatAPersonEndedOtherwiseThanDecidedIsNeitherCommittedNorRolledBack)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const decree = [&](std::uint64_t sequence, log::operator_verdict verdict) {
        return log::operator_record{
            {name_of(*log, sequence), bqual::make({1, 1, 0})}, verdict, 5, "ann", "asked"};
    };
    std::vector<gtrid> names;
    for (std::uint64_t i = 0; i <= 6; ++i)
        names.push_back(name_of(*log, i));
    for (std::uint64_t i = 1; i <= 3; ++i)
        log->force(decision_of(*log, i), far_away());
    auto const hazard = [&](std::uint64_t sequence) {
        return ports::heuristic_record{decree(sequence, {}).branch, "orders", xa_code::heurhaz,
                                       "a person", 5};
    };
    log->record(decree(1, log::operator_verdict::commit));
    log->record(decree(2, log::operator_verdict::roll_back));
    log->record(hazard(2));
    log->record(hazard(3));
    log->record(decree(3, log::operator_verdict::forget_heuristic));
    log->record(decree(4, log::operator_verdict::commit));
    log->record(hazard(4));
    log->record(decree(4, log::operator_verdict::forget_heuristic));
    log->record(decree(5, log::operator_verdict::roll_back));
    log->record(hazard(5));
    log->note_rolled_back(names[5]);
    log->record(decree(6, log::operator_verdict::roll_back));
    log->note_rolled_back(names[6]);
    for (unsigned i = 2; i < 4; ++i) {
        EXPECT_EQ(log->outcome(names[1]), recorded_outcome::committed) << "as was decided";
        EXPECT_EQ(log->outcome(names[2]), recorded_outcome::by_person);
        EXPECT_EQ(log->outcome(names[3]), recorded_outcome::committed);
        EXPECT_EQ(log->outcome(names[4]), recorded_outcome::by_person) << "forgotten or not";
        EXPECT_EQ(log->outcome(names[5]), recorded_outcome::by_person);
        EXPECT_EQ(log->outcome(names[6]), recorded_outcome::rolled_back) << "nothing was sent";
        log.reset();
        log = open_on(disk, i);
    }
}

TEST(FileLog, ADatabaseThatWasGivenUpFreesItsNameAndItself)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    EXPECT_EQ(log->bind("orders", "mariadb", "server-a"), 1);
    EXPECT_EQ(log->bind("accounts", "postgresql", "server-b"), 2);
    auto const id = log->current().epoch;
    log->force(decision_of(*log, 1), far_away());
    log->note_finished({name_of(*log, 1), decision_of(*log, 1).branches[0]});
    log->note_finished({name_of(*log, 1), decision_of(*log, 1).branches[1]});
    log->raise_horizon(2, {id, 1});

    EXPECT_THROW(log->record(log::retirement_record{3, 5, "ann", "none"}), std::system_error);
    log->record(log::retirement_record{1, 5, std::string(90, 'x'), std::string(900, 'y')});
    EXPECT_THROW(log->record(log::retirement_record{1, 6, "ann", "again"}), std::system_error);

    EXPECT_TRUE(log->bindings()[0].is_retired);
    EXPECT_FALSE(ports::is_real(log->bindings()[0]));
    EXPECT_TRUE(ports::is_real(log->bindings()[1]));
    // Another database by the old name, then the old database by another name.
    EXPECT_EQ(log->bind("orders", "mariadb", "server-c"), 3);
    EXPECT_EQ(log->bind("old-orders", "mariadb", "server-a"), 4);
    EXPECT_EQ(log->bind("orders", "mariadb", "server-c"), 3);
    EXPECT_THROW(log->bind("orders", "mariadb", "server-a"), std::system_error);
    for (unsigned i = 2; i < 5; ++i) {
        log = open_on(disk->power_loss(1), i);
        ASSERT_EQ(log->bindings().size(), 4U);
        EXPECT_TRUE(log->bindings()[0].is_retired);
        EXPECT_FALSE(log->bindings()[2].is_retired);
        EXPECT_EQ(log->bind("orders", "mariadb", "server-c"), 3);
    }
}

TEST(FileLog, ADatabaseMayHaveAnotherIdentitySince)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    EXPECT_EQ(log->bind("orders", "mariadb", "server-a"), 1);
    EXPECT_EQ(log->bind("accounts", "postgresql", "server-b"), 2);
    log.reset();
    auto const crashed = disk->power_loss(1);
    log = open_on(crashed, 2);
    auto const to = [](std::string const& from, std::string const& identity) {
        return log::rebinding_record{1, 0, 5, from, identity, "ann", std::string(900, 'y')};
    };

    EXPECT_THROW(log->record(to("server-x", "server-c")), std::system_error);
    EXPECT_THROW(log->record(to("server-a", "server-b")), std::system_error);
    EXPECT_THROW(log->record(to("server-a", "")), std::system_error);
    log->record(to("server-a", "server-c"));
    EXPECT_EQ(log->bindings()[0].identity, "server-c");
    EXPECT_EQ(log->bindings()[0].rebound_epoch, log->current().epoch);
    EXPECT_EQ(log->bindings()[1].rebound_epoch, 0U);
    log->record(to("server-c", "server-d"));
    EXPECT_EQ(log->bind("orders", "mariadb", "server-d"), 1);
    EXPECT_THROW(log->bind("orders", "mariadb", "server-a"), std::system_error);
    auto const epoch = log->current().epoch;
    for (unsigned i = 3; i < 6; ++i) {
        log.reset();
        log = open_on(crashed, i);
        ASSERT_EQ(log->bindings().size(), 2U);
        EXPECT_EQ(log->bindings()[0].identity, "server-d");
        EXPECT_EQ(log->bindings()[0].rebound_epoch, epoch);
        EXPECT_EQ(log->bind("orders", "mariadb", "server-d"), 1);
    }
}

TEST(FileLog, ADecisionDoesNotWaitForTheHorizonOfADatabaseThatWasGivenUp)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    log->bind("orders", "mariadb", "server-a");
    log->bind("accounts", "postgresql", "server-b");
    auto const done = decision_of(*log, 1);
    log->force(done, far_away());
    finish(*log, done);
    log->raise_horizon(2, {log->current().epoch, 1});
    log.reset();
    log = open_on(disk, 2);
    EXPECT_TRUE(log->find(done.global).has_value()) << "the horizon of orders is below it";
    log->record(log::retirement_record{1, 5, "ann", "its disk is gone"});
    log.reset();
    log = open_on(disk, 3);

    EXPECT_FALSE(log->find(done.global).has_value());
}

TEST(FileLog, ADecreeForgetsTheSameHeuristicsAfterEachOpening)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    xid const branch{name_of(*log, 1), bqual::make({1, 1, 0})};
    log->record(ports::heuristic_record{branch, "orders", xa_code::heurrb, "before", 5});
    log::operator_record forget;
    forget.branch = branch;
    forget.verdict = log::operator_verdict::forget_heuristic;
    log->record(forget);
    log->record(ports::heuristic_record{branch, "orders", xa_code::heurrb, "after", 5});
    for (unsigned i = 2; i < 5; ++i) {
        log.reset();
        log = open_on(disk, i);
        ASSERT_EQ(log->heuristics().size(), 1U);
        EXPECT_EQ(log->heuristics()[0].text, "after");
        EXPECT_EQ(log->operator_records().size(), 1U);
    }
}

TEST(FileLog, NotesWhichStartOfAServerEachEpochSawLast)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    log->note_server_start(1, "monday");
    auto const forces = disk->forces();
    log->note_server_start(1, "monday");
    EXPECT_EQ(disk->forces(), forces) << "nothing new, nothing forced";
    log->note_server_start(1, "tuesday");
    log = open_on(disk->power_loss(1), 2);
    log->note_server_start(1, "wednesday");

    EXPECT_EQ(log->server_start(1, 1), "tuesday");
    EXPECT_EQ(log->server_start(1, 2), "wednesday");
    EXPECT_EQ(log->server_start(2, 1), std::nullopt);
}

TEST(FileLog, DropsServerStartsBelowTheHorizon)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    log->note_server_start(1, "monday");
    log.reset();
    log = open_on(disk, 2);
    log->note_server_start(1, "tuesday");
    log->raise_horizon(1, {2, 0});
    for (std::uint64_t i = 1; log->server_start(1, 1) && i < 100; ++i) {
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, i), far_away())));
    }
    log.reset();
    log = open_on(disk, 3);

    EXPECT_EQ(log->server_start(1, 1), std::nullopt);
    EXPECT_EQ(log->server_start(1, 2), "tuesday");
}

/// Commits and finishes until the log has begun a new segment.
void fill_segment(file_log& log, simulated_disk const& disk, std::uint64_t from)
{
    auto const before = segments_of(disk);
    for (std::uint64_t i = 0; segments_of(disk) == before; ++i) {
        ASSERT_LT(i, 1000U);
        auto const what = decision_of(log, from + i);
        ASSERT_TRUE(is_durable(log.force(what, far_away())));
        finish(log, what);
    }
}

TEST(FileLog, RollsToANewSegmentAndKeepsLiveDecisions)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const live = decision_of(*log, 1);
    ASSERT_TRUE(is_durable(log->force(live, far_away())));
    EXPECT_THAT(segments_of(*disk), ::testing::ElementsAre("0000000000000001.seg"));

    fill_segment(*log, *disk, 100);
    fill_segment(*log, *disk, 200);

    EXPECT_THAT(segments_of(*disk), ::testing::ElementsAre("0000000000000003.seg"));
    EXPECT_EQ(log->current().epoch, 1U) << "rolling is no opening";
    log = open_on(disk->power_loss(4), 2);
    EXPECT_FALSE(log->find(live.global)->is_complete());
    EXPECT_EQ(log->outcome(decision_of(*log, 100).global), recorded_outcome::unknown);
}

TEST(FileLog, KeepsFinishedDecisionsUntilEveryHorizonPassedThem)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const old = decision_of(*log, 5);
    auto const young = decision_of(*log, 6);
    ASSERT_TRUE(is_durable(log->force(old, far_away())));
    ASSERT_TRUE(is_durable(log->force(young, far_away())));
    finish(*log, old);
    finish(*log, young);

    log->raise_horizon(1, {1, 5});
    fill_segment(*log, *disk, 100);
    EXPECT_TRUE(log->find(old.global)) << "resource manager 2 may still need it";

    log->raise_horizon(2, {1, 5});
    EXPECT_TRUE(log->find(old.global)) << "dropped only with a new segment";
    fill_segment(*log, *disk, 200);
    EXPECT_FALSE(log->find(old.global));
    EXPECT_TRUE(log->find(young.global));

    log = open_on(disk->power_loss(9), 2);
    EXPECT_FALSE(log->find(old.global));
    EXPECT_TRUE(log->find(young.global));
    EXPECT_EQ(log->horizon(1), (ports::position{1, 5}));
    EXPECT_EQ(log->horizon(2), (ports::position{1, 5}));
    EXPECT_EQ(log->horizon(3), (ports::position{}));
}

TEST(FileLog, ThatIsOnlyClosedAndOpenedDropsWhatItsHorizonsPassed)
{
    auto const disk = std::make_shared<simulated_disk>();
    gtrid last;
    for (std::uint32_t epoch = 1; epoch <= 50; ++epoch) {
        auto const log = open_on(disk, epoch);
        EXPECT_EQ(log->horizon(1), (ports::position{epoch - 1, epoch == 1 ? 0U : 7U}));
        EXPECT_EQ(log->outcome(last), recorded_outcome::unknown);
        auto const what = decision_of(*log, 7);
        last = what.global;
        ASSERT_TRUE(is_durable(log->force(what, far_away())));
        finish(*log, what);
        log->raise_horizon(1, {epoch, 7});
        log->raise_horizon(2, {epoch, 7});
        EXPECT_EQ(log->outcome(last), recorded_outcome::committed);
    }
}

TEST(FileLog, AnUnfinishedDecisionSurvivesAnyHorizon)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const live = decision_of(*log, 5);
    ASSERT_TRUE(is_durable(log->force(live, far_away())));
    log->note_finished({live.global, live.branches[0]});
    log->raise_horizon(1, {9, 9});
    log->raise_horizon(2, {9, 9});
    fill_segment(*log, *disk, 100);
    log.reset();
    log = open_on(disk, 2);

    EXPECT_TRUE(log->find(live.global));
}

TEST(FileLog, AHorizonNeverFalls)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_on(disk);
    log->raise_horizon(1, {2, 5});
    log->raise_horizon(1, {1, 9});
    log->raise_horizon(1, {2, 4});
    EXPECT_EQ(log->horizon(1), (ports::position{2, 5}));
}

TEST(FileLog, AnEpochAheadOfThoseBeforeItForgetsItsOwnDecisionsAlone)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const earlier = decision_of(*log, 5, 1);
    ASSERT_TRUE(is_durable(log->force(earlier, far_away())));
    finish(*log, earlier);
    log.reset();
    log = open_on(disk, 2);
    auto const finished = decision_of(*log, 5, 1);
    auto const younger = decision_of(*log, 6, 1);
    ASSERT_TRUE(is_durable(log->force(finished, far_away())));
    ASSERT_TRUE(is_durable(log->force(younger, far_away())));
    finish(*log, finished);
    finish(*log, younger);

    log->raise_epoch_horizon(1, {2, 5});
    fill_segment(*log, *disk, 100);
    log = open_on(disk->power_loss(9), 3);

    EXPECT_TRUE(log->find(earlier.global)) << "its sessions may still be there";
    EXPECT_FALSE(log->find(finished.global));
    EXPECT_TRUE(log->find(younger.global));
    ports::horizon expected;
    expected.raise_alone({2, 5});
    EXPECT_EQ(log->horizon(1), expected);
    EXPECT_TRUE(log->horizon(1).covers({2, 5}));
    EXPECT_FALSE(log->horizon(1).covers({2, 6}));
    EXPECT_FALSE(log->horizon(1).covers({1, 5}));

    log->raise_horizon(1, {2, 3});
    EXPECT_EQ(log->horizon(1), (ports::position{2, 5})) << "joined";
    EXPECT_TRUE(log->horizon(1).covers({1, 5}));
}

TEST(FileLog, MakesRoomForMoreLiveDecisionsThanASegmentHolds)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    constexpr std::uint64_t many = 400;  // of the largest, four to a page
    std::vector<gtrid> names;
    for (std::uint64_t i = 1; i <= many; ++i) {
        auto const what = decision_of(*log, i, 64);
        names.push_back(what.global);
        ASSERT_TRUE(is_durable(log->force(what, far_away())));
    }
    log.reset();
    log = open_on(disk, 2);

    EXPECT_EQ(log->unfinished().size(), many);
    for (auto const& name : names) {
        EXPECT_EQ(log->outcome(name), recorded_outcome::committed);
    }
}

TEST(FileLog, OfAnotherLabelIsRefused)
{
    auto const disk = std::make_shared<simulated_disk>();
    open_on(disk);
    auto options = repeatable(disk->attach_layer());
    options.node_label = "shop-2";
    try {
        file_log log("simulated", options);
        FAIL() << "the log was opened";
    } catch (log_error const& error) {
        EXPECT_EQ(error.fault(), log_fault::label_mismatch);
        EXPECT_THAT(error.what(), ::testing::HasSubstr("\"shop-1\""));
        EXPECT_THAT(error.what(), ::testing::HasSubstr("\"shop-2\""));
    }
    EXPECT_EQ(open_on(disk, 2)->current().epoch, 2U) << "the refusal cost no epoch";
}

TEST(FileLog, HasOneOwner)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    EXPECT_EQ(fault_of_opening(disk), log_fault::locked);
    log.reset();
    EXPECT_NO_THROW(open_on(disk, 2));
}

TEST(FileLog, RefusesDirectoriesThatOthersControl)
{
    auto const disk = std::make_shared<simulated_disk>();
    for (unsigned mode : {0770U, 0707U, 0720U, 0702U, 0777U}) {
        disk->facts.mode = mode;
        EXPECT_EQ(fault_of_opening(disk), log_fault::unsafe_directory) << mode;
    }
    disk->facts = {false, 0700, "ext4", false, false};
    EXPECT_EQ(fault_of_opening(disk), log_fault::unsafe_directory);
    EXPECT_TRUE(disk->names().empty()) << "nothing was made there";
}

TEST(FileLog, RefusesUnsafeFileSystemsUnlessAllowedByName)
{
    auto const disk = std::make_shared<simulated_disk>();
    disk->facts = {true, 0700, "nfs", true, false};
    auto options = repeatable(disk->attach_layer());
    options.allowed_file_systems = {"tmpfs"};
    EXPECT_THROW(file_log("simulated", options), log_error);
    options.allowed_file_systems = {"tmpfs", "nfs"};
    EXPECT_NO_THROW(file_log("simulated", options));
}

TEST(FileLog, RefusesOptionsThatMakeNoSense)
{
    auto const refuses = [](auto change) {
        auto options = repeatable(std::make_shared<simulated_disk>()->attach_layer());
        change(options);
        EXPECT_THROW(file_log("simulated", options), log_error);
    };
    refuses([](auto& o) { o.node_label = ""; });
    refuses([](auto& o) { o.node_label = std::string(65, 'x'); });
    refuses([](auto& o) { o.node_label = "tab\t"; });
    refuses([](auto& o) { o.segment_bytes = 4096; });
    refuses([](auto& o) { o.segment_bytes = small_segment + 1; });
    refuses([](auto& o) { o.random = [] { return std::uint64_t{0}; }; });
}

TEST(FileLog, ClosedItReleasesTheLogAndWritesNothingMore)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const what = decision_of(*log, 1);
    ASSERT_TRUE(is_durable(log->force(what, far_away())));
    log->note_finished({what.global, what.branches[0]});
    log->close();
    auto const next = open_on(disk, 2);
    auto const calls = disk->calls();

    EXPECT_EQ(failure_of(log->force(decision_of(*log, 2), far_away())),
              ports::force_failure::kind::not_submitted);
    EXPECT_THROW(log->bind("orders", "mysql", "uuid"), std::system_error);
    EXPECT_TRUE(log->find(what.global)) << "what it knew can still be asked for";
    log->note_finished({what.global, what.branches[1]});
    log->seal();
    log->close();
    log.reset();

    EXPECT_EQ(disk->calls(), calls);
    EXPECT_EQ(next->find(what.global)->is_finished, (std::vector<bool>{true, false}));
}

TEST(FileLog, CountsDecisionsAndForcesApart)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_on(disk);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, i), far_away())));
    }
    log->bind("orders", "mysql", "uuid");

    EXPECT_EQ(log->state().decisions, 3U);
    EXPECT_EQ(log->state().forces, 3U);
    EXPECT_EQ(log->state().other_forces, 2U) << "the opening's segment and the binding";
    log->seal();
    log->seal();
    EXPECT_EQ(log->state().other_forces, 3U) << "one seal is enough";
}

TEST(FileLog, AbandonedItIsInert)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk);
    auto const what = decision_of(*log, 1);
    ASSERT_TRUE(is_durable(log->force(what, far_away())));
    auto const calls = disk->calls();
    log->abandon();

    EXPECT_EQ(failure_of(log->force(decision_of(*log, 2), far_away())),
              ports::force_failure::kind::not_submitted);
    EXPECT_THROW(log->bind("orders", "mysql", "uuid"), std::system_error);
    EXPECT_THROW(log->record(ports::heuristic_record{}), std::system_error);
    log->note_finished({what.global, what.branches[0]});
    log->note_rolled_back(name_of(*log, 3));
    EXPECT_FALSE(log->find(what.global));
    EXPECT_TRUE(log->state().is_poisoned);
    log.reset();
    EXPECT_EQ(disk->calls(), calls) << "nothing was written, not even a seal";
}

}  // namespace
}  // namespace assent::testing
