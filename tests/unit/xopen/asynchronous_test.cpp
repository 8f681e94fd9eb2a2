// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// asynchronous_test.cpp -- a switch with TMUSEASYNC: its deadlines are kept, and what nobody waited
// for is never forgotten.

#include <thread>

#include <xopen/xa.h>
#include <assent/scopes.hpp>

#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

class asynchronous : public switched
{
protected:
    asynchronous() : switched(patient()) {}
    void SetUp() override
    {
        assent::testing::switch_options chosen;
        chosen.file = home.path() + "/slow";
        chosen.is_asynchronous = true;
        slow = std::make_unique<strict_switch>(chosen);
        add_sloth();
    }
    void add_sloth()
    {
        sloth.emplace(tm->add(assent::xopen::resource_manager{"slow", slow->entries(), slow->info(),
                                                              declared("the slow one")}));
    }
    /// Who waits for what does come, waits long enough on a busy machine.
    static assent::limits patient()
    {
        auto all = bounds();
        all.phase2_wait = 10s;
        all.rollback_wait = 10s;
        return all;
    }
    void reopen_with(assent::limits const& chosen)
    {
        tm.reset();
        limits = chosen;
        open();
        add_sloth();
    }
    void TearDown() override
    {
        EXPECT_THAT(slow->violations(), ::testing::IsEmpty());
        EXPECT_EQ(slow->pending(), 0u);
        tm.reset();
    }

    assent::transaction begin_work_there(assent::begin_options const& how = {})
    {
        auto tx = tm->begin(how);
        tx.lease(*sloth);
        slow->add("nuts", -1);
        tx.lease(*billing);
        bills.add("alice", 1);
        return tx;
    }
    /// This thread hears what it did not wait for when it next leases.
    bool becomes_settled()
    {
        return becomes_true([this] {
            try {
                auto tx = tm->begin();
                tx.lease(*sloth);
                tx.rollback();
            } catch (assent::error const&) {
                return false;
            }
            return is_drained() && slow->unfinished() == 0;
        });
    }

    std::unique_ptr<strict_switch> slow;
    std::optional<assent::xopen::resource_manager> sloth;
};

TEST_F(asynchronous, IsCommittedAndRolledBackLikeTheOthers)
{
    EXPECT_EQ(begin_work_there().commit(), outcome::committed);
    begin_work_there().rollback();
    {
        auto tx = tm->begin();
        tx.lease(*sloth);
        slow->add("nuts", -1);
        EXPECT_EQ(tx.commit(), outcome::committed) << "in one phase";
    }
    EXPECT_EQ(slow->value("nuts"), -2);
    EXPECT_GE(count(*slow, switch_call::complete), 4);
}

TEST_F(asynchronous, ItsVoteIsAskedForBeforeTheOthersAreWaitedFor)
{
    auto tx = tm->begin();
    tx.lease(*billing);  // the first whose answer is waited for
    bills.add("alice", 1);
    tx.lease(*sloth);
    slow->add("nuts", -1);
    bool was_asked = false;
    bills.on(switch_call::prepare).before([&] {
        was_asked = slow->prepared().size() == 1 && count(*slow, switch_call::complete) == 0;
    });
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_TRUE(was_asked);
}

TEST_F(asynchronous, ARefusalNeedsNoCompletion)
{
    for (xa_code const code : {xa_code::rbdeadlock, xa_code::rmerr, xa_code::rmfail}) {
        auto tx = begin_work_there();
        slow->on(switch_call::prepare).answer(code);
        EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    }
    EXPECT_TRUE(becomes_settled());
    EXPECT_EQ(slow->value("nuts"), 0);
}

TEST_F(asynchronous, AVoteThatIsNotThereInTimeIsNone)
{
    auto chosen = patient();
    chosen.rollback_wait = 50ms;  // for what does not come
    reopen_with(chosen);
    ASSERT_EQ(begin_work_there().commit(), outcome::committed);
    auto tx = begin_work_there(assent::begin_options{}.timeout(3s));
    slow->on(switch_call::prepare).before([this] { slow->complete_calls(false); });
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    EXPECT_EQ(bills.value("alice"), 1);

    // The thread may call nothing else there, and says so.
    auto next = tm->begin();
    auto const e = thrown_by<assent::error>([&] { next.lease(*sloth); });
    EXPECT_EQ(e.why(), errc::unavailable);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("under way still"));
    next.rollback();

    slow->complete_calls(true);
    EXPECT_TRUE(becomes_true([this] {
        try {
            return begin_work_there().commit() == outcome::committed;
        } catch (assent::error const&) {
            return false;
        }
    }));
    EXPECT_TRUE(becomes_settled());
    EXPECT_EQ(slow->value("nuts"), -2);
    EXPECT_EQ(bills.value("alice"), 2);
}

