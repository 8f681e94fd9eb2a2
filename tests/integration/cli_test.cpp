// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// The operator's program on real servers, after the application was killed, and beside it.

#include "tests/integration/at_bank.hpp"
#include "tests/integration/cli_desk.hpp"

namespace {

using namespace assent::testing;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Cli : public AtBank
{
protected:
    void SetUp() override
    {
        log_ = bank_->new_log_directory();
        config_ = desk_.file("assent.toml", both_databases(log_, *bank_));
        // A session of the account that is older than a recovery keeps it from being drained.
        bank_->stop_looking();
    }

    answer assent(std::vector<std::string> words) const
    {
        words.insert(words.begin(), {"--config", config_});
        auto told = run_assent(words);
        EXPECT_THAT(told.out + told.err, Not(HasSubstr(bank_->mariadb().password())));
        EXPECT_THAT(told.out + told.err, Not(HasSubstr(bank_->postgresql().password())));
        return told;
    }

    answer recover(std::vector<std::string> more = {}) const
    {
        more.insert(more.begin(), {"--json", "recover", "--presumed-abort-delay", "0"});
        return assent(more);
    }

    void expect_whole(std::string const& transfer, bool is_there)
    {
        EXPECT_EQ(bank_->transfers_in_accounts().count(transfer), is_there ? 1u : 0u);
        EXPECT_EQ(bank_->transfers_in_orders().count(transfer), is_there ? 1u : 0u);
        AtBank::expect_whole();
        bank_->stop_looking();
    }

    desk desk_;
    std::string log_;
    std::string config_;
};

json by_name(json const& list, std::string const& name)
{
    for (auto const& each : list) {
        auto const key = each.contains("name") ? "name" : "resource_manager";
        if (each.at(key) == name) return each;
    }
    ADD_FAILURE() << name << " is not in " << list;
    return json::object();
}

std::vector<std::string> actions(json const& database)
{
    std::vector<std::string> all;
    for (auto const& branch : database.at("branches"))
        all.push_back(branch.at("action"));
    return all;
}

int done_in(json const& recovered)
{
    return recovered.at("committed").get<int>() + recovered.at("found_committed").get<int>();
}

// ---- after a kill ----------------------------------------------------------------------------

TEST_F(Cli, CommitsWhatWasDecidedBeforeTheKill)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");

    auto const status = assent({"--json", "status"});
    auto const scan = assent({"scan", "--json"});
    auto const show = assent({"show", id, "--json"});
    auto const metrics = assent({"metrics"});
    auto const untouched = assent({"--json", "status"});
    auto const done = recover();
    auto const after = assent({"--json", "scan"});
    auto const shown_after = assent({"--json", "show", id});

    EXPECT_EQ(status.status, 4);
    auto const said = status.json();
    EXPECT_EQ(said.at("exit_code"), 4);
    EXPECT_EQ(said.at("log").at("owner"), nullptr);
    EXPECT_EQ(said.at("log").at("epoch"), 1);
    ASSERT_EQ(said.at("to_be_finished").size(), 1u);
    EXPECT_EQ(said.at("to_be_finished")[0].at("gtrid"), id);
    EXPECT_EQ(said.at("to_be_finished")[0].at("branches").size(), 2u);
    EXPECT_EQ(by_name(said.at("resource_managers"), "orders").at("branches_due"), 1);
    EXPECT_EQ(untouched.json(), said);

    EXPECT_EQ(scan.status, 4);
    EXPECT_THAT(actions(by_name(scan.json().at("databases"), "accounts")), ElementsAre("commit"));
    EXPECT_THAT(actions(by_name(scan.json().at("databases"), "orders")), ElementsAre("commit"));

    EXPECT_EQ(metrics.status, 0) << metrics.err;
    EXPECT_THAT(metrics.out, HasSubstr("\nassent_branches{resource_manager=\"orders\",action="
                                       "\"commit\"} 1\n"));

