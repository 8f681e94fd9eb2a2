// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connections_test.cpp -- how C gets at the connections of its transaction, by name, and lends its
// own.

#include <set>

#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;
using ::testing::HasSubstr;

/// What a C program is told when its connection is given back.
struct given_back
{
    static void here(void* handle, int must_close, void* argument)
    {
        static_cast<given_back*>(argument)->calls.emplace_back(handle, must_close);
    }
    std::vector<std::pair<void*, int>> calls;
};

TEST(Connections, OneNameIsOneConnectionUntilTheEnd)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);

        EXPECT_EQ(served::lease("accounts"), served::lease("accounts"));
        EXPECT_NE(served::lease("accounts"), served::lease("orders"));

        served::work();
        EXPECT_EQ(tx_commit(), TX_OK);
    });
    at.expect_rows(1);
}

TEST(Connections, AreOfNobodyOutsideATransaction)
{
    served at;
    on_a_thread([&] {
        void* handle = &at;
        EXPECT_EQ(assent_tx_lease("accounts", &handle), TX_PROTOCOL_ERROR) << "S0";
        ASSERT_EQ(tx_open(), TX_OK);
        EXPECT_EQ(assent_tx_lease("accounts", &handle), TX_PROTOCOL_ERROR) << "S1";
        EXPECT_EQ(assent_tx_enlist("accounts", handle, nullptr, nullptr), TX_PROTOCOL_ERROR);
        EXPECT_EQ(handle, &at);
    });
}

TEST(Connections, WhatMeansNothingIsRefusedAndTheTransactionGoesOn)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        void* handle = nullptr;

        EXPECT_EQ(assent_tx_lease("elsewhere", &handle), TX_EINVAL);
        EXPECT_THAT(assent_tx_message(), HasSubstr("it was given \"accounts\" \"orders\""));
        EXPECT_EQ(assent_tx_lease(nullptr, &handle), TX_EINVAL);
        EXPECT_EQ(assent_tx_lease("accounts", nullptr), TX_EINVAL);
        EXPECT_EQ(assent_tx_enlist("elsewhere", &at, nullptr, nullptr), TX_EINVAL);
        EXPECT_EQ(assent_tx_enlist("accounts", nullptr, nullptr, nullptr), TX_EINVAL);
        EXPECT_STRNE(assent_tx_message(), "");

        served::work();
        EXPECT_STREQ(assent_tx_message(), "") << "of the last call only";
        EXPECT_EQ(tx_commit(), TX_OK);
    });
    at.expect_rows(1);
}

TEST(Connections, ALongMessageIsCut)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        void* handle = nullptr;

        EXPECT_EQ(assent_tx_lease(std::string(5000, 'x').c_str(), &handle), TX_EINVAL);

        EXPECT_EQ(std::strlen(assent_tx_message()), 1023u);
        EXPECT_EQ(tx_rollback(), TX_OK);
    });
}

TEST(Connections, OnesOwnTakesPartAndIsGivenBackOnce)
{
    served at;
    auto const own = at.bank.connect();
    given_back back;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);

        EXPECT_EQ(assent_tx_enlist("accounts", own.get(), given_back::here, &back), TX_OK);
        EXPECT_EQ(assent_tx_enlist("accounts", own.get(), given_back::here, &back), TX_OK);
        own->set("row", 1);
        served::lease("orders")->set("row", 1);
        EXPECT_TRUE(back.calls.empty());
        EXPECT_EQ(tx_commit(), TX_OK);

        ASSERT_EQ(back.calls.size(), 1u);
        EXPECT_EQ(back.calls[0].first, own.get());
        EXPECT_EQ(back.calls[0].second, 0) << "it may be used again";
    });
    at.expect_rows(1);
}

TEST(Connections, OneThatWasLostMustBeClosed)
{
    served at;
    auto const own = at.bank.connect();
    given_back back;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        ASSERT_EQ(assent_tx_enlist("accounts", own.get(), given_back::here, &back), TX_OK);
        served::lease("orders")->set("row", 1);
        own->set("row", 1);
        at.bank.script().on(verb::prepare).lose_before_effect();

        EXPECT_EQ(tx_commit(), TX_ROLLBACK);

        ASSERT_EQ(back.calls.size(), 1u);
        EXPECT_EQ(back.calls[0].second, 1);
    });
    at.expect_rows(std::nullopt);
}

TEST(Connections, ADatabaseThatIsGoneIsAnErrorThatMayPass)
{
    auto bounds = quick();
    bounds.first_scan = 50ms;
    served at{personality::plain, bounds};
    on_a_thread([&] {
        ASSERT_TRUE(becomes_true([] { return tx_open() == TX_OK; }));
        ASSERT_EQ(tx_begin(), TX_OK);
        at.bank.crash_server();
        void* handle = nullptr;

        EXPECT_EQ(assent_tx_lease("accounts", &handle), TX_ERROR);

        EXPECT_STRNE(assent_tx_message(), "");
        EXPECT_EQ(handle, nullptr);
        EXPECT_EQ(tx_rollback(), TX_OK);
    });
}

/// Code in C++ below a C program's transaction finds it, and joins.
TEST(Connections, CppWorksInTheSameTransaction)
{
    served at;
    auto const own = at.shop.connect();
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);

        EXPECT_EQ(assent::join(*at.tm, *at.orders, own.get()), assent::join_result::joined);
        own->set("row", 1);
        EXPECT_EQ(at.tm->current()->lease(*at.accounts).get(), served::lease("accounts"));
        served::lease("accounts")->set("row", 1);

        EXPECT_EQ(tx_commit(), TX_OK);
    });
    at.expect_rows(1);
}

}  // namespace
