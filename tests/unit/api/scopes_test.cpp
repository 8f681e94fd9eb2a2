// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scopes_test.cpp -- work under JTA's rules of who needs a transaction: which one it gets, who ends
// it, and that the thread has the same one afterwards, whatever happened.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;
using assent::scope_rule;
using assent::transaction;
using assent::user_transaction;

constexpr scope_rule all_rules[] = {scope_rule::required,      scope_rule::requires_new,
                                    scope_rule::mandatory,     scope_rule::supports,
                                    scope_rule::not_supported, scope_rule::never};

struct oops
{
};

/// What a scope gives its work: the transaction that was there, another one, none; or it refuses.
enum class gives { same, other, none, refusal };

gives what_is_given(doors& at, scope_rule rule)
{
    transaction const* const outer = at.tm->current();
    bool has_run = false;
    gives found = gives::refusal;
    try {
        assent::in_scope(rule, *at.tm, [&] {
            has_run = true;
            transaction const* const inner = at.tm->current();
            found = inner == nullptr ? gives::none : inner == outer ? gives::same : gives::other;
        });
    } catch (assent::error const& e) {
        EXPECT_EQ(e.why(), errc::invalid_state);
        EXPECT_FALSE(has_run);
    }
    EXPECT_EQ(at.tm->current(), outer);
    return found;
}

TEST(Scopes, GiveWhatTheirRuleSays)
{
    doors at;
    user_transaction ut{*at.tm};
    auto const rows = [&] {
        std::vector<gives> given;
        for (auto const rule : all_rules)
            given.push_back(what_is_given(at, rule));
        return given;
    };

    EXPECT_THAT(rows(), ::testing::ElementsAre(gives::other, gives::other, gives::refusal,
                                               gives::none, gives::none, gives::none));
    ut.begin();
    EXPECT_THAT(rows(), ::testing::ElementsAre(gives::same, gives::other, gives::same, gives::same,
                                               gives::none, gives::refusal));
    EXPECT_EQ(ut.commit(), outcome::committed);
}

TEST(Scopes, ReturnWhatTheWorkReturns)
{
    doors at;

    auto const made = assent::required(*at.tm, [] { return std::make_unique<int>(7); });

    EXPECT_EQ(*made, 7);
    EXPECT_EQ(assent::supports(*at.tm, [] { return std::string{"seven"}; }), "seven");
}

TEST(Scopes, TheOneThatBeganItCommits)
{
    doors at;

    assent::required(*at.tm, [&] {
        at.tm->current()->lease(*at.accounts)->set("row", 1);
        assent::mandatory(*at.tm, [&] { at.tm->current()->lease(*at.orders)->set("row", 1); });
        EXPECT_EQ(at.bank.value("row"), std::nullopt) << "a scope that joins ends nothing";
    });

    at.expect_rows(1);
    at.expect_clean();
}

TEST(Scopes, TheOneThatBeganItRollsBackWhenItThrows)
{
    doors at;

    EXPECT_THROW(assent::required(*at.tm,
                                  [&] {
                                      at.tm->current()->lease(*at.accounts)->set("row", 1);
                                      throw oops{};
                                  }),
                 oops);

    EXPECT_EQ(at.tm->current(), nullptr);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Scopes, OneThatJoinedAndThrowsLeavesNothingToCommit)
{
    for (auto const rule : {scope_rule::required, scope_rule::mandatory, scope_rule::supports}) {
        doors at;

        auto const e = thrown_by<assent::rolled_back_error>([&] {
            assent::required(*at.tm, [&] {
                at.tm->current()->lease(*at.accounts)->set("row", 1);
                EXPECT_THROW(assent::in_scope(rule, *at.tm, [] { throw oops{}; }), oops);
                EXPECT_EQ(at.tm->current()->status(), status::marked_rollback);
            });
        });

        EXPECT_THAT(e.what(), ::testing::HasSubstr("left by an exception"));
        EXPECT_FALSE(e.is_retryable());
        at.expect_rows(std::nullopt);
    }
}

TEST(Scopes, OneOfItsOwnDoesNotTouchTheOneAround)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    at.tm->current()->lease(*at.accounts)->set("outer", 1);

    EXPECT_THROW(assent::requires_new(*at.tm,
                                      [&] {
                                          at.tm->current()->lease(*at.accounts)->set("lost", 1);
                                          throw oops{};
                                      }),
                 oops);
    assent::requires_new(*at.tm, [&] { at.tm->current()->lease(*at.accounts)->set("inner", 1); });
    EXPECT_THROW(assent::not_supported(*at.tm, [] { throw oops{}; }), oops);

    EXPECT_EQ(at.bank.value("inner"), 1);
    EXPECT_EQ(at.bank.value("outer"), std::nullopt);
    EXPECT_EQ(ut.status(), status::active);
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(at.bank.value("outer"), 1);
    EXPECT_EQ(at.bank.value("lost"), std::nullopt);
}

