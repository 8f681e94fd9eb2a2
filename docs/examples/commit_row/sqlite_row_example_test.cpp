// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_row_example_test.cpp -- the program of the page does what the page says, on a file.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/contract/odbc_client.hpp"
#include "tests/integration/bank.hpp"

namespace {

using namespace assent::testing;
using assent::contract::odbc_client;
using assent::contract::sqlite_string;

TEST(SqliteRowExample, RunsAndSellsTheBook)
{
    if (assent::contract::odbc_drivers::sqlite().empty()) {
        GTEST_SKIP() << "there is no ODBC driver sqlite3odbc";
    }
    bank shop;
    auto const log = shop.new_log_directory();
    auto const till = shop.new_log_directory() + "/till.db";  // removed with the bank
    odbc_client looking{sqlite_string(till)};
    looking.query("CREATE TABLE sale (what TEXT, price INTEGER)");
    ::setenv("SHOP_LOG", log.c_str(), 1);
    ::setenv("SHOP_ACCOUNTS", shop.accounts_conninfo().c_str(), 1);
    ::setenv("SHOP_TILL", sqlite_string(till).c_str(), 1);

    // NOLINTNEXTLINE(cert-env33-c): a program of this very build, without arguments.
    ASSERT_EQ(std::system(ASSENT_SQLITE_ROW), 0);

    EXPECT_EQ(number(shop.look_accounts(), "SELECT amount FROM balance WHERE id = 1"),
              bank::first_balance - 5);
    EXPECT_EQ(looking.query("SELECT what FROM sale"), "book");
    EXPECT_EQ(looking.query("SELECT count(*) FROM assent_decision"), "1");
    EXPECT_EQ(shop.prepared_in_accounts(), 0);
}

}  // namespace
