// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// start_test.cpp -- the row travels with the start: what a start that is lost, refused or silent
// leaves behind, of an attempt and of its end; and votes that are asked for before they are heard.

#include <atomic>
#include <future>
#include <iterator>
#include <set>

#include <assent/driver.hpp>

#include "tests/contract/forwarding_driver.hpp"
#include "tests/unit/tcc/tcc_fixture.hpp"

namespace tcc_test {

class Start : public reserving
{
protected:
    explicit Start(assent::limits const& chosen = bounds(),
                   assent::testing::memory_options const& wallets_in = {})
        : reserving(chosen, wallets_in)
    {
    }

    using numbers = std::set<std::uint64_t>;

    /// A transaction with so many reservations, whose sessions then wait in the pool.
    void warm_up(int count = 1)
    {
        auto tx = tm->begin();
        for (int i = 0; i < count; ++i)
            attempt(tx, *wallets, "0");
        EXPECT_EQ(tx.commit(), outcome::committed);
    }
    numbers sessions() const
    {
        auto const all = bank.sessions();
        return {all.begin(), all.end()};
    }
    /// Those that have begun something, and are there still: the pool's and the workers'.
    numbers at_work() const
    {
        numbers found;
        auto const present = sessions();
        for (auto const& each : bank.history()) {
            if (each.what == verb::start && present.count(each.session) != 0)
                found.insert(each.session);
        }
        return found;
    }
    void expect_committed(std::string const& amount = "30")
    {
        auto tx = begin_work(amount);
        EXPECT_EQ(tx.commit(), outcome::committed);
        EXPECT_TRUE(becomes_drained());
    }
};

assent::reply deadlock()
{
    assent::reply said;
    said.code = xa_code::rmerr;
    said.sqlstate = "40001";
    said.text = "deadlock detected";
    return said;
}

TEST_F(Start, BringsTheRowAndTakesIt)
{
    // None of these calls is met: the rows go with the verbs.
    auto script = bank.script();
    script.on(driver_call::insert_branch).fail("not with the start");
    script.on(driver_call::take_branch).fail("not with the start");
    expect_committed();
    expect_wallet(70, 0, 30);
    EXPECT_EQ(script.pending(), 2u);
    script.clear();
}

/// Of a session that waited in the pool; before or after the effect.
class StartLost : public Start, public ::testing::WithParamInterface<bool>
{
protected:
    void lose(int nth)
    {
        auto where = bank.script().on(verb::start, nth);
        if (GetParam()) {
            where.lose_after_effect();
        } else {
            where.lose_before_effect();
        }
    }
};

TEST_P(StartLost, OfAnAttemptIsMadeOnAnotherSessionOnce)
{
    warm_up();
    lose(1);
    expect_committed();
    expect_wallet(70, 0, 30);
    EXPECT_EQ(does.attempts, 2);
    EXPECT_EQ(does.confirms, 2);
}

TEST_P(StartLost, OfAnAttemptOnANewSessionIsWorthRepeating)
{
    lose(1);
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, "30"); }), errc::rollback_only);
    EXPECT_TRUE(thrown_by<assent::rolled_back_error>([&] { tx.commit(); }).is_retryable());
    EXPECT_EQ(does.attempts, 0);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(100, 0, 0);
}

TEST_P(StartLost, OfAConfirmIsMadeOnAnotherSessionOnce)
{
    warm_up();
    lose(2);  // the first is the attempt's
    expect_committed();
    expect_wallet(70, 0, 30);
    EXPECT_EQ(does.confirms, 2);
}

TEST_P(StartLost, OfAConfirmOnANewSessionIsPending)
{
    lose(2);
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(70, 0, 30);
    EXPECT_EQ(does.confirms, 1);
}

INSTANTIATE_TEST_SUITE_P(, StartLost, ::testing::Bool(),
                         [](auto const& of) { return of.param ? "After" : "Before"; });

TEST_F(Start, ThatFindsEverySessionDeadIsMadeOnOthers)
{
    warm_up(2);
    auto const before = at_work();
    EXPECT_GE(before.size(), 3u);
    for (auto const each : before)
        bank.cut(each);
    expect_committed();
    expect_wallet(70, 0, 30);
}

TEST_F(Start, WhoseRowIsRefusedClosesNoSessionAndSaysWhetherItIsWorthRepeating)
{
    warm_up(3);
    auto const before = sessions();
    bank.script().on(verb::start).reply(deadlock());
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, "30"); }), errc::rollback_only);
    EXPECT_TRUE(thrown_by<assent::rolled_back_error>([&] { tx.commit(); }).is_retryable());
    EXPECT_EQ(sessions(), before);
    expect_committed();
    EXPECT_EQ(sessions(), before) << "they serve the next one";
    expect_wallet(70, 0, 30);
}

TEST_F(Start, WhoseRowIsRefusedForGoodIsNotWorthRepeating)
{
    bank.script().on(verb::start).reply(xa_code::rmerr);
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, "30"); }), errc::rollback_only);
    EXPECT_FALSE(thrown_by<assent::rolled_back_error>([&] { tx.commit(); }).is_retryable());
}