    EXPECT_EQ(show.status, 4);
    EXPECT_EQ(show.json().at("outcome"), "committing");
    EXPECT_EQ(show.json().at("parts").at("epoch"), 1);
    EXPECT_EQ(show.json().at("parts").at("node"), said.at("log").at("node"));
    EXPECT_EQ(show.json().at("decision"), said.at("to_be_finished")[0]);
    EXPECT_THAT(actions(by_name(show.json().at("listings"), "orders")), ElementsAre("commit"));

    EXPECT_EQ(done.status, 0) << done.out << done.err;
    EXPECT_EQ(done.json().at("is_drained"), true);
    EXPECT_EQ(done.json().at("epoch"), 2);
    EXPECT_EQ(by_name(done.json().at("recovered"), "accounts").at("committed"), 1);
    EXPECT_EQ(by_name(done.json().at("recovered"), "orders").at("committed"), 1);
    EXPECT_EQ(by_name(done.json().at("recovered"), "orders").at("rolled_back"), 0);

    EXPECT_EQ(after.status, 0) << after.out;
    EXPECT_EQ(shown_after.status, 0);
    EXPECT_EQ(shown_after.json().at("outcome"), "committed");
    expect_whole(id, true);
}

TEST_F(Cli, RollsBackWhatNoDecisionNamesAndTouchesNobodyElse)
{
    execute(bank_->look_accounts(), "begin; select 1; prepare transaction 'somebody else'");
    bank_->stop_looking();
    auto const id = victim::killed_at(*bank_, log_, "decision.force");

    auto const scan = assent({"--json", "scan"});
    auto const show = assent({"--json", "show", id});
    auto const done = recover();
    auto const shown_after = assent({"--json", "show", id});
    auto const foreign = bank_->prepared_in_accounts();
    execute(bank_->look_accounts(), "rollback prepared 'somebody else'");

    EXPECT_EQ(scan.status, 4);
    auto const accounts = by_name(scan.json().at("databases"), "accounts");
    EXPECT_THAT(actions(accounts), ElementsAre("roll back"));
    EXPECT_EQ(accounts.at("foreign"), 1);
    EXPECT_EQ(show.status, 4);
    EXPECT_EQ(show.json().at("outcome"), "in doubt");
    EXPECT_EQ(show.json().at("decision"), nullptr);
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    EXPECT_EQ(by_name(done.json().at("recovered"), "accounts").at("rolled_back"), 1);
    EXPECT_EQ(by_name(done.json().at("recovered"), "orders").at("rolled_back"), 1);
    EXPECT_EQ(shown_after.status, 0);
    EXPECT_EQ(shown_after.json().at("outcome"), "rolled back");
    EXPECT_EQ(foreign, 1);
    expect_whole(id, false);
}

TEST_F(Cli, FinishesACommitThatOneDatabaseHasHeardOf)
{
    // At the second one the first commit was sent, and the second was not.
    auto const id = victim::killed_at(*bank_, log_, "branch.commit", 2);

    auto const done = recover();

    EXPECT_EQ(done.status, 0) << done.out << done.err;
    EXPECT_EQ(done_in(by_name(done.json().at("recovered"), "accounts")), 1);
    EXPECT_EQ(by_name(done.json().at("recovered"), "orders").at("committed"), 1);
    expect_whole(id, true);
}

TEST_F(Cli, WritesForPeopleToo)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");

    auto const status = assent({"status"});
    auto const scan = assent({"scan"});
    auto const show = assent({"show", id});
    auto const done = assent({"recover", "--presumed-abort-delay", "0"});

    EXPECT_THAT(status.out, HasSubstr(id));
    EXPECT_THAT(status.out, HasSubstr("1 to be finished"));
    EXPECT_THAT(status.out, HasSubstr("! 1 decided transaction waits"));
    EXPECT_THAT(status.out, HasSubstr(" UTC"));
    EXPECT_THAT(scan.out, HasSubstr("its decision is in the log"));
    EXPECT_THAT(show.out, HasSubstr("committing"));
    EXPECT_THAT(done.out, HasSubstr("drained  yes"));
    // Neither colours nor progress where there is no terminal.
    for (auto const* told : {&status, &scan, &show, &done}) {
        EXPECT_THAT(told->out, Not(HasSubstr("\x1b")));
        EXPECT_EQ(told->err, "");
    }
    expect_whole(id, true);
}

