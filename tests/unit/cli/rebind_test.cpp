// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// How a person says that another database took a bound one's place: what is believed of it then,
// and what is refused because it can be proved wrong.

#include "recovery/cli/rebind.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include <assent/testing.hpp>
#include <assent/transaction_manager.hpp>

#include "recovery/cli/status.hpp"
#include "tests/unit/cli/acted_on.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using namespace std::chrono_literals;
using assent::testing::branch_fate;
using assent::testing::driver_call;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Two decided transactions of a process that is gone; orders was replaced by a replica that has
/// one of the two branches.
class Rebind : public acted_on
{
protected:
    Rebind()
    {
        auto const log = desk_.open_log();
        log->bind("accounts", "memory", accounts_.identity());
        log->bind("orders", "memory", "the old server");
        node_ = log->node();
        decide(*log, "ann1");
        decide(*log, "ann2");
        orders_.prepare_branch(branch(ids_[0], 2), "order", 7);
    }

    act_report run(act_options const& how = acting_desk::confirmed()) const
    {
        return rebind(desk_.from, "orders", how, all());
    }
    failure refusal(std::string const& name = "orders") const
    {
        auto why = refused([&] { rebind(desk_.from, name, acting_desk::confirmed(), all()); });
        auto const view = desk_.seen();
        EXPECT_EQ(view.image.bindings().at(2).identity, "the old server");
        EXPECT_THAT(view.image.rebindings(), SizeIs(0));
        EXPECT_EQ(view.newest.writer.epoch, 1U) << "nothing was changed";
        return why;
    }

    std::uint64_t node_ = 0;
};

TEST_F(Rebind, WhatItListsIsCommittedAndWhatItLacksIsAHazard)
{
    auto const told = run();

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_TRUE(told.has_acted);
    EXPECT_THAT(told.plan.front(), HasSubstr("the old server, is " + orders_.identity()));
    EXPECT_THAT(told.plan, Contains(HasSubstr("it lists 1 branch that the log has decided")));
    EXPECT_THAT(told.plan, Contains(HasSubstr("it lacks 1 decided branch")));
    {
        assent::limits bounds;
        bounds.presumed_abort_delay = 0ms;
        bounds.scan_interval = 50ms;
        assent::transaction_manager tm{assent::options{}
                                           .log_directory(desk_.from.log_directory)
                                           .node_label("shop")
                                           .limits(bounds)};
        tm.add_any(all()[0]);
        tm.add_any(all()[1]);
        EXPECT_TRUE(becomes_drained(tm)) << tm.state().resource_managers[1].undrained;
    }
    EXPECT_EQ(orders_.fate(branch(ids_[0], 2)), branch_fate::committed);
    EXPECT_THAT(accounts_.prepared(), SizeIs(0));
    auto const view = desk_.seen();
    ASSERT_THAT(view.image.heuristics(), SizeIs(1));
    EXPECT_EQ(view.image.heuristics().front().branch, branch(ids_[1], 2));
    EXPECT_EQ(view.image.heuristics().front().code, assent::xa_code::heurhaz);
    auto const status = make_status(desk_.from, view);
    EXPECT_THAT(status.unfinished, SizeIs(0));
    ASSERT_THAT(status.operators, SizeIs(1));
    EXPECT_EQ(status.operators.front().verdict, "rebind \"orders\"");

    auto const again = run();
    EXPECT_FALSE(again.has_acted);
    EXPECT_THAT(again.done, HasSubstr("it is bound to the identity that it shows"));
}

TEST_F(Rebind, RefusesWhatItCanProveWrong)
{
    EXPECT_THAT(refusal("ledger").what(), HasSubstr("it has: accounts, orders"));
    orders_.set_writable(false);
    EXPECT_THAT(refusal().what(), HasSubstr("promote it first"));
    orders_.set_writable(true);
    auto const own = orders_.identity();
    orders_.set_identity(accounts_.identity());
    EXPECT_THAT(refusal().what(), HasSubstr("bound as \"accounts\" already"));
    orders_.set_identity(own);
    orders_.script().on(driver_call::preflight).fail("no route to host");
    EXPECT_EQ(refusal().code(), exit_code::failed);
    auto parts = ids_[0].parts();
    parts.nonce ^= 1;
    orders_.prepare_branch(branch(assent::gtrid::make(parts), 2), "copy", 1);
    EXPECT_THAT(refusal().what(), HasSubstr("twin"));
}

TEST_F(Rebind, RefusesWhileARowOfItIsAwaited)
{
    auto parts = ids_[0].parts();
    parts.place = assent::decision_place::commit_row;
    parts.place_resource_manager = 2;
    parts.sequence = 9;
    accounts_.prepare_branch(branch(assent::gtrid::make(parts), 1), "rowed", 1);

    EXPECT_THAT(refusal().what(), HasSubstr("resolve that branch first"));
}

TEST_F(Rebind, RefusesWhileAnotherDatabaseDoesNotTellWhatItHas)
{
    accounts_.crash_server();

    EXPECT_THAT(refusal().what(), HasSubstr("\"accounts\" does not tell what it has prepared"));
}

TEST_F(Rebind, RefusesWhileACopyOfTheLogHoldsTheLock)
{
    auto const managers = all();
    auto& driver = *managers[1].driver();
    auto const until = std::chrono::steady_clock::now() + 5s;
    auto const guardian = driver.connect(assent::session_purpose::guardian, until);
    ASSERT_TRUE(driver.try_guard(*guardian, node_, until));

    auto const why = refused([&] { run(); });

    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(desk_.seen().image.rebindings(), SizeIs(0));
}

TEST_F(Rebind, RefusesBesideALiveOwnerAndWhoDoesNotConfirm)
{
    auto how = acting_desk::confirmed();
    how.is_confirmed = false;
    EXPECT_EQ(run(how).code, exit_code::misused);
    how.is_dry_run = true;
    EXPECT_EQ(run(how).code, exit_code::fine);
    EXPECT_EQ(desk_.seen().newest.writer.epoch, 1U);
    auto const owner = desk_.open_log();
    EXPECT_EQ(refused([&] { run(); }).code(), exit_code::owned);
}

TEST_F(Rebind, KilledAtAnyStepAndRunAgainItEndsTheSame)
{
    // Nothing but the log is changed, so a process of its own may do it.
    auto const act = [this](act_options const& how) { run(how); };
    for (auto const* const step : {"own", "look", "audit", "end"}) {
        SCOPED_TRACE(step);
        ASSERT_TRUE(is_killed_at(step, 1, act));
        EXPECT_EQ(desk_.seen().image.bindings().at(2).identity,
                  std::string{step} == "end" ? orders_.identity() : "the old server");
    }
    EXPECT_FALSE(run().has_acted) << "it was forced before the kill";
    EXPECT_THAT(desk_.seen().image.rebindings(), SizeIs(1));
}

}  // namespace
