// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// service_test.cpp -- the tx_service comes and goes, and its manager ends before it.

#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;
using assent::tx_service;
using ::testing::HasSubstr;

TEST(Service, WithoutOneNothingOpens)
{
    served at;
    at.tx.reset();
    on_a_thread([] {
        EXPECT_EQ(tx_open(), TX_ERROR);
        EXPECT_THAT(assent_tx_message(), HasSubstr("no tx_service"));
        EXPECT_EQ(tx_begin(), TX_PROTOCOL_ERROR);
        EXPECT_EQ(tx_close(), TX_OK);
    });
}

TEST(Service, ThereIsOneAtATime)
{
    served at;
    EXPECT_EQ(code_of([&] { tx_service{*at.tm, {}}; }), errc::invalid_state);

    at.tx.reset();
    at.tx.emplace(*at.tm, std::vector<assent::resource_manager>{});

    on_a_thread([] { EXPECT_EQ(tx_open(), TX_OK) << "over no database"; });
}

TEST(Service, OnlyWhatItsManagerHasIsServed)
{
    served at;
    at.tx.reset();
    memory_resource_manager const strange{"strange", at.bank};
    using list = std::vector<assent::resource_manager>;

    EXPECT_EQ(code_of([&] {
                  tx_service{*at.tm, list{*at.accounts, strange}};
              }),
              errc::bad_argument);
    EXPECT_EQ(code_of([&] {
                  tx_service{*at.tm, list{*at.accounts, *at.accounts}};
              }),
              errc::bad_argument);

    tx_service const again{*at.tm, list{*at.accounts}};
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK) << "nothing was kept of those that failed";
        ASSERT_EQ(tx_begin(), TX_OK);
        void* handle = nullptr;
        EXPECT_EQ(assent_tx_lease("orders", &handle), TX_EINVAL) << "C is not given that one";
        EXPECT_EQ(tx_rollback(), TX_OK);
    });
}

TEST(Service, WhoHadOpenedAnotherOneOpensAnew)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
        at.tx.reset();
        EXPECT_EQ(tx_begin(), TX_FAIL);
        EXPECT_EQ(tx_info(nullptr), TX_FAIL);
        EXPECT_EQ(tx_close(), TX_FAIL);
        at.tx.emplace(*at.tm, std::vector<assent::resource_manager>{*at.accounts, *at.orders});
        EXPECT_EQ(tx_begin(), TX_FAIL) << "of that one it knows nothing";

        EXPECT_EQ(tx_open(), TX_OK);

        EXPECT_EQ(info().transaction_control, TX_UNCHAINED);
        EXPECT_EQ(tx_begin(), TX_OK);
        EXPECT_EQ(tx_rollback(), TX_OK);
    });
}

TEST(Service, AClosedManagerFailsForGood)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        at.tm->close(std::chrono::steady_clock::now() + 1s);

        EXPECT_EQ(tx_begin(), TX_FAIL);

        EXPECT_EQ(tx_info(nullptr), 0);
        EXPECT_EQ(tx_close(), TX_OK);
        EXPECT_EQ(tx_open(), TX_FAIL);
    });
}

TEST(Service, AManagerThatClosesLeavesNothingToCommit)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();
        at.tm->close(std::chrono::steady_clock::now() + 1s);
        EXPECT_EQ(tx_info(nullptr), 1);

        EXPECT_EQ(tx_commit(), TX_ROLLBACK_NO_BEGIN);

        EXPECT_EQ(tx_info(nullptr), 0);
    });
    at.expect_rows(std::nullopt);
}

TEST(Service, MayEndWhileAThreadIsInATransaction)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();

        at.tx.reset();
        at.tm.reset();

        EXPECT_EQ(tx_commit(), TX_FAIL);
    });
    at.expect_rows(std::nullopt);
}

}  // namespace
