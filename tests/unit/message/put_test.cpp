// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// put_test.cpp -- what is put is there if and only if its transaction committed.

#include <set>

#include "tests/unit/message/message_fixture.hpp"

namespace message_test {

using Put = queues;

TEST_F(Put, IsThereWithWhateverElseCommits)
{
    auto tx = at.begin_work();
    at_bank.put(tx, {"jobs", "k", "one", {{"type", "a b"}}});
    at_shop.put(tx, {"slips", "", "two"});
    EXPECT_THAT(bodies(at.bank), IsEmpty());
    EXPECT_EQ(tx.commit(), outcome::committed);

    auto const rows = at.bank.tasks();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].to, "jobs");
    EXPECT_EQ(rows[0].key, "k");
    EXPECT_EQ(rows[0].headers, "type=a%20b\n");
    EXPECT_EQ(rows[0].gtrid, tx.id().text());
    EXPECT_EQ(rows[0].token.size(), 32u);
    EXPECT_LT(rows[0].lane, 64);
    EXPECT_THAT(bodies(at.shop), ElementsAre("two"));
}

TEST_F(Put, BeginsABranchWhereThereIsNone)
{
    auto tx = at.tm->begin();
    at_bank.put(tx, {"jobs", "", "alone"});
    EXPECT_THAT(at.bank.history(), IsEmpty()) << "nothing is sent before the commit";
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), ElementsAre("alone"));
}

TEST_F(Put, LeavesNothingWhereTheTransactionIsRolledBack)
{
    {
        auto tx = at.begin_work();
        at_bank.put(tx, {"jobs", "k", "no"});
        tx.rollback();
    }
    {
        auto dropped = at.begin_work();
        at_bank.put(dropped, {"jobs", "k", "no"});
    }
    at.shop.script().on(verb::prepare).reply(xa_code::rbdeadlock);
    auto refused = at.begin_work();
    at_bank.put(refused, {"jobs", "k", "no"});
    EXPECT_EQ(code_of([&] { refused.commit(); }), errc::rolled_back);
    EXPECT_THAT(bodies(at.bank), IsEmpty());
    EXPECT_EQ(at.bank.value("row"), std::nullopt);
}

TEST_F(Put, IsWrittenAfterEveryBeforeCompletion)
{
    auto tx = at.tm->begin();
    tx.register_interposed_synchronization({[&] { at_bank.put(tx, {"jobs", "", "2"}); }, {}});
    tx.register_synchronization({[&] { at_bank.put(tx, {"jobs", "", "1"}); }, {}});
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), ElementsAre("1", "2"));
}

TEST_F(Put, IsOneCallOfTheDriverHoweverManyThereAre)
{
    at.bank.script().on(driver_call::put_tasks, 2).fail("a second call");
    auto tx = at.tm->begin();
    queue const another{*at.accounts};
    for (int i = 0; i < 20; ++i)
        (i % 2 == 0 ? at_bank : another).put(tx, {"jobs", std::to_string(i), "body"});
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(at.bank.tasks().size(), 20u);
    at.bank.script().clear();
}

TEST_F(Put, GivesEachMessageATokenOfItsOwn)
{
    for (int i = 0; i < 3; ++i)
        commit_put("same", "same");
    std::set<std::string> tokens;
    for (auto const& row : at.bank.tasks())
        tokens.insert(row.token);
    EXPECT_EQ(tokens.size(), 3u);
}

