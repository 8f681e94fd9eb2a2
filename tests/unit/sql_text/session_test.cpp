// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session_test.cpp -- a lent connection whose client's call does not return, also when it was cut:
// its owner has it back in the end, and nobody but that call uses it any more.

#include "adapters/sql_text/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace assent::sql_text {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t number = 42;

/// The application's client.  From hang() on its next call waits until release().
class client
{
public:
    void hang() { is_to_hang = true; }
    void release() { released_.set_value(); }
    void call()
    {
        ++calls;
        if (!is_to_hang.exchange(false)) return;
        ++hanging;
        until_.wait();
    }

    std::atomic<bool> is_to_hang{false};
    std::atomic<int> calls{0};
    std::atomic<int> hanging{0};

private:
    std::promise<void> released_;
    std::shared_future<void> until_ = released_.get_future().share();
};

class client_link final : public link
{
public:
    client_link(client& of, std::shared_ptr<gate> passes) : link(std::move(passes)), of_(of) {}

    void* handle() const noexcept override { return &of_; }
    std::optional<bool> has_autocommit() const noexcept override { return true; }
    bool may_reconnect() const noexcept override { return false; }

private:
    execution run(std::string const&) override
    {
        of_.call();
        execution done;
        done.is_ok = true;
        return done;
    }

    client& of_;
};

/// Of a verb: three statements, of which the last is said whatever the gate says.
class terse final : public speaker
{
public:
    explicit terse(link& on) : link_(on) {}

    void introduce(session_purpose) override {}
    void inspect() override { link_.execute("inspect"); }
    void check_work(server_facts const&, bool) override {}
    std::uint64_t id() const override { return number; }
    peer_view ask_peer() override { return {}; }
    void set_proxied() override {}
    reply run(request const&) override
    {
        link_.execute("first");
        link_.execute("second");
        link_.execute_anyway("third");
        reply said;
        said.code = xa_code::ok;
        return said;
    }
    bool is_clear() override { return link_.execute_anyway("is it clear?").is_ok; }
    void undo_severed() noexcept override { link_.execute_anyway("undo"); }

    server_facts preflight(bool) override { return {}; }
    examination examine(bool) override { return {}; }
    scan_result scan() override { return {}; }
    bool try_guard(std::uint64_t) override { return false; }
    void heartbeat() override {}
    session_presence presence(std::uint64_t) override { return session_presence::unknown; }
    session_presence sessions_before(std::uint64_t) override { return session_presence::unknown; }
    void cancel_statement(std::uint64_t, dialects::cancelled_sessions&) override {}
    void end_session(std::uint64_t) override {}
    witness_state ask_witness(std::string const&) override { return witness_state::unknown; }
    void ensure_rows() override {}
    std::optional<decision_row> fence(gtrid const&, std::chrono::milliseconds) override
    {
        return std::nullopt;
    }
    std::vector<decision_row> list_rows(std::string const&, std::size_t) override { return {}; }
    void prune_rows(decision_row const&, std::vector<gtrid> const&) override {}
    void ensure_branches() override {}
    void insert(std::string const&, branch_row const&) override {}
    std::optional<branch_row> take(std::string const&, xid const&) override { return std::nullopt; }
    bool contains(std::string const&, xid const&) override { return false; }
    std::vector<xid> list_branches(std::string const&) override { return {}; }

private:
    link& link_;
};

std::unique_ptr<speaker> make_terse(link& on, std::string const&, link_opener const&)
{
    return std::make_unique<terse>(on);
}

deadline in(std::chrono::milliseconds time)
{
    return deadline::clock::now() + time;
}

