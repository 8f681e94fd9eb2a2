// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// How a person gives a database up: what was due there becomes hazards, its name is free, and a
// manager that is opened afterwards misses nothing.

#include "recovery/cli/retire.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <thread>

#include <assent/testing.hpp>
#include <assent/transaction_manager.hpp>

#include <nlohmann/json.hpp>

#include "recovery/cli/forget.hpp"
#include "recovery/cli/json.hpp"
#include "recovery/cli/resolve.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/status.hpp"
#include "tests/unit/cli/acted_on.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using namespace std::chrono_literals;
using assent::testing::branch_fate;
using assent::testing::memory_database;
using assent::testing::memory_resource_manager;
using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Two decided transactions, prepared in both databases, of a process that is gone.
class Retire : public acted_on
{
protected:
    Retire()
    {
        auto const log = desk_.open_log();
        log->bind("accounts", "memory", accounts_.identity());
        log->bind("orders", "memory", orders_.identity());
        for (int i = 1; i <= 2; ++i) {
            auto const& id = decide(*log, "ann");
            orders_.prepare_branch(branch(id, 2), "order" + std::to_string(i), 7);
        }
        orders_.crash_server();
    }

    act_report run(act_options const& how = acting_desk::confirmed()) const
    {
        return retire(desk_.from, "orders", how, all());
    }
    /// The configuration after the person has taken the database out.
    configuration without_orders() const
    {
        auto from = desk_.from;
        from.databases.pop_back();
        return from;
    }
    status_report status() const { return make_status(without_orders(), desk_.seen()); }

    /// A transaction over both whose decision is a row in one of them; `end` ends it.
    assent::gtrid decide_by_row(std::string const& place,
                                std::function<void(assent::transaction&)> const& end);
};

assent::options quick(configuration const& from)
{
    assent::limits bounds;
    bounds.presumed_abort_delay = 0ms;
    bounds.scan_interval = 50ms;
    return assent::options{}.log_directory(from.log_directory).node_label("shop").limits(bounds);
}

assent::gtrid Retire::decide_by_row(std::string const& place,
                                    std::function<void(assent::transaction&)> const& end)
{
    orders_.restart();
    assent::transaction_manager tm{quick(desk_.from)};
    auto const accounts = tm.add(memory_resource_manager{"accounts", accounts_});
    auto const orders = tm.add(memory_resource_manager{"orders", orders_});
    for (int i = 0; i < 500 && !(accounts_.prepared().empty() && orders_.prepared().empty()); ++i)
        std::this_thread::sleep_for(10ms);
    auto tx =
        tm.begin(assent::begin_options{}.commit_row(place == accounts.name() ? accounts : orders));
    assent::testing::memory_connection* const first = tx.lease(accounts);
    first->set("ann", 8);
    assent::testing::memory_connection* const second = tx.lease(orders);
    second->set("order", 8);
    auto const id = tx.id();
    end(tx);
    tm.close(std::chrono::steady_clock::now() + 10ms);
    return id;
}

TEST_F(Retire, WhatWasDueThereBecomesHazardsAndThenNothingIsMissed)
{
    EXPECT_EQ(status().code, exit_code::attention);

    auto const told = run();

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_TRUE(told.has_acted);
    EXPECT_THAT(told.plan, SizeIs(4));
    EXPECT_THAT(told.plan.front(), HasSubstr("it does not answer"));
    auto const view = desk_.seen();
    ASSERT_THAT(view.image.heuristics(), SizeIs(2));
    EXPECT_EQ(view.image.heuristics().front().branch, branch(ids_[0], 2));
    EXPECT_EQ(view.image.heuristics().front().code, assent::xa_code::heurhaz);
    EXPECT_EQ(view.image.retirements().at(2).who, "uid 1000 (ann)");
    {
        assent::transaction_manager tm{quick(desk_.from)};
        tm.add(memory_resource_manager{"accounts", accounts_});
        EXPECT_TRUE(becomes_drained(tm));
        EXPECT_EQ(tm.state().resource_managers.size(), 1u);
        EXPECT_EQ(tm.outcome(ids_[0]), assent::known_outcome::committed) << "that was decided";
        EXPECT_TRUE(tm.close(std::chrono::steady_clock::now() + 5s).is_drained);
    }
    EXPECT_THAT(accounts_.prepared(), SizeIs(0));
    EXPECT_EQ(status().code, exit_code::attention) << "the hazards";
    for (auto const& id : ids_)
        forget(desk_.from, {std::string{id.text()}, ""}, acting_desk::confirmed());
    EXPECT_EQ(status().code, exit_code::fine);
    auto const said = json::parse(in_json(status()));
    EXPECT_EQ(said.at("resource_managers").at(1).at("is_retired"), true);
    EXPECT_EQ(said.at("operator_records").at(2).at("decided"), "give up \"orders\"");
}

