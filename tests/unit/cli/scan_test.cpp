// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/made_log.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> actions(scanned_database const& of)
{
    std::vector<std::string> all;
    for (auto const& each : of.branches)
        all.push_back(each.action);
    return all;
}

TEST(Scan, IsFineWhenNothingIsListed)
{
    auto const told = judge(both(), made_log{}.twice(), listings({}));

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_THAT(told.attention, IsEmpty());
    ASSERT_EQ(told.databases.size(), 2u);
    EXPECT_TRUE(told.databases[0].is_conclusive);
}

TEST(Scan, WouldCommitWhatIsDecidedAndRollBackTheRest)
{
    auto const decided = transaction(1, 1);
    auto const undecided = transaction(1, 2);
    auto const told =
        judge(both(), made_log{}.decide(decided).twice(),
              listings({branch(decided, 1), branch(undecided, 1)}, {branch(undecided, 2)}));

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(actions(told.databases[0]), ElementsAre("commit", "roll back"));
    EXPECT_THAT(actions(told.databases[1]), ElementsAre("roll back"));
    EXPECT_THAT(told.databases[1].finished, ElementsAre(branch(decided, 2)));
}

TEST(Scan, LeavesToALiveOwnerWhatIsOfItsOwnEpoch)
{
    auto const now = transaction(2, 1);
    auto const older = transaction(1, 1);
    auto const told =
        judge(both(), made_log{}.own(4711).twice(), listings({branch(now, 1)}, {branch(older, 2)}));

    EXPECT_THAT(actions(told.databases[0]), ElementsAre("leave"));
    EXPECT_THAT(told.databases[0].branches[0].why, HasSubstr("process 4711"));
    EXPECT_THAT(actions(told.databases[1]), ElementsAre("roll back"));
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("process 4711 recovers by itself")));
}

TEST(Scan, TakesADecisionThatFellWhileTheDatabasesWereAsked)
{
    auto const older = transaction(1, 1);
    made_log before;
    made_log after;
    after.decide(older);

    auto const told = judge(both(), {before.view(), after.view()}, listings({branch(older, 1)}));

    EXPECT_THAT(actions(told.databases[0]), ElementsAre("commit"));
}

TEST(Scan, TakesADecisionThatWasForgottenWhileTheDatabasesWereAsked)
{
    auto const older = transaction(1, 1);
    made_log before;
    made_log after;
    before.decide(older);
    after.add(assent::log::horizon_record{1, {1, 5}});

    auto const told = judge(both(), {before.view(), after.view()}, listings({branch(older, 1)}));

    EXPECT_THAT(actions(told.databases[0]), ElementsAre("commit"));
}

TEST(Scan, LeavesToAPersonWhatHasReappeared)
{
    made_log log;
    log.add(assent::log::horizon_record{1, {1, 5}});

    auto const told = judge(both(), log.twice(), listings({branch(transaction(1, 5), 1)}));

    EXPECT_THAT(actions(told.databases[0]), ElementsAre("quarantine"));
    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(told.attention, Contains(HasSubstr("nobody may decide but a person")));
}

TEST(Scan, PresumesAbortNowhereOnceATwinShowsItselfAnywhere)
{
    auto const twin = transaction(2, 1, our_nonce + 1);
    auto const decided = transaction(1, 1);
    auto const undecided = transaction(1, 2);

    auto const told =
        judge(both(), made_log{}.decide(decided).twice(),
              listings({branch(twin, 1)}, {branch(decided, 2), branch(undecided, 2)}));

    EXPECT_THAT(actions(told.databases[0]), ElementsAre("quarantine"));
    EXPECT_THAT(actions(told.databases[1]), ElementsAre("commit", "wait"));
}

/// Decided in a row of resource manager `place`.
assent::gtrid by_row(std::uint16_t place)
{
    return assent::gtrid::make(
        {assent::decision_place::commit_row, place, our_node, 1, our_nonce, 1});
}

