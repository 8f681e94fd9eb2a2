// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_conversation_test.cpp -- a start that leads: what is sent, what each answer makes of it, in
// one message and one statement at a time.
//
// Invariant of all cases: no statement of a lead is run outside of the branch.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/dialects/mysql/conversation.hpp"
#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/replies.hpp"

namespace assent::mysql_dialect {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

xid example()
{
    return {gtrid::make({decision_place::log, 0, 1, 2, 3, 4}), bqual::make({5, 6, 7})};
}

/// What a server says to a statement; where nothing is written down it says OK.
struct saying
{
    std::string to;  ///< how the statement begins
    unsigned code = 0;
    std::string text;
};

/// A server that runs the statements of a message until one fails, and says whether it is in a
/// transaction: by what it was told, or never.
class scripted_server
{
public:
    explicit scripted_server(std::vector<saying> script = {}) : script_(std::move(script)) {}

    /// XA START is answered by somebody else, who begins nothing.
    void never_begin() { may_begin_ = false; }

    /// The reply, when the conversation is over.
    reply drive(conversation& talk, verb v, bool all)
    {
        auto done = talk.begin(v, example());
        while (!done) {
            messages.push_back(talk.message(all));
            answers_ = run(messages.back());
            while (!done && !talk.must_send()) {
                answer const said = answers_.front();
                answers_.pop_front();
                EXPECT_TRUE(talk.fits(said)) << messages.back() << ": " << said.code;
                done = talk.advance(said);
            }
        }
        return *done;
    }

    std::vector<std::string> messages;
    std::vector<std::string> permanent;  ///< ran outside of any transaction

private:
    std::deque<answer> run(std::string_view message)
    {
        std::deque<answer> all;
        while (!message.empty()) {
            auto const end = message.find("; ");
            auto const one = message.substr(0, end);
            message = end == std::string_view::npos ? "" : message.substr(end + 2);
            all.push_back(say(one));
            all.back().has_more = all.back().code == 0 && !message.empty();
            if (all.back().code != 0) break;
        }
        return all;
    }

    answer say(std::string_view statement)
    {
        answer said;
        auto const is = [statement](std::string_view what) {
            return statement.substr(0, what.size()) == what;
        };
        for (auto const& each : script_) {
            if (!is(each.to)) continue;
            said.code = each.code;
            said.text = each.text;
        }
        if (is("XA") && is_begun_ != !is("XA START") && said.code == 0) {
            said.code = code::xaer_rmfail;
            said.text =
                "XAER_RMFAIL: The command cannot be executed when global transaction is in "
                "the  NON-EXISTING state";
        }
        // Outside of a transaction a savepoint is forgotten as soon as it was set.
        if (is("RELEASE") && !is_begun_) said.code = 1305;
        if (said.code != 0) return said;
        if (is("XA START")) is_begun_ = may_begin_;
        if (is("XA ROLLBACK")) is_begun_ = false;
        said.is_in_transaction = is_begun_;
        if (is("insert") || is("delete")) {
            said.affected = 1;
            if (!is_begun_) permanent.emplace_back(statement);
        }
        if (is("select")) {
            said.has_rows = true;
            said.rows = {{std::string{"points"}}};
        }
        return said;
    }

