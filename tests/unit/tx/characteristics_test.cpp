// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// characteristics_test.cpp -- what tx_info() tells, and what the tx_set functions change.

#include <climits>

#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;

void expect_initial(TXINFO const& told)
{
    EXPECT_EQ(told.when_return, TX_COMMIT_COMPLETED);
    EXPECT_EQ(told.transaction_control, TX_UNCHAINED);
    EXPECT_EQ(told.transaction_timeout, 0);
}

TEST(Characteristics, AreInitialAfterEachOpen)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        expect_initial(info());
        EXPECT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
        EXPECT_EQ(tx_set_transaction_timeout(7), TX_OK);
        ASSERT_EQ(tx_open(), TX_OK);
        EXPECT_EQ(info().transaction_control, TX_CHAINED) << "it was open already";
        EXPECT_EQ(info().transaction_timeout, 7);

        ASSERT_EQ(tx_close(), TX_OK);
        ASSERT_EQ(tx_open(), TX_OK);

        expect_initial(info());
    });
}

TEST(Characteristics, OutsideATransactionTheXidIsNull)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        TXINFO told;

        EXPECT_EQ(tx_info(&told), 0);

        EXPECT_EQ(told.xid.formatID, -1);
        EXPECT_EQ(told.transaction_state, TX_ACTIVE);
    });
}

TEST(Characteristics, TheXidIsTheManagersOwnName)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);

        auto const told = info();

        EXPECT_EQ(told.xid.formatID, assent::assent_format_id);
        EXPECT_EQ(gtrid_of(told), at.tm->current()->id().text());
        EXPECT_EQ(told.xid.gtrid_length, 57);
        EXPECT_EQ(told.xid.bqual_length, 24);
        EXPECT_EQ(std::string(told.xid.data + 57, 24), std::string(24, '0')) << "no branch";
        EXPECT_EQ(told.xid.data[57 + 24], '\0');
        served::work();
        EXPECT_EQ(gtrid_of(info()), gtrid_of(told)) << "final from the beginning";
        EXPECT_EQ(at.bank.history().back().branch.global.text(), gtrid_of(told));
        EXPECT_EQ(tx_rollback(), TX_OK);
    });
}

TEST(Characteristics, AreLeftAloneByWhatMeansNothing)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
        ASSERT_EQ(tx_set_transaction_timeout(7), TX_OK);

        for (long const nonsense : {-1L, 2L, LONG_MAX, LONG_MIN}) {
            EXPECT_EQ(tx_set_commit_return(nonsense), TX_EINVAL);
            EXPECT_EQ(tx_set_transaction_control(nonsense), TX_EINVAL);
        }
        EXPECT_EQ(tx_set_transaction_timeout(-1), TX_EINVAL);
        EXPECT_EQ(tx_set_transaction_timeout(LONG_MIN), TX_EINVAL);

        EXPECT_EQ(info().when_return, TX_COMMIT_COMPLETED);
        EXPECT_EQ(info().transaction_control, TX_CHAINED);
        EXPECT_EQ(info().transaction_timeout, 7);
    });
}

TEST(Characteristics, RollbackOnlyIsTold)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();
        EXPECT_EQ(info().transaction_state, TX_ACTIVE);

        at.tm->current()->set_rollback_only();

        EXPECT_EQ(info().transaction_state, TX_ROLLBACK_ONLY);
        EXPECT_EQ(tx_commit(), TX_ROLLBACK);
    });
    at.expect_rows(std::nullopt);
}

TEST(Timeouts, ATransactionThatLastsTooLongCanOnlyBeRolledBack)
{
    served at;
    for (auto const end : {tx_commit, tx_rollback}) {
        on_a_thread([&] {
            ASSERT_EQ(tx_open(), TX_OK);
            ASSERT_EQ(tx_set_transaction_timeout(1), TX_OK);
            ASSERT_EQ(tx_begin(), TX_OK);
            auto const id = gtrid_of(info());
            served::lease("accounts")->set("row", 1);

            EXPECT_TRUE(
                becomes_true([] { return info().transaction_state == TX_TIMEOUT_ROLLBACK_ONLY; }));

            EXPECT_EQ(tx_info(nullptr), 1) << "the application stays in it until it ends it";
            EXPECT_EQ(gtrid_of(info()), id);
            EXPECT_EQ(tx_begin(), TX_PROTOCOL_ERROR);
            void* handle = nullptr;
            EXPECT_EQ(assent_tx_lease("orders", &handle), TX_ERROR);
            EXPECT_EQ(handle, nullptr);
            EXPECT_EQ(end(), end == tx_commit ? TX_ROLLBACK : TX_OK);
            EXPECT_EQ(tx_info(nullptr), 0);
        });
    }
    at.expect_rows(std::nullopt);
}

TEST(Timeouts, AreOfTheNextTransaction)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_set_transaction_timeout(1), TX_OK);
        ASSERT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
        auto const begun = std::chrono::steady_clock::now();  // before: its life begins in there
        ASSERT_EQ(tx_begin(), TX_OK);
        EXPECT_EQ(tx_set_transaction_timeout(3600), TX_OK);
        EXPECT_EQ(info().transaction_timeout, 3600);

        EXPECT_TRUE(
            becomes_true([] { return info().transaction_state == TX_TIMEOUT_ROLLBACK_ONLY; }));

        EXPECT_GE(std::chrono::steady_clock::now() - begun, 1s);
        EXPECT_EQ(tx_commit(), TX_ROLLBACK);
        EXPECT_EQ(info().transaction_state, TX_ACTIVE) << "the next of the chain";
        served::work();
        EXPECT_EQ(tx_commit(), TX_OK);
    });
    at.expect_rows(1);
}

TEST(Timeouts, NoneIsNoneWhateverTheManagersDefault)
{
    auto bounds = quick();
    bounds.transaction = 500ms;
    served at{personality::plain, bounds};
    for (TRANSACTION_TIMEOUT const seconds : {0L, LONG_MAX}) {
        on_a_thread([&] {
            ASSERT_TRUE(becomes_true([] { return tx_open() == TX_OK; }));
            ASSERT_EQ(tx_set_transaction_timeout(seconds), TX_OK);
            ASSERT_EQ(tx_begin(), TX_OK);
            auto usual = at.tm->begin();
            EXPECT_TRUE(becomes_true([&] { return usual.status() == status::marked_rollback; }));

            EXPECT_EQ(info().transaction_state, TX_ACTIVE);

            served::work(std::to_string(seconds));
            EXPECT_EQ(tx_commit(), TX_OK) << assent_tx_message();
        });
        at.expect_rows(1, std::to_string(seconds));
    }
}

}  // namespace
