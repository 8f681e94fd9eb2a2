// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// threads_run_out_test.cpp -- each thread that a manager wants is refused in turn: it says so, and
// nothing is left of what it had begun.  Replaces the pthread_create of its program.

#include <dlfcn.h>
#include <pthread.h>

#include <cerrno>

#include "tests/unit/api/api_fixture.hpp"
#include "tests/unit/engine/rationed_memory.hpp"

namespace {

std::atomic<int> threads_left{-1};  // -1: as many as are wanted

}  // namespace

extern "C" int pthread_create(pthread_t* made, pthread_attr_t const* how, void* (*run)(void*),
                              void* what)
{
    using function = int (*)(pthread_t*, pthread_attr_t const*, void* (*)(void*), void*);
    static auto const real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "pthread_create"));
    if (threads_left == 0) return EAGAIN;
    if (threads_left > 0) --threads_left;
    return real(made, how, run, what);
}

namespace {

using namespace api_test;

/// Lets that many threads be made.
struct ration
{
    explicit ration(int threads) { threads_left = threads; }
    ~ration() { threads_left = -1; }
};

assent::options over(temporary_directory const& log)
{
    return assent::options{}
        .log_directory(log.path())
        .node_label("api")
        .limits(quick())
        .allow_file_system("tmpfs");
}

TEST(ThreadsRunOut, AtOpeningWhichSaysSoAndLetsGoOfTheLog)
{
    temporary_directory const log;
    int refused = 0;
    for (;; ++refused) {
        SCOPED_TRACE(refused);
        ASSERT_LT(refused, 10);
        ration const some{refused};
        try {
            assent::transaction_manager{over(log)};
            break;
        } catch (assent::error const& e) {
            EXPECT_EQ(e.code(), errc::no_thread);
            EXPECT_THAT(e.what(), ::testing::HasSubstr("thread"));
        }
    }
    EXPECT_GT(refused, 0);

    EXPECT_NO_THROW(assent::transaction_manager{over(log)}) << "nobody holds the lock";
}

TEST(ThreadsRunOut, InAnAddWhichLeavesTheManagerAsItWas)
{
    temporary_directory const log;
    memory_database const bank;
    assent::transaction_manager tm{over(log)};
    std::optional<memory_resource_manager> made;
    for (int threads = 0; !made; ++threads) {
        SCOPED_TRACE(threads);
        ASSERT_LT(threads, 100);
        ration const some{threads};
        try {
            made.emplace(tm.add(memory_resource_manager{"accounts", bank}));
        } catch (assent::error const& e) {
            EXPECT_EQ(e.code(), errc::no_thread);
            EXPECT_THAT(e.what(), ::testing::HasSubstr("\"accounts\""));
            for (auto const& each : tm.state().resource_managers)
                EXPECT_FALSE(each.is_configured) << "at most the log has met it";
            EXPECT_TRUE(bank.sessions().empty());
        }
    }
    auto const accounts = *made;
    auto tx = tm.begin();
    tx.lease(accounts)->set("row", 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST(ThreadsRunOut, AtTheFirstEarlyReturnWhichBeginsNothing)
{
    doors at;
    at.expect_serving();
    auto const early =
        assent::begin_options{}.commit_return(assent::commit_return::decision_logged);
    {
        ration const none{0};
        auto const e = thrown_by<assent::error>([&] { at.tm->begin(early); });
        EXPECT_EQ(e.code(), errc::no_thread);
        EXPECT_THAT(e.what(), ::testing::HasSubstr("early return"));
        EXPECT_EQ(at.tm->state().live_transactions, 0u);
    }
    {
        auto tx = at.tm->begin();
        ration const none{0};
        EXPECT_EQ(code_of([&] { tx.set_commit_return(assent::commit_return::decision_logged); }),
                  errc::no_thread);
        EXPECT_EQ(tx.commit(), outcome::committed) << "nothing was changed";
    }
    at.tm->begin(early).rollback();
    ration const none{0};

    EXPECT_NO_THROW(at.tm->begin(early).rollback()) << "one thread is for all";
}

TEST(ThreadsRunOut, AtClosingWhichNeedsNone)
{
    doors at;
    at.begin_work().commit();
    ration const none{0};

    EXPECT_TRUE(at.tm->close(std::chrono::steady_clock::now() + 5s).is_drained);
    at.tm.reset();

    EXPECT_TRUE(at.bank.sessions().empty());
}

TEST(MemoryRunsOut, InADestructorWhichClosesAllTheSame)
{
    using engine_test::rations;
    for (int failures : {1, 1'000'000}) {
        bool has_failed = true;
        for (int nth = 1; has_failed; nth += 1 + nth / 3) {
            SCOPED_TRACE("allocation " + std::to_string(nth));
            ASSERT_LT(nth, 2000);
            doors at;
            auto tx = std::make_unique<assent::transaction>(at.begin_work());
            rations = {nth, failures, 0, false};
            at.tm.reset();
            has_failed = rations.has_failed;
            rations = {};
            tx.reset();
            EXPECT_TRUE(becomes_true([&] { return at.bank.sessions().empty(); }));
            at.open();  // the log is free
        }
    }
}

}  // namespace
