// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What forget takes away, what it refuses, and that a kill at any step changes nothing of that.

#include "recovery/cli/forget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <assent/testing.hpp>

#include "recovery/cli/status.hpp"
#include "tests/unit/cli/acting.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

assent::xid branch_of(assent::gtrid const& which, std::uint16_t id)
{
    return {which, assent::bqual::make({id, 1, 4711})};
}

/// A closed log in which a transaction was committed in accounts, and something else happened twice
/// in orders, and once in accounts.
class Forget : public ::testing::Test
{
protected:
    Forget()
    {
        auto const log = desk_.open_log();
        log->bind("accounts", "postgresql", "server-a");
        log->bind("orders", "mariadb", "server-o");
        id_ = assent::gtrid::make(
            {assent::decision_place::log, 0, log->node(), 1, log->current().nonce, 1});
        other_ = assent::gtrid::make(
            {assent::decision_place::log, 0, log->node(), 1, log->current().nonce, 2});
        record(*log, id_, "orders", 2, "rolled back behind our back");
        record(*log, id_, "orders", 2, "and nobody knows why");
        record(*log, id_, "accounts", 1, "it was missing");
    }

    static void record(assent::log::file_log& log, assent::gtrid const& which, char const* where,
                       std::uint16_t id, char const* text)
    {
        log.record(assent::ports::heuristic_record{branch_of(which, id), where,
                                                   assent::xa_code::heurrb, text, 5'000});
    }

    exit_code status() const { return make_status(desk_.from, desk_.seen()).code; }
    std::string name() const { return std::string{id_.text()}; }
    act_report run(act_options const& how = acting_desk::confirmed()) const
    {
        return forget(desk_.from, {name(), ""}, how);
    }

    acting_desk desk_;
    assent::gtrid id_;
    assent::gtrid other_;
};

TEST_F(Forget, TakesThemAwayAndSaysWhoDidIt)
{
    EXPECT_EQ(status(), exit_code::attention);

    auto const told = run();

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_TRUE(told.has_acted);
    EXPECT_THAT(told.plan, SizeIs(3));
    EXPECT_EQ(told.epoch, 2U);
    EXPECT_EQ(status(), exit_code::fine);
    auto const view = desk_.seen();
    EXPECT_THAT(view.image.heuristics(), SizeIs(0));
    ASSERT_THAT(view.image.operator_records(), SizeIs(2));
    EXPECT_EQ(view.image.operator_records().front().who, "uid 1000 (ann)");
    EXPECT_EQ(view.image.operator_records().front().why, "compared and repaired");

    auto const again = run();
    EXPECT_EQ(again.code, exit_code::fine);
    EXPECT_FALSE(again.has_acted);
    EXPECT_THAT(again.done, HasSubstr("it was forgotten before, by uid 1000 (ann)"));
    EXPECT_EQ(desk_.seen().newest.writer.epoch, 2U);
}

TEST_F(Forget, TakesOnlyWhatOneDatabaseDid)
{
    auto const told = forget(desk_.from, {name(), "orders"}, acting_desk::confirmed());

    EXPECT_THAT(told.plan, SizeIs(2));
    auto const view = desk_.seen();
    ASSERT_THAT(view.image.heuristics(), SizeIs(1));
    EXPECT_EQ(view.image.heuristics().front().resource_manager, "accounts");

    // The same, by the name of the branch.
    forget(desk_.from, {branch_of(id_, 1).text(), ""}, acting_desk::confirmed());
    EXPECT_EQ(status(), exit_code::fine);
}

TEST_F(Forget, TakesNothingThatItHasNotShown)
{
    record(*desk_.open_log(), id_, "orders2", 2, "found again under another name");

    auto const why = refused([&] {
        forget(desk_.from, {name(), "orders"}, acting_desk::confirmed());
    });

    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(why.what(), HasSubstr("in \"orders2\", which would be forgotten too"));
    EXPECT_THAT(run().plan, SizeIs(4));
}

TEST_F(Forget, ChangesNothingBeforeItIsConfirmed)
{
    auto how = acting_desk::confirmed();
    how.is_dry_run = true;
    auto const dry = run(how);
    EXPECT_EQ(dry.code, exit_code::fine);
    EXPECT_FALSE(dry.has_acted);
    EXPECT_THAT(in_words(dry, painter{false}), HasSubstr("nothing was done: --dry-run"));
    auto const said = json::parse(in_json(dry));
    EXPECT_EQ(said.at("command"), "forget");
    EXPECT_EQ(said.at("subject"), name());
    EXPECT_EQ(said.at("is_dry_run"), true);
    EXPECT_EQ(said.at("has_acted"), false);
    EXPECT_THAT(said.at("plan"), SizeIs(3));
    EXPECT_EQ(said.at("done"), nullptr);

    how = acting_desk::confirmed();
    how.is_confirmed = false;
    EXPECT_EQ(run(how).code, exit_code::misused);
    EXPECT_THAT(run(how).attention, ElementsAre(HasSubstr("--yes")));
    how.ask = [](act_report const&) { return "yes"; };
    EXPECT_EQ(run(how).code, exit_code::misused);
    EXPECT_EQ(desk_.seen().newest.writer.epoch, 1U);
    EXPECT_THAT(desk_.seen().image.heuristics(), SizeIs(3));

    how.ask = [](act_report const& shown) { return shown.name; };
    EXPECT_TRUE(run(how).has_acted);
    EXPECT_EQ(status(), exit_code::fine);
}

TEST_F(Forget, RefusesWhatItCannotMean)
{
    auto const code_of = [&](std::string const& which, std::string const& where = {}) {
        return refused([&] {
                   forget(desk_.from, {which, where}, acting_desk::confirmed());
               })
            .code();
    };
    auto parts = id_.parts();
    EXPECT_EQ(code_of("asn1"), exit_code::misused);
    EXPECT_EQ(code_of(std::string{other_.text()}), exit_code::misused);
    EXPECT_EQ(code_of(name(), "ledger"), exit_code::misused);
    EXPECT_EQ(code_of(branch_of(id_, 3).text()), exit_code::misused);
    parts.node += 1;
    EXPECT_EQ(code_of(std::string{assent::gtrid::make(parts).text()}), exit_code::misused);
    parts = id_.parts();
    parts.nonce ^= 1;
    EXPECT_EQ(code_of(std::string{assent::gtrid::make(parts).text()}), exit_code::misused);
    EXPECT_EQ(desk_.seen().newest.writer.epoch, 1U) << "nothing was changed";
}

TEST_F(Forget, RefusesBesideALiveOwner)
{
    auto const owner = desk_.open_log();

    auto const why = refused([&] { run(); });

    EXPECT_EQ(why.code(), exit_code::owned);
    EXPECT_THAT(why.what(), HasSubstr("process " + std::to_string(::getpid()) + " owns the log"));
    EXPECT_THAT(owner->heuristics(), SizeIs(3));
}

TEST_F(Forget, RefusesADamagedLogAndAMissingOne)
{
    auto from = desk_.from;
    from.log_directory += "-not-there";
    EXPECT_EQ(refused([&] {
                  forget(from, {name(), ""}, acting_desk::confirmed());
              }).code(),
              exit_code::misused);

    // The header of its segment.
    auto const segment = desk_.from.log_directory + "/0000000000000001.seg";
    auto* const file = std::fopen(segment.c_str(), "r+");
    ASSERT_NE(file, nullptr);
    std::fseek(file, 200, SEEK_SET);
    std::fputc('x', file);
    std::fclose(file);
    EXPECT_EQ(refused([&] { run(); }).code(), exit_code::failed);
}

TEST_F(Forget, WaitsForABranchThatIsStillToBeFinished)
{
    {
        auto const log = desk_.open_log();
        id_ = assent::gtrid::make(
            {assent::decision_place::log, 0, log->node(), 2, log->current().nonce, 1});
        log->force({id_, {branch_of(id_, 1).branch, branch_of(id_, 2).branch}},
                   std::chrono::steady_clock::now() + std::chrono::seconds{5});
        record(*log, id_, "orders", 2, "told by a person to roll back");
    }

    EXPECT_EQ(refused([&] { run(); }).code(), exit_code::attention);

    {
        auto const log = desk_.open_log();
        log->note_finished(branch_of(id_, 2));
    }
    EXPECT_TRUE(run().has_acted);
}

/// What a commit row decides is not in the log: only the database knows whether it is over.
TEST_F(Forget, KeepsWhatACommitRowDecidesWhileADatabaseHasItPrepared)
{
    assent::testing::memory_database const orders;
    assent::testing::memory_database changing = orders;
    std::vector<assent::resource_manager> const all{
        assent::testing::memory_resource_manager{"orders", orders}};
    {
        auto const log = desk_.open_log();
        log->record(assent::log::rebinding_record{2, 0, 1'000, "server-o", orders.identity(), "ann",
                                                  "promoted"});
        id_ = assent::gtrid::make(
            {assent::decision_place::commit_row, 1, log->node(), 1, id_.parts().nonce, 9});
        record(*log, id_, "orders", 2, "told by a person to roll back");
    }
    desk_.from.databases[1].kind = database_kind::odbc;
    auto const act = [&] {
        return forget(desk_.from, {name(), ""}, acting_desk::confirmed(), [&] { return all; });
    };
    changing.prepare_branch(branch_of(id_, 2), "row", 7);

    auto const why = refused([&] { act(); });
    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(why.what(), HasSubstr("decided by a commit row and still prepared"));

    changing.crash_server();
    EXPECT_THAT(refused([&] { act(); }).what(),
                HasSubstr("does not tell whether it is still prepared"));

    changing.restart();
    changing.settle(branch_of(id_, 2), false);
    EXPECT_TRUE(act().has_acted);
}

TEST_F(Forget, KilledAtAnyStepAndRunAgainItEndsTheSame)
{
    auto const act = [this](act_options const& how) { run(how); };
    for (auto const& [step, nth] :
         {std::pair{"own", 1}, {"record", 1}, {"record", 2}, {"end", 1}}) {
        SCOPED_TRACE(step);
        ASSERT_TRUE(is_killed_at(step, nth, act));
        if (std::string{step} == "end") break;
        EXPECT_EQ(status(), exit_code::attention);
    }
    EXPECT_EQ(status(), exit_code::fine) << "the last record was forced before the kill";
    EXPECT_FALSE(run().has_acted);
    EXPECT_THAT(desk_.seen().image.operator_records(), SizeIs(2)) << "one for each branch";
}

TEST_F(Forget, TakesTheStepsThatAreKilled)
{
    EXPECT_THAT(steps_of([this](act_options const& how) { run(how); }),
                ElementsAre("own", "record", "record", "end"));
}

}  // namespace
