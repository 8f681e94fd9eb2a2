// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// The main job on real servers: one transaction over PostgreSQL and MariaDB.

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;

using Transfer = AtManagedBank;

TEST_F(Transfer, CommitsInBothDatabases)
{
    auto tx = tm.begin();
    transfer(tx.lease(accounts), tx.lease(orders), "commits", 7, 1);
    auto const how = tx.commit();

    EXPECT_EQ(how, assent::outcome::committed);
    EXPECT_EQ(tm.outcome(tx.id()), assent::known_outcome::committed);
    EXPECT_EQ(tm.state().forces, 1u);
    expect_in_both("commits");
}

TEST_F(Transfer, RollsBackInBothDatabases)
{
    auto tx = tm.begin();
    transfer(tx.lease(accounts), tx.lease(orders), "rolls back", 7, 1);
    auto const how = tx.rollback();

    EXPECT_EQ(how, assent::outcome::rolled_back);
    EXPECT_EQ(tm.state().forces, 0u);
    EXPECT_EQ(bank_->transfers_in_orders().count("rolls back"), 0u);
    expect_whole();
}

TEST_F(Transfer, RollsBackWhenOneDatabaseVotesNo)
{
    auto tx = tm.begin();
    PGconn* const pg = tx.lease(accounts);
    transfer(pg, tx.lease(orders), "no vote", 7, 1);
    // PostgreSQL answers the PREPARE of a failed transaction with success and the tag ROLLBACK.
    EXPECT_ANY_THROW(execute(pg, "select no_such_column"));

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    EXPECT_EQ(bank_->transfers_in_orders().count("no vote"), 0u);
    expect_whole();
}

TEST_F(Transfer, ALeaseIsDeadAfterTheEnd)
{
    auto tx = tm.begin();
    auto const pg = tx.lease(accounts);

    tx.commit();

    EXPECT_THROW(pg.get(), assent::error);
}

TEST_F(Transfer, OneDatabaseNeedsNoForce)
{
    auto tx = tm.begin();
    execute(tx.lease(accounts), "update balance set amount = amount + 0 where id = 1");
    auto const how = tx.commit();

    EXPECT_EQ(how, assent::outcome::committed);
    EXPECT_EQ(tm.state().forces, 0u);
}

TEST_F(Transfer, ADeclaredReaderNeedsNoVoteAndCannotWrite)
{
    auto const update = "update balance set amount = amount + 0 where id = 1";

    auto reads = tm.begin();
    EXPECT_GT(
        number(reads.lease(accounts, assent::access::read_only), "select sum(amount) from balance"),
        0);
    EXPECT_GT(
        number(reads.lease(orders, assent::access::read_only), "select sum(amount) from balance"),
        0);
    EXPECT_EQ(reads.commit(), assent::outcome::committed);

    auto one_writer = tm.begin();
    number(one_writer.lease(accounts, assent::access::read_only), "select 1");
    execute(one_writer.lease(orders), update);
    EXPECT_EQ(one_writer.commit(), assent::outcome::committed);

    auto liar = tm.begin();
    EXPECT_ANY_THROW(execute(liar.lease(orders, assent::access::read_only), update));
    EXPECT_THROW(liar.lease(orders), assent::error);
    liar.rollback();
    auto other_liar = tm.begin();
    EXPECT_ANY_THROW(execute(other_liar.lease(accounts, assent::access::read_only), update));
    other_liar.rollback();

    EXPECT_EQ(tm.state().forces, 0u);
    // The declaration was for those branches only: pooled sessions write again.
    auto writer = tm.begin();
    execute(writer.lease(accounts), update);
    execute(writer.lease(orders), update);
    EXPECT_EQ(writer.commit(), assent::outcome::committed);
    expect_whole();
}

}  // namespace