TEST(Scopes, RollbackOnlyIsToldAlsoWhereTheWorkReturns)
{
    doors at;

    EXPECT_THROW(assent::required(*at.tm, [&] { at.tm->current()->set_rollback_only(); }),
                 assent::rolled_back_error);

    EXPECT_EQ(at.tm->current(), nullptr);
}

TEST(Scopes, AHeuristicOfTheRollbackOutranksWhatTheWorkThrew)
{
    doors at;

    EXPECT_THROW(assent::required(*at.tm,
                                  [&] {
                                      auto const lease = at.tm->current()->lease(*at.accounts);
                                      lease->set("row", 1);
                                      lease->commit();  // behind the manager's back
                                      throw oops{};
                                  }),
                 assent::heuristic_error);

    EXPECT_EQ(at.tm->current(), nullptr);
}

TEST(Scopes, AreBegunAsAskedFor)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.set_transaction_timeout(20s);

    EXPECT_THROW(assent::required(
                     *at.tm, [&] { at.tm->current()->lease(*at.accounts)->set("row", 1); },
                     assent::begin_options{}.read_only()),
                 assent::driver_error);
    EXPECT_EQ(code_of([&] {
                  assent::requires_new(
                      *at.tm, [] { FAIL() << "it was begun"; },
                      assent::begin_options{}.timeout(-1ms));
              }),
              errc::bad_argument);

    EXPECT_EQ(at.tm->current(), nullptr);
    ut.set_transaction_timeout(0ms);
}

TEST(Scopes, TellWhoEndedTheirTransactionForThem)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    auto const* const outer = at.tm->current();

    EXPECT_EQ(code_of([&] { assent::requires_new(*at.tm, [&] { ut.commit(); }); }),
              errc::invalid_state);
    EXPECT_EQ(at.tm->current(), outer);
    assent::suspended_transaction taken;
    EXPECT_EQ(code_of([&] { assent::requires_new(*at.tm, [&] { taken = at.tm->suspend(); }); }),
              errc::invalid_state);
    EXPECT_EQ(at.tm->current(), outer);
    EXPECT_EQ(taken->rollback(), outcome::rolled_back);

    EXPECT_EQ(ut.commit(), outcome::committed);
}

TEST(Scopes, LeaveNoTransactionBehindThatTheirWorkBegan)
{
    for (bool const has_outer : {false, true}) {
        doors at;
        user_transaction ut{*at.tm};
        if (has_outer) ut.begin();
        auto const* const outer = at.tm->current();

        auto const e = thrown_by<assent::error>([&] {
            assent::not_supported(*at.tm, [&] {
                ut.begin();
                at.tm->current()->lease(*at.accounts)->set("row", 1);
            });
        });
        EXPECT_EQ(e.why(), errc::invalid_state);
        EXPECT_EQ(at.tm->current(), outer);
        EXPECT_EQ(at.bank.value("row"), std::nullopt);
        EXPECT_TRUE(at.bank.prepared().empty());

        EXPECT_THROW(assent::requires_new(*at.tm,
                                          [&] {
                                              auto const mine = at.tm->suspend();
                                              ut.begin();
                                              throw oops{};
                                          }),
                     oops);
        EXPECT_EQ(at.tm->current(), outer);
        if (has_outer) ut.rollback();
    }
}

TEST(Scopes, GiveTheThreadItsOwnBackThoughWhatTheyRollBackBeginsAnother)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    auto const* const outer = at.tm->current();
    std::optional<errc> refused;

    EXPECT_THROW(
        assent::requires_new(*at.tm,
                             [&] {
                                 auto const mine = at.tm->suspend();
                                 ut.begin();
                                 at.tm->current()->register_synchronization(
                                     {{}, [&](status) { refused = code_of([&] { ut.begin(); }); }});
                                 throw oops{};
                             }),
        oops);

    EXPECT_EQ(refused, errc::invalid_state);
    EXPECT_EQ(at.tm->current(), outer);
    EXPECT_EQ(ut.commit(), outcome::committed);
    EXPECT_EQ(at.tm->current(), nullptr);
}

TEST(Scopes, OneOfItsOwnMayStandInACallbackOfTheOneThatEnds)
{
    doors at;
    user_transaction ut{*at.tm};
    ut.begin();
    at.tm->current()->lease(*at.accounts)->set("row", 1);
    std::optional<errc> joined;
    at.tm->current()->register_synchronization(
        {[&] {
             assent::required(*at.tm, [&] { at.tm->current()->lease(*at.orders)->set("row", 1); });
         },
         [&](status) {
             assent::requires_new(*at.tm,
                                  [&] { at.tm->current()->lease(*at.accounts)->set("told", 1); });
             joined = code_of([&] { assent::required(*at.tm, [] { FAIL() << "it has ended"; }); });
         }});

    EXPECT_EQ(ut.commit(), outcome::committed);

    EXPECT_EQ(joined, errc::invalid_state);
    EXPECT_EQ(at.tm->current(), nullptr);
    EXPECT_EQ(at.bank.value("told"), 1);
    at.expect_rows(1);
}

}  // namespace
