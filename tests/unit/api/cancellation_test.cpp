// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cancellation_test.cpp -- pthread_cancel() at every step of a transaction: what was begun is
// finished first, and the thread ends afterwards.
//
// Each event that the manager tells on the thread is made a cancellation point, as the system calls
// around it are.

#include <pthread.h>

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

/// Cancels the watched thread in its nth event.
class canceller final : public assent::observer
{
public:
    void watch(int nth)
    {
        left_ = nth;
        watched_ = ::pthread_self();
        is_watching_ = true;
    }
    void on(assent::event const& what) override
    {
        if (!is_watching_ || ::pthread_equal(watched_, ::pthread_self()) == 0) return;
        if (--left_ == 0) {
            cancelled_in = what.name;
            ::pthread_cancel(::pthread_self());
        }
        ::pthread_testcancel();
    }
    std::string cancelled_in;

private:
    std::atomic<bool> is_watching_{false};
    pthread_t watched_{};
    int left_ = 0;
};

struct worker
{
    doors& at;
    canceller& watch;
    int nth = 0;
    std::function<void(worker&)> work;
    bool has_ended = false;       // the transaction, well
    bool is_out_of_date = false;  // the thread went on behind a cancellation point

    /// @return whether the thread was cancelled.
    bool run()
    {
        pthread_t thread{};
        auto const main = [](void* self) -> void* {
            auto& me = *static_cast<worker*>(self);
            me.watch.watch(me.nth);
            me.work(me);
            ::pthread_testcancel();
            me.is_out_of_date = !me.watch.cancelled_in.empty();
            return nullptr;
        };
        EXPECT_EQ(::pthread_create(&thread, nullptr, main, this), 0);
        void* how = nullptr;
        EXPECT_EQ(::pthread_join(thread, &how), 0);
        return how == PTHREAD_CANCELED;
    }
};

/// Runs `work` again and again, cancelled in its first event, its second and so on, until it has
/// no more of them.  @return the names of the events.
std::vector<std::string> cancel_everywhere(std::function<void(worker&)> const& work,
                                           std::function<void(doors&, worker&)> const& expect)
{
    std::vector<std::string> names;
    for (int nth = 1;; ++nth) {
        auto const watch = std::make_shared<canceller>();
        doors at{personality::plain, watch};
        at.expect_serving();
        worker one{at, *watch, nth, work};

        bool const was_cancelled = one.run();

        if (watch->cancelled_in.empty()) return names;
        SCOPED_TRACE(watch->cancelled_in + ", event " + std::to_string(nth));
        EXPECT_TRUE(was_cancelled);
        EXPECT_FALSE(one.is_out_of_date);
        expect(at, one);
        EXPECT_TRUE(becomes_true([&] { return at.tm->state().live_transactions == 0; }));
        at.expect_clean();
        names.push_back(watch->cancelled_in);
        if (::testing::Test::HasFailure()) return names;
    }
}

TEST(Cancellation, ACommitIsFinishedBeforeTheThreadEnds)
{
    auto const names = cancel_everywhere(
        [](worker& me) {
            auto tx = me.at.begin_work();
            me.has_ended = tx.commit() == outcome::committed;
        },
        [](doors& at, worker& one) {
            EXPECT_TRUE(one.has_ended);
            at.expect_rows(1);
        });

    for (char const* const step :
         {"branch.start", "branch.start.reply", "branch.prepare", "branch.prepare.sent",
          "branch.prepare.reply", "decision.force", "decision.durable", "branch.commit",
          "branch.commit.sent", "branch.commit.reply", "transaction.ended"}) {
        EXPECT_THAT(names, ::testing::Contains(step));
    }
}

TEST(Cancellation, OnePhaseAndTheEndOfReadersToo)
{
    cancel_everywhere(
        [](worker& me) {
            auto tx = me.at.tm->begin();
            tx.lease(*me.at.accounts)->set("row", 1);
            tx.lease(*me.at.orders, assent::access::read_only)->get("row");
            me.has_ended = tx.commit() == outcome::committed;
        },
        [](doors& at, worker& one) {
            EXPECT_TRUE(one.has_ended);
            EXPECT_EQ(at.bank.value("row"), 1);
        });
}

TEST(Cancellation, ARollbackIsFinishedBeforeTheThreadEnds)
{
    for (bool const is_by_destructor : {false, true}) {
        cancel_everywhere(
            [is_by_destructor](worker& me) {
                auto tx = me.at.begin_work();
                if (!is_by_destructor) tx.rollback();
                me.has_ended = true;
            },
            [](doors& at, worker& one) {
                EXPECT_TRUE(one.has_ended);
                at.expect_rows(std::nullopt);
                EXPECT_EQ(count(at.bank, verb::rollback), 1);
            });
    }
}

TEST(Cancellation, ATransactionOfRunIsCommittedWholeOrRolledBackWhole)
{
    cancel_everywhere(
        [](worker& me) {
            me.at.tm->run([&](assent::transaction& tx) {
                tx.lease(*me.at.accounts)->set("row", 1);
                tx.lease(*me.at.orders)->set("row", 1);
                ::pthread_testcancel();  // of the application's own: here it ends
                me.has_ended = true;
            });
        },
        [](doors& at, worker& one) {
            at.expect_rows(one.has_ended ? std::optional<std::int64_t>{1} : std::nullopt);
            EXPECT_EQ(count(at.bank, verb::rollback), one.has_ended ? 0 : 1);
        });
}

TEST(Cancellation, WorkThatIsCancelledLeavesNothing)
{
    doors at;
    canceller unused;
    worker one{at, unused, 0, [](worker& me) {
                   me.at.tm->run([&](assent::transaction& tx) {
                       tx.lease(*me.at.accounts)->set("row", 1);
                       ::pthread_cancel(::pthread_self());
                       ::pthread_testcancel();
                       me.has_ended = true;
                   });
               }};

    EXPECT_TRUE(one.run());

    EXPECT_FALSE(one.has_ended);
    EXPECT_EQ(at.tm->state().live_transactions, 0u);
    EXPECT_EQ(at.bank.value("row"), std::nullopt);
    at.expect_clean();
}

TEST(Cancellation, OpeningAndClosingAManagerAreFinishedToo)
{
    for (int nth = 1; nth < 4; ++nth) {
        auto const watch = std::make_shared<canceller>();
        doors at{personality::plain, watch};
        worker one{at, *watch, nth, [](worker& me) {
                       me.at.tm.reset();
                       me.has_ended = true;
                   }};

        one.run();

        EXPECT_TRUE(one.has_ended);
        at.open();
    }
}

}  // namespace
