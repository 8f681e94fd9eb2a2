// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// pool_test.cpp -- sessions for leases: never more than there are seats, and none that is dead,
// old, or remembers an earlier lease.

#include "tests/unit/engine/meddling_driver.hpp"

namespace {

using namespace engine_test;
using ::testing::HasSubstr;

assent::limits one_seat()
{
    auto all = world::quick();
    all.pooled_sessions_max = 1;
    return all;
}

TEST(Pool, AFullPoolIsWaitedForUntilTheDeadlineAndNamesWhoHoldsIt)
{
    world at{personality::plain, one_seat()};
    auto holder = at.begin();
    holder.on(at.accounts)->set("row", 1);
    auto late = at.begin(assent::begin_options{}.timeout(2s));
    auto const asked = at.clock->now();

    auto const e = thrown_by<assent::error>([&] { late.on(at.accounts); });

    EXPECT_EQ(e.code(), assent::errc::exhausted);
    EXPECT_EQ(at.clock->now() - asked, 2s);
    EXPECT_THAT(e.what(), HasSubstr("\"accounts\": all 1 sessions of its pool"));
    EXPECT_THAT(e.what(), HasSubstr("pooled_sessions_max"));
    EXPECT_THAT(e.what(), HasSubstr(std::string{holder.id().text()} + " for 2.000 s"));
    EXPECT_THAT(e.what(), HasSubstr("on this very thread"));
    EXPECT_EQ(at.seen->count("pool.exhausted"), 1);
    EXPECT_EQ(holder.commit(), outcome::committed) << "whoever holds it is not disturbed";
    at.expect_clean();
}

TEST(Pool, WhoeverWaitsGetsTheVerySessionThatIsGivenBack)
{
    world at{personality::plain, one_seat()};
    auto holder = at.begin();
    auto const session = holder.on(at.accounts)->id();
    auto next = at.begin();
    auto const asked = at.clock->now();
    at.clock->while_blocked = [&] {
        EXPECT_EQ(at.state_of(at.accounts).leases_waiting, 1u);
        EXPECT_EQ(holder.commit(), outcome::committed);
        return true;
    };

    EXPECT_EQ(next.on(at.accounts)->id(), session);

    at.clock->while_blocked = nullptr;
    EXPECT_EQ(at.clock->now(), asked);
    EXPECT_EQ(at.seen->count("pool.waited"), 1);
    EXPECT_EQ(next.rollback(), outcome::rolled_back);
}

TEST(Pool, ItsStateSaysHowManyAreLeasedAndIdle)
{
    world at;
    auto one = at.begin();
    auto two = at.begin();
    one.on(at.accounts);
    two.on(at.accounts);

    one.rollback();

    auto const now = at.state_of(at.accounts);
    EXPECT_EQ(now.sessions_max, at.bounds.pooled_sessions_max);
    EXPECT_EQ(now.sessions_leased, 1u);
    EXPECT_EQ(now.sessions_idle, 1u);
    EXPECT_EQ(now.leases_waiting, 0u);
    two.rollback();
}

TEST(Pool, ALeaseThatFailsLeavesItsSeat)
{
    world at{personality::plain, one_seat()};
    at.accounts.db.script().on(driver_call::connect).fail();
    auto unlucky = at.begin();
    EXPECT_THROW(unlucky.on(at.accounts), assent::error);
    at.accounts.db.script().on(verb::start).reply_without_effect([] {
        assent::reply no;
        no.code = xa_code::rmerr;
        return no;
    }());
    EXPECT_THROW(unlucky.on(at.accounts), assent::error);

    auto next = at.begin(assent::begin_options{}.timeout(1s));
    next.on(at.accounts)->set("row", 1);
    next.on(at.orders)->set("row", 1);

    EXPECT_EQ(next.commit(), outcome::committed);
    unlucky.rollback();
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Pool, ASessionThatDiedIdleIsReplacedUnseen)
{
    world at{personality::plain, one_seat()};
    auto first = at.begin();
    auto const dead = first.on(at.accounts)->id();
    first.commit();
    at.accounts.db.cut(dead);

    auto next = at.begin();
    EXPECT_NE(next.on(at.accounts)->id(), dead);

    EXPECT_EQ(at.seen->count("pool.session_replaced"), 1);
    next.rollback();
    at.expect_clean();
}

/// A connection that a firewall forgot: nothing comes back, not even an error.
TEST(Pool, SilentSessionsAreReplacedWithinTheTransactionsTime)
{
    auto bounds = world::quick();
    bounds.server_call = 1s;  // shorter than a guardian may be silent
    world at{personality::plain, bounds};
    auto one = at.begin();
    auto two = at.begin();
    auto const silent = one.on(at.accounts)->id();
    auto const beside = two.on(at.accounts)->id();
    two.rollback();
    one.rollback();
    at.accounts.db.script().on(verb::start).session(silent).hang();
    auto const asked = at.clock->now();

    auto next = at.begin();
    auto* const got = next.on(at.accounts);
    got->set("row", 1);
    next.on(at.orders)->set("row", 1);

    EXPECT_NE(got->id(), silent);
    EXPECT_NE(got->id(), beside) << "that one's silence would be waited for next";
    EXPECT_EQ(at.clock->now() - asked, at.bounds.server_call);
    EXPECT_EQ(next.commit(), outcome::committed);
    at.accounts.db.script().release();
    at.expect_rows(1);
}

TEST(Pool, WhatIsIdleForTooLongIsClosed)
{
    auto bounds = world::quick();
    bounds.session_idle_max = 5s;
    world at{personality::plain, bounds};
    auto first = at.begin();
    auto const old = first.on(at.accounts)->id();
    first.commit();
    auto const is_open = [&] {
        auto const open = at.accounts.db.sessions();
        return std::find(open.begin(), open.end(), old) != open.end();
    };
    at.run_for(4s);
    ASSERT_TRUE(is_open());

    at.run_for(2s);

    EXPECT_FALSE(is_open()) << "by the keeper, though nobody asked for a lease";
    EXPECT_EQ(at.state_of(at.accounts).sessions_idle, 0u);
}

TEST(Pool, WhatIsTooOldIsReplacedHoweverBusy)
{
    auto bounds = world::quick();
    bounds.session_age_max = 5s;
    world at{personality::plain, bounds};
    auto first = at.begin();
    auto const old = first.on(at.accounts)->id();
    first.commit();
    at.run_for(4900ms);
    auto second = at.begin();
    EXPECT_EQ(second.on(at.accounts)->id(), old);
    at.run_for(200ms);

    EXPECT_EQ(second.commit(), outcome::committed) << "its age is no reason while it is leased";

    EXPECT_EQ(at.state_of(at.accounts).sessions_idle, 0u);
    auto third = at.begin();
    EXPECT_NE(third.on(at.accounts)->id(), old);
    third.rollback();
}

TEST(Pool, WhatWasLeasedBeforeTheDatabaseWasLostIsNotLeasedAgain)
{
    world at;
    auto before = at.begin();
    auto const old = before.on(at.accounts)->id();
    at.accounts.db.script().on(driver_call::scan).cut();
    at.run_for(at.bounds.scan_interval + 1s);  // its keeper has lost it, and found it again
    ASSERT_TRUE(at.state_of(at.accounts).is_serving);

    EXPECT_EQ(before.rollback(), outcome::rolled_back);

    auto after = at.begin();
    EXPECT_NE(after.on(at.accounts)->id(), old);
    after.rollback();
}

// ---- resets ----------------------------------------------------------------------------------

/// What is asked of one session, in order.
class watched_session final : public assent::driver_session
{
public:
    watched_session(std::unique_ptr<assent::driver_session> under, std::string& said, bool& refuses)
        : under_(std::move(under)), said_(said), refuses_(refuses)
    {
    }
    std::uint64_t id() const noexcept override { return under_->id(); }
    void* native_handle() noexcept override { return under_->native_handle(); }
    int descriptor() const noexcept override { return under_->descriptor(); }
    void declare(assent::branch_modes const& next) noexcept override { under_->declare(next); }
    void submit(verb v, assent::xid const& x) noexcept override
    {
        said_ += v == verb::start ? "start " : v == verb::commit_one_phase ? "commit " : "other ";
        under_->submit(v, x);
    }
    std::optional<assent::reply> collect(assent::deadline until) noexcept override
    {
        return under_->collect(until);
    }
    bool is_reusable() const noexcept override { return under_->is_reusable(); }
    void submit_reset() noexcept override
    {
        EXPECT_TRUE(under_->is_reusable()) << "nothing is prepared, or active, there";
        said_ += "reset ";
    }
    bool collect_reset(assent::deadline) noexcept override
    {
        said_ += "read ";
        return !refuses_;
    }
    void sever() noexcept override { under_->sever(); }
    void abandon() noexcept override { under_->abandon(); }

private:
    std::unique_ptr<assent::driver_session> const under_;
    std::string& said_;
    bool& refuses_;
};

struct watched : meddled
{
    watched()
    {
        driver->change = [this](std::unique_ptr<assent::driver_session> opened) {
            return std::make_unique<watched_session>(std::move(opened), said, refuses);
        };
        run_for(10ms);
    }
    std::uint64_t run_one()
    {
        transaction tx{engine, {}};
        auto* const c = lease(tx);
        auto const id = c->id();
        c->set("row", 1);
        tx.commit();
        return id;
    }
    std::string said;
    bool refuses = false;
};

TEST(Pool, ASessionIsResetWhenItIsGivenBackAndTheAnswerIsReadWhenItIsTaken)
{
    watched at;

    auto const first = at.run_one();
    EXPECT_EQ(at.said, "start commit reset ");
    auto const second = at.run_one();

    EXPECT_EQ(second, first);
    EXPECT_EQ(at.said, "start commit reset read start commit reset ");
}

TEST(Pool, ASessionThatCannotBeResetIsReplaced)
{
    watched at;
    auto const first = at.run_one();
    at.refuses = true;

    auto const second = at.run_one();

    EXPECT_NE(second, first);
    EXPECT_EQ(at.seen->count("pool.session_replaced"), 1);
}

TEST(Pool, ASessionThatIsNotKeptIsNotReset)
{
    watched at;
    transaction tx{at.engine, {}};
    auto* const c = at.lease(tx);
    c->set("row", 1);
    at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();

    EXPECT_ANY_THROW(tx.commit());

    EXPECT_EQ(at.said, "start commit ");
}

}  // namespace
