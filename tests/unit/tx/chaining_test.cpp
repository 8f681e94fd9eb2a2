// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// chaining_test.cpp -- chained transactions: the next one is there at once, or it is said that it
// is not.

#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;

void begin_chain()
{
    ASSERT_EQ(tx_open(), TX_OK) << assent_tx_message();
    ASSERT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
    ASSERT_EQ(tx_begin(), TX_OK);
}

TEST(Chaining, EachTransactionIsAnotherOne)
{
    served at;
    on_a_thread([&] {
        begin_chain();
        auto const first = gtrid_of(info());
        served::work("committed");
        EXPECT_EQ(tx_commit(), TX_OK);
        auto const second = gtrid_of(info());
        served::work("undone");
        EXPECT_EQ(tx_rollback(), TX_OK);
        auto const third = gtrid_of(info());
        EXPECT_NE(first, second);
        EXPECT_NE(second, third);

        served::work("last");
        EXPECT_EQ(tx_set_transaction_control(TX_UNCHAINED), TX_OK)
            << "decides what this commit does";
        EXPECT_EQ(tx_commit(), TX_OK);

        EXPECT_EQ(tx_info(nullptr), 0);
    });
    at.expect_rows(1, "committed");
    at.expect_rows(std::nullopt, "undone");
    at.expect_rows(1, "last");
}

TEST(Chaining, BeginsWhenItIsSwitchedOnInATransaction)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        EXPECT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);

        EXPECT_EQ(tx_commit(), TX_OK);

        EXPECT_EQ(tx_info(nullptr), 1);
    });
}

struct end_without_begin
{
    char const* name;
    int (*end)();
    verb what;
    std::optional<xa_code> bank;
    std::optional<xa_code> shop;
    int expected;
};

TEST(Chaining, SaysThatTheNextOneCouldNotBegin)
{
    constexpr auto rb = xa_code::heurrb;
    constexpr auto com = xa_code::heurcom;
    constexpr auto haz = xa_code::heurhaz;
    end_without_begin const all[] = {
        {"committed", tx_commit, verb::commit, {}, {}, TX_NO_BEGIN},
        {"rolled back", tx_commit, verb::prepare, xa_code::rbother, {}, TX_ROLLBACK_NO_BEGIN},
        {"mixed", tx_commit, verb::commit, rb, {}, TX_MIXED_NO_BEGIN},
        {"hazard", tx_commit, verb::commit, haz, {}, TX_HAZARD_NO_BEGIN},
        {"undone", tx_rollback, verb::rollback, {}, {}, TX_NO_BEGIN},
        {"undone, mixed", tx_rollback, verb::rollback, com, {}, TX_MIXED_NO_BEGIN},
        {"undone, hazard", tx_rollback, verb::rollback, haz, {}, TX_HAZARD_NO_BEGIN},
        {"undone, committed", tx_rollback, verb::rollback, com, com, TX_COMMITTED_NO_BEGIN},
    };
    auto bounds = quick();
    bounds.segment_bytes = 1u << 20;  // room for some hundred transactions
    for (auto const& each : all) {
        SCOPED_TRACE(each.name);
        served at{personality::plain, bounds};
        on_a_thread([&] {
            begin_chain();
            served::work();
            if (each.bank) at.bank.script().on(each.what).reply(*each.bank);
            if (each.shop) at.shop.script().on(each.what).reply(*each.shop);
            std::vector<assent::transaction> crowd;  // that leaves no room in the log
            at.tm->current()->register_synchronization({{}, [&](status) {
                                                            for (int i = 0; i < 10'000; ++i)
                                                                crowd.push_back(at.tm->begin());
                                                        }});

            EXPECT_EQ(each.end(), each.expected) << assent_tx_message();

            EXPECT_LT(crowd.size(), 10'000u);
            TXINFO told;
            EXPECT_EQ(tx_info(&told), 0);
            EXPECT_EQ(told.transaction_control, TX_CHAINED) << "S2";
            EXPECT_EQ(tx_commit(), TX_PROTOCOL_ERROR);
            EXPECT_EQ(tx_begin(), TX_ERROR) << "there is still no room";
            crowd.clear();
            EXPECT_TRUE(becomes_true([] { return tx_begin() == TX_OK; }));
            EXPECT_EQ(tx_rollback(), TX_OK);
        });
    }
}

}  // namespace