TEST_F(Cli, WaitsBeforeItPresumesAbort)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.force");

    auto const early =
        assent({"--json", "recover", "--timeout", "2", "--presumed-abort-delay", "30"});
    auto const prepared = bank_->prepared_in_accounts() + bank_->prepared_in_orders();
    bank_->stop_looking();
    auto const done = recover();

    EXPECT_EQ(early.status, 4);
    EXPECT_EQ(early.json().at("is_drained"), false);
    EXPECT_EQ(by_name(early.json().at("recovered"), "accounts").at("rolled_back"), 0);
    EXPECT_THAT(actions(by_name(early.json().at("remaining"), "orders")), ElementsAre("roll back"));
    EXPECT_EQ(prepared, 2);
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    expect_whole(id, false);
}

// ---- commit rows -----------------------------------------------------------------------------

TEST_F(Cli, CommitsWhatACommitRowDecided)
{
    auto const id = victim::killed_with_row_at(*bank_, log_, "branch.commit_row.reply");

    auto const status = assent({"--json", "status"});
    auto const scan = assent({"scan"});
    auto const show = assent({"--json", "show", id});
    auto const done = recover();

    EXPECT_EQ(status.json().at("to_be_finished").size(), 0u) << "the log knows nothing of it";
    EXPECT_EQ(scan.status, 4);
    EXPECT_THAT(scan.out, HasSubstr("its commit row is in \"accounts\""));
    EXPECT_EQ(show.status, 4);
    EXPECT_EQ(show.json().at("outcome"), "committing");
    EXPECT_THAT(show.json().at("decided_in").get<std::string>(), HasSubstr("\"accounts\""));
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    EXPECT_EQ(by_name(done.json().at("recovered"), "orders").at("committed"), 1);
    expect_whole(id, true);
}

TEST_F(Cli, WaitsForTheDatabaseOfACommitRowAndThenSettlesWhatNoRowNames)
{
    auto const id = victim::killed_with_row_at(*bank_, log_, "branch.commit_row");
    bank_->postgresql().stop();

    auto const scan_without = assent({"scan"});
    auto const early = recover({"--timeout", "3"});
    auto const prepared = bank_->prepared_in_orders();
    bank_->postgresql().start();
    bank_->stop_looking();
    auto const scan = assent({"scan"});
    auto const show = assent({"--json", "show", id});
    auto const done = recover();

    EXPECT_EQ(scan_without.status, 4);
    EXPECT_THAT(scan_without.out, HasSubstr("its decision lives in a commit row of \"accounts\", "
                                            "which was not read: it could not be asked"));
    EXPECT_EQ(early.status, 4);
    EXPECT_EQ(early.json().at("is_drained"), false);
    EXPECT_EQ(by_name(early.json().at("recovered"), "orders").at("rolled_back"), 0);
    EXPECT_EQ(prepared, 1);
    EXPECT_EQ(scan.status, 4);
    EXPECT_THAT(scan.out, HasSubstr("none is there: recovery inserts an abort row"));
    EXPECT_EQ(show.json().at("outcome"), "in doubt");
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    EXPECT_EQ(by_name(done.json().at("recovered"), "orders").at("rolled_back"), 1);
    expect_whole(id, false);
}

// ---- beside the application ------------------------------------------------------------------

