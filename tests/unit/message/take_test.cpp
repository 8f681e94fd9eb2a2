// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// take_test.cpp -- what is taken is gone if and only if its transaction committed.

#include <assent/driver.hpp>

#include "tests/unit/message/message_fixture.hpp"

namespace message_test {

using Take = queues;

TEST_F(Take, GivesWhatWasPut)
{
    auto from = at.tm->begin();
    at_bank.put(from, {"jobs", "k", std::string{"\0\xff", 2}, {{"type", "x"}, {"n", "1"}}});
    from.commit();

    auto tx = at.tm->begin();
    auto const one = at_bank.take(tx, "jobs");
    ASSERT_TRUE(one);
    EXPECT_EQ(one->to, "jobs");
    EXPECT_EQ(one->key, "k");
    EXPECT_EQ(one->body, (std::string{"\0\xff", 2}));
    EXPECT_THAT(one->headers, ElementsAre(std::pair{std::string{"type"}, std::string{"x"}},
                                          std::pair{std::string{"n"}, std::string{"1"}}));
    EXPECT_EQ(one->gtrid, from.id().text());
    EXPECT_EQ(one->id, at.bank.tasks()[0].token);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), IsEmpty());
}

TEST_F(Take, GivesTheOldestOfItsDestination)
{
    for (char const* body : {"1", "2", "3"})
        commit_put(body);
    auto tx = at.tm->begin();
    EXPECT_EQ(taken(tx, "elsewhere"), "nothing");
    EXPECT_EQ(taken(tx), "1");
    EXPECT_EQ(taken(tx), "2");
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), ElementsAre("3"));
}

TEST_F(Take, GivesBackWithARollbackInItsPlace)
{
    for (char const* body : {"1", "2"})
        commit_put(body);
    {
        auto tx = at.tm->begin();
        EXPECT_EQ(taken(tx), "1");
        tx.rollback();
    }
    auto tx = at.tm->begin();
    EXPECT_EQ(taken(tx), "1");
    tx.rollback();
    EXPECT_THAT(bodies(at.bank), ElementsAre("1", "2"));
}

TEST_F(Take, PassesOverWhatOthersHaveAndWaitsForNobody)
{
    for (char const* body : {"1", "2", "3"})
        commit_put(body);
    at.bank.script().on(verb::commit).times(1000).hang();
    auto prepared = at.begin_work();
    EXPECT_EQ(taken(prepared), "1");
    EXPECT_EQ(prepared.commit(), outcome::committed_pending);
    auto active = at.tm->begin();
    EXPECT_EQ(taken(active), "2");
    auto tx = at.tm->begin();
    EXPECT_EQ(taken(tx), "3");
    EXPECT_EQ(taken(tx), "nothing");
    EXPECT_EQ(tx.commit(), outcome::committed);
    active.rollback();
    at.bank.script().clear();
    at.bank.script().release();
    EXPECT_TRUE(becomes_true([&] { return at.bank.tasks().size() == 1; }));
    EXPECT_THAT(bodies(at.bank), ElementsAre("2"));
}

TEST_F(Take, DoesNotSeeWhatItsOwnTransactionPuts)
{
    auto tx = at.tm->begin();
    at_bank.put(tx, {"jobs", "", "later"});
    EXPECT_EQ(taken(tx), "nothing");
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), ElementsAre("later"));
}

TEST_F(Take, MovesFromOneDatabaseToTheOtherInOneDecision)
{
    for (int i = 0; i < 5; ++i)
        commit_put(std::to_string(i));
    at.shop.script().on(verb::prepare, 3).reply(xa_code::rbdeadlock);
    for (int i = 0; i < 6; ++i) {
        auto tx = at.tm->begin();
        auto const one = at_bank.take(tx, "jobs");
        ASSERT_TRUE(one) << i;
        at_shop.put(tx, *one);
        if (i == 2) {
            EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
        } else {
            EXPECT_EQ(tx.commit(), outcome::committed);
        }
    }
    EXPECT_THAT(bodies(at.bank), IsEmpty());
    EXPECT_THAT(bodies(at.shop), ElementsAre("0", "1", "2", "3", "4"));
}

/// Who put it is not Assent; whoever takes it must not lose it.
TEST_F(Take, GivesBackWhatCannotBeRead)
{
    commit_put("first");
    auto by_hand = at.tm->begin();
    by_hand.work_on(*at.accounts, [&](assent::driver_session& on, assent::deadline until) {
        assent::task_row row;
        row.token = std::string(32, '0');
        row.to = "jobs";
        row.headers = "no line of ours";
        row.body = "foreign";
        at.accounts->driver()->tasks()->put_tasks(on, {row}, {}, until);
    });
    by_hand.commit();

    auto tx = at.tm->begin();
    EXPECT_EQ(taken(tx), "first");
    EXPECT_EQ(code_of([&] { at_bank.take(tx, "jobs"); }), errc::rollback_only);
    EXPECT_THAT(thrown_by<assent::rolled_back_error>([&] { tx.commit(); }).what(),
                HasSubstr("headers"));
    EXPECT_THAT(bodies(at.bank), ElementsAre("first", "foreign"));
}

TEST_F(Take, OfATransactionThatHasEndedConnectsToNobody)
{
    auto ended = at.tm->begin();
    ended.commit();
    at.bank.script().on(driver_call::ensure_tasks, 1).fail("it was looked at");
    EXPECT_EQ(code_of([&] { at_bank.take(ended, "jobs"); }), errc::invalid_state);
    EXPECT_EQ(code_of([&] { at_bank.put(ended, {"jobs", "", ""}); }), errc::invalid_state);
    EXPECT_EQ(at.bank.script().pending(), 1u);
    at.bank.script().clear();
}

TEST_F(Take, LooksAtTheTablesAgainWhereOneIsMissing)
{
    commit_put("gone with its table");
    at.bank.drop_tasks();
    auto tx = at.tm->begin();
    EXPECT_EQ(code_of([&] { at_bank.take(tx, "jobs"); }), errc::rollback_only);
    tx.rollback();
    auto next = at.tm->begin();
    EXPECT_EQ(taken(next), "nothing");
    EXPECT_EQ(next.commit(), outcome::committed);
}

}  // namespace message_test
