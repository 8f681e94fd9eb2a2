// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_tables_test.cpp -- tables that remember their past, and sessions whose characters are not
// ASCII's, in a branch.

#include <string>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

class mysql_tables : public mysql_case
{
};

/// mysql.transaction_registry says when a transaction was committed, and answers FOR SYSTEM_TIME AS
/// OF a time.  What was committed in two phases is not in it.
TEST_P(mysql_tables, VersionedByTransactionsKnowNothingOfWhatWasCommittedInTwoPhases)
{
    ASSENT_ONLY_ON(mariadb, "MySQL has no such tables");
    administrator().query("drop table if exists versioned");
    administrator().query(
        "create table versioned (k int primary key, "
        "s bigint unsigned generated always as row start, "
        "e bigint unsigned generated always as row end, period for system_time (s, e)) "
        "with system versioning engine=innodb");
    administrator().query("truncate mysql.transaction_registry");
    auto const registered = [&](int key) {
        return administrator().query(
            "select count(*) from mysql.transaction_registry join versioned on s = transaction_id "
            "where k = " +
            std::to_string(key));
    };
    auto const session = open();
    for (int const key : {1, 2}) {
        xid const x = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        query(*session, "insert into versioned (k) values (" + std::to_string(key) + ")");
        if (key == 1) {
            ASSERT_TRUE(run(*session, verb::prepare, x).is_ok());
            EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
        } else {
            EXPECT_TRUE(run(*session, verb::commit_one_phase, x).is_ok());
        }
        EXPECT_EQ(administrator().query("select count(*) from versioned where k = " +
                                        std::to_string(key)),
                  "1");
    }

    EXPECT_EQ(registered(1), "0");
    EXPECT_EQ(registered(2), "1");
    administrator().query("drop table versioned");
}

/// The words that Assent sends are ASCII, and its names are hexadecimal numbers, not text.
TEST_P(mysql_tables, CharactersThatAreNotAsciisChangeNoName)
{
    {
        auto const manage = open(session_purpose::manage);
        driver().preflight(*manage, in_ms(10'000));
        driver().decisions()->ensure(*manage, in_ms(10'000));
    }
    auto const session = open();
    int key = 0;
    for (std::string const set : {"ucs2", "utf16", "utf32", "swe7"}) {
        SCOPED_TRACE(set);
        xid const x = start(*session, ++key);
        query(*session, "set character_set_connection = " + set);
        ASSERT_TRUE(run(*session, verb::prepare, x).is_ok());
        EXPECT_TRUE(is_listed(x));
        EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
        // The next one begins with it.
        xid const next = start(*session, ++key);
        gtrid const name = gtrid::make(
            {decision_place::commit_row, 1, 0xfeed, 1, 1, static_cast<std::uint64_t>(key)});
        driver().decisions()->carry(*session, {name, row_kind::commit, std::string(48, '0')});
        EXPECT_TRUE(run(*session, verb::commit_one_phase, next).is_ok());
        EXPECT_EQ(rows(key), 1);
        auto const seen = driver().decisions()->list(*open(session_purpose::manage), name.text(), 1,
                                                     in_ms(10'000));
        ASSERT_EQ(seen.size(), 1U);
        EXPECT_EQ(seen.front().name, name);
        administrator().query("delete from assent_decision");

        auto lent = mysql_client::account(server(), "accounts");
        lent.query("set character_set_connection = " + set);
        auto const borrowed = borrow(lent);
        EXPECT_TRUE(run(*borrowed, verb::rollback, start(*borrowed, ++key)).is_ok());
        EXPECT_EQ(lent.query("select @@character_set_connection"), set);
    }
}

ASSENT_ON_EACH_SERVER(mysql_tables);

}  // namespace

}  // namespace assent::contract
