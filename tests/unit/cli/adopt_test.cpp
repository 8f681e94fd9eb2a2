// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// How a person ends a branch of a node whose log is lost: what is recorded, what is refused, and
// what an interrupted one leaves.

#include "recovery/cli/adopt.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <stdexcept>

#include "recovery/cli/forget.hpp"
#include "recovery/cli/json.hpp"
#include "recovery/cli/show.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"
#include "tests/unit/cli/acted_on.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using namespace std::chrono_literals;
using assent::testing::branch_fate;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using outcome = assent::ports::recorded_outcome;

struct interrupted : std::runtime_error
{
    interrupted() : std::runtime_error{"interrupted"} {}
};

/// A transaction of a node whose log is gone, prepared in both databases.
class Adopt : public acted_on
{
protected:
    Adopt()
    {
        auto const log = desk_.open_log();
        log->bind("accounts", "memory", accounts_.identity());
        log->bind("orders", "memory", orders_.identity());
        own_ = log->node();
        lost_ = assent::gtrid::make(
            {assent::decision_place::log, 0, own_ ^ 1, 3, log->current().nonce ^ 5, 44});
        in_accounts_ = branch(lost_, 9);
        in_orders_ = branch(lost_, 8);
        accounts_.prepare_branch(in_accounts_, "ann", 7);
        orders_.prepare_branch(in_orders_, "order", 7);
    }

    act_report run(bool is_commit, act_options const& how = acting_desk::confirmed()) const
    {
        return adopt(desk_.from, {std::string{lost_.text()}, "orders", is_commit}, how, all());
    }
    failure refusal(resolve_request const& what) const
    {
        auto why = refused([&] { adopt(desk_.from, what, acting_desk::confirmed(), all()); });
        EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
        EXPECT_THAT(desk_.seen().image.operator_records(), SizeIs(0));
        return why;
    }

    std::uint64_t own_ = 0;
    assent::gtrid lost_;
    assent::xid in_accounts_;
    assent::xid in_orders_;
};

TEST_F(Adopt, EndsOneBranchAndPutsItOnRecord)
{
    auto const told = run(false);

    EXPECT_EQ(told.code, exit_code::fine) << ::testing::PrintToString(told.attention);
    EXPECT_TRUE(told.has_acted);
    EXPECT_THAT(told.plan.front(), HasSubstr("epoch 3, sequence 44; its decision, if there was"));
    EXPECT_THAT(told.plan, Contains(HasSubstr("\"accounts\" lists a branch of it, too")));
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::rolled_back);
    EXPECT_EQ(accounts_.fate(in_accounts_), branch_fate::prepared) << "nobody asked for that one";
    auto const view = desk_.seen();
    ASSERT_THAT(view.image.operator_records(), SizeIs(1));
    EXPECT_EQ(view.image.operator_records().front().branch, in_orders_);
    EXPECT_EQ(view.image.operator_records().front().who, "uid 1000 (ann)");
    ASSERT_THAT(view.image.heuristics(), SizeIs(2));
    EXPECT_THAT(view.image.heuristics().front().text, HasSubstr("whose log is lost"));
    EXPECT_EQ(desk_.open_log()->outcome(lost_), outcome::by_person);
    EXPECT_EQ(show(lost_, scan(desk_.from, all())).outcome, "ended by a person");

    EXPECT_EQ(make_status(desk_.from, desk_.seen()).code, exit_code::attention);
    forget(desk_.from, {std::string{lost_.text()}, ""}, acting_desk::confirmed());
    EXPECT_EQ(make_status(desk_.from, desk_.seen()).code, exit_code::fine);
    EXPECT_EQ(desk_.open_log()->outcome(lost_), outcome::by_person) << "that is not forgotten";
}

TEST_F(Adopt, CommitsAsWell)
{
    EXPECT_EQ(run(true).code, exit_code::fine);
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::committed);
    auto const again = run(true);
    EXPECT_FALSE(again.has_acted);
    EXPECT_THAT(again.done, HasSubstr("a person had it committed before"));
    EXPECT_EQ(refused([&] { run(false); }).code(), exit_code::misused);
}

TEST_F(Adopt, TakesTheRecordOfOneDatabaseForNoOther)
{
    EXPECT_EQ(run(false).code, exit_code::fine);

    auto const elsewhere = refused([&] {
        adopt(desk_.from, {in_orders_.text(), "accounts", false}, acting_desk::confirmed(), all());
    });

    EXPECT_EQ(elsewhere.code(), exit_code::misused);
    EXPECT_THAT(elsewhere.what(), HasSubstr("\"accounts\" lists no such branch"));
    EXPECT_THAT(run(false).done, HasSubstr("a person had it rolled back before"));
}

TEST_F(Adopt, ChangesNothingBeforeItIsConfirmed)
{
    auto how = acting_desk::confirmed();
    how.is_dry_run = true;
    EXPECT_THAT(run(false, how).plan, SizeIs(5));
    how = acting_desk::confirmed();
    how.is_confirmed = false;
    how.ask = [](act_report const& shown) { return shown.name + "?"; };
    EXPECT_EQ(run(false, how).code, exit_code::misused);
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
    EXPECT_EQ(desk_.seen().newest.writer.epoch, 1U);
}

