// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// threads_test.cpp -- a branch belongs to the thread that began it, and goes with it.

#include <functional>
#include <thread>

#include <assent/driver.hpp>

#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

template <class Work>
void elsewhere(Work const& work)
{
    std::thread{work}.join();
}

TEST_F(switched, AnotherThreadNeitherEndsNorLeases)
{
    auto tx = begin_work();
    auto const calls = stock.history().size();
    elsewhere([&] {
        EXPECT_EQ(code_of([&] { tx.commit(); }), errc::wrong_thread);
        EXPECT_EQ(code_of([&] { tx.rollback(); }), errc::wrong_thread);
        EXPECT_EQ(code_of([&] { tx.lease(*stocks); }), errc::wrong_thread);
        std::error_code ec;
        assent::diagnostics why;
        tx.commit(ec, why);
        EXPECT_EQ(ec, errc::wrong_thread);
        EXPECT_NE(why.what, "");
    });
    auto const all = stock.history();
    // Recovery's own threads list what is prepared meanwhile.
    EXPECT_EQ(std::count_if(all.begin() + static_cast<std::ptrdiff_t>(calls), all.end(),
                            [](auto const& each) {
                                return each.what != switch_call::recover &&
                                       each.what != switch_call::open;
                            }),
              0);
    EXPECT_EQ(tx.commit(), outcome::committed) << "it is as it was";
    expect_work(1);
}

TEST_F(switched, ATransactionWithoutSuchABranchMoves)
{
    auto tx = tm->begin();
    elsewhere([&] {
        tx.lease(*stocks);
        stock.add("bolts", -1);
        EXPECT_EQ(tx.commit(), outcome::committed);
    });
    EXPECT_EQ(stock.value("bolts"), -1);
}

TEST_F(switched, MayBeSetRollbackOnlyFromAnotherThread)
{
    auto tx = begin_work();
    elsewhere([&] { tx.set_rollback_only(); });
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    expect_work(0);
}

TEST_F(switched, WhatIsDestroyedElsewhereItsThreadGivesUp)
{
    auto tx = std::make_unique<assent::transaction>(begin_work());
    elsewhere([&] { tx.reset(); });
    EXPECT_EQ(stock.unfinished(), 1u) << "nothing was sent from there";
    EXPECT_EQ(count(stock, switch_call::end), 0);

    EXPECT_EQ(begin_work().commit(), outcome::committed) << "the thread is free again";
    EXPECT_TRUE(becomes_drained());
    expect_work(1);
}

TEST_F(switched, AThreadThatEndsGivesUpItsBranchesAndItsOpening)
{
    std::unique_ptr<assent::transaction> tx;
    elsewhere([&] { tx = std::make_unique<assent::transaction>(begin_work()); });
    EXPECT_EQ(stock.unfinished(), 0u);
    EXPECT_EQ(code_of([&] { tx->commit(); }), errc::wrong_thread);
    tx.reset();
    EXPECT_TRUE(becomes_drained());
    expect_work(0);

    tm.reset();  // its workers were threads as well
    EXPECT_TRUE(becomes_true([this] { return stock.openings() + bills.openings() == 0; }));
}

/// Does its work when the thread's variables are destroyed, those that are younger first.
struct last_of_its_thread
{
    std::function<void()> work;
    ~last_of_its_thread()
    {
        if (work) work();
    }
};

TEST_F(switched, WhatRunsWhenTheThreadHasClosedItsSwitchesIsRefused)
{
    errc refused{};
    auto kept = std::make_unique<assent::transaction>(tm->begin());
    elsewhere([&] {
        thread_local last_of_its_thread older;
        older.work = [&] {
            EXPECT_EQ(stock.unfinished(), 0u);
            kept.reset();
            auto tx = tm->begin();
            refused = code_of([&] { tx.lease(*stocks); });
        };
        kept->lease(*stocks);
        stock.add("bolts", -1);
    });
    EXPECT_EQ(refused, errc::unavailable);
    EXPECT_TRUE(becomes_drained());
    expect_work(0);
}

