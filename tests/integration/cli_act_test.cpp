// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cli_act_test.cpp -- what a person decides, on real servers: done at once, and killed (kill -9) at
// each step and run again; and the example of the operator's page.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <thread>

#include <mysql.h>

#include "tests/integration/at_bank.hpp"
#include "tests/integration/cli_desk.hpp"
#include "tests/servers/spawn.hpp"

namespace {

using namespace assent::testing;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class CliAct : public AtBank
{
protected:
    void SetUp() override
    {
        AtBank::SetUp();
        if (IsSkipped()) return;
        bank_->stop_looking();
        begin_anew();
    }

    void begin_anew()
    {
        log_ = bank_->new_log_directory();
        config_ = desk_.file("assent.toml", both_databases(log_, *bank_));
    }

    answer assent(std::vector<std::string> words) const
    {
        words.insert(words.begin(), {"--config", config_});
        auto told = run_assent(words);
        EXPECT_THAT(told.out + told.err, Not(HasSubstr(bank_->mariadb().password())));
        return told;
    }
    answer resolve(std::string const& id, std::string const& where, std::string const& way) const
    {
        return assent({"--json", "resolve", id, "--branch", where, way, "--yes", "--reason",
                       "a test", "--timeout", "120"});
    }
    answer recover(std::string const& seconds = "20") const
    {
        return assent({"--json", "recover", "--presumed-abort-delay", "0", "--timeout", seconds});
    }

    /// As if another server had taken its place, which has all of it.
    static void change_identity_of_orders()
    {
        execute(bank_->look_orders(),
                "update assent_identity set value = lower(hex(random_bytes(16)))");
        bank_->stop_looking();
    }

    /// From now on the configuration has accounts alone.
    void leave_out_orders(std::string const& file)
    {
        auto const all = both_databases(log_, *bank_);
        config_ = desk_.file(file, all.substr(0, all.rfind("[[resource_manager]]")));
    }

    /// Runs the command until it kills itself at that step.
    void kill_at(std::string const& step, std::vector<std::string> words) const
    {
        words.insert(words.begin(), {ASSENT_ACT_VICTIM, config_, step, "1"});
        auto const done = run_process(words);
        EXPECT_EQ(done.status, 128 + SIGKILL) << step << ": " << done.output;
    }

    /// A branch of the closed log in orders, which no resource manager that it knows has prepared:
    /// only a person may decide it.  @return its xid.
    std::string leave_strange_branch() const
    {
        auto const id = victim::killed_at(*bank_, log_, "decision.durable");
        EXPECT_EQ(recover().status, 0);
        auto parts = assent::gtrid::parse(id)->parts();
        parts.sequence += 1'000;
        constexpr std::uint16_t unknown = 77;
        auto const global = std::string{assent::gtrid::make(parts).text()};
        auto const branch = std::string{assent::bqual::make({unknown, 1, 0}).text()};
        auto const name = "'" + global + "','" + branch + "',1";
        auto const session = own_orders(*bank_);
        execute(session.get(), "xa start " + name);
        execute(session.get(), "insert into ledger values ('strange', 1)");
        execute(session.get(), "xa end " + name);
        execute(session.get(), "xa prepare " + name);
        return global + "." + branch;
    }

    /// Whether nothing is in an owner's hands any more, within half a minute.
    bool becomes_answered() const
    {
        auto const is_taken = [this] {
            auto const all = std::filesystem::directory_iterator{log_};
            return std::any_of(begin(all), end(all), [](auto const& each) {
                return each.path().filename().string().starts_with("taken.");
            });
        };
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        while (is_taken()) {
            if (std::chrono::steady_clock::now() > until) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
        return true;
    }

    /// A person makes the data agree: what was committed in accounts alone is taken back.
    static void repair(std::string const& id)
    {
        execute(bank_->look_accounts(), "begin");
        execute(bank_->look_accounts(), "update balance set amount = amount + 7 where id = 1");
        execute(bank_->look_accounts(), "delete from ledger where transfer = '" + id + "'");
        execute(bank_->look_accounts(), "commit");
        expect_whole();
        bank_->stop_looking();
    }

    static bool is_in_accounts(std::string const& id)
    {
        bool const is_there = bank_->transfers_in_accounts().count(id) != 0;
        bank_->stop_looking();
        return is_there;
    }
    static bool is_in_orders(std::string const& id)
    {
        bool const is_there = bank_->transfers_in_orders().count(id) != 0;
        bank_->stop_looking();
        return is_there;
    }

    desk desk_;
    std::string log_;
    std::string config_;
};

TEST_F(CliAct, WhatWasDecidedIsCarriedOutInBothByHand)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");

    auto const in_orders = resolve(id, "orders", "--commit");
    auto const in_accounts = resolve(id, "accounts", "--commit");
    auto const show = assent({"--json", "show", id});
    auto const status = assent({"status"});

    EXPECT_EQ(in_orders.status, 0) << in_orders.out << in_orders.err;
    EXPECT_EQ(in_accounts.status, 0) << in_accounts.out << in_accounts.err;
    EXPECT_EQ(in_orders.json().at("has_acted"), true);
    EXPECT_EQ(show.json().at("outcome"), "committed");
    EXPECT_EQ(show.json().at("heuristics").size(), 0u);
    EXPECT_EQ(show.json().at("operator_records").size(), 2u);
    EXPECT_EQ(status.status, 0) << status.out;
    expect_in_both(id);
}

TEST_F(CliAct, KilledAtEachStepAgainstTheDecisionAndRunAgain)
{
    for (std::string const step : {"own", "look", "audit", "hazard", "send", "outcome", "end"}) {
        SCOPED_TRACE(step);
        begin_anew();
        auto const id = victim::killed_at(*bank_, log_, "decision.durable");

        kill_at(step, {"resolve", id, "orders", "rollback"});
        bool const was_sent = step == "outcome" || step == "end";
        EXPECT_EQ(bank_->prepared_in_orders(), was_sent ? 0 : 1);
        bank_->stop_looking();
        auto const show = assent({"--json", "show", id});
        bool const is_recorded = was_sent || step == "send";
        EXPECT_EQ(show.json().at("outcome"), is_recorded ? "ended by a person" : "committing");

        auto const again = resolve(id, "orders", "--rollback");
        EXPECT_EQ(again.status, 0) << again.out << again.err;
        EXPECT_FALSE(is_in_orders(id));
        auto const done = recover();
        EXPECT_EQ(done.status, 4) << "the heuristic outcome is on record";
        EXPECT_EQ(done.json().at("is_drained"), true) << done.out;
        EXPECT_TRUE(is_in_accounts(id));

        repair(id);
        EXPECT_EQ(assent({"status"}).status, 4);
        EXPECT_EQ(assent({"forget", id, "--yes"}).status, 0);
        EXPECT_EQ(assent({"status"}).status, 0);
        EXPECT_EQ(assent({"--json", "show", id}).json().at("outcome"), "ended by a person");
    }
}

TEST_F(CliAct, KilledAtEachStepOfWhatWasDecidedAndRunAgain)
{
    for (std::string const step : {"own", "look", "audit", "send", "outcome", "end"}) {
        SCOPED_TRACE(step);
        begin_anew();
        auto const id = victim::killed_at(*bank_, log_, "decision.durable");

        kill_at(step, {"resolve", id, "accounts", "commit"});
        auto const again = resolve(id, "accounts", "--commit");
        EXPECT_EQ(again.status, 0) << again.out << again.err;
        EXPECT_TRUE(is_in_accounts(id));

        auto const done = recover();
        EXPECT_EQ(done.status, 0) << done.out;
        EXPECT_EQ(assent({"--json", "show", id}).json().at("outcome"), "committed");
        expect_in_both(id);
        bank_->stop_looking();
    }
}

TEST_F(CliAct, KilledAtEachStepOfGivingADatabaseUpAndRunAgain)
{
    for (std::string const step : {"own", "look", "audit", "hazard", "end"}) {
        SCOPED_TRACE(step);
        begin_anew();
        auto const id = victim::killed_at(*bank_, log_, "decision.durable");
        auto const all = config_;
        leave_out_orders("gone.toml");

        kill_at(step, {"retire", "orders"});
        EXPECT_EQ(assent({"status"}).status, 4);
        auto const again = assent({"--json", "retire", "orders", "--yes"});
        EXPECT_EQ(again.status, 0) << again.out << again.err;
        auto const done = recover();
        EXPECT_EQ(done.status, 4) << "the hazard is on record";
        EXPECT_EQ(done.json().at("is_drained"), true) << done.out;
        EXPECT_TRUE(is_in_accounts(id));
        EXPECT_EQ(assent({"forget", id, "--yes"}).status, 0);
        auto const status = assent({"--json", "status"});
        EXPECT_EQ(status.status, 0) << status.out;

        // It was not gone for good after all: its branch is listed again, and a person ends it.
        config_ = all;
        auto const scan = assent({"--json", "scan"});
        EXPECT_EQ(scan.status, 4);
        EXPECT_THAT(scan.out, HasSubstr("or a person gave it up"));
        EXPECT_EQ(resolve(id, "orders", "--rollback").status, 0);
        EXPECT_EQ(assent({"forget", id, "--yes"}).status, 0);
        EXPECT_EQ(assent({"scan"}).status, 0);
        repair(id);

        // The name is free: the next run of the application binds it anew.
        auto const next = victim::killed_at(*bank_, log_, "decision.durable");
        EXPECT_EQ(recover().status, 0);
        expect_in_both(next);
        bank_->stop_looking();
    }
}

TEST_F(CliAct, KilledAtEachStepOfRebindingAndRunAgain)
{
    for (std::string const step : {"own", "look", "audit", "end"}) {
        SCOPED_TRACE(step);
        begin_anew();
        auto const id = victim::killed_at(*bank_, log_, "decision.durable");
        change_identity_of_orders();

        auto const refused = assent({"--json", "scan"});
        EXPECT_EQ(refused.status, 4);
        EXPECT_THAT(refused.out, HasSubstr("assent rebind"));
        EXPECT_EQ(recover("2").status, 4);
        EXPECT_FALSE(is_in_orders(id)) << "nothing is decided there";
        kill_at(step, {"rebind", "orders"});
        auto const again = assent({"--json", "rebind", "orders", "--yes"});
        EXPECT_EQ(again.status, 0) << again.out << again.err;

        auto const done = recover();
        EXPECT_EQ(done.status, 0) << done.out;
        EXPECT_EQ(done.json().at("is_drained"), true);
        expect_in_both(id);
        bank_->stop_looking();
    }
}

TEST_F(CliAct, WhatTheNewDatabaseLacksIsAHazardAfterRebinding)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    auto const scan = assent({"--json", "scan"}).json();
    std::string xid;
    for (auto const& each : scan.at("databases")) {
        if (each.at("name") == "orders") xid = each.at("branches").at(0).at("xid");
    }
    // The replica had not caught up.
    auto const dot = xid.find('.');
    execute(bank_->look_orders(),
            "xa rollback '" + xid.substr(0, dot) + "','" + xid.substr(dot + 1) + "',1");
    bank_->stop_looking();
    change_identity_of_orders();

