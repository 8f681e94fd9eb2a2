// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outside_test.cpp -- a thread that works at a switch outside of any transaction begins none.

#include <thread>

#include <assent/tx.h>
#include <xopen/xa.h>
#include <assent/scopes.hpp>
#include <assent/tx.hpp>

#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

/// The shelf registers; this thread has it open, and works there without a lease.
class outside : public switched
{
protected:
    outside()
    {
        assent::testing::switch_options chosen;
        chosen.file = home.path() + "/shelf";
        chosen.registers = true;
        shelf = std::make_unique<strict_switch>(chosen);
        shelves.emplace(tm->add(assent::xopen::resource_manager{
            "shelf", shelf->entries(), shelf->info(), declared("the shelf")}));
        tm->begin().lease(*shelves);
        shelf->add("nuts", 1);
    }
    ~outside() override
    {
        tm.reset();
        EXPECT_THAT(shelf->violations(), ::testing::IsEmpty());
    }

    std::unique_ptr<strict_switch> shelf;
    std::optional<assent::xopen::resource_manager> shelves;
};

TEST_F(outside, NoTransactionIsBegunByAnyDoor)
{
    auto const e = thrown_by<assent::error>([&] { tm->begin(); });
    EXPECT_EQ(e.code(), errc::outside);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("\"shelf\""));
    assent::user_transaction ut{*tm};
    EXPECT_EQ(code_of([&] { ut.begin(); }), errc::outside);
    EXPECT_EQ(code_of([&] { tm->run([](auto&) { ADD_FAILURE(); }); }), errc::outside);
    EXPECT_EQ(code_of([&] { assent::required(*tm, [] { ADD_FAILURE(); }); }), errc::outside);
    EXPECT_EQ(tm->current(), nullptr);
    EXPECT_EQ(tm->state().live_transactions, 0u);

    std::thread{[&] { EXPECT_EQ(begin_work().commit(), outcome::committed); }}.join();
    shelf->end_outside();
    EXPECT_EQ(begin_work().commit(), outcome::committed);
}

TEST_F(outside, WhatAResourceManagerThatIsGoneHadRegisteredTheApplicationEnds)
{
    shelf->die();
    EXPECT_THROW(shelf->add("nuts", 1), assent::error);
    EXPECT_EQ(code_of([&] { tm->begin(); }), errc::outside) << "nobody has told us";
    EXPECT_EQ(ax_unreg(shelves->rmid(), TMNOFLAGS), TM_OK);
    EXPECT_EQ(begin_work().commit(), outcome::committed);
}

TEST_F(outside, TxSaysSo)
{
    assent::tx_service const service{*tm, {*stocks, *shelves}};
    EXPECT_EQ(tx_open(), TX_ERROR) << "it asks each for a branch";
    shelf->end_outside();
    ASSERT_EQ(tx_open(), TX_OK);
    shelf->add("nuts", 1);
    EXPECT_EQ(tx_begin(), TX_OUTSIDE);
    EXPECT_THAT(assent_tx_message(), ::testing::HasSubstr("\"shelf\""));
    EXPECT_EQ(tx_info(nullptr), 0);
    EXPECT_EQ(tx_commit(), TX_PROTOCOL_ERROR) << "none was begun";

    shelf->end_outside();
    EXPECT_EQ(tx_begin(), TX_OK);
    EXPECT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
    shelf->add("nuts", 1);
    EXPECT_EQ(tx_commit(), TX_NO_BEGIN) << "committed, and the next one could not begin";
    EXPECT_EQ(tx_info(nullptr), 0);
    shelf->end_outside();
    EXPECT_EQ(tx_close(), TX_OK);
}

}  // namespace
}  // namespace xopen_test
