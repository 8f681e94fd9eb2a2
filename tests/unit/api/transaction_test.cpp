// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transaction_test.cpp -- one transaction through its public door: its ends, its state, its leases.

#include <atomic>

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

TEST(Transaction, CommitsInBothDatabases)
{
    doors at;
    auto tx = at.begin_work();

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(tx.status(), status::committed);
    EXPECT_EQ(at.tm->outcome(tx.id()), known_outcome::committed);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Transaction, RollsBackInBothDatabases)
{
    doors at;
    auto tx = at.begin_work();

    EXPECT_EQ(tx.rollback(), outcome::rolled_back);

    EXPECT_EQ(tx.status(), status::rolled_back);
    EXPECT_EQ(at.tm->outcome(tx.id()), known_outcome::rolled_back);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Transaction, WithoutBranchesCommits)
{
    doors at;
    auto tx = at.tm->begin();

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.tm->state().forces, 0u);
}

TEST(Transaction, RollsBackWhenItsObjectGoes)
{
    doors at;

    auto const id = at.begin_work().id();

    EXPECT_EQ(at.tm->outcome(id), known_outcome::rolled_back);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Transaction, MayMove)
{
    doors at;
    auto tx = at.begin_work();

    assent::transaction moved{std::move(tx)};

    EXPECT_EQ(moved.commit(), outcome::committed);
    at.expect_rows(1);
}

TEST(Transaction, MayBeEndedByAnotherThread)
{
    doors at;
    auto tx = at.begin_work();

    std::thread{[&] { EXPECT_EQ(tx.commit(), outcome::committed); }}.join();

    at.expect_rows(1);
}

TEST(Transaction, EndsOnce)
{
    doors at;
    auto committed = at.begin_work("a");
    committed.commit();
    auto rolled_back = at.begin_work("b");
    rolled_back.rollback();

    for (auto* const tx : {&committed, &rolled_back}) {
        EXPECT_EQ(code_of([&] { tx->commit(); }), errc::invalid_state);
        EXPECT_EQ(code_of([&] { tx->rollback(); }), errc::invalid_state);
        EXPECT_EQ(code_of([&] { tx->set_rollback_only(); }), errc::invalid_state);
        EXPECT_EQ(code_of([&] { tx->lease(*at.accounts); }), errc::invalid_state);
        EXPECT_EQ(code_of([&] { tx->register_synchronization({}); }), errc::invalid_state);
    }

    EXPECT_EQ(committed.status(), status::committed);
    EXPECT_EQ(rolled_back.status(), status::rolled_back);
}

TEST(Transaction, GivesTheSameLeaseTwice)
{
    doors at;
    auto tx = at.tm->begin();

    EXPECT_EQ(tx.lease(*at.accounts).get(), tx.lease(*at.accounts).get());

    tx.lease(*at.accounts)->set("row", 1);
    tx.commit();
    EXPECT_EQ(count(at.bank, verb::start), 1);
}

TEST(Transaction, LeasesSeveralInOneCall)
{
    doors at;
    auto tx = at.tm->begin();

    auto const [accounts, orders] = tx.lease(*at.accounts, *at.orders);
    auto const again = tx.lease_any({*at.orders, *at.accounts});

    accounts->set("row", 1);
    orders->set("row", 1);
    EXPECT_EQ(again.at(0).handle(), orders.get());
    EXPECT_EQ(again.at(1).handle(), accounts.get());
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(at.bank.value("row"), 1);
    EXPECT_EQ(at.shop.value("row"), 1);
    EXPECT_EQ(code_of([&, &mine = accounts] { mine->set("late", 1); }), errc::lease_ended);
    std::vector<std::reference_wrapper<assent::resource_manager const>> const one{*at.orders};
    EXPECT_EQ(code_of([&] { tx.lease_any(one); }), errc::invalid_state);
}

TEST(Transaction, ALeaseDiesWithItHoweverItEnds)
{
    doors at;
    std::optional<assent::lease_of<memory_connection*>> kept[3];
    {
        auto committed = at.tm->begin();
        kept[0] = committed.lease(*at.accounts);
        committed.commit();
        auto rolled_back = at.tm->begin();
        kept[1] = rolled_back.lease(*at.accounts);
        rolled_back.rollback();
        auto dropped = at.tm->begin();
        kept[2] = dropped.lease(*at.accounts);
    }

    for (auto const& each : kept)
        EXPECT_EQ(code_of([&] { (*each)->set("late", 1); }), errc::lease_ended);

    EXPECT_EQ(at.bank.value("late"), std::nullopt);
}

TEST(Transaction, LeasesComeFromThePool)
{
    doors at;
    auto first = at.tm->begin();
    auto const session = first.lease(*at.accounts)->id();
    first.commit();

    auto second = at.tm->begin();

    EXPECT_EQ(second.lease(*at.accounts)->id(), session);
}

