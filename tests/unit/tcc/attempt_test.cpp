// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// attempt_test.cpp -- what an attempt leaves behind: a reservation, or nothing.

#include "tests/unit/tcc/tcc_fixture.hpp"

namespace tcc_test {

using Attempt = reserving;

TEST_F(Attempt, IsSeenByEverybodyAtOnceAndLocksNothing)
{
    auto tx = tm->begin();
    attempt(tx, *wallets, "30");

    expect_wallet(70, 30, 0);
    ASSERT_EQ(bank.reservations().size(), 1u);
    EXPECT_EQ(bank.reservations()[0].manager, "wallets");
    EXPECT_EQ(bank.reservations()[0].payload, "30");
    auto other = bank.connect();
    EXPECT_NO_THROW(other->add("free", 0));
    tx.rollback();
}

TEST_F(Attempt, ThatRefusesLeavesNothingAndTheTransactionCanOnlyBeRolledBack)
{
    auto tx = tm->begin();
    EXPECT_EQ(std::string{thrown_by<refused>([&] { attempt(tx, *wallets, "101"); }).what()},
              "not enough");
    EXPECT_TRUE(bank.reservations().empty());
    EXPECT_EQ(code_of([&] { tx.lease(*orders); }), errc::rollback_only);

    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    expect_wallet(100, 0, 0);
    EXPECT_EQ(does.cancels, 0) << "there was nothing to cancel";
    EXPECT_TRUE(becomes_drained());
}

TEST_F(Attempt, MayThrowWhateverItLikes)
{
    does.attempt = [](tcc::call& of) {
        wallet::reserve(of);
        throw 42;
    };
    auto tx = tm->begin();
    EXPECT_THROW(attempt(tx, *wallets, "30"), int);
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    expect_wallet(100, 0, 0);
    EXPECT_EQ(does.cancels, 0);
}

TEST_F(Attempt, ThatMeetsALockIsWorthRepeating)
{
    auto blocker = bank.connect();
    blocker->begin();
    blocker->set("free", 90);
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, "30"); }), errc::rollback_only);
    auto const said = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });
    EXPECT_TRUE(said.is_retryable()) << said.what();
    blocker->rollback();
}

TEST_F(Attempt, OfTheSameManagerIsAnotherBranchEachTime)
{
    auto tx = tm->begin();
    for (int i = 0; i < 5; ++i)
        attempt(tx, *wallets, "10");
    EXPECT_EQ(bank.reservations().size(), 5u);
    EXPECT_EQ(tx.commit(), outcome::committed);
    expect_wallet(50, 0, 50);
    EXPECT_EQ(does.confirms, 5);
    EXPECT_TRUE(bank.reservations().empty());
}

TEST_F(Attempt, WhosePayloadIsBytesGetsItBackWhole)
{
    std::string const bytes{"\0'\\\xff\n%s", 7};
    std::string heard;
    does.attempt = [](tcc::call&) {};
    does.confirm = [&heard](tcc::call& of) { heard = of.payload(); };
    auto tx = tm->begin();
    attempt(tx, *wallets, bytes);
    tx.commit();
    EXPECT_EQ(heard, bytes);
}

/// The COMMIT's reply is lost before and after its effect.
class AttemptLost : public reserving, public ::testing::WithParamInterface<bool>
{
};

TEST_P(AttemptLost, IsCancelledIfItTookEffectAndOnlyThen)
{
    bool const took_effect = GetParam();
    if (took_effect) {
        bank.script().on(verb::commit_one_phase).lose_after_effect();
    } else {
        bank.script().on(verb::commit_one_phase).lose_before_effect();
    }
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, "30"); }), errc::rollback_only);
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);

    EXPECT_TRUE(becomes_drained());
    expect_wallet(100, 0, 0);
    EXPECT_EQ(does.cancels, took_effect ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(, AttemptLost, ::testing::Bool());

TEST_F(Attempt, CannotEndItsOwnTransaction)
{
    assent::transaction* whole = nullptr;
    std::vector<errc> answers;
    does.attempt = [&](tcc::call& of) {
        answers.push_back(code_of([&] { whole->rollback(); }));
        answers.push_back(code_of([&] { whole->commit(); }));
        wallet::reserve(of);
    };
    auto tx = tm->begin();
    whole = &tx;
    attempt(tx, *wallets, "30");
    EXPECT_EQ(answers, (std::vector<errc>{errc::invalid_state, errc::invalid_state}));
    EXPECT_EQ(tx.commit(), outcome::committed);
    expect_wallet(70, 0, 30);
}

TEST_F(Attempt, ThatTakesTooLongIsRolledBackForCertain)
{
    does.attempt = [](tcc::call& of) {
        wallet::reserve(of);
        while (std::chrono::steady_clock::now() < of.until())
            std::this_thread::sleep_for(1ms);
    };
    auto tx = tm->begin(assent::begin_options{}.timeout(200ms));
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, "30"); }), errc::rollback_only);
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    expect_wallet(100, 0, 0);
    EXPECT_EQ(does.cancels, 0);
}

TEST_F(Attempt, TakesOneSeatOfThePoolForAllOfItsTransaction)
{
    limits.pooled_sessions_max = 1;
    reopen();
    auto tx = tm->begin(assent::begin_options{}.timeout(10s));
    for (int i = 0; i < 3; ++i)
        attempt(tx, *wallets, "10");
    EXPECT_EQ(tx.commit(), outcome::committed);
    expect_wallet(70, 0, 30);
}

TEST_F(Attempt, OfAPayloadThatIsTooLongIsRefused)
{
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, std::string(tcc::payload_max + 1, 'x')); }),
              errc::bad_argument);
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST_F(Attempt, WhoseOwnerNeverComesBackIsCancelledAfterItsTime)
{
    auto tx = tm->begin(assent::begin_options{}.timeout(100ms));
    attempt(tx, *wallets, "30");
    EXPECT_TRUE(becomes_settled());
    expect_wallet(100, 0, 0);
    EXPECT_EQ(does.cancels, 1);
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_EQ(does.cancels, 1);
    EXPECT_TRUE(becomes_drained());
}

}  // namespace tcc_test
