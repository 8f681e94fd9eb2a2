// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// send_test.cpp -- half messages under one decision with XA branches, and halves of which nobody
// knows whether they are there.

#include <future>
#include <thread>

#include "tests/unit/half/half_fixture.hpp"

namespace half_test {

class Halves : public sending
{
protected:
    /// The half was not answered: the transaction can only be rolled back.
    void expect_unknown_half()
    {
        auto tx = tm->begin();
        tx.lease(*orders)->set("order 1", 1);
        auto const said = thrown_by<assent::error>([&] {
            half::send(tx, *news, {"orders", "order 1"});
        });
        EXPECT_EQ(said.why(), errc::rollback_only);
        EXPECT_THAT(said.what(), ::testing::HasSubstr("not known whether the half is there"));
        EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    }
};

TEST_F(Halves, AreShownWithTheXaBranchesBesideThemAndNotBefore)
{
    auto tx = begin_work();
    EXPECT_THAT(broker->halves(), SizeIs(1));
    EXPECT_THAT(broker->shown(), IsEmpty());
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(broker->halves(), IsEmpty());
    expect_order(true);
}

TEST_F(Halves, AreDroppedWithThem)
{
    auto tx = begin_work();
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    EXPECT_THAT(broker->halves(), IsEmpty());
    expect_order(false);
    EXPECT_TRUE(becomes_drained());
}

TEST_F(Halves, AreDroppedWhereAnXaBranchVotesNo)
{
    shop.script().on(verb::prepare).reply(xa_code::rbdeadlock);
    auto tx = begin_work();
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_THAT(broker->halves(), IsEmpty());
    expect_order(false);
}

TEST_F(Halves, AreOneBranchEach)
{
    auto tx = begin_work("order 1");
    half::send(tx, *news, {"orders", "order 2"});
    half::send(tx, *news, {"bills", "order 3"});
    EXPECT_THAT(broker->halves(), SizeIs(3));
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(broker->shown(), ::testing::UnorderedElementsAre("order 1", "order 2", "order 3"));
}

TEST_F(Halves, VoteAlsoWhereTheyAreAlone)
{
    auto const before = tm->state().decisions;
    auto tx = tm->begin();
    half::send(tx, *news, {"orders", "alone"});
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(tm->state().decisions, before + 1) << "a release may fail: it needs a decision";
    EXPECT_THAT(broker->shown(), ElementsAre("alone"));
}

TEST_F(Halves, TakePartUnderACommitRow)
{
    auto const before = tm->state().forces;
    auto tx = begin_work("order 1", by_row());
    EXPECT_EQ(tx.commit(), outcome::committed);
    expect_order(true);
    EXPECT_EQ(tm->state().forces, before) << "the row is the decision";
}

TEST_F(Halves, ARefusedOneMakesTheTransactionRollbackOnly)
{
    broker->script(request::half, fate::refused);
    auto tx = tm->begin();
    tx.lease(*orders)->set("order 1", 1);
    EXPECT_THROW(half::send(tx, *news, {"orders", "order 1"}), half::refused);
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_EQ(broker->calls_of(request::drop), 0) << "it never came to be there";
    expect_order(false);
}

TEST_F(Halves, OneWhoseRequestIsLostIsNeverShown)
{
    broker->script(request::half, fate::lost);
    expect_unknown_half();
    EXPECT_TRUE(becomes_drained());
    expect_order(false);
}

TEST_F(Halves, OneWhoseReplyIsLostIsDropped)
{
    broker->script(request::half, fate::reply_lost);
    expect_unknown_half();
    EXPECT_TRUE(becomes_drained());
    expect_order(false);
}

TEST_F(Halves, OneThatIsSentTwiceIsShownOnce)
{
    broker->script(request::half, fate::twice);
    broker->script(request::release, fate::twice);
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed);
    expect_order(true);
}

/// Rule: it is listed and dropped before its branch is told finished.
TEST_F(Halves, OneThatComesLateIsDroppedBeforeItsBranchIsCalledFinished)
{
    stated.halves_arrive_within(1h);
    reopen();
    broker->script(request::half, fate::late);
    expect_unknown_half();
    expect_due_after_lists();

    broker->arrive();
    EXPECT_TRUE(becomes_settled());
    EXPECT_TRUE(becomes_true([this] { return due() == 0; }));
    expect_order(false);
    EXPECT_THAT(tm->state().quarantined, IsEmpty());
    EXPECT_EQ(tm->state().heuristics, 0u);
}

/// What was stated was too short: it is not shown, and a person is told.
TEST_F(Halves, OneThatComesAfterAllTimeThatWasStatedIsShownToNobody)
{
    broker->script(request::half, fate::late);
    expect_unknown_half();
    EXPECT_TRUE(becomes_drained());
    // The horizon rises behind it.
    begin_work("order 2").commit();
    EXPECT_TRUE(becomes_drained());
    reopen();
    EXPECT_TRUE(becomes_drained());

    broker->arrive();
    EXPECT_TRUE(becomes_true([&] { return tm->state().quarantined.size() == 1; }));
    EXPECT_THAT(broker->halves(), SizeIs(1));
    expect_order(false);
}

/// A call that does not return is given up; what it does afterwards is dropped.
TEST_F(Halves, ABrokerThatHangsHoldsNobodyLongerThanTheTransactionLasts)
{
    begin_work("order 0").commit();  // it serves
    std::promise<void> ended;
    broker->on_next(request::half, [&](std::string const&) { ended.get_future().wait(); });
    auto const began = std::chrono::steady_clock::now();
    auto tx = tm->begin(assent::begin_options{}.timeout(300ms));
    EXPECT_EQ(code_of([&] { half::send(tx, *news, {"orders", "order 1"}); }), errc::rollback_only);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);

    expect_due_after_lists();
    ended.set_value();  // and the half comes
    EXPECT_TRUE(becomes_true([this] { return due() == 0; }));
    EXPECT_TRUE(becomes_drained());
    EXPECT_EQ(broker->calls_of(request::half), 2);
    expect_order(false);
}

TEST_F(Halves, SeveralThreadsSendAtOnce)
{
    constexpr int threads = 6;
    constexpr int each = 10;
    std::vector<std::thread> all;
    all.reserve(threads);
    std::atomic<int> committed{0};
    for (int t = 0; t < threads; ++t) {
        all.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) {
                auto tx = begin_work(std::to_string(t) + "/" + std::to_string(i));
                if (i % 3 == 0) {
                    tx.rollback();
                } else if (tx.commit() == outcome::committed) {
                    ++committed;
                }
            }
        });
    }
    for (auto& thread : all)
        thread.join();
    EXPECT_TRUE(becomes_drained());
    EXPECT_THAT(broker->shown(), SizeIs(static_cast<std::size_t>(committed.load())));
    EXPECT_EQ(committed, threads * 6);
}

}  // namespace half_test