TEST_F(Cli, ActsOnNothingBesideALiveManager)
{
    victim application{*bank_, log_, "decision.force"};

    auto const status = assent({"--json", "status"});
    auto const scan = assent({"--json", "scan"});
    auto const show = assent({"--json", "show", application.id()});
    auto const refused = recover();
    auto const in_words = assent({"recover"});
    auto const prepared = bank_->prepared_in_accounts() + bank_->prepared_in_orders();
    bank_->stop_looking();
    auto const id = application.id();
    auto const pid = application.pid();
    auto const ended = application.finish();

    EXPECT_EQ(status.status, 0) << status.out;
    EXPECT_EQ(status.json().at("log").at("owner").at("pid"), pid);
    EXPECT_EQ(scan.status, 0) << scan.out;
    EXPECT_THAT(actions(by_name(scan.json().at("databases"), "accounts")), ElementsAre("leave"));
    EXPECT_THAT(actions(by_name(scan.json().at("databases"), "orders")), ElementsAre("leave"));
    EXPECT_EQ(show.status, 0) << show.out;
    EXPECT_EQ(show.json().at("outcome"), "live or ended");
    EXPECT_EQ(refused.status, 3);
    EXPECT_EQ(refused.json().at("has_acted"), false);
    EXPECT_EQ(refused.json().at("log"), status.json().at("log"));
    EXPECT_EQ(in_words.status, 3);
    EXPECT_THAT(in_words.out, HasSubstr("process " + std::to_string(pid) +
                                        " owns the log and recovers by itself"));
    EXPECT_EQ(prepared, 2);
    EXPECT_EQ(ended, 0);
    EXPECT_EQ(assent({"--json", "status"}).json().at("log").at("epoch"), 1);
    expect_whole(id, true);
}

// ---- databases that cannot be had ------------------------------------------------------------

TEST_F(Cli, RecoversTheOthersWhileOneDatabaseIsDown)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    bank_->mariadb().stop();

    auto const scan = assent({"--json", "scan"});
    auto const half = recover({"--timeout", "3"});
    auto const shown = assent({"--json", "show", id});
    bank_->mariadb().start();
    auto const done = recover();

    EXPECT_EQ(scan.status, 4);
    auto const orders = by_name(scan.json().at("databases"), "orders");
    EXPECT_EQ(orders.at("is_conclusive"), false);
    EXPECT_THAT(orders.at("problem").get<std::string>(), HasSubstr("could not be asked"));
    EXPECT_EQ(half.status, 4);
    EXPECT_EQ(half.json().at("is_drained"), false);
    EXPECT_EQ(by_name(half.json().at("recovered"), "accounts").at("committed"), 1);
    EXPECT_EQ(by_name(half.json().at("recovered"), "accounts").at("is_drained"), true);
    EXPECT_EQ(by_name(half.json().at("recovered"), "orders").at("is_drained"), false);
    EXPECT_EQ(shown.status, 4);
    EXPECT_EQ(shown.json().at("outcome"), "committing");
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    EXPECT_EQ(by_name(done.json().at("recovered"), "orders").at("committed"), 1);
    expect_whole(id, true);
}

TEST_F(Cli, ReportsWhenItIsInterrupted)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    bank_->mariadb().stop();

    running_assent recovering{{"--config", config_, "--json", "recover"}};
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    bool is_owner = false;
    while (!is_owner && std::chrono::steady_clock::now() < until) {
        auto const owner = assent({"--json", "status"}).json().at("log").at("owner");
        is_owner = owner != nullptr && owner.at("pid") == recovering.pid();
    }
    recovering.interrupt();
    auto const told = recovering.finish();
    bank_->mariadb().start();

    EXPECT_TRUE(is_owner);
    EXPECT_EQ(told.status, 4) << told.out;
    EXPECT_EQ(told.json().at("was_interrupted"), true);
    EXPECT_LT(told.json().at("took_ms"), 30'000);
    EXPECT_EQ(recover().status, 0);
    expect_whole(id, true);
}

