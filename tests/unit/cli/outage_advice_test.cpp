// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What the report says is wrong, what happened, and what to type.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recovery/cli/outage.hpp"
#include "recovery/cli/outage_picture.hpp"
#include "recovery/cli/scan.hpp"
#include "tests/unit/cli/acted_on.hpp"
#include "tests/unit/cli/made_log.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t now_ms = 7'203'000;  // two hours after what made_log decides

outage_report told(made_log const& log, std::vector<surveyed_database> const& listed)
{
    auto const scan = judge(both(), log.twice(), listed);
    return make_outage(both(), log.view(), &scan, now_ms);
}

std::string steps_of(outage_report const& of)
{
    std::string all;
    for (auto const& each : of.steps) {
        all += each.what + "\n";
        for (auto const& command : each.commands)
            all += "  " + command + "\n";
    }
    return all;
}

std::vector<moment_kind> kinds_of(outage_report const& of)
{
    std::vector<moment_kind> all;
    for (auto const& each : of.moments)
        all.push_back(each.kind);
    return all;
}

surveyed_database dead(std::string const& name)
{
    return {name, std::nullopt, "connection refused", {}, {}};
}

TEST(OutageAdvice, SaysThatNothingIsInDoubtOnlyWhereEveryDatabaseSaidSo)
{
    auto const fine = told(made_log{}, listings({}));
    auto const silent = told(made_log{}, {listing("accounts", "server-a"), dead("orders")});
    auto const offline = make_outage(both(), made_log{}.view(), nullptr, now_ms);

    EXPECT_EQ(fine.headline, "Nothing is in doubt.");
    EXPECT_THAT(fine.steps, IsEmpty());
    EXPECT_EQ(fine.code, exit_code::fine);
    EXPECT_EQ(silent.headline, "What \"orders\" has is not known.");
    EXPECT_EQ(silent.code, exit_code::failed);
    EXPECT_THAT(steps_of(silent), HasSubstr("could not be asked: connection refused"));
    EXPECT_THAT(offline.headline, HasSubstr("the databases were not asked"));
    EXPECT_THAT(steps_of(offline), HasSubstr("assent --config assent.toml scan"));
}

TEST(OutageAdvice, CountsWhatALiveOwnerEndsAsAtWork)
{
    auto const on = told(made_log{}.own(4711), listings({branch(transaction(2, 1), 1)}));

    EXPECT_EQ(on.headline,
              "Nothing is in doubt; process 4711 is at work on 1 branch in 1 database.");
}

TEST(OutageAdvice, SendsToRecoveryWhatRecoveryEnds)
{
    auto const id = transaction(1, 1);
    made_log log;
    log.decide(id);
    auto const listed = listings({branch(id, 1), branch(transaction(1, 2), 1)}, {branch(id, 2)});

    auto const alone = told(log, listed);
    auto const owned = told(log.own(4711), listed);

    EXPECT_EQ(alone.headline, "3 branches in 2 databases are in doubt.");
    EXPECT_FALSE(alone.needs_person);
    EXPECT_THAT(steps_of(alone), HasSubstr("assent --config assent.toml recover --timeout 300"));
    EXPECT_THAT(steps_of(owned), HasSubstr("Process 4711 owns the log and recovers by itself"));
    EXPECT_THAT(steps_of(owned), Not(HasSubstr(" recover --timeout")));
}

TEST(OutageAdvice, CountsWhatIsDueWhereADatabaseDoesNotAnswer)
{
    auto const id = transaction(1, 1);
    auto const on = told(made_log{}.decide(id), {listing("accounts", "server-a"), dead("orders")});

    EXPECT_EQ(on.headline, "1 branch in 1 database is in doubt.");
    EXPECT_THAT(on.lead, ElementsAre("What \"orders\" has is not known."));
    ASSERT_EQ(on.databases.size(), 2u);
    EXPECT_EQ(on.databases[0].committed, 1u);
    ASSERT_EQ(on.databases[1].branches.size(), 1u);
    EXPECT_THAT(on.databases[1].branches[0].why, HasSubstr("is still there is not known"));
}