TEST_F(Retire, TheNameIsFreeAndWhatComesBackIsQuarantined)
{
    run();
    orders_.restart();
    memory_database renewed;
    {
        assent::transaction_manager tm{quick(desk_.from)};
        tm.add(memory_resource_manager{"accounts", accounts_});
        auto const orders = tm.add(memory_resource_manager{"orders", renewed});
        auto tx = tm.begin();
        assent::testing::memory_connection* const on = tx.lease(orders);
        on->set("order", 8);
        EXPECT_EQ(tx.commit(), assent::outcome::committed);
        // The old one is found again: it is another database now, by whatever name.
        tm.add(memory_resource_manager{"old-orders", orders_});
        for (int i = 0; i < 500 && tm.state().quarantined.size() < 2; ++i)
            std::this_thread::sleep_for(10ms);
        EXPECT_THAT(tm.state().quarantined, SizeIs(2));
    }
    EXPECT_EQ(renewed.value("order"), 8);
    EXPECT_EQ(orders_.fate(branch(ids_[0], 2)), branch_fate::prepared);
    EXPECT_EQ(desk_.seen().image.bindings().at(3).name, "orders");

    // A person ends it there.
    auto from = desk_.from;
    from.databases.push_back({"old-orders", database_kind::odbc, {}, false});
    auto databases = std::vector<assent::resource_manager>{
        memory_resource_manager{"accounts", accounts_}, memory_resource_manager{"orders", renewed},
        memory_resource_manager{"old-orders", orders_}};
    auto const ended = resolve(from, {std::string{ids_[0].text()}, "old-orders", true},
                               acting_desk::confirmed(), databases);
    EXPECT_EQ(ended.code, exit_code::fine);
    EXPECT_EQ(orders_.fate(branch(ids_[0], 2)), branch_fate::committed);
}

TEST_F(Retire, ADatabaseThatAnswersIsNotGone)
{
    orders_.restart();

    auto const why = refused([&] { run(); });

    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(why.what(), HasSubstr("2 branches of this node are prepared there"));
    EXPECT_FALSE(desk_.seen().image.bindings().at(2).is_retired);
    EXPECT_EQ(desk_.seen().newest.writer.epoch, 1U);
}

TEST_F(Retire, ADatabaseWithNothingIsGivenUpWithoutHazards)
{
    orders_.restart();
    {
        assent::transaction_manager tm{quick(desk_.from)};
        tm.add_any(all()[0]);
        tm.add_any(all()[1]);
        EXPECT_TRUE(becomes_drained(tm));
    }

    auto const told = run();

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_THAT(told.plan.front(), HasSubstr("it answers, and has nothing of this node"));
    EXPECT_THAT(desk_.seen().image.heuristics(), SizeIs(0));
    EXPECT_EQ(status().code, exit_code::fine);
}

TEST_F(Retire, RefusesANameThatIsNotBoundALiveOwnerAndWhoDoesNotConfirm)
{
    auto const why =
        refused([&] { retire(desk_.from, "ledger", acting_desk::confirmed(), all()); });
    EXPECT_EQ(why.code(), exit_code::misused);
    EXPECT_THAT(why.what(), HasSubstr("it has: accounts, orders"));
    auto how = acting_desk::confirmed();
    how.is_confirmed = false;
    how.ask = [](act_report const&) { return "yes"; };
    EXPECT_EQ(run(how).code, exit_code::misused);
    how.is_dry_run = true;
    EXPECT_EQ(run(how).code, exit_code::fine);
    EXPECT_EQ(desk_.seen().newest.writer.epoch, 1U);
    {
        auto const owner = desk_.open_log();
        EXPECT_EQ(refused([&] { run(); }).code(), exit_code::owned);
    }
    EXPECT_THAT(desk_.seen().image.retirements(), SizeIs(0));
}

