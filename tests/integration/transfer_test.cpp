// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// The main job on real servers: one transaction over PostgreSQL and MariaDB.

#include <libpq-fe.h>

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

/// What this connection was notified of, up to now.
int notifications(PGconn* connection)
{
    number(connection, "select 1");
    int seen = 0;
    while (auto* const each = PQnotifies(connection)) {
        PQfreemem(each);
        ++seen;
    }
    return seen;
}

TEST_F(Transfer, WhatADeclaredReaderDidTakesEffectWithTheWholeOrNotAtAll)
{
    auto const listener = own_accounts(*bank_);
    execute(listener.get(), "listen news");
    for (bool const is_alone : {true, false}) {
        for (bool const is_committed : {false, true}) {
            SCOPED_TRACE(std::string{is_committed ? "committed" : "rolled back"} +
                         (is_alone ? ", one writer" : ", two writers"));
            auto const pg_reads = own_accounts(*bank_);
            auto const pg_writes = own_accounts(*bank_);
            auto const my_reads = own_orders(*bank_);
            execute(pg_reads.get(), "create temporary table scratch (n integer primary key)");
            execute(my_reads.get(), "create temporary table scratch (n integer) engine = innodb");
            std::string const id = std::string{"beside a reader "} + (is_alone ? "1" : "2") +
                                   (is_committed ? "c" : "r");

            auto tx = tm.begin();
            auto const another = assent::branch_choice::another;
            tx.enlist(accounts, pg_reads.get(), assent::enlist_options<PGconn*>{}.read_only());
            tx.enlist(accounts, pg_writes.get(), assent::enlist_options<PGconn*>{}.branch(another));
            tx.enlist(orders, my_reads.get(), assent::enlist_options<MYSQL*>{}.read_only());
            execute(pg_reads.get(), "notify news");
            execute(pg_reads.get(), "set application_name = 'reader'");
            execute(pg_reads.get(), "insert into scratch values (1)");
            execute(my_reads.get(), "insert into scratch values (1)");
            execute(pg_writes.get(), "update balance set amount = amount + 0 where id = 1");
            auto const my_writes = own_orders(*bank_);
            if (!is_alone) {
                tx.enlist(orders, my_writes.get(),
                          assent::enlist_options<MYSQL*>{}.branch(another));
                execute(my_writes.get(), "update balance set amount = amount + 0 where id = 1");
            }
            if (!is_committed) {
                EXPECT_ANY_THROW(execute(pg_writes.get(), "select no_such_column"));
                EXPECT_THROW(tx.commit(), assent::rolled_back_error);
            } else {
                EXPECT_EQ(tx.commit(), assent::outcome::committed);
            }

            int const expected = is_committed ? 1 : 0;
            EXPECT_EQ(notifications(listener.get()), expected);
            EXPECT_EQ(number(pg_reads.get(), "select count(*) from scratch"), expected);
            EXPECT_EQ(number(my_reads.get(), "select count(*) from scratch"), expected);
            EXPECT_EQ(number(pg_reads.get(),
                             "select count(*) from pg_settings where name = "
                             "'application_name' and setting = 'reader'"),
                      expected);
            expect_whole();
        }
    }
}

TEST_F(Transfer, WhatWouldStopADeclaredReadersCommitStopsTheWhole)
{
    auto const pg_reads = own_accounts(*bank_);
    execute(pg_reads.get(),
            "create temporary table once (n integer unique deferrable initially deferred)");
    auto tx = tm.begin();
    tx.enlist(accounts, pg_reads.get(), assent::enlist_options<PGconn*>{}.read_only());
    execute(pg_reads.get(), "insert into once values (1), (1)");
    execute(tx.lease(orders), "update balance set amount = amount + 0 where id = 1");

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("duplicate key"));
    EXPECT_EQ(PQtransactionStatus(pg_reads.get()), PQTRANS_IDLE);
    expect_whole();
}

TEST_F(Transfer, ADeclaredReaderThatMadeItselfAWriterIsPreparedLikeAnyOther)
{
    auto tx = tm.begin();
    PGconn* const pg = tx.lease(accounts, assent::access::read_only);
    execute(pg, "set transaction read write");  // allowed before the first query
    transfer(pg, tx.lease(orders), "a liar", 7, 1);

    EXPECT_EQ(tx.commit(), assent::outcome::committed);

    EXPECT_EQ(tm.state().forces, 1u) << "a decision names it";
    expect_in_both("a liar");
}

TEST_F(Transfer, ASerializableReaderThatSawNoAnomalyCanAlwaysBeCommitted)
{
    // The other writes what this one has read, and commits first; then a third makes it a pivot.
    auto const pg_reads = own_accounts(*bank_);
    auto const pivot = own_accounts(*bank_);
    auto const first = own_accounts(*bank_);
    execute(pg_reads.get(), "set default_transaction_isolation = serializable");
    for (auto* const each : {pivot.get(), first.get()}) {
        execute(each, "begin isolation level serializable");
        number(each, "select sum(amount) from balance");
    }
    auto tx = tm.begin();
    tx.enlist(accounts, pg_reads.get(), assent::enlist_options<PGconn*>{}.read_only());
    number(pg_reads.get(), "select sum(amount) from balance");
    execute(tx.lease(orders), "update balance set amount = amount + 0 where id = 1");
    execute(pivot.get(), "update balance set amount = amount + 0 where id = 1");
    execute(first.get(), "update balance set amount = amount + 0 where id = 2");
    execute(first.get(), "commit");

    EXPECT_EQ(tx.commit(), assent::outcome::committed);

    EXPECT_ANY_THROW(execute(pivot.get(), "commit"));
    expect_whole();
}

}  // namespace
