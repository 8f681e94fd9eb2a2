// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// client_examples_test.cpp -- the programs of docs/guide/connections.md, docs/guide/adopting.md,
// docs/guide/xopen-tx.md and docs/adapters/exported_switches.md do what the pages say, each with
// the client library that it is about.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/integration/bank.hpp"

namespace {

using namespace assent::testing;

class ClientExamples : public ::testing::Test
{
protected:
    static void SetUpTestSuite() { shop_ = new bank; }
    static void TearDownTestSuite()
    {
        delete shop_;
        shop_ = nullptr;
    }

    static int run(char const* program)
    {
        auto& orders = shop_->mariadb();
        ::setenv("SHOP_LOG", shop_->new_log_directory().c_str(), 1);
        ::setenv("SHOP_ACCOUNTS", shop_->accounts_conninfo().c_str(), 1);
        ::setenv("SHOP_ORDERS", shop_->orders_connect_string().c_str(), 1);
        ::setenv("SHOP_ORDERS_SOCI",
                 ("host=127.0.0.1 port=" + std::to_string(orders.port()) +
                  " db=orders user=" + orders.account() + " password=" + orders.password())
                     .c_str(),
                 1);
        // NOLINTNEXTLINE(cert-env33-c): a program of this very build, without arguments.
        return std::system(program);
    }
    static std::int64_t moved_from_accounts(int id)
    {
        return bank::first_balance -
               number(shop_->look_accounts(),
                      "SELECT amount FROM balance WHERE id = " + std::to_string(id));
    }
    static std::int64_t moved_to_orders(int id)
    {
        return number(shop_->look_orders(),
                      "SELECT amount FROM balance WHERE id = " + std::to_string(id)) -
               bank::first_balance;
    }
    /// Runs a program that moves 5 from accounts to orders.
    static void expect_transfer(char const* program)
    {
        auto const sent = moved_from_accounts(1);
        auto const received = moved_to_orders(1);

        ASSERT_EQ(run(program), 0);

        EXPECT_EQ(moved_from_accounts(1) - sent, 5);
        EXPECT_EQ(moved_to_orders(1) - received, 5);
        EXPECT_EQ(shop_->prepared_in_accounts() + shop_->prepared_in_orders(), 0);
    }

    static inline bank* shop_ = nullptr;
};

TEST_F(ClientExamples, LibpqxxTakesPart)
{
#ifdef ASSENT_LIBPQXX_EXAMPLE
    expect_transfer(ASSENT_LIBPQXX_EXAMPLE);
#else
    GTEST_SKIP() << "libpqxx 6 was not found";
#endif
}

TEST_F(ClientExamples, SociTakesPart)
{
#ifdef ASSENT_SOCI_EXAMPLE
    expect_transfer(ASSENT_SOCI_EXAMPLE);
#else
    GTEST_SKIP() << "SOCI was not found";
#endif
}

TEST_F(ClientExamples, CTakesPartByXOpensInterface)
{
    expect_transfer(ASSENT_TX_EXAMPLE);
}

TEST_F(ClientExamples, AMonitorInCHasBothByTheirSwitches)
{
    expect_transfer(ASSENT_MONITOR_EXAMPLE);
}

TEST_F(ClientExamples, AnApplicationIsAdoptedStageByStage)
{
    ASSERT_EQ(run(ASSENT_ADOPTING), 0);

    EXPECT_FALSE(std::filesystem::exists(std::string{std::getenv("SHOP_LOG")} + "-of-tests"));
    EXPECT_EQ(moved_from_accounts(4), 1 + 2 + 3) << "by hand, leased, joined; the last was undone";
    EXPECT_EQ(shop_->transfers_in_accounts().count("adopted"), 1u);
    EXPECT_EQ(shop_->transfers_in_orders().count("adopted"), 1u);
    EXPECT_EQ(shop_->prepared_in_accounts() + shop_->prepared_in_orders(), 0);
}

}  // namespace