TEST_F(switched, ACommitThatItsThreadDidNotComeToIsRolledBack)
{
    auto const driver = stocks->driver();
    assent::xid const branch{assent::gtrid::make({}), assent::bqual::make({1, 1, 1})};
    std::unique_ptr<assent::driver_session> session;
    elsewhere([&] {
        session = driver->connect(assent::session_purpose::work, {});
        session->submit(verb::start, branch);
        EXPECT_TRUE(session->collect({})->is_ok());
        stock.add("bolts", -1);
        session->submit(verb::commit_one_phase, branch);
    });
    auto const told = session->collect({});
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->code, xa_code::rbother);
    EXPECT_EQ(stock.unfinished(), 0u);
    expect_work(0);
}

TEST(XopenThreads, ASwitchThatDoesNotCloseIsNotOpenedAgain)
{
    api_test::temporary_directory const home;
    strict_switch bank{{home.path() + "/bank", false, false, false}};
    auto const driver =
        assent::xopen::resource_manager{"bank", bank.entries(), bank.info(), declared("a bank")}
            .driver();
    auto const connect = [&] { return driver->connect(assent::session_purpose::manage, {}); };
    auto const manage = connect();
    bank.on(switch_call::recover).answer_without_effect(xa_code::rmfail);
    EXPECT_THROW(driver->scan(*manage, {}), assent::driver_error);

    bank.on(switch_call::close).answer_without_effect(xa_code::rmerr);
    auto const e = thrown_by<assent::driver_error>([&] { connect(); });
    EXPECT_THAT(e.what(), ::testing::HasSubstr("xa_close answered XAER_RMERR"));
    EXPECT_EQ(count(bank, switch_call::open), 1);
    EXPECT_NO_THROW(connect());
    EXPECT_THAT(bank.violations(), ::testing::IsEmpty());
}

TEST_F(switched, AThreadWorksOnOneBranchOfASwitchAtATime)
{
    auto first = begin_work();
    auto second = tm->begin();
    auto const e = thrown_by<assent::error>([&] { second.lease(*stocks); });
    EXPECT_THAT(e.what(), ::testing::HasSubstr("at work on another branch"));
    second.rollback();
    elsewhere([&] { EXPECT_EQ(begin_work().commit(), outcome::committed); });
    EXPECT_EQ(first.commit(), outcome::committed);
    expect_work(2);
}

TEST_F(switched, ThreadsWorkSideBySide)
{
    constexpr int threads = 8;
    constexpr int each = 25;
    std::vector<std::thread> all;
    for (int i = 0; i < threads; ++i) {
        all.emplace_back([this] {
            for (int n = 0; n < each; ++n) {
                auto tx = begin_work();
                if (n % 5 == 4) {
                    tx.rollback();
                } else {
                    EXPECT_EQ(tx.commit(), outcome::committed);
                }
            }
        });
    }
    for (auto& one : all)
        one.join();
    expect_work(threads * each * 4 / 5);
    EXPECT_TRUE(becomes_drained());
}

TEST_F(switched, AHandleCannotBeLent)
{
    auto tx = tm->begin();
    assent::xopen::instance any;
    EXPECT_EQ(code_of([&] { tx.enlist(*stocks, &any, [](auto, auto) {}); }), errc::bad_argument);
    EXPECT_EQ(count(stock, switch_call::start), 0);
}

TEST_F(switched, AnExpiredTransactionIsEndedByItsThread)
{
    auto tx = tm->begin(assent::begin_options{}.timeout(1ms));
    EXPECT_TRUE(becomes_true([&] {
        try {
            tx.lease(*stocks);
        } catch (assent::error const&) {
            return true;
        }
        return tx.status() == assent::status::marked_rollback;
    }));
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    EXPECT_TRUE(becomes_drained());
    EXPECT_EQ(begin_work().commit(), outcome::committed);
    expect_work(1);
}

}  // namespace
}  // namespace xopen_test
