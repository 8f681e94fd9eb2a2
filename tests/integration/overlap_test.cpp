// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// overlap_test.cpp -- what one commit() costs on the wire, as a network that records sees it: two
// round trips to each database, side by side.

#include <future>
#include <set>

#include "tests/integration/at_bank.hpp"
#include "tests/integration/conversation.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;

class Overlap : public AtBank
{
protected:
    /// The messages of an end are counted, and the reset that follows it is not one of them.
    static assent::options counted()
    {
        return test_options(bank_->new_log_directory()).reset_leases(false);
    }
};

TEST_F(Overlap, SessionsAreEncryptedWhereTheyAreToBe)
{
    // In the clear libpq asks for encryption too, and does without.
    if (!bank::is_encrypted()) GTEST_SKIP() << "this run is in the clear";
    wired at{*bank_, counted()};
    auto tx = at.tm.begin();
    tx.lease(at.accounts);
    tx.lease(at.orders);

    for (auto const database : {at.net.accounts, at.net.orders}) {
        std::set<std::size_t> all;
        std::set<std::size_t> encrypted;
        for (auto const& each : at.net.wire.messages(database)) {
            if (each.is_request) all.insert(each.session);
            if (each.is_request && each.kind == "encryption") encrypted.insert(each.session);
        }
        EXPECT_EQ(encrypted, all);
    }
}

TEST_F(Overlap, CommitTakesTwoRoundTripsPerDatabaseSideBySide)
{
    wired at{*bank_, counted()};
    auto tx = at.tm.begin();
    transfer(tx.lease(at.accounts), tx.lease(at.orders), "overlap", 1, 0);
    at.net.wire.clear();
    meeting const first_phase{at.net, "PREPARE TRANSACTION", "XA PREPARE"};
    meeting const second_phase{at.net, "COMMIT PREPARED", "XA COMMIT"};

    auto committing = std::async(std::launch::async, [&] { return tx.commit(); });
    EXPECT_TRUE(first_phase.takes_place()) << "the votes";
    EXPECT_TRUE(second_phase.takes_place()) << "phase 2";

    EXPECT_EQ(committing.get(), assent::outcome::committed);
    auto const pg = conversation(at.net.wire.messages(at.net.accounts), "PREPARE TRANSACTION");
    auto const my = conversation(at.net.wire.messages(at.net.orders), "XA PREPARE");
    auto const to_pg = requests(pg);
    auto const to_my = requests(my);
    ASSERT_EQ(to_pg.size(), 2u) << "PREPARE and COMMIT, one message each";
    ASSERT_EQ(to_my.size(), 2u) << "END with PREPARE, and COMMIT, one message each";
    EXPECT_THAT(to_pg[0].text, ::testing::HasSubstr("PREPARE TRANSACTION"));
    EXPECT_THAT(to_pg[1].text, ::testing::HasSubstr("COMMIT PREPARED"));
    EXPECT_THAT(to_my[0].text, ::testing::MatchesRegex("XA END .*; XA PREPARE .*"));
    EXPECT_THAT(to_my[1].text, ::testing::StartsWith("XA COMMIT"));
    EXPECT_GT(std::min(to_pg[1].at, to_my[1].at),
              std::max(answered(pg, to_pg[0]), answered(my, to_my[0])))
        << "no COMMIT before both votes";
    expect_whole();
}

TEST_F(Overlap, RollbackIsOneRoundTripPerDatabaseSideBySide)
{
    wired at{*bank_, counted()};
    auto tx = at.tm.begin();
    transfer(tx.lease(at.accounts), tx.lease(at.orders), "overlapped rollback", 1, 0);
    at.net.wire.clear();
    meeting const only_phase{at.net, "ROLLBACK", "XA ROLLBACK"};

    auto rolling_back = std::async(std::launch::async, [&] { return tx.rollback(); });
    EXPECT_TRUE(only_phase.takes_place());

    EXPECT_EQ(rolling_back.get(), assent::outcome::rolled_back);

    auto const pg = conversation(at.net.wire.messages(at.net.accounts), "ROLLBACK");
    auto const my = conversation(at.net.wire.messages(at.net.orders), "XA ROLLBACK");
    ASSERT_EQ(requests(pg).size(), 1u);
    ASSERT_EQ(requests(my).size(), 1u);
    expect_whole();
}

