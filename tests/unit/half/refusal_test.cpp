// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// refusal_test.cpp -- what is refused, by name, and with nothing begun.

#include <assent/driver.hpp>

#include "tests/unit/half/half_fixture.hpp"

namespace half_test {

using Refused = sending;
using ::testing::HasSubstr;

TEST_F(Refused, LeasesAndHandlesOfABroker)
{
    auto tx = tm->begin();
    auto const said = thrown_by<assent::error>([&] { tx.lease_any(*news); });
    EXPECT_EQ(said.why(), errc::invalid_state);
    EXPECT_THAT(said.what(), HasSubstr("half::send()"));
    auto handle = shop.connect();
    EXPECT_EQ(code_of([&] { tx.enlist_any(*news, handle.get()); }), errc::invalid_state);
    EXPECT_EQ(tx.commit(), outcome::committed) << "it was not even made rollback-only";
}

TEST_F(Refused, AMessageInAReadOnlyTransactionOrToADatabase)
{
    auto tx = tm->begin(assent::begin_options{}.read_only());
    EXPECT_THAT(thrown_by<assent::error>([&] {
                    half::send(tx, *news, {"orders", "1"});
                }).what(),
                HasSubstr("read-only"));
    EXPECT_EQ(code_of([&] { half::send(tx, *orders, {"orders", "1"}); }), errc::invalid_state);
    EXPECT_EQ(broker->calls_of(request::half), 0);
    tx.rollback();
}

TEST_F(Refused, WhatIsNotStatedAndCannotBe)
{
    EXPECT_THAT(thrown_by<assent::driver_error>([&] {
                    half::resource_manager("mail", broker, half::options{});
                }).what(),
                HasSubstr("unguarded()"));
    EXPECT_EQ(code_of([&] { half::resource_manager("mail", nullptr, stated); }),
              errc::bad_argument);
    EXPECT_EQ(code_of([&] { half::resource_manager("two words", broker, stated); }),
              errc::bad_argument);
    EXPECT_EQ(code_of([&] {
                  half::resource_manager("mail", broker,
                                         half::options{stated}.halves_arrive_within(-1ms));
              }),
              errc::bad_argument);
    EXPECT_EQ(code_of([&] {
                  half::resource_manager(
                      "mail", broker,
                      half::options{stated}.halves_arrive_within(std::chrono::milliseconds::max()));
              }),
              errc::bad_argument);
}

TEST_F(Refused, ABrokerThatDoesNotSayWhichItIs)
{
    for (auto const* each : {"", "two words", "\x01"}) {
        auto const nameless = std::make_shared<fake_broker>(each);
        auto const at = half::resource_manager{"mail", nameless, stated}.driver();
        auto const session = at->connect(assent::session_purpose::manage, soon());
        EXPECT_THAT(
            thrown_by<assent::driver_error>([&] { at->preflight(*session, soon()); }).what(),
            HasSubstr("half::listing::broker"));
    }
}

/// Who a broker is stands in each list, which may be long: it is not asked for again for that.
TEST_F(Refused, NoListIsReadToLearnWhatTheLastOneSaid)
{
    auto const other = std::make_shared<fake_broker>("another-broker");
    auto const at = half::resource_manager{"mail", other, stated}.driver();
    auto const session = at->connect(assent::session_purpose::manage, soon());
    EXPECT_EQ(at->preflight(*session, soon()).identity, "another-broker");
    EXPECT_EQ(at->preflight(*session, soon()).identity, "another-broker");
    EXPECT_EQ(other->calls_of(request::list), 1);

    other->script(request::list, fate::refused);
    EXPECT_THROW(at->scan(*session, soon()), assent::driver_error);
    auto const next = at->connect(assent::session_purpose::manage, soon());
    EXPECT_EQ(at->preflight(*next, soon()).identity, "another-broker");
    EXPECT_EQ(other->calls_of(request::list), 3) << "it may be another one by now";

    EXPECT_EQ(at->preflight(*next, soon()).identity, "another-broker");
    EXPECT_EQ(at->preflight(*next, soon()).identity, "another-broker");
    EXPECT_EQ(other->calls_of(request::list), 4)
        << "whoever asks again did not find it the right one";
}

TEST_F(Refused, ASecondNameForOneBroker)
{
    begin_work().commit();  // it serves, and is bound
    auto const again = tm->add(half::resource_manager{"mail", broker, stated});
    EXPECT_TRUE(becomes_true([this] { return seen->count("resource_manager.unreachable") > 0; }));
    auto tx = tm->begin(assent::begin_options{}.timeout(300ms));
    EXPECT_THROW(half::send(tx, again, {"orders", "1"}), assent::error);
    tx.rollback();
}

}  // namespace half_test