    EXPECT_EQ(assent({"rebind", "orders", "--yes"}).status, 0);
    auto const done = recover();

    EXPECT_EQ(done.status, 4);
    EXPECT_EQ(done.json().at("is_drained"), true) << done.out;
    auto const status = assent({"--json", "status"});
    ASSERT_EQ(status.json().at("heuristics").size(), 1u);
    EXPECT_EQ(status.json().at("heuristics").at(0).at("branch"), xid);
    EXPECT_EQ(status.json().at("heuristics").at(0).at("heuristic"), "hazard");
    EXPECT_EQ(assent({"forget", id, "--yes"}).status, 0);
    repair(id);
}

TEST_F(CliAct, ADatabaseThatIsThereIsNotGivenUp)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");

    auto const told = assent({"--json", "retire", "orders", "--yes"});

    EXPECT_EQ(told.status, 4);
    EXPECT_THAT(told.json().at("error").get<std::string>(), HasSubstr("\"orders\" is not gone"));
    EXPECT_EQ(assent({"retire", "ledger", "--yes"}).status, 2);
    EXPECT_EQ(recover().status, 0);
    expect_in_both(id);
}

TEST_F(CliAct, BadInputChangesNothing)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    auto const other = std::string{"asn1l0000"} + std::string(48, '1');

    EXPECT_EQ(resolve(id, "ledger", "--commit").status, 2);
    EXPECT_EQ(resolve("asn1", "orders", "--commit").status, 2);
    EXPECT_EQ(resolve(other, "orders", "--commit").status, 2);
    EXPECT_EQ(assent({"resolve", id, "--branch", "orders"}).status, 2);
    EXPECT_EQ(assent({"resolve", id, "--branch", "orders", "--commit", "--rollback"}).status, 2);
    EXPECT_EQ(assent({"resolve", id, "--branch", "orders", "--commit"}).status, 2)
        << "nobody confirmed it";
    EXPECT_EQ(assent({"forget", id, "--yes"}).status, 2) << "there is none";
    auto const status = assent({"--json", "status"});
    EXPECT_EQ(status.json().at("log").at("epoch"), 1);
    EXPECT_EQ(status.json().at("operator_records").size(), 0u);
    EXPECT_EQ(recover().status, 0);
    expect_in_both(id);
}