TEST_F(Overlap, OneDatabaseIsCommittedWithoutPrepare)
{
    wired at{*bank_, counted()};
    auto in_accounts = at.tm.begin();
    execute(in_accounts.lease(at.accounts), "update balance set amount = amount where id = 1");
    auto in_orders = at.tm.begin();
    execute(in_orders.lease(at.orders), "update balance set amount = amount where id = 1");
    at.net.wire.clear();

    in_accounts.commit();
    in_orders.commit();

    auto const to_pg = requests(conversation(at.net.wire.messages(at.net.accounts), "COMMIT"));
    auto const to_my = requests(conversation(at.net.wire.messages(at.net.orders), "XA COMMIT"));
    ASSERT_EQ(to_pg.size(), 2u) << "the witness is read first, in a message of its own";
    EXPECT_THAT(to_pg[0].text, ::testing::HasSubstr("pg_current_xact_id_if_assigned"));
    ASSERT_EQ(to_my.size(), 1u);
    EXPECT_THAT(to_my[0].text, ::testing::MatchesRegex("XA END .*; XA COMMIT .* ONE PHASE"));
}

TEST_F(Overlap, ABorrowedHandleWithoutMultiStatementsTakesOneRoundTripMore)
{
    wired at{*bank_, counted()};
    auto const mine = own_orders(*bank_, at.net.wire.port(at.net.orders));
    auto tx = at.tm.begin();
    tx.enlist(at.orders, mine.get());
    transfer(tx.lease(at.accounts), mine.get(), "borrowed overlap", 1, 0);
    at.net.wire.clear();

    tx.commit();

    auto const to_my = requests(conversation(at.net.wire.messages(at.net.orders), "XA PREPARE"));
    ASSERT_EQ(to_my.size(), 3u);
    EXPECT_THAT(to_my[0].text, ::testing::StartsWith("XA END"));
    EXPECT_THAT(to_my[1].text, ::testing::StartsWith("XA PREPARE"));
    EXPECT_THAT(to_my[2].text, ::testing::StartsWith("XA COMMIT"));
    expect_whole();
}

TEST_F(Overlap, AResetIsSentWhenNobodyWaitsAndTheNextLeaseIsOneMessageStill)
{
    wired at{*bank_, test_options(bank_->new_log_directory())};
    auto tx = at.tm.begin();
    transfer(tx.lease(at.accounts), tx.lease(at.orders), "reset", 1, 0);
    at.net.wire.clear();

    ASSERT_EQ(tx.commit(), assent::outcome::committed);

    // Nobody waits for the resets, so they may not have passed yet.
    std::vector<wire_message> pg_at_end;
    std::vector<wire_message> my_at_end;
    auto const are_sent = [&] {
        pg_at_end = requests(conversation(at.net.wire.messages(at.net.accounts), "COMMIT PREP"));
        my_at_end = requests(conversation(at.net.wire.messages(at.net.orders), "XA COMMIT"));
        return pg_at_end.size() == 3 && my_at_end.size() == 3;
    };
    ASSERT_TRUE(becomes_true(are_sent, tenfold(1s)));
    EXPECT_THAT(pg_at_end[1].text, ::testing::StartsWith("COMMIT PREPARED"));
    EXPECT_EQ(pg_at_end[2].text, "DISCARD ALL");
    EXPECT_THAT(my_at_end[1].text, ::testing::StartsWith("XA COMMIT"));
    EXPECT_EQ(my_at_end[2].kind, "reset connection");
    at.net.wire.clear();

    auto next = at.tm.begin();
    next.lease(at.accounts);
    next.lease(at.orders);

    auto const my_at_start =
        requests(conversation(at.net.wire.messages(at.net.orders), "XA START"));
    ASSERT_EQ(my_at_start.size(), 1u);
    EXPECT_THAT(my_at_start[0].text,
                ::testing::MatchesRegex(
                    "set role (none|NONE); use `orders`; (set session [^;]*; )?XA START .*"));

    // The earlier reset may be answered only now.
    for (auto const& each : requests(at.net.wire.messages(at.net.accounts)))
        EXPECT_THAT(each.text, ::testing::Not(::testing::HasSubstr("DISCARD")));
    expect_whole();
}

}  // namespace