TEST_F(Retire, KilledAtAnyStepAndRunAgainItEndsTheSame)
{
    // Nothing but the log is changed, so a process of its own may do it.
    auto const act = [this](act_options const& how) { run(how); };
    for (auto const& [step, nth, hazards] : {std::tuple{"own", 1, 0u},
                                             {"look", 1, 0u},
                                             {"audit", 1, 0u},
                                             {"hazard", 1, 0u},
                                             {"hazard", 2, 1u},
                                             {"end", 1, 2u}}) {
        SCOPED_TRACE(std::string{step} + std::to_string(nth));
        ASSERT_TRUE(is_killed_at(step, nth, act));
        auto const view = desk_.seen();
        EXPECT_THAT(view.image.heuristics(), SizeIs(hazards));
        EXPECT_EQ(view.image.bindings().at(2).is_retired,
                  step == std::string{"hazard"} || step == std::string{"end"});
        EXPECT_EQ(status().code, exit_code::attention);
    }

    auto const told = run();

    EXPECT_EQ(told.code, exit_code::fine);
    auto const view = desk_.seen();
    EXPECT_THAT(view.image.heuristics(), SizeIs(2));
    EXPECT_EQ(known_databases(desk_.from, view).at(1).branches_due, 0u);
    auto const again = run();
    EXPECT_FALSE(again.has_acted);
    EXPECT_THAT(again.done, HasSubstr("it was given up before, by uid 1000 (ann)"));
}

TEST_F(Retire, WhatACommitRowElsewhereDecidedIsAHazardToo)
{
    auto const id = decide_by_row("accounts", [this](assent::transaction& tx) {
        orders_.script().on(assent::verb::commit).crash_server_before_effect();
        EXPECT_EQ(tx.commit(), assent::outcome::committed_pending);
    });
    ASSERT_EQ(id.parts().place, assent::decision_place::commit_row);
    accounts_.crash_server();
    auto const blind = run();
    EXPECT_TRUE(blind.has_acted);
    EXPECT_EQ(blind.code, exit_code::attention);
    EXPECT_THAT(blind.attention, ElementsAre(HasSubstr("\"accounts\" could not be read")));
    EXPECT_THAT(desk_.seen().image.heuristics(), SizeIs(0));
    accounts_.restart();

    auto const told = run();

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_THAT(told.plan, Contains(HasSubstr(std::string{id.text()})));
    auto const view = desk_.seen();
    ASSERT_THAT(view.image.heuristics(), SizeIs(1));
    EXPECT_EQ(view.image.heuristics().front().branch.global, id);
    EXPECT_EQ(view.image.heuristics().front().branch.branch.parts().resource_manager, 2);
    forget(desk_.from, {std::string{id.text()}, ""}, acting_desk::confirmed());
    EXPECT_FALSE(run().has_acted) << "it was on record, and was forgotten";
    {
        assent::transaction_manager tm{quick(desk_.from)};
        tm.add(memory_resource_manager{"accounts", accounts_});
        EXPECT_TRUE(becomes_drained(tm));
        EXPECT_TRUE(tm.close(std::chrono::steady_clock::now() + 5s).is_drained);
        EXPECT_EQ(tm.outcome(id), assent::known_outcome::committed);
    }
}

TEST_F(Retire, WhatItsOwnCommitRowsDecidedIsLeftToResolve)
{
    auto const id = decide_by_row("orders", [this](assent::transaction& tx) {
        orders_.script().on(assent::verb::commit_one_phase).crash_server_after_effect();
        assent::diagnostics said;
        std::error_code ec;
        tx.commit(ec, said);
        EXPECT_EQ(ec, assent::errc::in_doubt);
    });
    ASSERT_THAT(accounts_.prepared(), SizeIs(1));
    orders_.restart();
    EXPECT_THAT(refused([&] { run(); }).what(), HasSubstr("waits for its commit rows"));
    orders_.crash_server();

    auto const told = run();

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_THAT(told.plan, Contains(HasSubstr("1 branch in other databases waits")));
    EXPECT_THAT(desk_.seen().image.heuristics(), SizeIs(0));
    auto const report = scan(without_orders(), {all()[0]}).report;
    EXPECT_EQ(report.databases.at(0).branches.at(0).action, "wait");
    EXPECT_THAT(report.databases.at(0).branches.at(0).why, HasSubstr("it was given up"));
    auto const ended = resolve(without_orders(), {std::string{id.text()}, "accounts", true},
                               acting_desk::confirmed(), {all()[0]});
    EXPECT_EQ(ended.code, exit_code::fine);
    EXPECT_EQ(accounts_.value("ann"), 8);
}

TEST_F(Retire, ScanSaysOfWhatIsLeftWhatItIs)
{
    run();

    auto const report = scan(without_orders(), {all()[0]}).report;

    EXPECT_THAT(report.databases, SizeIs(1));
    EXPECT_EQ(report.databases[0].branches.at(0).action, "commit");
}

}  // namespace
