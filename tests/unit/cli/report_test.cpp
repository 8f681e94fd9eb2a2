// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What is written of one report, for people and for programs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "recovery/cli/json.hpp"
#include "recovery/cli/show.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"
#include "tests/unit/cli/made_log.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

made_log troubled()
{
    made_log log;
    auto const id = transaction(1, 2);
    log.decide(transaction(1, 1), 3)
        .decide(id, 1)
        .add(assent::log::horizon_record{1, {1, 1}})
        .add(assent::log::rollback_record{transaction(1, 3)})
        .add(assent::log::operator_record{branch(id, 1), assent::log::operator_verdict::roll_back,
                                          4'000, "ann", "the \"bank\" said so"})
        .add(assent::ports::heuristic_record{branch(id, 2), "orders", assent::xa_code::heurrb,
                                             "not UTF-8: \xff", 5'007});
    return log;
}

TEST(StatusReport, IsWholeInJson)
{
    auto const log = troubled();
    auto const all = json::parse(in_json(make_status(both(), log.view())));

    EXPECT_EQ(all.at("command"), "status");
    EXPECT_EQ(all.at("exit_code"), 4);
    EXPECT_EQ(all.at("log").at("node"), "0123456789abcdef");
    EXPECT_EQ(all.at("log").at("nonce"), "000000a1b2c3");
    EXPECT_EQ(all.at("log").at("epoch"), 2);
    EXPECT_EQ(all.at("log").at("openings"), 2);
    EXPECT_EQ(all.at("log").at("owner"), nullptr);
    EXPECT_EQ(all.at("decisions"),
              json({{"to_be_finished", 1}, {"finished", 1}, {"rollbacks_noted", 1}}));
    auto const due = all.at("to_be_finished").at(0);
    EXPECT_EQ(due.at("gtrid"), transaction(1, 2).text());
    EXPECT_EQ(due.at("at"), "1970-01-01T00:00:03.000Z");
    EXPECT_EQ(due.at("branches").at(0).at("is_finished"), true);
    EXPECT_FALSE(due.at("branches").at(0).contains("reason"));
    EXPECT_EQ(due.at("branches").at(1).at("reason"), "due");
    EXPECT_EQ(due.at("branches").at(1).at("since"), "1970-01-01T00:00:03.000Z");
    EXPECT_EQ(due.at("branches").at(1).at("is_finished"), false);
    EXPECT_EQ(due.at("branches").at(1).at("bqual"), branch(transaction(1, 2), 2).branch.text());
    auto const heuristic = all.at("heuristics").at(0);
    EXPECT_EQ(heuristic.at("heuristic"), "rolled back");
    EXPECT_EQ(heuristic.at("branch"), branch(transaction(1, 2), 2).text());
    EXPECT_EQ(heuristic.at("seen"), "not UTF-8: \xef\xbf\xbd");
    EXPECT_EQ(heuristic.at("reason"), "heuristic");
    EXPECT_THAT(std::string{heuristic.at("for_a_person")}, HasSubstr("assent forget"));
    EXPECT_EQ(heuristic.at("at"), "1970-01-01T00:00:05.007Z");
    auto const person = all.at("operator_records").at(0);
    EXPECT_EQ(person.at("decided"), "roll back");
    EXPECT_EQ(person.at("why"), "the \"bank\" said so");
    auto const accounts = all.at("resource_managers").at(0);
    EXPECT_EQ(accounts.at("id"), 1);
    EXPECT_EQ(accounts.at("horizon"),
              json({{"epoch", 1}, {"sequence", 1}, {"epochs_alone", json::array()}}));
    EXPECT_EQ(accounts.at("branches_due"), 0);
    EXPECT_EQ(all.at("resource_managers").at(1).at("branches_due"), 1);
    EXPECT_EQ(all.at("attention").size(), 2u);
}

TEST(StatusReport, SaysTheSameInWords)
{
    auto const text = in_words(make_status(both(), troubled().view()), painter{false});

    EXPECT_THAT(text, HasSubstr("node        0123456789abcdef \"shop\"\n"));
    EXPECT_THAT(text, HasSubstr("decisions   1 to be finished, 1 finished\n"));
    EXPECT_THAT(text, HasSubstr("rollbacks   1 noted\n"));
    EXPECT_THAT(text, HasSubstr(std::string{transaction(1, 2).text()} +
                                "  commit, 1970-01-01 00:00:03 UTC\n"));
    EXPECT_THAT(text, HasSubstr("ann"));
    EXPECT_THAT(text, HasSubstr("\n! 1 heuristic outcome is recorded"));
}

TEST(StatusReport, IsFineBesideALiveOwner)
{
    made_log log;
    log.decide(transaction(2, 1)).own(4711);

    auto const told = make_status(both(), log.view());
    auto const all = json::parse(in_json(told));

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(all.at("log").at("owner"),
              json({{"pid", 4711}, {"since", "1970-01-01T00:00:02.000Z"}}));
    EXPECT_THAT(in_words(told, painter{false}),
                HasSubstr("owner       process 4711 since 1970-01-01 00:00:02 UTC\n"));
}

TEST(StatusReport, ShowsWhatIsConfiguredAndWasNeverBound)
{
    auto from = both();
    from.databases.push_back({"ledger", database_kind::mysql, {}, false});

    auto const told = make_status(from, made_log{}.view());
    auto const ledger = json::parse(in_json(told)).at("resource_managers").at(2);

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(ledger.at("name"), "ledger");
    EXPECT_EQ(ledger.at("is_bound"), false);
    EXPECT_EQ(ledger.at("id"), nullptr);
    EXPECT_EQ(ledger.at("identity"), nullptr);
}

TEST(StatusReport, NamesWhatIsBoundAndNotConfigured)
{
    auto from = both();
    from.databases.pop_back();

    auto const told = make_status(from, made_log{}.view());

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("\"orders\" (mariadb)")));
}

TEST(StatusReport, SaysOfEachBranchThatWaitsWhatItWaitsFor)
{
    auto const reason_of = [](configuration const& from, made_log const& log) {
        auto const told = json::parse(in_json(make_status(from, log.view())));
        auto const due = told.at("to_be_finished").at(0).at("branches").at(1);
        EXPECT_EQ(due.at("reason"), told.at("resource_managers").at(1).at("reason"));
        EXPECT_FALSE(std::string{due.at("by_itself")}.empty());
        EXPECT_FALSE(std::string{due.at("for_a_person")}.empty());
        return std::string{due.at("reason")};
    };
    made_log log;
    log.decide(transaction(1, 1), 1);
    auto without = both();
    without.databases.pop_back();

    EXPECT_EQ(reason_of(both(), log), "due");
    EXPECT_EQ(reason_of(without, log), "not_configured");
    log.add(assent::log::retirement_record{2, 5'000, "ann", "it burnt"});
    EXPECT_EQ(reason_of(without, log), "given_up");
    EXPECT_THAT(in_words(make_status(both(), made_log{}.decide(transaction(1, 1), 1).own(7).view()),
                         painter{false}),
                HasSubstr("by itself     process 7 commits it, once its database answers"));
}

TEST(ScanReport, IsWholeInJson)
{
    auto const id = transaction(1, 1);
    auto listed = listings({branch(id, 1)});
    listed[1].scan.reset();
    listed[1].problem = "no route";
    auto const log = made_log{}.decide(id, 2).twice();

    auto const all = json::parse(in_json(judge(both(), log, listed)));

    EXPECT_EQ(all.at("command"), "scan");
    auto const accounts = all.at("databases").at(0);
    EXPECT_EQ(accounts.at("problem"), nullptr);
    auto const idle = "whoever owns the log next (the application, or assent recover) ";
    EXPECT_EQ(accounts.at("branches").at(0),
              json({{"xid", branch(id, 1).text()},
                    {"action", "commit"},
                    {"reason", "decided"},
                    {"why", "its decision is in the log"},
                    {"since", "1970-01-01T00:00:03.000Z"},
                    {"is_since_exact", true},
                    {"by_itself", idle + std::string{"commits it"}},
                    {"for_a_person", "start the application, or run assent recover"},
                    {"left_because", nullptr}}));
    auto const orders = all.at("databases").at(1);
    EXPECT_EQ(orders.at("is_conclusive"), false);
    EXPECT_EQ(orders.at("problem"), "it could not be asked: no route");
    EXPECT_EQ(orders.at("reason"), "not_answering");
    EXPECT_EQ(orders.at("for_a_person"), "bring the database, or the network to it, back");
}

TEST(RecoverReport, IsWholeInJson)
{
    recover_report told;
    told.has_acted = true;
    told.epoch = 3;
    told.took_ms = 1'234;
    told.databases.push_back({"accounts", 1, 2, 3, 4, false, "it was not scanned yet", {}, {}});
    told.databases.back().waits = explain(reason::older_sessions, {}, "they are left");
    told.quarantined = {"accounts x: of a twin of this log"};
    told.raise(exit_code::attention, "look here");

    auto const all = json::parse(in_json(told));

    EXPECT_EQ(all.at("exit_code"), 4);
    EXPECT_EQ(all.at("attention"), json({"look here"}));
    EXPECT_EQ(all.at("epoch"), 3);
    EXPECT_EQ(all.at("took_ms"), 1'234);
    EXPECT_EQ(all.at("recovered").at(0),
              json({{"name", "accounts"},
                    {"committed", 1},
                    {"rolled_back", 2},
                    {"found_committed", 3},
                    {"heuristics", 4},
                    {"is_drained", false},
                    {"reason", "older_sessions"},
                    {"why", "it was not scanned yet"},
                    {"since", nullptr},
                    {"is_since_exact", false},
                    {"by_itself", told.databases[0].waits.by_itself},
                    {"for_a_person", told.databases[0].waits.for_a_person}}));
    EXPECT_EQ(all.at("quarantined").size(), 1u);
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("took     1.2 s\n"));
}

TEST(ShowReport, IsWholeInJson)
{
    auto const id = transaction(1, 1);
    made_log log;
    log.decide(id, 3);
    auto const told = show(id, {log.twice(), judge(both(), log.twice(), listings({})), {}});

    auto const all = json::parse(in_json(told));

    EXPECT_EQ(all.at("gtrid"), id.text());
    EXPECT_EQ(all.at("outcome"), "committed");
    EXPECT_EQ(all.at("parts"), json({{"node", "0123456789abcdef"},
                                     {"epoch", 1},
                                     {"nonce", "000000a1b2c3"},
                                     {"sequence", 1},
                                     {"place", "l"},
                                     {"place_resource_manager", 0}}));
    EXPECT_EQ(all.at("opened"), "1970-01-01T00:00:01.000Z");
    EXPECT_EQ(all.at("decision").at("branches").size(), 2u);
    EXPECT_EQ(all.at("listings").size(), 2u);
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("decided in   this node's log\n"));
}

TEST(Failure, IsJsonToo)
{
    auto const all = json::parse(in_json("scan", failure{exit_code::misused, "no \"log\""}));

    EXPECT_EQ(all, json({{"command", "scan"}, {"exit_code", 2}, {"error", "no \"log\""}}));
}

}  // namespace
