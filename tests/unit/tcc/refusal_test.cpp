// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// refusal_test.cpp -- what is refused, by name, and with nothing begun.

#include "tests/unit/tcc/tcc_fixture.hpp"

namespace tcc_test {

using Refused = reserving;
using ::testing::HasSubstr;

TEST_F(Refused, LeasesAndHandlesOfAManagerOfReservations)
{
    auto tx = tm->begin();
    auto const said = thrown_by<assent::error>([&] { tx.lease_any(*wallets); });
    EXPECT_EQ(said.why(), errc::invalid_state);
    EXPECT_THAT(said.what(), HasSubstr("tcc::attempt()"));
    auto handle = bank.connect();
    EXPECT_EQ(code_of([&] { tx.enlist_any(*wallets, handle.get()); }), errc::invalid_state);
    EXPECT_EQ(code_of([&] { tx.lease_any({*orders, *wallets}); }), errc::invalid_state);
    EXPECT_EQ(tx.commit(), outcome::committed) << "it was not even made rollback-only";
}

TEST_F(Refused, AnAttemptInAReadOnlyTransaction)
{
    auto tx = tm->begin(assent::begin_options{}.read_only());
    EXPECT_THAT(thrown_by<assent::error>([&] { attempt(tx, *wallets, "1"); }).what(),
                HasSubstr("read-only"));
    EXPECT_EQ(does.attempts, 0);
    tx.rollback();
}

TEST_F(Refused, AnAttemptWhereNoReservationsAre)
{
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, *orders, "1"); }), errc::invalid_state);
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST_F(Refused, HandlersThatAreMissingAndOptionsThatAreWrong)
{
    memory_resource_manager const where{"bank", bank};
    auto all = does.handlers();
    all.cancel = nullptr;
    EXPECT_EQ(code_of([&] { tcc::resource_manager("purses", where, all); }), errc::bad_argument);
    EXPECT_EQ(code_of([&] { tcc::resource_manager("two words", where, does.handlers()); }),
              errc::bad_argument);
    EXPECT_EQ(code_of([&] {
                  tcc::resource_manager("purses", where, does.handlers(),
                                        tcc::options{}.workers(17));
              }),
              errc::bad_argument);
    EXPECT_EQ(code_of([&] {
                  tcc::resource_manager("purses", where, does.handlers(),
                                        tcc::options{}.handler_time(0ms));
              }),
              errc::bad_argument);
    EXPECT_EQ(code_of([&] {
                  tcc::resource_manager(
                      "purses", where, does.handlers(),
                      tcc::options{}.handler_time(std::chrono::milliseconds::max()));
              }),
              errc::bad_argument);
    EXPECT_EQ(code_of([&] { tcc::resource_manager("purses", *wallets, does.handlers()); }),
              errc::bad_argument)
        << "reservations of reservations";
}

}  // namespace tcc_test