TEST_F(CliAct, WhatALiveOwnerEndsByItselfIsLeftToIt)
{
    victim owner{*bank_, log_, "decision.durable"};
    auto const process = "process " + std::to_string(owner.pid());

    auto const ended = resolve(owner.id(), "orders", "--rollback");
    auto const retired = assent({"--json", "retire", "orders", "--yes"});

    EXPECT_EQ(ended.status, 4) << ended.out << ended.err;
    EXPECT_THAT(ended.json().at("error").get<std::string>(),
                HasSubstr(process + " began this transaction in its present run"));
    EXPECT_EQ(retired.status, 3) << retired.out << retired.err;
    EXPECT_THAT(retired.json().at("error").get<std::string>(),
                HasSubstr(process + " owns the log"));
    EXPECT_EQ(owner.finish(), 0);
    expect_in_both(owner.id());
}

TEST_F(CliAct, BesideALiveOwnerThatOneEndsABranchAndForgets)
{
    auto const strange = leave_strange_branch();
    auto owner = victim::serving(*bank_, log_);

    auto const plan =
        assent({"--json", "resolve", strange, "--branch", "orders", "--rollback", "--dry-run"});
    auto const ended = resolve(strange, "orders", "--rollback");
    auto const again = resolve(strange, "orders", "--rollback");
    auto const forgotten = assent({"--json", "forget", strange, "--yes"});

    EXPECT_EQ(plan.status, 0) << plan.out << plan.err;
    EXPECT_EQ(ended.status, 0) << ended.out << ended.err;
    EXPECT_EQ(ended.json().at("epoch"), 3) << "the application's own";
    EXPECT_EQ(again.status, 0) << again.out << again.err;
    EXPECT_EQ(again.json().at("has_acted"), false);
    EXPECT_EQ(forgotten.status, 0) << forgotten.out << forgotten.err;
    EXPECT_EQ(bank_->prepared_in_orders(), 0);
    EXPECT_EQ(assent({"scan"}).status, 0);
    EXPECT_EQ(assent({"status"}).status, 0);
    EXPECT_EQ(owner.finish(), 0);
    EXPECT_EQ(assent({"--json", "show", strange}).json().at("outcome"), "ended by a person");
    expect_whole();
}