TEST_F(asynchronous, ACommitThatIsNotThereInTimeIsPending)
{
    auto chosen = patient();
    chosen.phase2_wait = 50ms;  // for what does not come
    reopen_with(chosen);
    auto tx = begin_work_there();
    slow->on(switch_call::commit).before([this] { slow->complete_calls(false); });
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    slow->complete_calls(true);
    EXPECT_TRUE(becomes_settled());
    EXPECT_EQ(slow->value("nuts"), -1);
    EXPECT_EQ(bills.value("alice"), 1);
}

/// A thread that has suspended a branch there, or is at work on one, and whose rollback of another
/// branch is under way.
class busy_asynchronous : public asynchronous
{
protected:
    void SetUp() override
    {
        asynchronous::SetUp();
        auto chosen = patient();
        chosen.rollback_wait = 50ms;  // for what does not come
        reopen_with(chosen);
        ut.emplace(*tm);
    }
    void begin_bound()
    {
        ut->begin();
        tm->current()->lease(*sloth);
        slow->add("nuts", -1);
        tm->current()->lease(*billing);
        bills.add("alice", 1);
    }
    assent::suspended_transaction suspend_one()
    {
        begin_bound();
        return tm->suspend();
    }
    void leave_under_way(assent::suspended_transaction gone)
    {
        slow->complete_calls(false);
        gone->rollback();
    }
    void expect_settled()
    {
        slow->complete_calls(true);
        EXPECT_TRUE(becomes_settled());
        EXPECT_EQ(slow->value("nuts"), 0);
        EXPECT_EQ(bills.value("alice"), 0);
    }

    std::optional<assent::user_transaction> ut;
};

TEST_F(busy_asynchronous, NothingIsResumed)
{
    auto outer = suspend_one();
    leave_under_way(suspend_one());
    auto const e = thrown_by<assent::error>([&] { tm->resume(std::move(outer)); });
    EXPECT_EQ(e.why(), errc::rollback_only);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("under way still"));
    expect_settled();
}

TEST_F(busy_asynchronous, NothingIsSuspended)
{
    auto gone = suspend_one();
    begin_bound();
    leave_under_way(std::move(gone));
    auto const e = thrown_by<assent::error>([&] { tm->suspend(); });
    EXPECT_EQ(e.why(), errc::rollback_only);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("under way still"));
    ASSERT_NE(tm->current(), nullptr);
    EXPECT_THROW(ut->commit(), assent::rolled_back_error);
    expect_settled();
}

TEST_F(busy_asynchronous, NothingIsEnded)
{
    auto outer = suspend_one();
    auto gone = suspend_one();
    ut->begin();
    tm->current()->lease(*sloth);
    slow->add("nuts", -1);
    leave_under_way(std::move(gone));
    EXPECT_THROW(ut->commit(), assent::in_doubt_error) << "the other's answer is not this one's";
    outer->rollback();
    outer.reset();
    expect_settled();
}

TEST_F(busy_asynchronous, ALateAnswerWithoutMeaningIsAskedForAgain)
{
    auto gone = suspend_one();
    slow->on(switch_call::rollback).answer(static_cast<xa_code>(42));
    leave_under_way(std::move(gone));
    expect_settled();
    EXPECT_GE(count(*slow, switch_call::rollback), 2);
}

TEST_F(asynchronous, AHandleThatIsNotKnownIsALostAnswer)
{
    auto tx = begin_work_there();
    slow->on(switch_call::complete).answer_without_effect(xa_code::inval);
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    slow->die();  // what the switch still holds as outstanding is over with its opening
    EXPECT_TRUE(becomes_settled());
    EXPECT_EQ(slow->value("nuts"), 0);
}

TEST_F(asynchronous, AThreadThatEndsDoesNotWaitForEverForItsAnswer)
{
    auto chosen = patient();
    chosen.rollback_wait = 50ms;  // for what does not come
    reopen_with(chosen);
    std::thread{[this] {
        auto tx = begin_work_there(assent::begin_options{}.timeout(3s));
        slow->on(switch_call::prepare).before([this] { slow->complete_calls(false); });
        EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    }}.join();
    slow->complete_calls(true);
    EXPECT_EQ(bills.value("alice"), 0);
    EXPECT_EQ(slow->value("nuts"), 0);
}

}  // namespace
}  // namespace xopen_test