TEST(OutageAdvice, NamesForAPersonTheBranchTheDatabaseAndTheCommand)
{
    made_log log;
    log.add(assent::log::horizon_record{1, {1, 5}});
    auto const id = branch(transaction(1, 5), 1);
    auto const on = told(log, listings({id}));

    EXPECT_TRUE(on.needs_person);
    EXPECT_EQ(on.headline, "1 branch in 1 database only a person may decide.");
    EXPECT_THAT(steps_of(on), HasSubstr("assent --config assent.toml show " + id.text()));
    EXPECT_THAT(steps_of(on), HasSubstr("resolve " + id.text() + " --branch accounts --dry-run"));
    EXPECT_THAT(steps_of(on), Not(HasSubstr("recover --timeout")));
}

TEST(OutageAdvice, StopsNobodyForWhatIsDoneBesideTheOwner)
{
    made_log log;
    log.add(assent::log::horizon_record{1, {1, 5}});
    log.own(4711);
    auto const id = branch(transaction(1, 5), 1);
    auto const ended = branch(transaction(1, 6), 1);
    log.add(
        assent::ports::heuristic_record{ended, "accounts", assent::xa_code::heurrb, "x", 5'000});
    auto const steps = steps_of(told(log, listings({id})));

    EXPECT_THAT(steps, HasSubstr(" resolve " + id.text()));
    EXPECT_THAT(steps, HasSubstr(" forget " + std::string{ended.global.text()}));
    EXPECT_THAT(steps, HasSubstr("need not be stopped"));
    EXPECT_THAT(steps, Not(HasSubstr("stop the application")));
    EXPECT_THAT(steps, Not(HasSubstr("application is stopped")));
}

TEST(OutageAdvice, NamesNoCommandForWhatResolveRefuses)
{
    auto listed = listings({branch(transaction(1, 1), 2)});
    listed[0].scan->life.instance = "one server";
    listed[1].scan->life.instance = "another";
    auto const on = told(made_log{}, listed);

    EXPECT_TRUE(on.needs_person);
    EXPECT_THAT(steps_of(on), HasSubstr("\"accounts\" lists 1 branch that assent resolve refuses"));
    EXPECT_THAT(steps_of(on), HasSubstr("Find out how it came there, and end it by hand."));
    EXPECT_THAT(steps_of(on), Not(HasSubstr("resolve asn1")));
    EXPECT_THAT(steps_of(on), Not(HasSubstr("Only a person may decide")));
}

TEST(OutageAdvice, SendsNobodyToEndWhatATwinMade)
{
    auto const on = told(made_log{}, listings({branch(transaction(2, 1, our_nonce + 1), 1)}));

    EXPECT_THAT(steps_of(on), HasSubstr("a copy of this log"));
    EXPECT_THAT(steps_of(on), Not(HasSubstr("resolve")));
}

TEST(OutageAdvice, TellsAHeuristicAndHowToTakeItOffTheRecord)
{
    auto const id = branch(transaction(1, 1), 2);
    made_log log;
    log.add(assent::ports::heuristic_record{id, "orders", assent::xa_code::heurrb, "seen", 5'000});
    auto const on = told(log, listings({}));

    EXPECT_EQ(on.headline, "1 heuristic outcome is on record: the databases may differ.");
    EXPECT_TRUE(on.needs_person);
    EXPECT_THAT(steps_of(on), HasSubstr("forget " + std::string{id.global.text()} + " --reason"));
}

TEST(OutageAdvice, QuotesForTheShell)
{
    EXPECT_EQ(shell_word("/etc/shop/assent.toml"), "/etc/shop/assent.toml");
    EXPECT_EQ(shell_word("my file"), "'my file'");
    EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
    EXPECT_EQ(shell_word(""), "''");
}

TEST(OutageMoments, BeginWithTheOpeningOfTheOldestThingThatIsOpen)
{
    auto const on = told(made_log{}.decide(transaction(2, 1)), listings({}));

    EXPECT_EQ(on.earlier, 1u);  // the opening of epoch 1
    EXPECT_THAT(kinds_of(on), ElementsAre(moment_kind::opening, moment_kind::decision));
}

TEST(OutageMoments, TakeWhatFollowsOfOneKindTogether)
{
    made_log log;
    for (std::uint64_t i = 1; i <= 500; ++i)
        log.decide(transaction(1, i));
    log.add(assent::log::operator_record{branch(transaction(1, 1), 1),
                                         assent::log::operator_verdict::commit, 4'000, "ann", "x"});
    log.add(assent::log::retirement_record{2, 5'000, "bob", "burnt"});
    auto const on = told(log, listings({}));

    EXPECT_THAT(kinds_of(on), ElementsAre(moment_kind::opening, moment_kind::decision,
                                          moment_kind::person, moment_kind::database));
    EXPECT_EQ(on.moments[0].count, 2u);
    EXPECT_EQ(on.moments[1].count, 500u);
    EXPECT_THAT(on.moments[1].text, HasSubstr("500 transactions"));
    EXPECT_THAT(on.moments[3].text, HasSubstr("bob decided: give up \"orders\". Reason: burnt"));
}

TEST(OutageMoments, AreAtMostSoMany)
{
    made_log log;
    for (std::uint32_t i = 0; i < 300; ++i) {
        log.add(assent::log::operator_record{branch(transaction(1, 1), 1),
                                             assent::log::operator_verdict::commit, 4'000 + i,
                                             "ann", std::to_string(i)});
    }
    auto const on = told(log, listings({branch(transaction(1, 9), 1)}));

    EXPECT_EQ(on.moments.size(), moments_max);
    EXPECT_EQ(on.earlier, 102u);  // two openings and a hundred more
    EXPECT_THAT(on.moments.back().text, HasSubstr("Reason: 299"));
}

TEST(OutageAges, AreOfTheDecisionsAndNeverGuessed)
{
    waiting_database which;
    for (std::int64_t const decided : {now_ms - 1, now_ms - 59'999, now_ms - 60'000,
                                       now_ms - 3'600'000, std::int64_t{0}, now_ms + 1}) {
        which.branches.push_back({branch(transaction(1, 1), 1), "commit", "", decided});
    }

    EXPECT_THAT(ages_in(which, now_ms), ElementsAre(2, 1, 1, 0, 2));
    EXPECT_THAT(ages_in(which, now_ms + 86'400'000), ElementsAre(0, 0, 1, 4, 1));
}

TEST(OutageAges, AreWrittenInTheTwoLargestUnits)
{
    EXPECT_EQ(length_of(12), "12 ms");
    EXPECT_EQ(length_of(61'000), "1 min 1 s");
    EXPECT_EQ(length_of(7'200'000), "2 h");
    EXPECT_EQ(length_of(90'000'000), "1 d 1 h");
}

using Outage = acted_on;

TEST_F(Outage, IsOfWhatTheDatabasesHold)
{
    auto const decided = decide(*desk_.open_log(), "row");

    auto const seen = scan(desk_.from, all());
    auto const on = make_outage(desk_.from, seen.seen.after, &seen.report, now_ms);

    ASSERT_EQ(on.databases.size(), 2u);
    auto const& accounts = on.databases[0];
    EXPECT_EQ(accounts.name, "accounts");
    EXPECT_THAT(on.headline, HasSubstr("branch"));
    EXPECT_EQ(accounts.count("commit") + accounts.count("roll back") + accounts.count("wait") +
                  accounts.count("quarantine"),
              accounts.branches.size());
    ASSERT_FALSE(accounts.branches.empty());
    EXPECT_EQ(accounts.branches[0].id.global, decided);
}

}  // namespace