TEST_F(CliAct, ALiveOwnerThatIsKilledAtEachStepOfARequestAndStartedAgain)
{
    for (std::string const step : {"taken", "audit", "hazard", "send", "outcome", "answer"}) {
        SCOPED_TRACE(step);
        begin_anew();
        auto const strange = leave_strange_branch();
        {
            auto owner = victim::serving(*bank_, log_, "request." + step);
            auto const asked = resolve(strange, "orders", "--rollback");
            EXPECT_EQ(asked.status, 4) << asked.out << asked.err;
            EXPECT_THAT(asked.json().at("error").get<std::string>(), HasSubstr("may yet be"));
            EXPECT_EQ(owner.finish(), 128 + SIGKILL);
        }
        bool const was_sent = step == "outcome" || step == "answer";
        EXPECT_EQ(bank_->prepared_in_orders(), was_sent ? 0 : 1);
        bank_->stop_looking();

        // The next owner goes on with it.
        auto owner = victim::serving(*bank_, log_);
        EXPECT_TRUE(becomes_answered());
        auto const again = resolve(strange, "orders", "--rollback");
        bool const is_known = step != "outcome";
        EXPECT_EQ(again.status, is_known ? 0 : 4) << again.out << again.err;
        EXPECT_EQ(bank_->prepared_in_orders(), 0);
        bank_->stop_looking();
        EXPECT_EQ(assent({"--json", "show", strange}).json().at("outcome"), "ended by a person");
        EXPECT_EQ(assent({"forget", strange, "--yes"}).status, 0);
        EXPECT_EQ(assent({"status"}).status, 0);
        EXPECT_EQ(owner.finish(), 0);
    }
    expect_whole();
}