bool becomes_true(std::function<bool()> const& is_so)
{
    auto const end = in(20s);
    while (!is_so()) {
        if (deadline::clock::now() > end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

struct SqlTextLentSession : ::testing::Test
{
    SqlTextLentSession()
    {
        family->name = "orders";
        family->make_speaker = &make_terse;
        family->call_wait = 50ms;
    }
    ~SqlTextLentSession() override
    {
        EXPECT_TRUE(becomes_true([] { return worker::stuck_count() == 0; }));
    }

    std::unique_ptr<session> borrow(std::chrono::milliseconds time = 20s)
    {
        lending how;
        how.make_link = [this](std::shared_ptr<gate> passes) {
            return std::make_unique<client_link>(lent, std::move(passes));
        };
        how.must_have_socket = false;
        how.sever = [this] {
            ++severed;
            return true;
        };
        return session::borrow(std::move(how), family, in(time));
    }

    std::vector<std::string> told() const
    {
        scan_result seen;
        family->unreachable.tell(seen);
        return seen.warnings;
    }

    client lent;
    int severed = 0;
    std::shared_ptr<session_family> family = std::make_shared<session_family>();
};

TEST_F(SqlTextLentSession, IsGivenBackWhenItsWorkerHasLeftIt)
{
    auto borrowed = borrow();
    borrowed->submit(verb::start, xid{});
    ASSERT_TRUE(borrowed->collect(in(20s)));
    EXPECT_TRUE(borrowed->is_reusable());

    borrowed.reset();

    EXPECT_EQ(severed, 0);
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(SqlTextLentSession, WhoseCallReturnsOnceItWasCutIsGivenBackThen)
{
    family->call_wait = 20s;
    auto borrowed = borrow();
    lent.hang();
    borrowed->submit(verb::prepare, xid{});
    ASSERT_TRUE(becomes_true([&] { return lent.hanging == 1; }));
    auto const returning = std::async(std::launch::async, [&] {
        std::this_thread::sleep_for(20ms);
        lent.release();
    });

    borrowed.reset();

    EXPECT_EQ(severed, 1);
    EXPECT_EQ(worker::stuck_count(), 0u);
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(SqlTextLentSession, WhoseCallNeverReturnsIsGivenBackAllTheSameAndNotUsedAnyMore)
{
    auto borrowed = borrow();
    lent.hang();
    borrowed->submit(verb::prepare, xid{});
    ASSERT_TRUE(becomes_true([&] { return lent.hanging == 1; }));
    EXPECT_FALSE(borrowed->collect(in(20ms)));
    EXPECT_FALSE(borrowed->is_reusable());
    int const calls = lent.calls;
    auto const began = deadline::clock::now();

    borrowed.reset();

    auto const took = deadline::clock::now() - began;
    EXPECT_GE(took, 50ms);
    EXPECT_LT(took, 10s);
    EXPECT_EQ(severed, 1);
    EXPECT_EQ(worker::stuck_count(), 1u) << "its thread is left to itself";
    EXPECT_THAT(told(), ElementsAre(HasSubstr("session 42, was given back although")));
    EXPECT_THAT(told(), IsEmpty()) << "once";
    lent.release();
    EXPECT_TRUE(becomes_true([] { return worker::stuck_count() == 0; })) << "it ends by itself";
    EXPECT_EQ(lent.calls, calls) << "the handle is its owner's";
}

TEST_F(SqlTextLentSession, WhoseCheckNeverReturnsIsRefusedAndNotUsedAnyMore)
{
    lent.hang();
    std::string why;
    bool must_close = false;

    try {
        borrow(20ms);
    } catch (driver_error const& refused) {
        why = refused.what();
        must_close = refused.must_close();
    }

    EXPECT_THAT(why, HasSubstr("and its client's call still runs"));
    EXPECT_TRUE(must_close);
    EXPECT_EQ(severed, 1);
    EXPECT_THAT(told(), ElementsAre(HasSubstr("a lent connection was given back although")));
    lent.release();
    EXPECT_TRUE(becomes_true([] { return worker::stuck_count() == 0; }));
    EXPECT_EQ(lent.calls, 1);
}

TEST_F(SqlTextLentSession, IsRefusedByTheDeadlineWhicheverCallOfItsCheckHangs)
{
    family->call_wait = 20s;
    for (bool const is_in_second : {false, true}) {
        client with;
        lending how;
        how.make_link = [&with](std::shared_ptr<gate> passes) {
            return std::make_unique<client_link>(with, std::move(passes));
        };
        how.must_have_socket = false;
        if (!is_in_second) with.hang();
        auto const began = deadline::clock::now();
        std::string why;
        bool must_close = false;

        try {
            auto const borrowed = session::borrow(std::move(how), family, in(1s));
            with.hang();
            borrowed->ask(in(1s), [](speaker& speaks) { speaks.inspect(); });
        } catch (driver_error const& refused) {
            why = refused.what();
            must_close = refused.must_close();
        }

        EXPECT_LT(deadline::clock::now() - began, 10s);
        EXPECT_THAT(why, HasSubstr("and its client's call still runs"));
        EXPECT_TRUE(must_close);
        int const calls = with.calls;
        with.release();
        EXPECT_TRUE(becomes_true([] { return worker::stuck_count() == 0; }));
        EXPECT_EQ(with.calls, calls) << "the handle is its owner's";
    }
}

}  // namespace

}  // namespace assent::sql_text
