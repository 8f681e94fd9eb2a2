// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// serving_test.cpp -- finishing must not stop serving: with each kind of call of the manager's own
// frozen in turn, transactions on that very database are begun, leased, and committed, for longer
// than a guardian's lapse.  With threads, and on the machine's clock.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

assent::limits impatient()
{
    assent::limits all = quick();
    all.scan_interval = 50ms;
    all.heartbeat = 100ms;
    all.guardian_lapse = 500ms;
    all.server_call = 3s;  // far longer than a lapse
    all.cancel_call = 3s;
    return all;
}

TEST(Serving, GoesOnWhateverElseOfTheManagersIsFrozenThere)
{
    struct frozen_call
    {
        char const* name;
        driver_call what;
    };
    constexpr frozen_call all[] = {
        {"the scan", driver_call::scan},
        {"the presence of a session", driver_call::presence},
        {"a cancel", driver_call::cancel_statement},
        {"the end of a session", driver_call::end_session},
        {"the list of rows", driver_call::list_decisions},
    };
    for (auto const& each : all) {
        SCOPED_TRACE(each.name);
        temporary_directory const log;
        auto bank = database(personality::plain);
        auto shop = database(personality::plain);
        assent::transaction_manager tm{assent::options{}
                                           .log_directory(log.path())
                                           .node_label("api")
                                           .limits(impatient())
                                           .allow_file_system("tmpfs")};
        auto const accounts = tm.add(memory_resource_manager{"accounts", bank});
        auto const orders = tm.add(memory_resource_manager{"orders", shop});
        auto const transfer = [&](std::int64_t value, assent::begin_options const& how = {}) {
            auto tx = tm.begin(how);
            tx.lease(accounts)->set("row", value);
            tx.lease(orders)->set("row", value);
            ASSERT_EQ(tx.commit(), outcome::committed);
        };
        transfer(0, assent::begin_options{}.commit_row(accounts));
        // Something for each of them to do: a late transaction, and a branch to be verified.
        auto late = tm.begin(assent::begin_options{}.timeout(50ms));
        late.lease(accounts)->set("late", 1);
        auto lost = tm.begin();
        lost.lease(accounts)->set("lost", 1);
        bank.script().on(verb::rollback).lose_before_effect();
        bank.linger_sessions();
        bank.script().on(each.what).times(1000).time_out();
        lost.rollback();

        auto const until = std::chrono::steady_clock::now() + 1500ms;
        std::int64_t committed = 0;
        while (std::chrono::steady_clock::now() < until && !HasFatalFailure()) {
            transfer(++committed);
            std::this_thread::sleep_for(5ms);
        }

        EXPECT_GT(committed, 20);
        bank.script().clear();
        bank.reap_sessions();
    }
}

/// Scanner and finishers call each other: neither sleeps until its next turn comes by itself.
TEST(Serving, ABranchThatAListGaveBackIsFinishedAtOnce)
{
    doors at;
    assent::reply nota;
    nota.code = xa_code::nota;
    nota.text = "the session that prepared it keeps it";
    at.bank.script().on(verb::commit).times(3).reply_without_effect(nota);
    auto tx = at.tm->begin();
    tx.lease(*at.accounts)->set("row", 1);
    tx.lease(*at.orders)->set("row", 1);

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    auto const began = std::chrono::steady_clock::now();
    while (at.tm->state().live_transactions != 0 && std::chrono::steady_clock::now() < began + 20s)
        std::this_thread::sleep_for(5ms);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s) << "half of a scan interval";
    EXPECT_EQ(at.bank.value("row"), 1);
}

}  // namespace