TEST_F(CliAct, NothingIsSaidToBeDrainedBeforeEveryDatabaseWasAsked)
{
    auto const drain = [this](std::string const& seconds) {
        return assent({"--json", "drain", "--presumed-abort-delay", "0", "--timeout", seconds});
    };
    {
        auto owner = victim::serving(*bank_, log_);
        auto const beside = drain("20");
        EXPECT_EQ(beside.status, 3) << beside.out << beside.err;
        EXPECT_EQ(beside.json().at("is_drained"), false) << "though nothing is there";
        EXPECT_EQ(owner.finish(), 0);
    }
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    bank_->postgresql().stop();
    auto const in_doubt = drain("3");
    bank_->postgresql().start();
    bank_->stop_looking();
    auto const done = drain("20");
    bank_->postgresql().stop();
    auto const silent = drain("3");
    bank_->postgresql().start();
    bank_->stop_looking();

    EXPECT_EQ(in_doubt.status, 4) << in_doubt.out << in_doubt.err;
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    EXPECT_EQ(done.json().at("is_drained"), true);
    EXPECT_EQ(silent.status, 1) << silent.out << silent.err;
    EXPECT_EQ(silent.json().at("is_drained"), false);
    expect_in_both(id);
    bank_->stop_looking();

    auto const strange = leave_strange_branch();
    auto const left = drain("20");
    EXPECT_EQ(left.status, 4);
    EXPECT_THAT(left.out, HasSubstr(strange));
    EXPECT_EQ(resolve(strange, "orders", "--rollback").status, 0);
    EXPECT_THAT(drain("20").out, HasSubstr("heuristic outcomes are on record"));
    EXPECT_EQ(assent({"forget", strange, "--yes"}).status, 0);
    EXPECT_EQ(drain("20").status, 0);
}

TEST_F(CliAct, ALogIsLostAndAPersonEndsItsBranchesByName)
{
    for (std::string const step : {"own", "look", "audit", "hazard", "send", "outcome", "end"}) {
        SCOPED_TRACE(step);
        begin_anew();
        auto const lost = victim::killed_at(*bank_, log_, "decision.durable");
        begin_anew();
        EXPECT_EQ(victim::serving(*bank_, log_).finish(), 0);
        EXPECT_EQ(recover().status, 0) << "what is another node's is none of its doubts";
        auto parts = assent::gtrid::parse(lost)->parts();
        auto const node = assent({"--json", "status"}).json().at("log").at("node");
        parts.node = std::stoull(node.get<std::string>(), nullptr, 16);
        auto const own = std::string{assent::gtrid::make(parts).text()};
        auto const adopt = [&](std::string const& where) {
            return assent({"--json", "adopt", lost, "--branch", where, "--commit", "--yes",
                           "--reason", "its volume is gone"});
        };
        EXPECT_THAT(assent({"scan"}).out, HasSubstr("see assent adopt"));
        EXPECT_EQ(resolve(lost, "orders", "--commit").status, 2);
        EXPECT_EQ(assent({"adopt", own, "--branch", "orders", "--commit", "--yes"}).status, 2);

        kill_at(step, {"adopt", lost, "orders", "commit"});
        auto const in_orders = adopt("orders");
        auto const in_accounts = adopt("accounts");

        bool const is_known = step != "outcome";
        EXPECT_EQ(in_orders.status, is_known ? 0 : 4) << in_orders.out << in_orders.err;
        EXPECT_EQ(in_accounts.status, 0) << in_accounts.out << in_accounts.err;
        expect_in_both(lost);
        bank_->stop_looking();
        EXPECT_EQ(assent({"--json", "show", lost}).json().at("outcome"), "ended by a person");
        EXPECT_EQ(assent({"status"}).status, 4);
        EXPECT_EQ(assent({"forget", lost, "--yes"}).status, 0);
        EXPECT_EQ(assent({"status"}).status, 0);
    }
}

