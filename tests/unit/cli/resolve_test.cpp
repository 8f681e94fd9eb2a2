// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// How a person ends a branch: by the decision, against it and without one; what is refused; and
// what an interrupted one leaves.

#include "recovery/cli/resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include <assent/testing.hpp>
#include <assent/transaction_manager.hpp>

#include "recovery/cli/forget.hpp"
#include "recovery/cli/show.hpp"
#include "recovery/cli/status.hpp"
#include "tests/unit/cli/acting.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using namespace std::chrono_literals;
using assent::testing::branch_fate;
using assent::testing::driver_call;
using assent::testing::memory_database;
using assent::testing::memory_options;
using assent::testing::memory_resource_manager;
using assent::testing::personality;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using outcome = assent::ports::recorded_outcome;

struct interrupted : std::runtime_error
{
    interrupted() : std::runtime_error{"interrupted"} {}
};

memory_options of_mariadb()
{
    memory_options how;
    how.acts_as = personality::mariadb;
    return how;
}

/// A transaction of a process that is gone, prepared in both databases.
class Resolve : public ::testing::Test
{
protected:
    Resolve() : orders_(of_mariadb()), all_{rm("accounts", accounts_), rm("orders", orders_)}
    {
        auto const log = desk_.open_log();
        log->bind("accounts", "memory", accounts_.identity());
        log->bind("orders", "memory", orders_.identity());
        node_ = log->node();
        id_ = name_of(*log, 1);
        in_accounts_ = branch(id_, 1);
        in_orders_ = branch(id_, 2);
        accounts_.prepare_branch(in_accounts_, "ann", 7);
        orders_.prepare_branch(in_orders_, "order", 7);
    }

    static assent::resource_manager rm(char const* name, memory_database const& at)
    {
        return memory_resource_manager{name, at};
    }
    static assent::gtrid name_of(assent::log::file_log const& log, std::uint64_t sequence)
    {
        return assent::gtrid::make({assent::decision_place::log, 0, log.node(), log.current().epoch,
                                    log.current().nonce, sequence});
    }
    static assent::xid branch(assent::gtrid const& of, std::uint16_t id, std::uint64_t session = 0)
    {
        return {of, assent::bqual::make({id, 1, session})};
    }

    void decide()
    {
        auto const log = desk_.open_log();
        log->force({id_, {in_accounts_.branch, in_orders_.branch}},
                   std::chrono::steady_clock::now() + 5s);
    }

    act_report run(bool is_commit, act_options const& how = acting_desk::confirmed()) const
    {
        return resolve(desk_.from, {std::string{id_.text()}, "orders", is_commit}, how, all_);
    }
    failure refusal(resolve_request const& what) const
    {
        auto const before = desk_.seen().newest.writer.epoch;
        auto why = refused([&] { resolve(desk_.from, what, acting_desk::confirmed(), all_); });
        auto const after = desk_.seen();
        EXPECT_EQ(after.newest.writer.epoch, before) << "nothing was changed";
        EXPECT_THAT(after.image.operator_records(), SizeIs(0));
        EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
        return why;
    }
    failure refusal() const { return refusal({std::string{id_.text()}, "orders", true}); }

    /// A branch of a new opening, in which the server's start was noted so.
    assent::xid prepared_by(std::uint64_t session, std::string const& noted)
    {
        auto const log = desk_.open_log();
        log->note_server_start(2, noted);
        auto const which = branch(name_of(*log, 1), 2, session);
        orders_.prepare_branch(which, "of epoch " + std::to_string(log->current().epoch), 1);
        return which;
    }

    outcome recorded() const { return desk_.open_log()->outcome(id_); }
    std::vector<assent::xa_code> heuristics() const
    {
        std::vector<assent::xa_code> all;
        auto const view = desk_.seen();
        for (auto const& each : view.image.heuristics())
            all.push_back(each.code);
        return all;
    }
    std::string shown() const { return show(id_, scan(desk_.from, all_)).outcome; }

    acting_desk desk_;
    memory_database accounts_;
    memory_database orders_;
    std::vector<assent::resource_manager> all_;
    std::uint64_t node_ = 0;
    assent::gtrid id_;
    assent::xid in_accounts_;
    assent::xid in_orders_;
};

