// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// inbox_test.cpp -- inboxes in real databases; see at_queues.hpp.

#include <assent/inbox.hpp>

#include <future>
#include <string>

#include "tests/integration/at_queues.hpp"
#include "tests/unit/message/places.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::transaction;
using assent::message::delivery;
using assent::message::fork_error;
using assent::message::gap_error;
using assent::message::inbox;
using ::testing::HasSubstr;

delivery message_at(int position, int previous)
{
    return delivered("a'\\\"`%", 63, position, previous);
}

class Inbox : public AtQueues
{
protected:
    /// A transfer of that name in both databases.
    static auto transferring(opened& at, std::string const& id)
    {
        return [&at, id](transaction& tx) {
            transfer(tx.lease(at.accounts), tx.lease(at.orders), id, 1, 0);
        };
    }
};

TEST_F(Inbox, DoesEachMessageOnceAndNoticesGapsAndForks)
{
    opened at;
    for (auto const& in : at.both()) {
        SCOPED_TRACE(in.name);
        inbox each{at.tm, *in.home, "it's"};
        auto const work = [&](char const* id) { return transferring(at, in.name + id); };
        EXPECT_THROW(each.once(message_at(9, 8), work("9")), gap_error);
        EXPECT_TRUE(each.once(message_at(1, 0), work("1")));
        EXPECT_FALSE(each.once(message_at(1, 0), work("1")));
        EXPECT_THROW(each.once(message_at(3, 2), work("3")), gap_error);
        EXPECT_TRUE(each.once(message_at(2, 1), work("2")));
        EXPECT_TRUE(each.once(message_at(3, 2), work("3")));
        EXPECT_FALSE(each.once(message_at(2, 1), work("2")));
        EXPECT_THROW(each.once(message_at(7, 2), work("fork")), fork_error);
        each.attach(message_at(6, 5).at);
        each.attach(message_at(6, 5).at);
        EXPECT_TRUE(each.once(message_at(7, 6), work("7")));

        for (auto const* const id : {"1", "2", "3", "7"})
            expect_in_both(in.name + id);
        EXPECT_FALSE(is_transferred(in.name + "9"));
        EXPECT_FALSE(is_transferred(in.name + "fork"));
        EXPECT_EQ(in.number("select count(*) from assent_inbox"), 1) << "for ever";
    }
}

TEST_F(Inbox, StaysWhereItIsWhenTheWorkFails)
{
    opened at;
    for (auto const& in : at.both()) {
        SCOPED_TRACE(in.name);
        inbox each{at.tm, *in.home, "billing"};
        auto const id = in.name + " fails first";
        EXPECT_THROW(each.once(message_at(1, 0),
                               [&](transaction& tx) {
                                   transferring(at, id)(tx);
                                   throw std::out_of_range("no such customer");
                               }),
                     std::out_of_range);
        EXPECT_FALSE(is_transferred(id));
        EXPECT_TRUE(each.once(message_at(1, 0), transferring(at, id)));
        expect_in_both(id);
    }
}

/// Whatever the server's usual level is, "seen" and "gap" are said of what is committed.
TEST_F(Inbox, LetsTheSecondOfTwoWaitAndSeeWhatTheFirstHasDone)
{
    opened at;
    for (auto const& in : at.both()) {
        SCOPED_TRACE(in.name);
        inbox each{at.tm, *in.home, "billing"};
        for (int n = 1; n <= 2; ++n) {
            std::promise<void> is_in;
            std::promise<void> go_on;
            auto const id = in.name + " by one " + std::to_string(n);
            auto first = std::async(std::launch::async, [&] {
                return each.once(message_at(n, n - 1), [&](transaction& tx) {
                    transferring(at, id)(tx);
                    is_in.set_value();
                    go_on.get_future().wait();
                });
            });
            is_in.get_future().wait();
            EXPECT_THROW(each.once(message_at(n, n - 1), transferring(at, "never")), assent::error);
            go_on.set_value();
            EXPECT_TRUE(first.get());
            EXPECT_FALSE(each.once(message_at(n, n - 1), transferring(at, "never")));
            expect_in_both(id);
        }
    }
}

TEST_F(Inbox, SaysNothingWhileTheOneBeforeItIsInDoubt)
{
    opened at;
    for (auto const& in : at.both()) {
        SCOPED_TRACE(in.name);
        inbox each{at.tm, *in.home, "billing"};
        EXPECT_TRUE(each.once(message_at(1, 0), transferring(at, in.name + " first")));
        // Somebody's branch that has the row, and is neither committed nor rolled back.
        bool const is_first = in.name == "accounts";
        auto const run = [&](std::vector<std::string> const& all) {
            for (auto const& sql : all)
                in.execute(sql);
        };
        if (is_first) {
            run({"begin", "update assent_inbox set gtrid = 'x'", "prepare transaction 'doubt'"});
        } else {
            run({"xa start 'doubt'", "update assent_inbox set gtrid = 'x'", "xa end 'doubt'",
                 "xa prepare 'doubt'"});
        }
        for (int n = 1; n <= 3; ++n) {
            try {
                each.once(message_at(n, n - 1), transferring(at, "never"));
                ADD_FAILURE() << "nobody knows where the lane is: " << n;
            } catch (assent::error const& e) {
                EXPECT_THAT(e.what(), HasSubstr("keeps the lane's row"));
            }
        }
        in.execute(is_first ? "rollback prepared 'doubt'" : "xa rollback 'doubt'");
        EXPECT_FALSE(each.once(message_at(1, 0), transferring(at, "never")));
        EXPECT_TRUE(each.once(message_at(2, 1), transferring(at, in.name + " second")));
    }
}

TEST_F(Inbox, RefusesATableThatWouldCutItsNames)
{
    opened at;
    for (auto const& in : at.both()) {
        SCOPED_TRACE(in.name);
        in.execute(in.name == "accounts"
                       ? "create table assent_inbox (name varchar(5) primary key, last text not "
                         "null, gtrid text not null)"
                       : "create table assent_inbox (name varbinary(5) not null primary key, last "
                         "char(40) not null, gtrid char(57) not null)");
        inbox each{at.tm, *in.home, "billing"};
        try {
            each.once(message_at(1, 0), transferring(at, "never"));
            ADD_FAILURE() << "names would be cut";
        } catch (assent::error const& e) {
            EXPECT_THAT(e.what(), HasSubstr("assent_inbox cannot hold what was received"));
        }
        in.execute("drop table assent_inbox");
    }
}

}  // namespace
