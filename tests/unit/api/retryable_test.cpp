// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// retryable_test.cpp -- the truth table of is_retryable(): the cause may pass, and every branch
// has confirmed that it is rolled back.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

TEST(Retryable, SqlstatesOfWorkThatLostAgainstOthers)
{
    for (char const* yes : {"40001", "40P01", "40000", "40003", "55P03", "XA102", "XA106", "XA107"})
        EXPECT_TRUE(assent::is_retryable_sqlstate(yes)) << yes;
    for (char const* no : {"40002", "23505", "XA100", "XA101", "XA103", "08006", "", "4000",
                           "400011", "57014", "HY000"})
        EXPECT_FALSE(assent::is_retryable_sqlstate(no)) << no;
}

TEST(Retryable, IsTheCauseAndTheConfirmationTogether)
{
    struct
    {
        xa_code code;
        char const* sqlstate;
        bool is_transient;
    } const votes[] = {
        {xa_code::rbdeadlock, "", true},        {xa_code::rbother, "40001", true},
        {xa_code::rbrollback, "40P01", true},   {xa_code::rbtimeout, "", true},
        {xa_code::rbtransient, "", true},       {xa_code::rbcommfail, "", true},
        {xa_code::rbintegrity, "40002", false}, {xa_code::rbintegrity, "23505", false},
        {xa_code::rbother, "", false},          {xa_code::rbproto, "", false},
    };
    for (auto const& vote : votes) {
        for (bool const is_confirmed : {true, false}) {
            doors at;
            auto tx = at.begin_work();
            assent::reply no;
            no.code = vote.code;
            no.sqlstate = vote.sqlstate;
            at.bank.script().on(verb::prepare).reply(no);
            if (!is_confirmed) at.shop.script().on(verb::rollback).lose_before_effect();

            auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

            EXPECT_EQ(e.is_retryable(), vote.is_transient && is_confirmed)
                << static_cast<int>(vote.code) << ' ' << vote.sqlstate << ' ' << is_confirmed;
        }
    }
}

TEST(Retryable, NeverWhileTheVotersOwnRollbackIsUnconfirmed)
{
    for (auto const code : {xa_code::rmerr, xa_code::rmfail, xa_code::nota, xa_code::proto}) {
        doors at;
        auto tx = at.begin_work();
        assent::reply no;
        no.code = code;
        no.sqlstate = "40001";  // even then
        at.bank.script().on(verb::prepare).reply_without_effect(no);
        at.bank.script().on(verb::rollback).times(3).lose_before_effect();

        auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

        EXPECT_FALSE(e.is_retryable()) << static_cast<int>(code);
    }
}

TEST(Retryable, NeverForTheUsersOwnDecisionToRollBack)
{
    doors at;
    auto marked = at.begin_work("a");
    marked.set_rollback_only();
    auto threw = at.begin_work("b");
    threw.register_synchronization({[] { throw std::runtime_error{"no"}; }, {}});

    for (auto* const tx : {&marked, &threw})
        EXPECT_FALSE(thrown_by<assent::rolled_back_error>([&] { tx->commit(); }).is_retryable());
}

TEST(Retryable, IsFalseForEveryOtherError)
{
    EXPECT_FALSE((assent::heuristic_error{"", {}, {}}.is_retryable()));
    EXPECT_FALSE((assent::in_doubt_error{"", {}, {}, assent::resolver::nobody}.is_retryable()));
    EXPECT_FALSE((assent::error{errc::unavailable, ""}.is_retryable()));
}

}  // namespace