TEST_F(Resolve, CarriesOutTheDecision)
{
    decide();

    auto const told = run(true);

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_TRUE(told.has_acted);
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::committed);
    EXPECT_EQ(accounts_.fate(in_accounts_), branch_fate::prepared) << "nobody asked for that one";
    EXPECT_THAT(heuristics(), SizeIs(0));
    EXPECT_EQ(recorded(), outcome::committed);
    auto const view = desk_.seen();
    ASSERT_THAT(view.image.operator_records(), SizeIs(1));
    EXPECT_EQ(view.image.operator_records().front().branch, in_orders_);
    EXPECT_EQ(view.image.operator_records().front().who, "uid 1000 (ann)");
    EXPECT_EQ(known_databases(desk_.from, view).at(1).branches_due, 0u);
    EXPECT_EQ(known_databases(desk_.from, view).at(0).branches_due, 1u);
    EXPECT_THAT(orders_.violations(), SizeIs(0));
}

TEST_F(Resolve, AgainstTheDecisionItIsAHeuristicAndNobodySaysPlainlyWhatBecameOfIt)
{
    decide();

    auto const told = run(false);

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_THAT(told.plan, Contains(HasSubstr("against the decision to commit it")));
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::rolled_back);
    EXPECT_THAT(heuristics(), ElementsAre(assent::xa_code::heurhaz, assent::xa_code::heurrb));
    EXPECT_EQ(recorded(), outcome::by_person);
    EXPECT_EQ(shown(), "ended by a person");
    {
        assent::transaction_manager tm{
            assent::options{}.log_directory(desk_.from.log_directory).node_label("shop").limits([] {
                assent::limits bounds;
                bounds.presumed_abort_delay = 0ms;
                return bounds;
            }())};
        tm.add_any(all_.at(0));
        tm.add_any(all_.at(1));
        EXPECT_EQ(tm.outcome(id_), assent::known_outcome::unknown);
        for (int i = 0; i < 500 && accounts_.fate(in_accounts_) == branch_fate::prepared; ++i)
            std::this_thread::sleep_for(10ms);
        EXPECT_EQ(accounts_.fate(in_accounts_), branch_fate::committed) << "as was decided";
        EXPECT_EQ(tm.outcome(id_), assent::known_outcome::unknown);
    }
    auto const status = make_status(desk_.from, desk_.seen());
    EXPECT_THAT(status.unfinished, SizeIs(0));
    EXPECT_EQ(status.code, exit_code::attention);

    forget(desk_.from, {std::string{id_.text()}, ""}, acting_desk::confirmed());
    EXPECT_EQ(make_status(desk_.from, desk_.seen()).code, exit_code::fine);
    EXPECT_EQ(recorded(), outcome::by_person) << "that is not forgotten";
}

TEST_F(Resolve, WithoutADecisionItIsAHeuristicBothWays)
{
    EXPECT_EQ(run(true).code, exit_code::fine);
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::committed);
    EXPECT_THAT(heuristics(), ElementsAre(assent::xa_code::heurhaz, assent::xa_code::heurcom));
    EXPECT_EQ(recorded(), outcome::by_person);

    resolve(desk_.from, {in_accounts_.text(), "accounts", false}, acting_desk::confirmed(), all_);
    EXPECT_EQ(accounts_.fate(in_accounts_), branch_fate::rolled_back);
    EXPECT_THAT(heuristics(), SizeIs(4));
    desk_.open_log()->note_rolled_back(id_);
    EXPECT_EQ(recorded(), outcome::by_person);
}

TEST_F(Resolve, ChangesNothingBeforeItIsConfirmed)
{
    auto how = acting_desk::confirmed();
    how.is_dry_run = true;
    auto const dry = run(false, how);
    EXPECT_THAT(dry.plan, SizeIs(4));
    EXPECT_FALSE(dry.has_acted);

    how = acting_desk::confirmed();
    how.is_confirmed = false;
    std::string asked_for;
    how.ask = [&](act_report const& shown) {
        asked_for = shown.name;
        return "accounts";
    };
    EXPECT_EQ(run(false, how).code, exit_code::misused);
    EXPECT_EQ(asked_for, "orders");
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
    EXPECT_EQ(desk_.seen().newest.writer.epoch, 1U);
}