TEST_F(CliAct, ANodeThatIsAtWorkIsNotAdopted)
{
    auto const first = log_;
    begin_anew();
    auto const own = victim::killed_at(*bank_, log_, "decision.durable");
    EXPECT_EQ(recover().status, 0);
    // Both of its branches are prepared, and its decision is durable.
    victim owner{*bank_, first, "decision.durable"};

    auto const told =
        assent({"--json", "adopt", owner.id(), "--branch", "accounts", "--rollback", "--yes"});

    EXPECT_EQ(told.status, 4) << told.out << told.err;
    EXPECT_THAT(told.json().at("error").get<std::string>(), HasSubstr("is not lost"));
    EXPECT_EQ(owner.finish(), 0);
    expect_in_both(owner.id());
    expect_in_both(own);
}

TEST_F(CliAct, WithoutADecisionItIsAHeuristicAndRecoveryGoesOn)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.force");

    auto const by_hand = resolve(id, "accounts", "--rollback");
    auto const done = recover();

    EXPECT_EQ(by_hand.status, 0) << by_hand.out << by_hand.err;
    EXPECT_EQ(done.status, 4);
    EXPECT_EQ(done.json().at("is_drained"), true) << done.out;
    EXPECT_EQ(assent({"--json", "show", id}).json().at("outcome"), "ended by a person");
    EXPECT_EQ(assent({"forget", id, "--yes"}).status, 0);
    expect_whole();
}

TEST_F(CliAct, ABranchWhoseSessionLivesIsKept)
{
    // Of the same opening, and prepared by a session that is still there, as a child of the
    // application may keep it.
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    EXPECT_EQ(recover().status, 0);
    auto const status = assent({"--json", "status"}).json();
    std::uint16_t number = 0;
    for (auto const& each : status.at("resource_managers")) {
        if (each.at("name") == "orders") number = each.at("id");
    }
    auto parts = assent::gtrid::parse(id)->parts();
    parts.sequence += 1'000;
    auto const kept_id = std::string{assent::gtrid::make(parts).text()};
    auto session = own_orders(*bank_);
    auto const thread = mysql_thread_id(session.get());
    auto const name = "'" + kept_id + "','" +
                      std::string{assent::bqual::make({number, 1, thread}).text()} + "',1";
    execute(session.get(), "xa start " + name);
    execute(session.get(), "insert into ledger values ('kept', 1)");
    execute(session.get(), "xa end " + name);
    execute(session.get(), "xa prepare " + name);

    auto const refused = resolve(kept_id, "orders", "--rollback");
    session.reset();
    auto const done = resolve(kept_id, "orders", "--rollback");

    EXPECT_EQ(refused.status, 4) << refused.out;
    EXPECT_THAT(refused.json().at("error").get<std::string>(),
                HasSubstr("session " + std::to_string(thread) + " of \"orders\""));
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    EXPECT_EQ(done.json().at("epoch"), 3) << "the refusal opened nothing";
    EXPECT_EQ(assent({"forget", kept_id, "--yes"}).status, 0);
    expect_whole();
}

// ---- the example of the operator's page --------------------------------------------------------

