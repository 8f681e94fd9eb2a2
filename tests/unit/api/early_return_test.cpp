// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// early_return_test.cpp -- commit() that returns when the decision is durable, with the manager's
// own thread behind it: what ends it, and what it must not outlive.

#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

assent::begin_options early()
{
    return assent::begin_options{}.commit_return(assent::commit_return::decision_logged);
}

void write_both(doors& at, assent::transaction& tx, std::string const& key = "row")
{
    tx.lease(*at.accounts)->set(key, 1);
    tx.lease(*at.orders)->set(key, 1);
}

/// One that is answered, and whose second database has not confirmed.
void commit_early(doors& at)
{
    auto tx = at.tm->begin(early());
    write_both(at, tx);
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_EQ(tx.status(), status::committed);
}

bool is_all_finished(doors const& at)
{
    return at.tm->state().live_transactions == 0;
}

TEST(EarlyReturn, IsFinishedBehindTheCaller)
{
    auto bounds = quick();
    bounds.phase2_wait = 60s;  // no keeper says it again, however late this machine is
    doors at{personality::plain, nullptr, bounds};
    at.shop.script().on(verb::commit).delay(20ms);

    commit_early(at);

    EXPECT_TRUE(becomes_true([&] { return is_all_finished(at); }));
    at.expect_rows(1);
    at.expect_clean();
    EXPECT_EQ(count(at.shop, verb::commit), 1);
}

TEST(EarlyReturn, IsFinishedByTheKeepersWhereADatabaseIsSilent)
{
    doors at;
    at.shop.script().on(verb::commit).hang();

    commit_early(at);

    EXPECT_TRUE(becomes_true([&] { return is_all_finished(at); }));
    at.expect_rows(1);
}

TEST(EarlyReturn, IsAsWasSaidLastBeforeCommit)
{
    doors at;
    auto tx = at.tm->begin();
    write_both(at, tx, "early");
    tx.set_commit_return(assent::commit_return::decision_logged);
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_EQ(code_of([&] { tx.set_commit_return(assent::commit_return::completed); }),
              errc::invalid_state);

    auto patient = at.tm->begin(early());
    write_both(at, patient, "patient");
    patient.set_commit_return(assent::commit_return::completed);
    EXPECT_EQ(patient.commit(), outcome::committed);

    at.expect_rows(1, "patient");
    EXPECT_TRUE(becomes_true([&] { return is_all_finished(at); }));
    at.expect_rows(1, "early");
}

TEST(EarlyReturn, ClosingWaitsForWhatIsUnderWay)
{
    doors at;
    at.shop.script().on(verb::commit).delay(20ms);
    commit_early(at);

    auto const left = at.tm->close(std::chrono::steady_clock::now() + 60s);

    EXPECT_TRUE(left.unfinished.empty());
    EXPECT_TRUE(left.is_drained);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(EarlyReturn, WhatADestroyedManagerLeavesTheNextOneFinishes)
{
    doors at;
    at.shop.script().on(verb::commit).hang();
    auto tx = at.tm->begin(early());
    write_both(at, tx);
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    auto const id = tx.id();

    at.tm.reset();
    at.open();

    EXPECT_TRUE(becomes_true([&] { return at.shop.value("row") == 1; }));
    EXPECT_EQ(at.tm->outcome(id), known_outcome::committed);
    EXPECT_EQ(tx.status(), status::committed) << "the object outlives its manager";
}

TEST(EarlyReturn, ManyThreadsReturnEarlyAtOnceAndReadLater)
{
    constexpr int threads = 8;
    constexpr int of_each = 25;
    doors at;
    at.expect_serving();
    at.shop.script().on(verb::commit).times(20).lose_after_effect();
    std::atomic<int> pending{0};
    std::vector<std::thread> all;
    all.reserve(threads);
    for (int t = 0; t < threads; ++t) {
        all.emplace_back([&, t] {
            for (int i = 0; i < of_each; ++i) {
                auto tx = at.tm->begin(early());
                write_both(at, tx, "row" + std::to_string(t) + "." + std::to_string(i));
                pending += tx.commit() == outcome::committed_pending;
            }
        });
    }
    for (auto& each : all)
        each.join();

    EXPECT_EQ(pending, threads * of_each);
    EXPECT_TRUE(becomes_true([&] { return is_all_finished(at); }));
    for (int t = 0; t < threads; ++t) {
        for (int i = 0; i < of_each; ++i)
            at.expect_rows(1, "row" + std::to_string(t) + "." + std::to_string(i));
    }
    at.expect_clean();
    for (auto const& each : at.tm->state().resource_managers)
        EXPECT_EQ(each.sessions_leased, 0u);
}

TEST(EarlyReturn, InAForkedChildNobodyListensAndTheParentGoesOn)
{
    doors at;
    at.shop.script().on(verb::commit).delay(20ms);
    auto tx = std::make_unique<assent::transaction>(at.tm->begin(early()));
    write_both(at, *tx);
    EXPECT_EQ(tx->commit(), outcome::committed_pending);

    pid_t const child = ::fork();
    if (child == 0) {
        ::alarm(10);  // nobody else ends a child that hangs
        tx.reset();
        bool const is_inert = code_of([&] { at.tm->begin(early()); }) == errc::forked;
        at.tm.reset();
        ::_exit(is_inert ? 0 : 1);
    }

    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_TRUE(becomes_true([&] { return is_all_finished(at); }));
    at.expect_rows(1);
    at.expect_clean();
}

TEST(EarlyReturn, IsHadFromEveryDoor)
{
    doors at;
    at.expect_serving();

    EXPECT_EQ(at.tm->run(assent::run_options{}
                             .commit_return(assent::commit_return::decision_logged)
                             .expect(*at.accounts, *at.orders),
                         [&](assent::transaction& tx) { write_both(at, tx, "run"); }),
              outcome::committed_pending);
    assent::user_transaction ut{*at.tm};
    ut.begin(early());
    write_both(at, *at.tm->current(), "user");
    EXPECT_EQ(ut.commit(), outcome::committed_pending);

    EXPECT_TRUE(becomes_true([&] { return is_all_finished(at); }));
    at.expect_rows(1, "run");
    at.expect_rows(1, "user");
}

}  // namespace