    std::vector<saying> const script_;
    bool is_begun_ = false;
    bool may_begin_ = true;
    std::deque<answer> answers_;
};

std::string const start_of_ours = [] {
    scripted_server any;
    conversation talk;
    any.drive(talk, verb::start, true);
    return any.messages.front();
}();

std::string ending(char const* what)
{
    return what + start_of_ours.substr(std::string_view{"XA START "}.size());
}

TEST(MysqlLead, AsksWhetherThereIsABranchInTheMessageOfTheStart)
{
    scripted_server server;
    conversation talk;
    talk.lead({"select x", "delete x"});
    EXPECT_TRUE(talk.expects_rows());
    EXPECT_TRUE(server.drive(talk, verb::start, true).is_ok());
    EXPECT_THAT(server.messages,
                ElementsAre(start_of_ours + "; SAVEPOINT assent_row; RELEASE SAVEPOINT assent_row; "
                                            "select x; delete x"));
    EXPECT_EQ(talk.led(), (table{{std::string{"points"}}}));
    EXPECT_THAT(talk.led(), IsEmpty()) << "it is given once";
    EXPECT_FALSE(talk.is_clear()) << "its branch is open";

    server.messages.clear();
    EXPECT_TRUE(server.drive(talk, verb::rollback, true).is_ok());
    EXPECT_TRUE(talk.is_clear());
    EXPECT_FALSE(talk.expects_rows());
    EXPECT_TRUE(server.drive(talk, verb::start, true).is_ok());
    EXPECT_EQ(server.messages.back(), start_of_ours) << "the lead was the last one's";
}

TEST(MysqlLead, SeesTheFlagFirstWhereEachStatementIsAMessage)
{
    scripted_server server;
    conversation talk;
    talk.lead({"select x", "delete x"});
    EXPECT_TRUE(server.drive(talk, verb::start, false).is_ok());
    EXPECT_THAT(server.messages, ElementsAre(start_of_ours, "select x", "delete x"));
    EXPECT_EQ(talk.led(), (table{{std::string{"points"}}}));
}

TEST(MysqlLead, IsSplitWhereTheApplicationHasSwitchedMessagesOfSeveralOff)
{
    std::string const joined = start_of_ours +
                               "; SAVEPOINT assent_row; RELEASE SAVEPOINT "
                               "assent_row; insert x";
    conversation talk;
    talk.lead({"insert x"});
    ASSERT_FALSE(talk.begin(verb::start, example()));
    EXPECT_EQ(talk.message(true), joined);
    answer refused;
    refused.code = 1064;
    ASSERT_TRUE(talk.fits(refused));
    ASSERT_FALSE(talk.advance(refused));
    answer good;
    good.is_in_transaction = true;
    ASSERT_TRUE(talk.must_send());
    EXPECT_EQ(talk.message(true), start_of_ours);
    ASSERT_FALSE(talk.advance(good));
    EXPECT_EQ(talk.message(true), "insert x");
    good.affected = 1;
    ASSERT_TRUE(talk.fits(good));
    auto const done = talk.advance(good);
    ASSERT_TRUE(done);
    EXPECT_TRUE(done->is_ok());
}

/// A client that keeps the flags to itself has to ask.
TEST(MysqlLead, AsksByItselfWhereNoFlagIsSeen)
{
    conversation talk;
    talk.lead({"insert x"});
    ASSERT_FALSE(talk.begin(verb::start, example()));
    for (char const* const expected :
         {start_of_ours.c_str(), "SAVEPOINT assent_row", "RELEASE SAVEPOINT assent_row"}) {
        EXPECT_EQ(talk.message(false), expected);
        ASSERT_FALSE(talk.advance({}));
    }
    EXPECT_EQ(talk.message(false), "insert x");
    auto const done = talk.advance({});
    ASSERT_TRUE(done);
    EXPECT_TRUE(done->is_ok());
}

/// Whether the statements travel together.
class MysqlLeadBoth : public ::testing::TestWithParam<bool>
{
protected:
    reply start(scripted_server& server, std::vector<std::string> lead)
    {
        talk.lead(std::move(lead));
        return server.drive(talk, verb::start, GetParam());
    }

    conversation talk;
};

TEST_P(MysqlLeadBoth, IsNotRunWhereSomebodyElseAnsweredTheStart)
{
    scripted_server server;
    server.never_begin();
    auto const said = start(server, {"insert x"});
    EXPECT_FALSE(said.is_ok());
    EXPECT_FALSE(dialects::is_rolled_back(said)) << "nothing was asked that could tell";
    EXPECT_THAT(server.permanent, IsEmpty()) << "a row under a name that was never admitted";
    EXPECT_FALSE(talk.is_clear()) << "such a session serves nobody";
}

TEST_P(MysqlLeadBoth, IsNotRunBehindAStartThatIsRefused)
{
    scripted_server server{{{"XA START", 1440, "XAER_DUPID"}}};
    EXPECT_EQ(start(server, {"select x", "delete x"}).code, xa_code::dupid);
    EXPECT_THAT(server.permanent, IsEmpty());
    EXPECT_TRUE(talk.is_clear());
}

TEST_P(MysqlLeadBoth, ThatIsRefusedLeavesNoBranch)
{
    struct cause
    {
        char const* at;
        unsigned code;
        xa_code expected;
    };
    for (cause const& each :
         {cause{"select", 1213, xa_code::rbdeadlock}, cause{"delete", 1205, xa_code::rbtransient},
          cause{"delete", 1146, xa_code::rbother}}) {
        scripted_server server{{{each.at, each.code, "no"}}};
        auto const said = start(server, {"select x", "delete x"});
        EXPECT_EQ(said.code, each.expected) << each.code;
        EXPECT_EQ(said.native_code, static_cast<int>(each.code));
        EXPECT_THAT(server.messages.back(), ::testing::EndsWith(ending("XA ROLLBACK ")));
        EXPECT_THAT(server.permanent, IsEmpty());
        EXPECT_TRUE(talk.is_clear()) << "the session serves the next one";
    }
    scripted_server server;
    EXPECT_TRUE(server.drive(talk, verb::start, GetParam()).is_ok());
    EXPECT_THAT(server.messages, ElementsAre(start_of_ours)) << "no lead is left over";
}

INSTANTIATE_TEST_SUITE_P(, MysqlLeadBoth, ::testing::Bool(),
                         [](auto const& of) { return of.param ? "Together" : "OneByOne"; });

}  // namespace

}  // namespace assent::mysql_dialect