std::string read_page()
{
    std::ifstream in{ASSENT_ROOT "/docs/guide/operating.md"};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// What differs from run to run.
std::string with(std::string const& text, std::string const& id)
{
    auto said = text;
    auto const replace = [&said](std::string const& what, std::string const& by) {
        for (auto at = said.find(what); at != std::string::npos; at = said.find(what, at))
            said.replace(at, what.size(), by);
    };
    replace(id, "asn1l0000...");
    said = std::regex_replace(said, std::regex{"process [0-9]+"}, "process 4711");
    said = std::regex_replace(said, std::regex{"branch [0-9a-f]{24}"}, "branch 00020001...");
    said = std::regex_replace(said, std::regex{"uid 0 \\(root\\)|uid [0-9]+( \\([^)]*\\))?"},
                              "uid 1000 (ann)");
    said = std::regex_replace(said, std::regex{"asn1l0000\\.\\.\\.\\.[0-9a-f]{24}"},
                              "asn1l0000....00020001...");
    said = std::regex_replace(said, std::regex{"\\(mariadb [^)]*\\)"}, "(mariadb 5be1d2...)");
    std::regex const identity{"mariadb:[0-9a-f]{32}/orders"};
    said = std::regex_replace(said, identity, "mariadb:5be1d2.../orders",
                              std::regex_constants::format_first_only);
    said = std::regex_replace(said, identity, "mariadb:c07a44.../orders");
    return std::regex_replace(said, std::regex{"\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC"},
                              "2026-11-30 09:14:02 UTC");
}

TEST_F(CliAct, TheOperatorsPageShowsWhatTheProgramSays)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    auto const page = read_page();

    auto const plan = assent({"resolve", id, "--branch", "orders", "--rollback", "--dry-run"});
    auto const done = assent({"resolve", id, "--branch", "orders", "--rollback", "--yes",
                              "--reason", "order 4711 was cancelled"});
    auto const recovered = recover();
    auto const forgotten = assent({"forget", id, "--yes", "--reason", "booked back by hand"});

    EXPECT_EQ(plan.status, 0) << plan.err;
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(recovered.status, 4);
    EXPECT_EQ(forgotten.status, 0) << forgotten.err;
    for (auto const* told : {&plan, &done, &forgotten}) {
        auto const text = with(told->out, id);
        EXPECT_NE(page.find("\n```text\n" + text + "```\n"), std::string::npos) << text;
    }
    repair(id);
}

TEST_F(CliAct, TheOperatorsPageShowsWhatIsDoneBesideTheApplication)
{
    auto const strange = leave_strange_branch();
    auto const id = strange.substr(0, strange.find('.'));
    EXPECT_EQ(assent({"resolve", id, "--branch", "orders", "--rollback", "--yes", "--reason",
                      "order 4711 was cancelled"})
                  .status,
              0);
    auto owner = victim::serving(*bank_, log_);

    auto const told = assent({"forget", id, "--yes", "--reason", "booked back by hand"});

    EXPECT_EQ(told.status, 0) << told.err;
    auto const text = with(told.out, id);
    EXPECT_NE(read_page().find("\n```text\n" + text + "```\n"), std::string::npos) << text;
    EXPECT_EQ(owner.finish(), 0);
}

TEST_F(CliAct, TheOperatorsPageShowsHowADatabaseIsRebound)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    change_identity_of_orders();

    auto const told = assent({"rebind", "orders", "--yes", "--reason", "db3 was promoted"});

    EXPECT_EQ(told.status, 0) << told.err;
    auto const text = with(told.out, id);
    EXPECT_NE(read_page().find("\n```text\n" + text + "```\n"), std::string::npos) << text;
    EXPECT_EQ(recover().status, 0);
    expect_in_both(id);
}

TEST_F(CliAct, TheOperatorsPageShowsHowADatabaseIsGivenUp)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    auto const all = config_;
    leave_out_orders("gone.toml");

    auto const told =
        assent({"retire", "orders", "--yes", "--reason", "both of its disks are lost"});

    EXPECT_EQ(told.status, 0) << told.err;
    auto const text = with(told.out, id);
    EXPECT_NE(read_page().find("\n```text\n" + text + "```\n"), std::string::npos) << text;
    config_ = all;
    EXPECT_EQ(resolve(id, "orders", "--commit").status, 0);
    EXPECT_EQ(recover().status, 4);
    expect_in_both(id);
}

}  // namespace