TEST_F(Cli, WatchesUntilItIsInterruptedAndSaysWhatHasChanged)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");

    running_assent watching{{"--config", config_, "status", "--watch=0.1"}};
    auto const wait_for = [&](std::string const& words) {
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (std::chrono::steady_clock::now() < until) {
            if (watching.line().find(words) != std::string::npos) return true;
        }
        return false;
    };
    EXPECT_TRUE(wait_for("1 to be finished, 0 finished"));
    EXPECT_EQ(recover().status, 0);
    EXPECT_TRUE(wait_for("+ decisions   0 to be finished"));
    watching.interrupt();
    auto const told = watching.finish();

    EXPECT_EQ(told.status, 0) << "as the last look: nothing is in doubt any more";
    expect_whole(id, true);
}

TEST_F(Cli, CannotSayThatAllIsFineWhileADatabaseIsDown)
{
    EXPECT_EQ(victim::killed_at(*bank_, log_, "transaction.ended").size(), 57u);
    EXPECT_EQ(recover().status, 0);
    bank_->mariadb().stop();

    auto const scan = assent({"--json", "scan"});
    bank_->mariadb().start();

    EXPECT_EQ(scan.status, 1) << scan.out;
    EXPECT_THAT(scan.json().at("attention")[0].get<std::string>(), HasSubstr("\"orders\""));
}

TEST_F(Cli, ListsAResourceManagerThatTheConfigurationLacks)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    auto const all = both_databases(log_, *bank_);
    auto const half = desk_.file("half.toml", all.substr(0, all.rfind("[[resource_manager]]")));

    auto const status = run_assent({"--config", half, "--json", "status"});
    auto const scan = run_assent({"--config", half, "--json", "scan"});
    auto const recovered = run_assent(
        {"--config", half, "--json", "recover", "--timeout", "5", "--presumed-abort-delay", "0"});
    auto const left = bank_->prepared_in_orders();
    bank_->stop_looking();
    auto const done = recover();

    EXPECT_EQ(status.status, 4);
    auto const orders = by_name(status.json().at("resource_managers"), "orders");
    EXPECT_EQ(orders.at("is_configured"), false);
    EXPECT_EQ(orders.at("branches_due"), 1);
    EXPECT_EQ(scan.status, 4);
    EXPECT_EQ(by_name(scan.json().at("databases"), "orders").at("is_conclusive"), false);
    EXPECT_EQ(recovered.status, 4);
    EXPECT_EQ(recovered.json().at("is_drained"), false);
    EXPECT_EQ(by_name(recovered.json().at("recovered"), "accounts").at("committed"), 1);
    EXPECT_EQ(left, 1);
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    expect_whole(id, true);
}

TEST_F(Cli, DecidesNothingInADatabaseThatIsNotTheOneThatWasBound)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    auto text = both_databases(log_, *bank_);
    auto const right = bank_->accounts_conninfo();
    text.replace(text.find(right), right.size(), bank_->postgresql().conninfo("orders"));
    auto const wrong = desk_.file("wrong.toml", text);

    auto const scan = run_assent({"--config", wrong, "--json", "scan"});
    auto const recovered = run_assent(
        {"--config", wrong, "--json", "recover", "--timeout", "3", "--presumed-abort-delay", "0"});
    auto const left = bank_->prepared_in_accounts();
    bank_->stop_looking();
    auto const done = recover();

    EXPECT_EQ(scan.status, 4);
    auto const accounts = by_name(scan.json().at("databases"), "accounts");
    EXPECT_EQ(accounts.at("is_conclusive"), false);
    EXPECT_THAT(accounts.at("problem").get<std::string>(), HasSubstr("not the database"));
    EXPECT_EQ(recovered.status, 4);
    EXPECT_EQ(by_name(recovered.json().at("recovered"), "accounts").at("committed"), 0);
    EXPECT_EQ(by_name(recovered.json().at("recovered"), "orders").at("committed"), 1);
    EXPECT_EQ(left, 1);
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    expect_whole(id, true);
}

}  // namespace