TEST_F(Put, KeepsItsKeyUntilTheBranchHasEnded)
{
    at.bank.script().on(verb::commit).times(1000).hang();
    auto first = at.begin_work("a");
    at_bank.put(first, {"jobs", "k", "1"});
    EXPECT_EQ(first.commit(), outcome::committed_pending);

    auto second = at.tm->begin();
    at_bank.put(second, {"jobs", "k", "2"});
    auto const said = thrown_by<assent::rolled_back_error>([&] { second.commit(); });
    EXPECT_TRUE(said.is_retryable());
    EXPECT_THAT(said.what(), HasSubstr("keeps the key"));
    EXPECT_THAT(said.what(), HasSubstr(first.id().text())) << "who keeps it";

    commit_put("other", "another key");
    at.bank.script().clear();
    at.bank.script().release();
    EXPECT_TRUE(becomes_true([&] { return at.bank.tasks().size() == 2; }));
    commit_put("2", "k");
    EXPECT_THAT(bodies(at.bank), ElementsAre("1", "other", "2"));
}

TEST_F(Put, RollsBackWhereTheDatabaseTakesNothing)
{
    commit_put("first");
    at.bank.drop_tasks();
    auto tx = at.begin_work();
    at_bank.put(tx, {"jobs", "", "second"});
    EXPECT_THAT(thrown_by<assent::rolled_back_error>([&] { tx.commit(); }).what(),
                HasSubstr("assent_task is missing"));
    EXPECT_EQ(at.shop.value("row"), std::nullopt);

    commit_put("third");  // the tables are looked at again, and made
    EXPECT_THAT(bodies(at.bank), ElementsAre("third"));
}

TEST_F(Put, IsPartOfATransactionWhoseDecisionIsARow)
{
    auto tx = at.tm->begin(assent::begin_options{}.commit_row(*at.accounts));
    tx.lease(*at.orders)->set("row", 1);
    at_bank.put(tx, {"jobs", "k", "with the row"});
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), ElementsAre("with the row"));
    EXPECT_EQ(at.bank.tasks()[0].gtrid, tx.id().text());
}

/// What is gathered may be large, and the transaction's object be kept long.
TEST_F(Put, IsForgottenWithTheEndOfItsTransaction)
{
    auto const kept = std::make_shared<int>(0);
    auto tx = at.tm->begin();
    tx.work_at_commit(*at.accounts, [kept](auto&, auto) { ADD_FAILURE() << "it was done"; });
    EXPECT_EQ(kept.use_count(), 2);
    tx.rollback();
    EXPECT_EQ(kept.use_count(), 1);
}

/// It was told so, and goes on without it: nothing of it is left behind for the commit.
TEST_F(Put, IsRefusedWhereItsDatabaseIsDownAndTheTransactionGoesOn)
{
    at.expect_serving();
    at.bank.crash_server();
    auto tx = at.tm->begin();
    EXPECT_EQ(code_of([&] { at_bank.put(tx, {"jobs", "k", "never"}); }), errc::unavailable);
    tx.lease(*at.orders)->set("row", 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(at.shop.value("row"), 1);
    at.bank.restart();
    EXPECT_THAT(bodies(at.bank), IsEmpty());
}

TEST_F(Put, IsRefusedWhereItsTablesCannotBeUsedAndNoBranchIsBegunForIt)
{
    at.bank.script().on(driver_call::ensure_tasks).fail("let an administrator run CREATE TABLE");
    auto tx = at.tm->begin();
    EXPECT_EQ(code_of([&] { at_bank.put(tx, {"jobs", "k", "never"}); }), errc::unavailable);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(at.bank.history(), IsEmpty());
}

/// Another one of the same name is nobody here, and what it was given is nobody's.
TEST_F(Put, IsWrittenAlthoughAQueueOverAStrangerOfThatNameWasRefusedBefore)
{
    memory_database const elsewhere = database(personality::plain);
    queue const stranger{memory_resource_manager{"accounts", elsewhere}};
    auto tx = at.tm->begin();
    EXPECT_EQ(code_of([&] { stranger.put(tx, {"jobs", "", "never"}); }), errc::bad_argument);
    at_bank.put(tx, {"jobs", "", "here"});
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), ElementsAre("here"));
    EXPECT_THAT(bodies(elsewhere), IsEmpty());
}

}  // namespace message_test
