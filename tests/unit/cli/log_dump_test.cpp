// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// Every record of a log, in words and in JSON, with filters and behind damage.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "recovery/cli/log_records.hpp"
#include "tests/unit/cli/log_directory.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

json dumped_json(log_directory const& at, dump_options how = {})
{
    how.is_json = true;
    return json::parse(dumped(at, how));
}

std::vector<std::string> types_of(json const& all)
{
    std::vector<std::string> types;
    for (auto const& one : all.at("records"))
        types.push_back(one.at("type"));
    return types;
}

TEST(LogDump, WritesEveryRecordInOrder)
{
    log_directory const at;

    auto const all = dumped_json(at);

    EXPECT_EQ(all.at("command"), "log dump");
    EXPECT_EQ(all.at("exit_code"), 0);
    EXPECT_THAT(types_of(all), ElementsAre("opening", "opening", "binding", "binding", "limits",
                                           "decision", "decision", "binding-epoch", "binding",
                                           "decision", "heuristic", "decision", "end"));
    auto const& first = all.at("records").at(5);
    EXPECT_EQ(first.at("segment"), 2);
    EXPECT_EQ(first.at("page"), 2);
    EXPECT_EQ(first.at("lsn"), 10);
    EXPECT_EQ(first.at("gtrid"), at.log.decisions[0].global.text());
    EXPECT_EQ(first.at("is_finished"), true) << "as the end record, pages later, says";
    EXPECT_EQ(all.at("records").at(6).at("is_finished"), false);
    auto const& branch = all.at("records").at(6).at("branches").at(1);
    EXPECT_EQ(branch.at("resource_manager"), "orders");
    EXPECT_EQ(branch.at("is_finished"), false);
    EXPECT_EQ(branch.at("xid"),
              (assent::xid{at.log.decisions[1].global, at.log.decisions[1].branches[1]}.text()));
    EXPECT_EQ(all.at("records").at(10).at("seen"), "it was \x1b[31mred\x1b[0m");
    EXPECT_EQ(all.at("records").at(12).at("finished_branches"), json({1, 2}));
}

TEST(LogDump, SaysTheSameInWords)
{
    log_directory const at;
    auto const text = dumped(at);
    std::string const id{at.log.decisions[0].global.text()};

    EXPECT_THAT(text, HasSubstr("segment 2, epoch 2, nonce"));
    EXPECT_THAT(text, HasSubstr("     2          10  decision      " + id + ": commit, "));
    EXPECT_THAT(text, HasSubstr("     1           7  binding       resource manager 1 is "
                                "\"accounts\", memory, \"identity-a\""));
    EXPECT_THAT(text, HasSubstr(id + ": finished: branch 1, branch 2 of its decision"));
    EXPECT_THAT(text, HasSubstr("it was \\x1b[31mred\\x1b[0m"));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(LogDump, Filters)
{
    log_directory const at;
    dump_options how;

    how.only.types = {"decision", "end"};
    EXPECT_THAT(types_of(dumped_json(at, how)),
                ElementsAre("decision", "decision", "decision", "decision", "end"));
    how.only.transaction = at.log.decisions[0].global;
    EXPECT_THAT(types_of(dumped_json(at, how)), ElementsAre("decision", "end"));
    how.only = {};
    how.only.transaction = at.log.decisions[1].global;
    EXPECT_THAT(types_of(dumped_json(at, how)), ElementsAre("decision", "heuristic"));
    how.only = {};
    how.only.is_unfinished_only = true;
    EXPECT_THAT(types_of(dumped_json(at, how)), ElementsAre("decision", "decision", "decision"));
    how.only.transaction = at.log.decisions[0].global;
    EXPECT_THAT(types_of(dumped_json(at, how)), ElementsAre());
    EXPECT_EQ(dumped(at, how), "log " + at.target().directory + "\n");
}

TEST(LogDump, IsTheSameHoweverFewDecisionsFitIntoMemory)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 4); }};
    auto const whole = dumped(at);
    EXPECT_THAT(whole, HasSubstr("damaged: its checksum is wrong"));
    EXPECT_THAT(whole, HasSubstr("missing: 2 records, 12 to 13"));

    for (std::size_t const at_once : {1U, 2U, 3U, 4U}) {
        dump_options how;
        how.decisions_at_once = at_once;
        EXPECT_EQ(dumped(at, how), whole) << at_once;
    }
}

TEST(LogDump, GoesOnBehindDamage)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 5); }};

    auto const all = dumped_json(at);

    EXPECT_EQ(all.at("exit_code"), 5);
    EXPECT_THAT(types_of(all),
                ElementsAre("opening", "opening", "binding", "binding", "limits", "decision",
                            "decision", "binding-epoch", "binding", "damaged page",
                            "missing records", "heuristic", "decision", "end"));
    EXPECT_EQ(all.at("records").at(10),
              json({{"segment", 2}, {"type", "missing records"}, {"first", 14}, {"last", 14}}));
    EXPECT_EQ(all.at("attention").size(), 1U);
}

TEST(LogDump, NamesEveryTypeOfRecord)
{
    bound_names const names{{1, {1, "accounts", "memory", "a"}}};
    auto const id = eventful_log{}.decisions[0].global;
    using namespace assent;

    EXPECT_EQ(in_words(log::record{log::horizon_record{1, {2, 3}}}, names),
              "\"accounts\" is finished up to epoch 2, sequence 3");
    EXPECT_EQ(in_words(log::record{log::horizon_record{1, {2, 3}, true}}, names),
              "\"accounts\" has finished of epoch 2 all up to sequence 3");
    EXPECT_EQ(in_words(log::record{log::server_start_record{2, 3, "up"}}, names),
              "the server of \"resource manager 2\" in epoch 3: \"up\"");
    EXPECT_EQ(in_words(log::record{log::rollback_record{id}}, names), "rolled back");
    EXPECT_EQ(in_words(log::record{log::binding_epoch_record{2, 3}}, names),
              "resource manager 2 is bound in epoch 3");
    EXPECT_EQ(name_of_type(129), "binding-epoch");
    EXPECT_EQ(in_words(log::record{log::retirement_record{1, 0, "ann", "gone"}}, names),
              "\"ann\", -, gave up resource manager 1, \"accounts\": \"gone\"");
    EXPECT_EQ(name_of_type(130), "retirement");
    EXPECT_EQ(in_words(log::record{log::rebinding_record{1, 3, 0, "a", "b", "ann", "new"}}, names),
              "\"ann\", -, epoch 3, rebound resource manager 1, \"accounts\", from \"a\" to \"b\": "
              "\"new\"");
    EXPECT_EQ(name_of_type(131), "rebinding");
    log::operator_record note;
    note.who = "ann";
    note.why = "so";
    EXPECT_EQ(in_words(log::record{note}, names), "\"ann\", -, repaired the log: \"so\"");
    note.verdict = log::operator_verdict::roll_back;
    EXPECT_EQ(in_words(log::record{note}, names), "\"ann\", -, salvaged the log: \"so\"");
    note.branch.global = id;
    EXPECT_THAT(in_words(log::record{note}, names), HasSubstr("roll back, branch asn1l"));
    EXPECT_EQ(name_of_type(8), "operator");
    EXPECT_EQ(name_of_type(200), "type 200");
    EXPECT_EQ(record_type_names().size(), 13U);
}

}  // namespace
