// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resources_test.cpp -- what an application keeps with a transaction, and until when.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

/// Writes down when it goes, and in which thread.
struct witness
{
    explicit witness(std::vector<std::thread::id>& to) : ends(&to) {}
    witness(witness const&) = delete;
    witness& operator=(witness const&) = delete;
    ~witness() { ends->push_back(std::this_thread::get_id()); }
    std::vector<std::thread::id>* ends;
};

TEST(Resources, AreKeptByKeyForOneTransaction)
{
    doors at;
    auto one = at.tm->begin();
    auto const other = at.tm->begin();

    one.put_resource("cache", 1);
    one.put_resource("cache", std::string{"the later one"});

    EXPECT_EQ(std::any_cast<std::string>(one.get_resource("cache")), "the later one");
    EXPECT_FALSE(one.get_resource("another").has_value());
    EXPECT_FALSE(other.get_resource("cache").has_value());
}

TEST(Resources, StayWithASuspendedTransaction)
{
    doors at;
    assent::user_transaction ut{*at.tm};
    ut.begin();
    at.tm->current()->put_resource("cache", 1);

    auto outer = at.tm->suspend();
    ut.begin();
    EXPECT_FALSE(at.tm->current()->get_resource("cache").has_value());
    ut.rollback();
    at.tm->resume(std::move(outer));

    EXPECT_EQ(std::any_cast<int>(at.tm->current()->get_resource("cache")), 1);
    ut.rollback();
}

TEST(Resources, AreThereInCallbacksAndGoWhenTheLastWasCalled)
{
    for (bool const commits : {true, false}) {
        doors at;
        std::vector<std::thread::id> ends;
        auto tx = at.begin_work();
        tx.put_resource("cache", std::make_shared<witness>(ends));
        bool was_there = false;
        tx.register_synchronization({{}, [&](status) {
                                         was_there = tx.get_resource("cache").has_value();
                                         EXPECT_TRUE(ends.empty());
                                     }});

        commits ? tx.commit() : tx.rollback();

        EXPECT_TRUE(was_there);
        EXPECT_THAT(ends, ::testing::ElementsAre(std::this_thread::get_id()));
        EXPECT_FALSE(tx.get_resource("cache").has_value());
        EXPECT_EQ(code_of([&] { tx.put_resource("cache", 1); }), errc::invalid_state);
    }
}

TEST(Resources, GoWithTheOwnerAlsoWhereABranchIsLeftToOthers)
{
    doors at;
    std::vector<std::thread::id> ends;
    auto tx = at.begin_work();
    tx.put_resource("cache", std::make_shared<witness>(ends));
    at.shop.script().on(verb::commit).times(1000).lose_before_effect();

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    EXPECT_THAT(ends, ::testing::ElementsAre(std::this_thread::get_id()));
    at.shop.script().clear();
    EXPECT_TRUE(becomes_true([&] { return at.tm->state().live_transactions == 0; }));
}

TEST(Resources, SoDoesWhatCallbacksHoldAlsoBehindAnEarlyReturn)
{
    doors at;
    std::vector<std::thread::id> ends;
    auto const kept = [&ends] { return std::make_shared<witness>(ends); };
    auto const own = at.bank.connect();
    at.shop.script().on(verb::commit).delay(50ms);
    {
        auto tx = at.tm->begin(
            assent::begin_options{}.commit_return(assent::commit_return::decision_logged));
        tx.enlist(*at.accounts, own.get(), [held = kept()](void*, assent::release) {});
        own->set("row", 1);
        tx.lease(*at.orders)->set("row", 1);
        tx.register_synchronization({{}, [held = kept()](status) {}});
        tx.register_interposed_synchronization({{}, [held = kept()](status) {}});
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
    }

    EXPECT_THAT(ends, ::testing::ElementsAre(std::this_thread::get_id(), std::this_thread::get_id(),
                                             std::this_thread::get_id()));
    EXPECT_TRUE(becomes_true([&] { return at.tm->state().live_transactions == 0; }));
    at.expect_rows(1);
}

TEST(Resources, GoWithADestroyedTransaction)
{
    doors at;
    std::vector<std::thread::id> ends;
    {
        auto tx = at.tm->begin();
        tx.put_resource("cache", std::make_shared<witness>(ends));
    }

    EXPECT_EQ(ends.size(), 1u);
}

}  // namespace
