// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// old_tables_test.cpp -- the tables that a manager keeps in databases, as version 0.1 first made
// them, word for word.  Whoever changes a table adds the old words here, and reads both.

#include <map>
#include <string>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using assent::outcome;

constexpr char identity[] = "0123456789abcdef0123456789abcdef";

void make_those_of_0_1(bank& at)
{
    execute(at.look_accounts(),
            "CREATE TABLE public.assent_decision (gtrid text COLLATE \"C\" PRIMARY KEY, kind text "
            "NOT NULL, content text NOT NULL, made timestamptz NOT NULL DEFAULT now())");
    execute(at.look_orders(),
            "CREATE TABLE assent_decision (gtrid CHAR(57) CHARACTER SET ascii COLLATE ascii_bin "
            "NOT NULL PRIMARY KEY, kind CHAR(1) CHARACTER SET ascii NOT NULL, content TEXT "
            "CHARACTER SET ascii NOT NULL, made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) "
            "ENGINE=InnoDB");
    execute(at.look_orders(),
            "CREATE TABLE assent_identity (id TINYINT NOT NULL PRIMARY KEY, value CHAR(32) "
            "CHARACTER SET ascii NOT NULL) ENGINE=InnoDB");
    execute(at.look_orders(),
            std::string{"INSERT INTO assent_identity VALUES (1, '"} + identity + "')");
    execute(at.look_orders(),
            "CREATE TABLE assent_past (node CHAR(16) CHARACTER SET ascii NOT NULL PRIMARY KEY, "
            "kept BIGINT UNSIGNED NOT NULL, history BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB");
    // Of a node that is long gone: nobody's to read, to count or to delete.
    std::string const row =
        "('asn1r0001000000000000000100000001000000000001000000000001', 'c', "
        "'000200010000000000000007')";
    execute(at.look_accounts(),
            "INSERT INTO public.assent_decision (gtrid, kind, content) VALUES " + row);
    execute(at.look_orders(), "INSERT INTO assent_decision (gtrid, kind, content) VALUES " + row);
    execute(at.look_orders(), "INSERT INTO assent_past VALUES ('0000000000000001', 9, 0)");
}

/// What they are made of: a number that changes with any column.
std::map<std::string, std::int64_t> layouts(bank& at)
{
    return {{"accounts", number(at.look_accounts(),
                                "select sum(hashtext(attname || atttypid::regtype || attnotnull)) "
                                "from pg_attribute where attrelid = "
                                "'public.assent_decision'::regclass and attnum > 0")},
            {"orders", number(at.look_orders(),
                              "select sum(crc32(concat_ws('|', table_name, column_name, "
                              "column_type, is_nullable, collation_name))) from "
                              "information_schema.columns where table_schema = database() and "
                              "table_name like 'assent%'")}};
}

class OldTables : public AtBank
{
};

TEST_F(OldTables, OfTheFirstVersionAreUsedAsTheyAre)
{
    make_those_of_0_1(*bank_);
    auto const before = layouts(*bank_);
    {
        assent::transaction_manager tm{test_options(bank_->new_log_directory())};
        auto const accounts = tm.add(bank_->accounts_manager());
        auto const orders = tm.add(bank_->orders_manager());
        int row = 0;
        for (auto const& how :
             {assent::begin_options{}, assent::begin_options{}.commit_row(accounts),
              assent::begin_options{}.commit_row(orders)}) {
            auto tx = tm.begin(how);
            auto const id = std::string{tx.id().text()};
            transfer(tx.lease(accounts), tx.lease(orders), id, 1, row++);
            EXPECT_EQ(tx.commit(), outcome::committed);
        }
        EXPECT_TRUE(tm.close(steady_clock::now() + tenfold(std::chrono::seconds{3})).is_drained);
    }
    expect_whole();
    EXPECT_EQ(layouts(*bank_), before);
    EXPECT_EQ(number(bank_->look_orders(), std::string{"select count(*) from assent_identity where "
                                                       "value = '"} +
                                               identity + "'"),
              1);
    auto const of_others = " where gtrid like 'asn1r00010000000000000001%' and kind = 'c'";
    EXPECT_EQ(number(bank_->look_accounts(),
                     std::string{"select count(*) from public.assent_decision"} + of_others),
              1);
    EXPECT_EQ(number(bank_->look_orders(),
                     std::string{"select count(*) from assent_decision"} + of_others),
              1);
    EXPECT_EQ(number(bank_->look_orders(),
                     "select count(*) from assent_past where node = '0000000000000001' and kept = "
                     "9"),
              1);
}

}  // namespace