TEST_F(Start, OfAConfirmThatIsRefusedIsPendingAndMadeLater)
{
    warm_up();
    bank.script().on(verb::start, 2).reply(deadlock());
    auto tx = begin_work();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(70, 0, 30);
    EXPECT_EQ(does.confirms, 2);
}

/// It waits for a lock, or the network forgot it; nobody waits that long here.
class StartSilent : public Start
{
protected:
    StartSilent() : Start(impatient()) {}

    static assent::limits impatient()
    {
        auto all = bounds();
        all.server_call = 1s;
        return all;
    }
    bool becomes_gone(numbers const& hung) const
    {
        return becomes_true([&] {
            auto const all = sessions();
            return std::none_of(hung.begin(), hung.end(),
                                [&](auto const each) { return all.count(each) != 0; });
        });
    }
    /// Whoever began something since `events`.
    numbers began_since(std::size_t events) const
    {
        numbers found;
        auto const all = bank.history();
        for (auto at = events; at < all.size(); ++at) {
            if (all[at].what == verb::start) found.insert(all[at].session);
        }
        return found;
    }
};

TEST_F(StartSilent, OfASessionOfThePoolIsEndedAtTheServerAndMadeOnANewOne)
{
    warm_up();
    auto const events = bank.history().size();
    bank.script().on(verb::start).hang();
    auto tx = tm->begin(assent::begin_options{}.timeout(20s));
    attempt(tx, *wallets, "30");
    auto const both = began_since(events);
    ASSERT_EQ(both.size(), 2u);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_TRUE(becomes_gone({*both.begin()})) << "only the server can end it";
    EXPECT_EQ(bank.script().hanging(), 0u);
    expect_wallet(70, 0, 30);
}

TEST_F(StartSilent, UntilTheDeadlineIsEndedAtTheServerAndCostsNobodyElseHisSession)
{
    warm_up(3);
    auto const idle = at_work();
    auto const events = bank.history().size();
    bank.script().on(verb::start).times(2).hang();
    auto tx = tm->begin(assent::begin_options{}.timeout(3s));
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, "30"); }), errc::rollback_only);
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);

    auto const hung = began_since(events);
    EXPECT_EQ(hung.size(), 2u) << "that of the pool, and a new one, which waits as long as may be";
    EXPECT_TRUE(becomes_gone(hung));
    EXPECT_EQ(bank.script().hanging(), 0u);
    numbers left;
    auto const present = sessions();
    std::set_intersection(idle.begin(), idle.end(), present.begin(), present.end(),
                          std::inserter(left, left.end()));
    EXPECT_EQ(left.size(), idle.size() - 1) << "a lock says nothing of other sessions";
    EXPECT_TRUE(becomes_drained());
    expect_wallet(100, 0, 0);
}

struct deafness
{
    std::atomic<int> starts{0};
    std::atomic<int> at{0};  ///< which of these has no answer in whatever time

    std::thread::id const owner = std::this_thread::get_id();
    std::atomic<int> resets{0};        ///< by workers
    std::atomic<bool> is_slow{false};  ///< they do not return ...
    std::promise<void> is_over;        ///< ... before this
    std::shared_future<void> const end{is_over.get_future()};
};

/// A session to which nothing is heard of one start, without anybody's waiting for that.
class deaf_session final : public assent::driver_session
{
public:
    deaf_session(std::unique_ptr<assent::driver_session> under, deafness& how)
        : under_(std::move(under)), how_(how)
    {
    }
    std::uint64_t id() const noexcept override { return under_->id(); }
    assent::server_life life() const override { return under_->life(); }
    void* native_handle() noexcept override { return under_->native_handle(); }
    int descriptor() const noexcept override { return under_->descriptor(); }
    void declare(assent::branch_modes const& next) noexcept override { under_->declare(next); }
    void submit(verb v, assent::xid const& x) noexcept override
    {
        is_deaf_ = v == verb::start && ++how_.starts == how_.at;
        under_->submit(v, x);
    }
    std::optional<assent::reply> collect(assent::deadline until) noexcept override
    {
        return is_deaf_ ? std::nullopt : under_->collect(until);
    }
    bool is_reusable() const noexcept override { return !is_deaf_ && under_->is_reusable(); }
    void submit_reset() noexcept override
    {
        if (std::this_thread::get_id() == how_.owner) return;
        if (how_.is_slow) how_.end.wait();
        ++how_.resets;
    }
    void sever() noexcept override { under_->sever(); }
    void abandon() noexcept override { under_->abandon(); }

private:
    std::unique_ptr<assent::driver_session> const under_;
    deafness& how_;
    bool is_deaf_ = false;
};

class deaf_driver final : public assent::contract::forwarding_driver
{
public:
    deaf_driver(std::shared_ptr<resource_manager_driver> under, deafness& how)
        : forwarding_driver(std::move(under)), how_(how)
    {
    }
    std::unique_ptr<assent::driver_session> connect(assent::session_purpose purpose,
                                                    assent::deadline until) override
    {
        auto opened = under().connect(purpose, until);
        if (purpose != assent::session_purpose::work) return opened;
        return std::make_unique<deaf_session>(std::move(opened), how_);
    }
    assent::branch_table* branches() noexcept override { return under().branches(); }

private:
    deafness& how_;
};