TEST_F(Resolve, RefusesNamesThatAreNotThere)
{
    auto const id = std::string{id_.text()};
    EXPECT_EQ(refusal({"asn1", "orders", true}).code(), exit_code::misused);
    EXPECT_THAT(refusal({id, "ledger", true}).what(), HasSubstr("it has: accounts, orders"));
    auto const another = std::string{
        assent::gtrid::make({assent::decision_place::log, 0, node_, 1, id_.parts().nonce, 99})
            .text()};
    EXPECT_EQ(refusal({another, "orders", true}).code(), exit_code::misused);
    EXPECT_EQ(refusal({in_accounts_.text(), "orders", true}).code(), exit_code::misused);
}

TEST_F(Resolve, RefusesABranchOfAnotherNodeAndOfATwin)
{
    auto parts = id_.parts();
    parts.node ^= 1;
    auto const of_other = assent::gtrid::make(parts);
    orders_.prepare_branch(branch(of_other, 2), "theirs", 1);
    parts = id_.parts();
    parts.nonce ^= 1;
    auto const of_twin = assent::gtrid::make(parts);
    orders_.prepare_branch(branch(of_twin, 2), "copy", 1);

    EXPECT_EQ(refusal({std::string{of_other.text()}, "orders", true}).code(), exit_code::misused);
    EXPECT_THAT(refusal({std::string{of_twin.text()}, "orders", true}).what(), HasSubstr("twin"));
    EXPECT_EQ(orders_.fate(branch(of_other, 2)), branch_fate::prepared);
    EXPECT_EQ(orders_.fate(branch(of_twin, 2)), branch_fate::prepared);
}

TEST_F(Resolve, RefusesOneOfTwoBranchesThatIsNotNamed)
{
    assent::xid const second{id_, assent::bqual::make({2, 2, 0})};
    orders_.prepare_branch(second, "another", 1);

    EXPECT_THAT(refusal().what(), HasSubstr("gtrid.bqual"));

    EXPECT_EQ(
        resolve(desk_.from, {second.text(), "orders", false}, acting_desk::confirmed(), all_).code,
        exit_code::fine);
    EXPECT_EQ(orders_.fate(second), branch_fate::rolled_back);
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
}

TEST_F(Resolve, RefusesABranchWhoseSessionLives)
{
    auto const session = orders_.connect();
    auto& driver = *all_.at(1).driver();
    auto const until = std::chrono::steady_clock::now() + 5s;
    auto const manage = driver.connect(assent::session_purpose::manage, until);
    auto const start = driver.preflight(*manage, until).server_start;
    // As an epoch notes it: with the histories that it saw, and the node's count.
    auto const kept = prepared_by(session->id(), start + "|.2a|#44");
    auto const end = [&](assent::xid const& which) {
        return resolve(desk_.from, {which.text(), "orders", true}, acting_desk::confirmed(), all_);
    };

    auto const why = refused([&] { end(kept); });

    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(why.what(), HasSubstr("session " + std::to_string(session->id())));
    EXPECT_EQ(orders_.fate(kept), branch_fate::prepared);
    EXPECT_EQ(desk_.seen().newest.writer.epoch, 2U);

    // Another start of the server has ended that session, whoever has its number now.
    auto const of_before = prepared_by(session->id(), "of another day|.2a|#44");
    EXPECT_EQ(end(of_before).code, exit_code::fine);
    EXPECT_EQ(orders_.fate(of_before), branch_fate::committed);
}

TEST_F(Resolve, RefusesWhileACopyOfTheLogHoldsTheLock)
{
    auto const& driver = *all_.at(1).driver();
    auto& other = const_cast<assent::resource_manager_driver&>(driver);
    auto const until = std::chrono::steady_clock::now() + 5s;
    auto const guardian = other.connect(assent::session_purpose::guardian, until);
    ASSERT_TRUE(other.try_guard(*guardian, node_, until));

    auto const why = refused([&] { run(true); });

    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(why.what(), HasSubstr("holds this node's lock in \"orders\""));
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
    EXPECT_THAT(desk_.seen().image.operator_records(), SizeIs(0));
}