TEST(Transaction, APooledSessionThatDiedOfOldAgeIsReplaced)
{
    doors at;
    auto first = at.tm->begin();
    at.bank.cut([&] {
        auto const id = first.lease(*at.accounts)->id();
        first.commit();
        return id;
    }());

    auto second = at.tm->begin();
    second.lease(*at.accounts)->set("row", 1);

    EXPECT_EQ(second.commit(), outcome::committed);
    EXPECT_EQ(at.bank.value("row"), 1);
}

TEST(RollbackOnly, IsToldByEveryLaterCallWithTheFirstCause)
{
    doors at;
    auto tx = at.begin_work();
    at.shop.script().on(verb::start).reply(xa_code::rmerr);
    auto const spare = at.shop.connect();
    auto const first = thrown_by<assent::error>([&] {
        tx.enlist(
            *at.orders, spare.get(),
            assent::enlist_options<memory_connection*>{}.branch(assent::branch_choice::another));
    });
    ASSERT_EQ(first.code(), errc::rollback_only);
    ASSERT_THAT(first.what(), ::testing::HasSubstr("\"orders\" did not start a branch"));

    tx.set_rollback_only();  // a second cause, which must not hide the first

    using call = std::function<void()>;
    for (call const& each : {call{[&] { tx.lease(*at.accounts); }},
                             call{[&] { tx.enlist(*at.accounts, at.bank.connect().get()); }},
                             call{[&] { tx.register_synchronization({}); }}}) {
        auto const e = thrown_by<assent::error>(each);
        EXPECT_EQ(e.code(), errc::rollback_only);
        EXPECT_THAT(e.what(), ::testing::HasSubstr("\"orders\" did not start a branch"));
        EXPECT_EQ(e.id(), tx.id());
    }
    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });
    EXPECT_THAT(e.what(), ::testing::HasSubstr("\"orders\" did not start a branch"));
    at.expect_rows(std::nullopt);
}

TEST(RollbackOnly, SetByTheUserRollsBackAtCommit)
{
    doors at;
    auto tx = at.begin_work();

    tx.set_rollback_only();

    EXPECT_EQ(tx.status(), status::marked_rollback);
    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });
    EXPECT_FALSE(e.is_retryable());
    EXPECT_THAT(e.what(), ::testing::HasSubstr("set_rollback_only"));
    EXPECT_EQ(count(at.bank, verb::prepare), 0);
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Status, NeverGoesBackwards)
{
    // In the order of its life; a later look never sees an earlier one.
    auto const rank = [](status now) {
        switch (now) {
            case status::active:
                return 0;
            case status::marked_rollback:
                return 1;
            case status::preparing:
                return 2;
            case status::prepared:
                return 3;
            case status::committing:
            case status::rolling_back:
                return 4;
            default:
                return 5;
        }
    };
    doors at;
    for (bool const is_no_vote : {false, true}) {
        auto tx = at.begin_work();
        for (auto const each : {verb::prepare, verb::commit, verb::rollback})
            at.bank.script().on(each).delay(30ms);
        if (is_no_vote) at.shop.script().on(verb::prepare).reply(xa_code::rbintegrity);
        std::atomic<bool> is_watching{false};
        std::atomic<bool> is_over{false};
        std::vector<status> seen;
        std::thread watcher{[&] {
            while (!is_over) {
                auto const now = tx.status();
                if (seen.empty() || seen.back() != now) seen.push_back(now);
                is_watching = true;
            }
        }};

        while (!is_watching)
            std::this_thread::yield();
        if (is_no_vote) {
            EXPECT_THROW(tx.commit(), assent::rolled_back_error);
        } else {
            tx.commit();
        }
        is_over = true;
        watcher.join();
        seen.push_back(tx.status());  // whatever the watcher's luck was

        EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end(),
                                   [&](status a, status b) { return rank(a) < rank(b); }));
        EXPECT_EQ(rank(seen.back()), 5);
        at.bank.script().clear();
    }
}

TEST(CommitThrew, TheDestructorSendsNothing)
{
    doors at;
    for (auto const code : {xa_code::rbintegrity, xa_code::rmerr}) {
        auto tx = std::make_unique<assent::transaction>(at.begin_work());
        at.shop.script().on(verb::prepare).reply(code);
        EXPECT_THROW(tx->commit(), assent::rolled_back_error);
        auto const sent = at.bank.history().size() + at.shop.history().size();

        tx.reset();

        EXPECT_EQ(at.bank.history().size() + at.shop.history().size(), sent);
        EXPECT_EQ(at.seen->count("transaction.destroyed"), 0);
    }
}

}  // namespace