/// No configuration can open it, and nobody should be told to add it, or to give it up.
TEST(Scan, TakesABrokerOfTheApplicationsForNothingUnlessSomethingIsDueThere)
{
    auto const with_broker = [](bool is_due) {
        made_log log;
        log.add(assent::ports::binding{3, "events", "half", "broker-1"});
        auto const id = transaction(1, 1);
        if (is_due) {
            log.add(assent::log::decision_record{{id, {branch(id, 3).branch}}, 0, 3'000});
        }
        return judge(both(), log.twice(), listings({}));
    };

    auto const idle = with_broker(false);
    EXPECT_EQ(idle.code, exit_code::fine);
    EXPECT_THAT(idle.attention, IsEmpty());
    ASSERT_EQ(idle.databases.size(), 3u);
    EXPECT_EQ(idle.databases[2].problem.what, reason::only_application);
    EXPECT_THAT(idle.databases[2].problem.for_a_person, HasSubstr("start the application"));

    auto const due = with_broker(true);
    EXPECT_EQ(due.code, exit_code::attention);
    EXPECT_THAT(due.attention, ElementsAre(HasSubstr("only the application can finish")));
}

TEST(Scan, SaysThatReservationsAreConfiguredAsADatabase)
{
    made_log log;
    log.add(assent::ports::binding{3, "stock", "mariadb", "server-o2/tcc/stock"});
    auto from = both();
    from.databases.push_back({"stock", database_kind::mariadb, {}, false});
    auto seen = listings({});
    seen.push_back(seen.back());
    seen.back().name = "stock";
    seen.back().scan->identity = "server-o2";

    auto const as_database = judge(from, log.twice(), seen);
    ASSERT_EQ(as_database.databases.size(), 3u);
    EXPECT_EQ(as_database.databases[2].problem.what, reason::other_database);
    EXPECT_THAT(as_database.databases[2].problem.why, HasSubstr("add `reservations = true`"));

    seen.back().runs_handlers = true;
    seen.back().scan->identity = "server-o2/tcc/stock";
    EXPECT_EQ(judge(from, log.twice(), seen).code, exit_code::fine);
}

TEST(Scan, FollowsACommitRowThatItSees)
{
    auto const id = by_row(2);
    auto const content =
        std::string{branch(id, 1).branch.text()} + std::string{branch(id, 2).branch.text()};
    for (auto const kind : {assent::row_kind::commit, assent::row_kind::abort}) {
        bool const commits = kind == assent::row_kind::commit;
        auto listed = listings({branch(id, 1)});
        listed[1].rows = {{id, kind, commits ? content : ""}};

        auto const told = judge(both(), made_log{}.twice(), listed);

        EXPECT_THAT(actions(told.databases[0]), ElementsAre(commits ? "commit" : "roll back"));
        EXPECT_THAT(told.databases[0].branches[0].why, HasSubstr("row is in \"orders\""));
    }
}

TEST(Scan, ConcludesNothingFromARowThatIsNotThere)
{
    auto const told = judge(both(), made_log{}.twice(), listings({branch(by_row(2), 1)}));

    EXPECT_THAT(actions(told.databases[0]), ElementsAre("ask its row"));
    EXPECT_THAT(told.databases[0].branches[0].why, HasSubstr("commit row of \"orders\""));
    EXPECT_THAT(told.databases[0].branches[0].why, HasSubstr("inserts an abort row"));
    EXPECT_EQ(told.code, exit_code::attention);
}

TEST(Scan, LooksAtRowsBeforeASalvagedLogsHorizonCounts)
{
    auto const id = by_row(2);
    auto const log = made_log{}.add(assent::log::horizon_record{1, {2, 1000}});
    auto unread = listings({branch(id, 1)});
    unread[1].scan.reset();
    EXPECT_THAT(actions(judge(both(), log.twice(), unread).databases[0]), ElementsAre("wait"));

    auto committed = listings({branch(id, 1)});
    committed[1].rows = {{id, assent::row_kind::commit, std::string{branch(id, 1).branch.text()}}};
    EXPECT_THAT(actions(judge(both(), log.twice(), committed).databases[0]), ElementsAre("commit"));

    auto const absent = listings({branch(id, 1)});
    EXPECT_THAT(actions(judge(both(), log.twice(), absent).databases[0]),
                ElementsAre("quarantine"));
}

TEST(Scan, SaysWhyARowWasNotRead)
{
    auto const waits_for = [](std::vector<surveyed_database> const& listed) {
        auto const told = judge(both(), made_log{}.twice(), listed);
        EXPECT_THAT(actions(told.databases[0]), ElementsAre("wait"));
        return told.databases[0].branches.at(0).why;
    };
    auto unreadable = listings({branch(by_row(2), 1)});
    unreadable[1].rows_problem = "permission denied";
    EXPECT_THAT(waits_for(unreadable), HasSubstr("permission denied"));
    auto silent = listings({branch(by_row(2), 1)});
    silent[1].scan.reset();
    EXPECT_THAT(waits_for(silent), HasSubstr("could not be asked"));
    auto changed = listings({branch(by_row(2), 1)});
    changed[1].rows = {{by_row(2), assent::row_kind::commit, "changed"}};
    EXPECT_THAT(waits_for(changed), HasSubstr("somebody changed it"));
    auto unknown = listings({branch(by_row(9), 1)});
    EXPECT_THAT(waits_for(unknown), HasSubstr("resource manager 9, which this log does not know"));
    auto elsewhere = listings({branch(by_row(2), 1)});
    elsewhere[1].scan->identity = "server-c";
    EXPECT_THAT(waits_for(elsewhere), HasSubstr("another server"));
}

TEST(Scan, CountsOthersAndSaysNothingOfThemButWhatTheServerWarnsOf)
{
    auto const other_node =
        assent::gtrid::make({assent::decision_place::log, 0, our_node + 1, 1, our_nonce, 1});
    auto listed = listings({branch(other_node, 1)});
    listed[0].scan->foreign_count = 3;
    listed[0].scan->warnings = {"they endanger ours"};

    auto const told = judge(both(), made_log{}.twice(), listed);

    EXPECT_THAT(told.databases[0].branches, IsEmpty());
    EXPECT_EQ(told.databases[0].foreign_count, 4u);
    EXPECT_THAT(told.databases[0].warnings, ElementsAre("they endanger ours"));
    EXPECT_EQ(told.code, exit_code::fine);
}

TEST(Scan, DecidesNothingWhereTheIdentityHasChanged)
{
    auto listed = listings({branch(transaction(1, 1), 1)});
    listed[0].scan->identity = "server-b";

    auto const told = judge(both(), made_log{}.twice(), listed);

    EXPECT_FALSE(told.databases[0].is_conclusive);
    EXPECT_THAT(told.databases[0].branches, IsEmpty());
    EXPECT_THAT(told.databases[0].problem.why, HasSubstr("bound: server-a, found: server-b"));
    EXPECT_EQ(told.code, exit_code::attention);
}

TEST(Scan, RefusesTwoNamesForOneDatabase)
{
    auto from = both();
    from.databases.push_back({"again", database_kind::postgresql, {}, false});
    auto listed = listings({});
    listed.push_back(listing("again", "server-a"));

    auto const told = judge(from, made_log{}.twice(), listed);

    ASSERT_EQ(told.databases.size(), 3u);
    EXPECT_THAT(told.databases[2].problem.why, HasSubstr("knows as \"accounts\""));
    EXPECT_EQ(told.code, exit_code::attention);
}

TEST(Scan, TakesNoListFromAStandby)
{
    auto listed = listings({});
    listed[1].scan->is_writable_primary = false;

    auto const told = judge(both(), made_log{}.twice(), listed);

    EXPECT_FALSE(told.databases[1].is_conclusive);
    EXPECT_EQ(told.code, exit_code::failed);
}

TEST(Scan, IsInDoubtWhereADecidedBranchCannotBeAskedFor)
{
    auto listed = listings({});
    listed[1].scan.reset();
    listed[1].problem = "no route";

    auto const idle = judge(both(), made_log{}.twice(), listed);
    auto const due = judge(both(), made_log{}.decide(transaction(1, 1)).twice(), listed);

    EXPECT_EQ(idle.code, exit_code::failed);
    EXPECT_EQ(due.code, exit_code::attention);
    EXPECT_THAT(due.attention, Contains(HasSubstr("no route")));
}

TEST(Scan, NamesAResourceManagerThatNobodyConfigured)
{
    auto from = both();
    from.databases.pop_back();

    auto const told = judge(from, made_log{}.twice(), {listing("accounts", "server-a")});

    ASSERT_EQ(told.databases.size(), 2u);
    EXPECT_FALSE(told.databases[1].is_configured);
    EXPECT_FALSE(told.databases[1].is_conclusive);
    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("\"orders\"")));
}

}  // namespace