TEST_F(Adopt, RefusesItsOwnNodeAndWhatIsNotThere)
{
    auto parts = lost_.parts();
    parts.node = own_;
    auto const own = std::string{assent::gtrid::make(parts).text()};
    EXPECT_THAT(refusal({own, "orders", false}).what(), HasSubstr("of this node itself"));
    EXPECT_EQ(refusal({"asn1", "orders", false}).code(), exit_code::misused);
    EXPECT_EQ(refusal({std::string{lost_.text()}, "ledger", false}).code(), exit_code::misused);
    parts = lost_.parts();
    parts.sequence += 1;
    auto const other = std::string{assent::gtrid::make(parts).text()};
    EXPECT_EQ(refusal({other, "orders", false}).code(), exit_code::misused);
    orders_.prepare_branch(branch(lost_, 7), "another one", 7);
    EXPECT_THAT(refusal({std::string{lost_.text()}, "orders", false}).what(),
                HasSubstr("name one of them"));
    EXPECT_EQ(
        adopt(desk_.from, {in_orders_.text(), "orders", false}, acting_desk::confirmed(), all())
            .code,
        exit_code::fine);
    EXPECT_EQ(orders_.fate(branch(lost_, 7)), branch_fate::prepared);
}

TEST_F(Adopt, RefusesANodeThatIsAtWork)
{
    auto const databases = all();
    auto& driver = *databases.at(1).driver();
    auto const until = std::chrono::steady_clock::now() + 30s;
    auto const guardian = driver.connect(assent::session_purpose::guardian, until);
    ASSERT_TRUE(driver.try_guard(*guardian, own_ ^ 1, until));

    auto const why = refused([&] { run(false); });

    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(why.what(), HasSubstr("is not lost"));
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
    EXPECT_THAT(desk_.seen().image.operator_records(), SizeIs(0));
}

TEST_F(Adopt, RefusesBesideALiveOwnerOfItsOwnLog)
{
    auto const owner = desk_.open_log();
    EXPECT_EQ(refused([&] { run(false); }).code(), exit_code::owned);
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
}

TEST_F(Adopt, RefusesAStandbyAndSilence)
{
    orders_.script().on(assent::testing::driver_call::scan).fail("its disk is full");
    EXPECT_EQ(refusal({std::string{lost_.text()}, "orders", false}).code(), exit_code::failed);
    orders_.set_writable(false);
    EXPECT_EQ(refusal({std::string{lost_.text()}, "orders", false}).code(), exit_code::attention);
    orders_.set_writable(true);
    orders_.set_identity("another server");
    EXPECT_EQ(refusal({std::string{lost_.text()}, "orders", false}).code(), exit_code::attention);
}

TEST_F(Adopt, InterruptedAtAnyStepAndRunAgainItEndsTheSame)
{
    for (std::string const at : {"own", "look", "audit", "hazard", "send"}) {
        SCOPED_TRACE(at);
        auto how = acting_desk::confirmed();
        how.on_step = [&](std::string const& step) {
            if (step == at) throw interrupted{};
        };
        EXPECT_THROW(run(false, how), interrupted);
        EXPECT_EQ(orders_.fate(in_orders_), branch_fate::prepared);
        bool const is_recorded = at == "send";
        EXPECT_EQ(desk_.open_log()->outcome(lost_) == outcome::by_person, is_recorded);
    }
    EXPECT_EQ(run(false).code, exit_code::fine);
    EXPECT_EQ(orders_.fate(in_orders_), branch_fate::rolled_back);

    auto how = acting_desk::confirmed();
    how.on_step = [&](std::string const& step) {
        if (step == "outcome") throw interrupted{};
    };
    auto const in_accounts = [&](act_options const& with) {
        return adopt(desk_.from, {in_accounts_.text(), "accounts", true}, with, all());
    };
    EXPECT_THROW(in_accounts(how), interrupted);
    EXPECT_EQ(accounts_.fate(in_accounts_), branch_fate::committed);
    auto const again = in_accounts(acting_desk::confirmed());
    EXPECT_EQ(again.code, exit_code::attention) << "its answer is not on record";
    EXPECT_THAT(again.attention, ElementsAre(HasSubstr("nobody can say")));
}

TEST_F(Adopt, ScanListsSuchBranchesAndSaysWhatLeadsOn)
{
    auto const seen = scan(desk_.from, all());

    EXPECT_EQ(seen.report.code, exit_code::fine) << "they are no doubt of this node";
    auto const words = in_words(seen.report, painter{false});
    EXPECT_THAT(words, HasSubstr(in_orders_.text() + "  of node "));
    EXPECT_THAT(words, HasSubstr("see assent adopt"));
    auto const said = nlohmann::json::parse(in_json(seen.report));
    EXPECT_EQ(said.at("databases").at(1).at("of_other_nodes").at(0).at("xid"), in_orders_.text());
}

}  // namespace
