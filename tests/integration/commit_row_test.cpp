// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commit_row_test.cpp -- a commit row through the public doors, over a network that records and
// spoils: what it costs, and what a lost request or reply of the deciding COMMIT becomes.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "tests/integration/at_bank.hpp"
#include "tests/integration/conversation.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;

enum class place { accounts, orders };

char const* name_of(place where)
{
    return where == place::accounts ? "accounts" : "orders";
}

/// A manager over the spoiled network, whose transactions are decided by a row in one of the two.
struct desk : wired
{
    desk(bank& at, place where, std::chrono::milliseconds phase2_wait = 5s)
        : wired(at, patient(at.new_log_directory(), phase2_wait))
    {
        if (where == place::accounts) {
            by_row.commit_row(accounts);
            row_goes_to = net.accounts;
        } else {
            by_row.commit_row(orders);
            row_goes_to = net.orders;
            deciding = "ONE PHASE";
        }
    }

    static assent::options patient(std::string const& directory,
                                   std::chrono::milliseconds phase2_wait)
    {
        auto chosen = test_options(directory).reset_leases(false);  // messages are counted here
        auto bounds = chosen.given().limits;
        bounds.phase2_wait = phase2_wait;
        bounds.scan_interval = 200ms;
        bounds.server_call = 1s;
        bounds.connect = 1s;
        bounds.close = 1s;
        return chosen.limits(bounds);
    }

    assent::transaction begin_transfer(std::string const& id)
    {
        auto tx = tm.begin(by_row);
        transfer(tx.lease(accounts), tx.lease(orders), id, 1, 0);
        return tx;
    }

    /// What happens to the request that carries the row and commits it.
    void spoil_the_decision(fault what) { net.wire.on_request(row_goes_to, deciding, what); }

    assent::begin_options by_row;
    std::size_t row_goes_to = 0;
    std::string deciding = "; COMMIT";
};

class CommitRow : public AtBank
{
protected:
    static bool is_said(std::vector<wire_message> const& all, std::string const& part)
    {
        return std::any_of(all.begin(), all.end(), [&part](auto const& each) {
            return each.text.find(part) != std::string::npos;
        });
    }
};

TEST_F(CommitRow, OnPostgreSqlIsOneMessageAfterTheVoteAndBeforePhaseTwo)
{
    desk at{*bank_, place::accounts};
    auto tx = at.begin_transfer("row in accounts");
    at.net.wire.clear();

    EXPECT_EQ(tx.commit(), assent::outcome::committed);

    auto const to_pg =
        requests(conversation(at.net.wire.messages(at.net.accounts), "INSERT INTO public.assent"));
    auto const to_my = requests(conversation(at.net.wire.messages(at.net.orders), "XA PREPARE"));
    ASSERT_EQ(to_pg.size(), 1u);
    EXPECT_THAT(to_pg[0].text,
                ::testing::MatchesRegex("SELECT 1 .*assent.mark.*; WITH made AS .INSERT INTO "
                                        "public.assent_decision .*; COMMIT"));
    EXPECT_THAT(to_pg[0].text, ::testing::HasSubstr("synchronous_commit"));
    EXPECT_THAT(to_pg[0].text, ::testing::HasSubstr(std::string{tx.id().text()}));
    ASSERT_EQ(to_my.size(), 2u);
    EXPECT_LT(to_my[0].at, to_pg[0].at) << "the vote comes first";
    EXPECT_LT(to_pg[0].at, to_my[1].at) << "and the decision before phase 2";
    EXPECT_FALSE(is_said(at.net.wire.sql(at.net.accounts), "PREPARE TRANSACTION"));
    EXPECT_EQ(at.tm.state().forces, 0u);
    EXPECT_EQ(at.tm.state().decisions, 0u);
    expect_whole();
}

TEST_F(CommitRow, OnMariaDbIsOneMessageAfterTheVoteAndBeforePhaseTwo)
{
    desk at{*bank_, place::orders};
    auto tx = at.begin_transfer("row in orders");
    at.net.wire.clear();

    EXPECT_EQ(tx.commit(), assent::outcome::committed);

    auto const to_my = requests(conversation(at.net.wire.messages(at.net.orders), "ONE PHASE"));
    auto const to_pg =
        requests(conversation(at.net.wire.messages(at.net.accounts), "PREPARE TRANSACTION"));
    ASSERT_EQ(to_my.size(), 1u);
    EXPECT_THAT(to_my[0].text,
                ::testing::MatchesRegex("SAVEPOINT.*; RELEASE SAVEPOINT.*; insert into "
                                        "`orders`.assent_decision .*; XA END .*; XA COMMIT .* ONE "
                                        "PHASE"));
    ASSERT_EQ(to_pg.size(), 2u);
    EXPECT_LT(to_pg[0].at, to_my[0].at);
    EXPECT_LT(to_my[0].at, to_pg[1].at);
    EXPECT_FALSE(is_said(at.net.wire.sql(at.net.orders), "XA PREPARE"));
    EXPECT_EQ(at.tm.state().forces, 0u);
    expect_whole();
}