/// Reservations over a bad line.
class StartDeaf : public Start
{
protected:
    StartDeaf()
    {
        assent::resource_manager const line{
            std::make_shared<deaf_driver>(memory_resource_manager{"bank", bank}.driver(), how)};
        purses.emplace(tm->add(tcc::resource_manager{"purses", line, does.handlers()}));
    }
    ~StartDeaf() override { tm.reset(); }  // before the line

    outcome reserve(std::string const& amount, int count = 1)
    {
        auto tx = tm->begin();
        for (int i = 0; i < count; ++i)
            attempt(tx, *purses, amount);
        return tx.commit();
    }

    deafness how;
    std::optional<tcc::resource_manager> purses;
};

/// A second one would wait for the same lock, and the first waits there still.
TEST_F(StartDeaf, OfAConfirmThatIsSilentIsTriedOnNoOtherSessionAtOnce)
{
    EXPECT_EQ(reserve("10"), outcome::committed);
    how.at = how.starts + 2;
    EXPECT_EQ(reserve("10"), outcome::committed_pending);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(80, 0, 20);
    EXPECT_EQ(does.confirms, 2);
}

TEST_F(StartDeaf, OfAConfirmDoesNotWaitForABusyWorkerWhereAnotherIsIdle)
{
    std::atomic<int> inside{0};
    does.confirm = [&inside](tcc::call&) {
        ++inside;
        becomes_true([&inside] { return inside >= 2; });
    };
    EXPECT_EQ(reserve("0", 2), outcome::committed) << "by two workers";
    EXPECT_TRUE(becomes_true([this] { return how.resets == 2; }));
    does.confirm = [](tcc::call&) {};
    how.is_slow = true;
    EXPECT_EQ(reserve("0"), outcome::committed);
    EXPECT_EQ(reserve("0"), outcome::committed) << "its worker is busy with what it leaves";
    how.is_over.set_value();
}

// ---- votes -------------------------------------------------------------------------------------

TEST_F(Start, VotesThatAreLostBehindTheirQuestionLeaveNothing)
{
    bank.script().on(driver_call::find_branch).cut();
    auto tx = begin_work();
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(100, 0, 0);
    EXPECT_EQ(shop.value("order"), std::nullopt);
    EXPECT_EQ(does.cancels, 1);
}

TEST_F(Start, VotesThatAreRefusedLeaveNothingAndTheirSession)
{
    bank.script().on(driver_call::find_branch).fail("permission denied");
    auto tx = begin_work();
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(100, 0, 0);
    EXPECT_EQ(does.cancels, 1);
    auto const before = at_work();
    expect_committed();
    EXPECT_EQ(at_work(), before);
}

// ---- adapters ----------------------------------------------------------------------------------

/// A client that takes one statement in a message.
class StartApart : public Start
{
protected:
    StartApart() : Start(bounds(), apart()) {}

    static assent::testing::memory_options apart()
    {
        assent::testing::memory_options chosen;
        chosen.joins_messages = false;
        return chosen;
    }
};

TEST_F(StartApart, HasTheRowBehindIt)
{
    expect_committed();
    expect_wallet(70, 0, 30);
    auto tx = begin_work();
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    EXPECT_TRUE(becomes_drained());
    expect_wallet(70, 0, 30);
    EXPECT_EQ(does.cancels, 1);
}

TEST_F(StartApart, WhoseRowIsRefusedIsNotAttempted)
{
    bank.script().on(driver_call::insert_branch).fail("no");
    auto tx = tm->begin();
    EXPECT_EQ(code_of([&] { attempt(tx, *wallets, "30"); }), errc::rollback_only);
    EXPECT_EQ(does.attempts, 0);
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    expect_wallet(100, 0, 0);
}

/// An adapter of somebody's own that has a first half, and not the second.
class half_written final : public assent::branch_table
{
public:
    using session = assent::driver_session;
    using row = assent::branch_row;
    void ensure_branches(session&, assent::deadline) override {}
    void insert(session&, row const&, assent::deadline) override {}
    std::optional<row> take(session&, assent::xid const&, assent::deadline) override { return {}; }
    bool contains(session&, assent::xid const&, assent::deadline) override { return true; }
    std::vector<assent::xid> list_branches(session&, std::string_view, assent::deadline) override
    {
        return {};
    }
};

TEST_F(Start, OfAnAdapterThatLacksTheSecondHalfIsNeverAnswered)
{
    half_written table;
    auto const on = memory_resource_manager{"bank", bank}.driver()->connect(
        assent::session_purpose::work, assent::deadline::max());
    EXPECT_FALSE(table.insert_at_start(*on, {}));
    EXPECT_FALSE(table.take_at_start(*on, {}));
    EXPECT_FALSE(table.ask_contains(*on, {}));
    EXPECT_THROW(table.taken(*on, {}), assent::driver_error);
    EXPECT_THROW(table.hear_contains(*on, assent::deadline::max()), assent::driver_error);
}

}  // namespace tcc_test
