// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// threads_test.cpp -- each thread of control has a state of its own, and only who begins a
// transaction ends it.

#include <future>

#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;
using assent::user_transaction;

TEST(Threads, EachHasItsOwnStateAndTransaction)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        auto const id = gtrid_of(info());

        on_a_thread([&] {
            EXPECT_EQ(tx_info(nullptr), TX_PROTOCOL_ERROR) << "S0";
            ASSERT_EQ(tx_open(), TX_OK);
            EXPECT_EQ(info().transaction_control, TX_UNCHAINED);
            EXPECT_EQ(tx_commit(), TX_PROTOCOL_ERROR);
            ASSERT_EQ(tx_begin(), TX_OK);
            EXPECT_NE(gtrid_of(info()), id);
            EXPECT_EQ(tx_commit(), TX_OK);
            EXPECT_EQ(tx_close(), TX_OK);
        });

        EXPECT_EQ(gtrid_of(info()), id);
        EXPECT_EQ(info().transaction_control, TX_CHAINED);
    });
}

TEST(Threads, ManyCommitAtOnce)
{
    served at;
    constexpr int threads = 8;
    constexpr int each = 20;
    std::vector<std::thread> all;
    all.reserve(threads);
    for (int t = 0; t < threads; ++t) {
        all.emplace_back([t] {
            EXPECT_EQ(tx_open(), TX_OK) << assent_tx_message();
            EXPECT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
            EXPECT_EQ(tx_begin(), TX_OK);
            for (int i = 0; i < each; ++i) {
                served::work(std::to_string(t) + "." + std::to_string(i));
                EXPECT_EQ(i % 2 == 0 ? tx_commit() : tx_rollback(), TX_OK);
            }
            EXPECT_EQ(tx_rollback(), TX_OK);
        });
    }
    for (auto& one : all)
        one.join();
    EXPECT_EQ(at.bank.rows().size(), static_cast<std::size_t>(threads * each / 2));
    EXPECT_EQ(at.bank.rows(), at.shop.rows());
}

TEST(Threads, OneThatEndsInATransactionRollsItBack)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();
    });

    at.expect_rows(std::nullopt);
    EXPECT_EQ(at.tm->state().live_transactions, 0u);
}

/// One that C++ began, or that was handed over, is seen and worked in; who began it ends it.
TEST(Threads, OnlyWhoBeganATransactionEndsIt)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        user_transaction ut{*at.tm};
        ut.begin();

        EXPECT_EQ(tx_info(nullptr), 1);
        EXPECT_EQ(gtrid_of(info()), at.tm->current()->id().text());
        EXPECT_EQ(tx_begin(), TX_PROTOCOL_ERROR);
        EXPECT_EQ(tx_close(), TX_PROTOCOL_ERROR);
        served::work();
        EXPECT_EQ(tx_commit(), TX_PROTOCOL_ERROR);
        EXPECT_EQ(tx_rollback(), TX_PROTOCOL_ERROR);
        EXPECT_EQ(tx_info(nullptr), 1) << "it stays in";

        EXPECT_EQ(ut.commit(), outcome::committed);
        EXPECT_EQ(tx_info(nullptr), 0);
    });
    at.expect_rows(1);
}

TEST(Threads, ASuspendedTransactionComesBackToWhoBeganIt)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        auto const id = gtrid_of(info());
        auto aside = at.tm->suspend();
        EXPECT_EQ(tx_info(nullptr), 0);
        EXPECT_EQ(tx_commit(), TX_PROTOCOL_ERROR);

        on_a_thread([&] {
            ASSERT_EQ(tx_open(), TX_OK);
            at.tm->resume(std::move(aside));
            EXPECT_EQ(gtrid_of(info()), id);
            served::work();
            EXPECT_EQ(tx_commit(), TX_PROTOCOL_ERROR);
            aside = at.tm->suspend();
        });

        at.tm->resume(std::move(aside));
        EXPECT_EQ(tx_commit(), TX_OK);
    });
    at.expect_rows(1);
}

TEST(Threads, OneWhoseTransactionCppEndedIsInNone)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();
        EXPECT_EQ(at.tm->current()->commit(), outcome::committed);

        EXPECT_EQ(tx_info(nullptr), 0);
        EXPECT_EQ(tx_rollback(), TX_PROTOCOL_ERROR);
        EXPECT_EQ(tx_begin(), TX_OK);
        EXPECT_EQ(tx_rollback(), TX_OK);
        EXPECT_EQ(tx_close(), TX_OK);
    });
    at.expect_rows(1);
}

TEST(Threads, ACallbackOfAnEndingMayLookAndNotBeginOrEnd)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        auto const first = gtrid_of(info());
        int calls = 0;
        auto const refused = [&] {
            ++calls;
            EXPECT_EQ(tx_commit(), TX_PROTOCOL_ERROR);
            EXPECT_EQ(tx_rollback(), TX_PROTOCOL_ERROR);
            EXPECT_EQ(tx_begin(), TX_PROTOCOL_ERROR);
            EXPECT_EQ(tx_close(), TX_PROTOCOL_ERROR);
        };
        at.tm->current()->register_synchronization({[&] {
                                                        refused();
                                                        EXPECT_EQ(gtrid_of(info()), first);
                                                        served::work();
                                                    },
                                                    [&](status now) {
                                                        EXPECT_EQ(now, status::committed);
                                                        refused();
                                                    }});

        EXPECT_EQ(tx_commit(), TX_OK);

        EXPECT_EQ(calls, 2);
        EXPECT_EQ(tx_info(nullptr), 1);
        EXPECT_NE(gtrid_of(info()), first);
    });
    at.expect_rows(1);
}

}  // namespace
