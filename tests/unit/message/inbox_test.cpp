// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// inbox_test.cpp -- an inbox in a database in memory.

#include <assent/inbox.hpp>

#include "tests/unit/message/message_fixture.hpp"
#include "tests/unit/message/places.hpp"

namespace {

using namespace message_test;
using assent::driver_error;
using assent::errc;
using assent::transaction;
using assent::message::delivery;
using assent::message::fork_error;
using assent::message::gap_error;
using assent::message::inbox;
using assent::testing::at_place;
using assent::testing::driver_call;

delivery message_at(int position, int previous, unsigned lane = 7)
{
    return assent::testing::delivered("jobs", lane, position, previous);
}

class Inbox : public queues
{
protected:
    /// What its message says is written into both databases.
    auto writing(std::string const& key = "row")
    {
        return [this, key](transaction& tx) {
            tx.lease(*at.accounts)->set(key, 1);
            tx.lease(*at.orders)->add("done", 1);
        };
    }
    std::int64_t done() const { return at.shop.value("done").value_or(0); }

    inbox in{*at.tm, *at.accounts, "billing"};
};

TEST_F(Inbox, DoesEachMessageOnce)
{
    EXPECT_TRUE(in.once(message_at(1, 0), writing()));
    EXPECT_FALSE(in.once(message_at(1, 0), writing()));
    EXPECT_TRUE(in.once(message_at(5, 1), writing()));
    EXPECT_FALSE(in.once(message_at(1, 0), writing()));
    EXPECT_FALSE(in.once(message_at(5, 1), writing()));
    EXPECT_EQ(done(), 2);
}

TEST_F(Inbox, TellsLanesSendersAndConsumersApart)
{
    EXPECT_TRUE(in.once(message_at(1, 0, 7), writing()));
    EXPECT_TRUE(in.once(message_at(1, 0, 8), writing()));
    auto other = message_at(1, 0);
    other.at.source[0] = 'b';
    EXPECT_TRUE(in.once(other, writing()));
    other.at.to = "others";
    EXPECT_TRUE(in.once(other, writing()));
    inbox second{*at.tm, *at.accounts, "shipping"};
    EXPECT_TRUE(second.once(message_at(1, 0), writing()));
    inbox same{*at.tm, *at.accounts, "billing"};
    EXPECT_FALSE(same.once(message_at(1, 0), writing()));
    EXPECT_EQ(done(), 5);
}

TEST_F(Inbox, NoticesThatOneIsMissing)
{
    EXPECT_TRUE(in.once(message_at(1, 0), writing()));
    try {
        in.once(message_at(3, 2), writing());
        ADD_FAILURE() << "2 never came";
    } catch (gap_error const& e) {
        EXPECT_EQ(e.last(), at_place(1));
        EXPECT_EQ(e.at().position, at_place(3));
        EXPECT_EQ(e.why(), errc::invalid_state);
        EXPECT_THAT(e.what(), HasSubstr("lane 7 of \"jobs\""));
    }
    EXPECT_TRUE(in.once(message_at(2, 1), writing()));
    EXPECT_TRUE(in.once(message_at(3, 2), writing())) << "it came after all";
    EXPECT_EQ(done(), 3);
}

TEST_F(Inbox, BeginsALaneByItsFirstMessageOrWhereAPersonSays)
{
    EXPECT_THROW(in.once(message_at(9, 8), writing()), gap_error);
    in.attach(message_at(8, 7).at);
    EXPECT_TRUE(in.once(message_at(9, 8), writing()));
    in.attach(message_at(0, 0).at);
    EXPECT_TRUE(in.once(message_at(1, 0), writing()));
    EXPECT_EQ(done(), 2);
}

TEST_F(Inbox, NoticesThatItsSenderWentBack)
{
    EXPECT_TRUE(in.once(message_at(1, 0), writing()));
    EXPECT_TRUE(in.once(message_at(2, 1), writing()));
    try {
        in.once(message_at(5, 1), writing());
        ADD_FAILURE() << "2 followed 1 before";
    } catch (fork_error const& e) {
        EXPECT_EQ(e.last(), at_place(2));
        EXPECT_THAT(e.what(), HasSubstr("restored from a backup"));
    }
    EXPECT_EQ(done(), 2);
}

TEST_F(Inbox, StaysWhereItIsWhenTheWorkFails)
{
    EXPECT_THROW(in.once(message_at(1, 0),
                         [&](transaction& tx) {
                             writing()(tx);
                             throw std::out_of_range("no such customer");
                         }),
                 std::out_of_range);
    EXPECT_EQ(done(), 0);
    EXPECT_THROW(in.once(message_at(1, 0), [](transaction& tx) { tx.set_rollback_only(); }),
                 assent::rolled_back_error);
    EXPECT_TRUE(in.once(message_at(1, 0), writing()));
    EXPECT_EQ(done(), 1);
}

TEST_F(Inbox, GivesTheSecondOfTwoNoAnswerBeforeTheFirstHasEnded)
{
    inbox other{*at.tm, *at.accounts, "billing"};
    EXPECT_TRUE(in.once(message_at(1, 0), [&](transaction& tx) {
        writing()(tx);
        try {
            other.once(message_at(1, 0), writing());
            ADD_FAILURE() << "it may be rolled back yet";
        } catch (assent::rolled_back_error const& e) {
            EXPECT_TRUE(e.is_retryable());
            EXPECT_THAT(e.what(), HasSubstr("keeps the lane's row"));
        }
    }));
    EXPECT_FALSE(other.once(message_at(1, 0), writing()));
    EXPECT_EQ(done(), 1);
}

TEST_F(Inbox, SaysInDoubtWhereItIsAndFindsOutByTheSameMessage)
{
    at.bank.script().on(assent::verb::prepare).lose_after_effect();
    bool is_told = false;
    try {
        in.once(message_at(1, 0), writing());
        is_told = true;
    } catch (assent::error const&) {
        is_told = false;
    }
    // Whatever it was: the row and the work are one.  (Until its branch has ended it keeps the
    // row.)
    bool is_now = false;
    EXPECT_TRUE(becomes_true([&] {
        try {
            is_now = in.once(message_at(1, 0), writing());
            return true;
        } catch (assent::error const&) {
            return false;
        }
    }));
    EXPECT_NE(is_told, is_now);
    EXPECT_EQ(done(), 1);
}

/// The row itself is free; what it was moved with is not there yet in the other database.
TEST_F(Inbox, BeginsNoWorkBeforeEveryBranchOfTheOneBeforeHasEnded)
{
    at.shop.script().on(assent::verb::commit).times(1000).hang();
    EXPECT_TRUE(in.once(message_at(1, 0), writing())) << "pending, and decided";
    EXPECT_EQ(done(), 0);
    for (int i = 0; i < 2; ++i) {
        auto const said = thrown_by<assent::error>([&] {
            in.once(message_at(2, 1),
                    [](transaction&) { ADD_FAILURE() << "its work is not seen"; });
        });
        EXPECT_EQ(said.why(), errc::unavailable);
        EXPECT_TRUE(said.is_retryable());
        EXPECT_THAT(said.what(), HasSubstr("not yet in \"orders\""));
    }
    at.shop.script().clear();
    at.shop.script().release();
    EXPECT_TRUE(becomes_true([&] {
        try {
            return in.once(message_at(2, 1), writing());
        } catch (assent::error const& e) {
            EXPECT_TRUE(e.is_retryable()) << e.what();
            return false;
        }
    }));
    EXPECT_EQ(done(), 2);
}

TEST_F(Inbox, LooksAtItsTableAgainAfterAFailure)
{
    at.bank.script().on(driver_call::ensure_inbox).fail("no rights");
    EXPECT_EQ(code_of([&] { in.once(message_at(1, 0), writing()); }), errc::unavailable);
    EXPECT_TRUE(becomes_true([&] {
        try {
            return in.once(message_at(1, 0), writing());
        } catch (assent::error const&) {
            return false;
        }
    }));
}

TEST_F(Inbox, RefusesWhatIsNoPlace)
{
    auto const is_refused = [&](delivery const& what) {
        try {
            in.once(what, writing());
        } catch (driver_error const& e) {
            return e.why() == errc::bad_argument;
        }
        return false;
    };
    EXPECT_TRUE(is_refused(message_at(1, 1)));
    EXPECT_TRUE(is_refused(message_at(1, 2)));
    auto bad = message_at(1, 0);
    bad.at.lane = 64;
    EXPECT_TRUE(is_refused(bad));
    bad = message_at(1, 0);
    bad.at.position = "1";
    EXPECT_TRUE(is_refused(bad));
    bad = message_at(1, 0);
    bad.at.source = "short";
    EXPECT_TRUE(is_refused(bad));
    bad = message_at(1, 0);
    bad.at.to = "a b";
    EXPECT_TRUE(is_refused(bad));
    EXPECT_THROW((inbox{*at.tm, *at.accounts, ""}), driver_error);
    EXPECT_THROW((inbox{*at.tm, *at.accounts, "two words"}), driver_error);
    EXPECT_EQ(done(), 0);
}

}  // namespace