TEST_F(Resolve, RefusesAnotherDatabaseAStandbyAndSilence)
{
    orders_.script().on(driver_call::scan).fail("its disk is full");
    EXPECT_EQ(refusal().code(), exit_code::failed);
    orders_.set_writable(false);
    EXPECT_EQ(refusal().code(), exit_code::attention);
    orders_.set_writable(true);
    orders_.set_identity("another server");
    EXPECT_EQ(refusal().code(), exit_code::attention);
}

TEST_F(Resolve, RefusesBesideALiveOwner)
{
    auto const owner = desk_.open_log();

    EXPECT_EQ(refused([&] { run(true); }).code(), exit_code::owned);
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
    EXPECT_THAT(owner->operator_records(), SizeIs(0));
}

TEST_F(Resolve, InterruptedAtAnyStepAndRunAgainItEndsTheSame)
{
    decide();
    for (std::string const at : {"own", "look", "audit", "hazard", "send", "outcome"}) {
        SCOPED_TRACE(at);
        auto how = acting_desk::confirmed();
        how.on_step = [&](std::string const& step) {
            if (step == at) throw interrupted{};
        };
        EXPECT_THROW(run(false, how), interrupted);
        bool const was_sent = at == "outcome";
        EXPECT_EQ(orders_.fate(in_orders_),
                  was_sent ? branch_fate::rolled_back : branch_fate::prepared);
        bool const is_recorded = at == "send" || at == "outcome";
        EXPECT_EQ(recorded() == outcome::by_person, is_recorded);
    }
    // It was sent, and the log has not heard of the answer.
    EXPECT_EQ(known_databases(desk_.from, desk_.seen()).at(1).branches_due, 1u);

    auto const again = run(false);

    EXPECT_EQ(again.code, exit_code::fine);
    EXPECT_TRUE(again.has_acted);
    EXPECT_EQ(known_databases(desk_.from, desk_.seen()).at(1).branches_due, 0u);
    EXPECT_EQ(recorded(), outcome::by_person);
    EXPECT_THAT(heuristics(), Contains(assent::xa_code::heurhaz));
    auto const third = run(false);
    EXPECT_FALSE(third.has_acted);
    EXPECT_EQ(third.code, exit_code::attention);
    EXPECT_THAT(third.attention, ElementsAre(HasSubstr("nobody can say")));
    EXPECT_EQ(refused([&] { run(true); }).code(), exit_code::misused);
}

TEST_F(Resolve, WhatWasWantedAndNeverSentIsNotSaidToBeDone)
{
    decide();
    auto how = acting_desk::confirmed();
    how.on_step = [](std::string const& step) {
        if (step == "send") throw interrupted{};
    };
    EXPECT_THROW(run(false, how), interrupted);
    run(true);
    ASSERT_EQ(orders_.fate(in_orders_), branch_fate::committed);

    auto const told = run(false);

    EXPECT_FALSE(told.has_acted);
    EXPECT_EQ(told.done, "");
    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("nobody can say")));
}

TEST_F(Resolve, AnAnswerThatWasLostIsAskedForAgain)
{
    decide();
    orders_.script().on(assent::verb::rollback).lose_after_effect();
    auto const told = run(false);
    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("a hazard is on record")));
    EXPECT_THAT(heuristics(), ElementsAre(assent::xa_code::heurhaz));
    EXPECT_EQ(known_databases(desk_.from, desk_.seen()).at(1).branches_due, 0u);
}

TEST_F(Resolve, WhatTheServerRefusesStaysAndIsSaidToBeSo)
{
    decide();
    assent::reply no;
    no.code = assent::xa_code::retry;
    no.text = "the disk is full";
    orders_.script().on(assent::verb::commit).reply_without_effect(no);

    auto const told = run(true);

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("the disk is full, and still has it")));
    auto const again = run(true);
    EXPECT_EQ(again.code, exit_code::fine) << ::testing::PrintToString(again.attention);
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::committed);
}

TEST_F(Resolve, ABranchThatVanishesBeforeItsCommitIsAHazard)
{
    decide();
    auto how = acting_desk::confirmed();
    how.on_step = [&](std::string const& step) {
        if (step == "send") orders_.settle(in_orders_, false);
    };

    auto const told = run(true, how);

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(heuristics(), ElementsAre(assent::xa_code::heurhaz));
    EXPECT_EQ(known_databases(desk_.from, desk_.seen()).at(1).branches_due, 0u);
}

}  // namespace