TEST_F(CommitRow, OnABorrowedMariaDbHandleIsOneMessageForEachStatement)
{
    desk at{*bank_, place::orders};
    auto const mine = own_orders(*bank_, at.net.wire.port(at.net.orders));
    auto tx = at.tm.begin(at.by_row);
    tx.enlist(at.orders, mine.get());
    transfer(tx.lease(at.accounts), mine.get(), "borrowed row", 1, 0);
    at.net.wire.clear();

    EXPECT_EQ(tx.commit(), assent::outcome::committed);

    EXPECT_EQ(requests(conversation(at.net.wire.messages(at.net.orders), "ONE PHASE")).size(), 5u);
    EXPECT_TRUE(is_transferred("borrowed row"));
    expect_whole();
}

TEST_F(CommitRow, AloneIsAPlainCommit)
{
    desk at{*bank_, place::accounts};
    auto tx = at.tm.begin(at.by_row);
    execute(tx.lease(at.accounts), "update balance set amount = amount where id = 1");
    at.net.wire.clear();

    EXPECT_EQ(tx.commit(), assent::outcome::committed);

    EXPECT_FALSE(is_said(at.net.wire.sql(at.net.accounts), "INSERT INTO public.assent"));
}

TEST_F(CommitRow, ALostReplyIsFoundOutFromTheRow)
{
    for (place const where : {place::accounts, place::orders}) {
        std::string const id = std::string{"reply lost by "} + name_of(where);
        desk at{*bank_, where};
        auto tx = at.begin_transfer(id);
        at.spoil_the_decision(fault::lose_reply);

        EXPECT_EQ(tx.commit(), assent::outcome::committed);

        EXPECT_TRUE(is_transferred(id));
        expect_whole();
    }
}

TEST_F(CommitRow, ALostRequestIsFencedAndRolledBack)
{
    for (place const where : {place::accounts, place::orders}) {
        std::string const id = std::string{"request lost by "} + name_of(where);
        desk at{*bank_, where};
        auto tx = at.begin_transfer(id);
        at.spoil_the_decision(fault::lose_request);

        EXPECT_THROW(tx.commit(), assent::rolled_back_error);

        EXPECT_EQ(at.tm.outcome(tx.id()), assent::known_outcome::rolled_back);
        EXPECT_FALSE(is_transferred(id));
        expect_whole();
        EXPECT_TRUE(becomes_true([&] { return at.tm.state().live_transactions == 0; }, 10s));
    }
}

/// The network falls silent around the COMMIT, for everybody: in doubt, until it is back.
TEST_F(CommitRow, SilenceIsInDoubtAndResolvedInTheBackground)
{
    for (bool const is_carried_out : {true, false}) {
        std::string const id = is_carried_out ? "silence after" : "silence before";
        desk at{*bank_, place::accounts, 300ms};
        auto tx = at.tm.begin(assent::begin_options{at.by_row}.timeout(2s));
        transfer(tx.lease(at.accounts), tx.lease(at.orders), id, 1, 0);
        at.spoil_the_decision(is_carried_out ? fault::silence_after : fault::silence_before);
        // Nobody can ask in time either.
        at.net.wire.on_request(at.net.accounts, "ON CONFLICT (gtrid) DO NOTHING",
                               fault::silence_before);

        auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

        EXPECT_EQ(e.resolved_by(), assent::resolver::recovery);
        EXPECT_TRUE(becomes_true(
            [&] { return at.tm.outcome(tx.id()) != assent::known_outcome::pending; }, 20s));
        EXPECT_EQ(at.tm.outcome(tx.id()), is_carried_out ? assent::known_outcome::committed
                                                         : assent::known_outcome::rolled_back);
        EXPECT_TRUE(becomes_true([] { return has_no_branches(); }, 10s));
        EXPECT_EQ(is_transferred(id), is_carried_out);
        expect_whole();
    }
}

TEST_F(CommitRow, RowsGoByThemselves)
{
    bank_->stop_looking();  // older sessions of the account would keep the horizon down
    desk at{*bank_, place::accounts};
    char node[17];
    std::snprintf(node, sizeof node, "%016llx",
                  static_cast<unsigned long long>(at.tm.state().node));
    auto const rows = [&](char const* kind) {
        return number(bank_->look_accounts(),
                      "select count(*) from public.assent_decision where kind = '" +
                          std::string{kind} + "' and gtrid like 'asn1r____" + node + "%'");
    };
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(at.begin_transfer("goes " + std::to_string(i)).commit(),
                  assent::outcome::committed);

    EXPECT_TRUE(becomes_true([&] { return rows("h") == 1 && rows("c") == 0; }, 10s));
}

}  // namespace
