// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// pool_waiting_test.cpp -- threads that wait for a session: in the order in which they asked, and
// none of them for ever.

#include <latch>

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

class PoolWaiting : public ::testing::Test
{
protected:
    PoolWaiting() : bank(database(personality::plain))
    {
        auto bounds = quick();
        bounds.pooled_sessions_max = 1;
        tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                               .log_directory(log.path())
                                                               .node_label("api")
                                                               .limits(bounds)
                                                               .allow_file_system("tmpfs"));
        accounts.emplace(tm->add(memory_resource_manager{"accounts", bank}));
    }
    std::size_t waiting() const { return tm->state().resource_managers.at(0).leases_waiting; }

    temporary_directory log;
    memory_database bank;
    std::unique_ptr<assent::transaction_manager> tm;
    std::optional<memory_resource_manager> accounts;
};

TEST_F(PoolWaiting, WhoeverAskedFirstIsServedFirst)
{
    constexpr int threads_max = 6;
    auto holder = tm->begin();
    holder.lease(*accounts);
    std::vector<int> served;  // by whoever has the only session
    std::vector<std::thread> threads;
    for (int i = 0; i < threads_max; ++i) {
        threads.emplace_back([&, i] {
            auto tx = tm->begin();
            tx.lease(*accounts)->add("served", 1);
            served.push_back(i);
            tx.commit();
        });
        ASSERT_TRUE(becomes_true([&] { return waiting() == static_cast<std::size_t>(i) + 1; }));
    }

    holder.rollback();
    for (auto& each : threads)
        each.join();

    EXPECT_THAT(served, ::testing::ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_EQ(bank.value("served"), threads_max);
    EXPECT_EQ(waiting(), 0u);
}

TEST_F(PoolWaiting, OneThatGivesUpDoesNotHoldUpTheOthers)
{
    auto holder = tm->begin();
    holder.lease(*accounts);
    std::optional<errc> gave_up;
    std::thread impatient{[&] {
        auto tx = tm->begin(assent::begin_options{}.timeout(100ms));
        gave_up = code_of([&] { tx.lease(*accounts); });
    }};
    ASSERT_TRUE(becomes_true([&] { return waiting() == 1; }));
    bool is_served = false;
    std::thread patient{[&] {
        auto tx = tm->begin();
        tx.lease(*accounts)->add("served", 1);
        is_served = tx.commit() == outcome::committed;
    }};
    impatient.join();
    EXPECT_EQ(gave_up, errc::exhausted);

    holder.rollback();
    patient.join();

    EXPECT_TRUE(is_served);
}

TEST_F(PoolWaiting, ClosingTheManagerEndsTheWait)
{
    auto holder = tm->begin();
    holder.lease(*accounts);
    std::optional<errc> told;
    std::thread waits{[&] {
        auto tx = tm->begin();
        told = code_of([&] { tx.lease(*accounts); });
    }};
    ASSERT_TRUE(becomes_true([&] { return waiting() == 1; }));

    tm->close(std::chrono::steady_clock::now() + 200ms);
    waits.join();

    EXPECT_EQ(told, errc::closed);
}

/// Many threads, few sessions, faults: no session is lost, and none is used by two.
TEST_F(PoolWaiting, ManyThreadsShareOneSession)
{
    constexpr int threads_max = 8;
    constexpr int rounds = 40;
    std::latch all_here{threads_max};
    std::vector<std::thread> threads;
    for (int i = 0; i < threads_max; ++i) {
        threads.emplace_back([&, i] {
            all_here.arrive_and_wait();
            for (int n = 0; n < rounds; ++n) {
                auto tx = tm->begin();
                tx.lease(*accounts)->add("row", 1);
                if ((n + i) % 5 == 0) continue;  // dropped: rolled back
                tx.commit();
            }
        });
    }
    for (auto& each : threads)
        each.join();

    EXPECT_EQ(bank.value("row"), threads_max * rounds * 4 / 5);
    auto const now = tm->state().resource_managers.at(0);
    EXPECT_EQ(now.sessions_leased, 0u);
    EXPECT_EQ(now.sessions_idle, 1u);
    EXPECT_THAT(bank.violations(), ::testing::IsEmpty());
}

}  // namespace
