// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// closing_test.cpp -- the end of a manager: with transactions in other hands, in any order.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <string>

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

assent::deadline soon()
{
    return std::chrono::steady_clock::now() + 5s;
}

/// Of this process, by number.
std::set<std::string> threads_that_take(int signal)
{
    std::set<std::string> found;
    for (auto const& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream status{task.path() / "status"};
        for (std::string word; status >> word;) {
            if (word != "SigBlk:") continue;
            status >> word;
            bool const is_blocked = (std::stoull(word, nullptr, 16) >> (signal - 1) & 1) != 0;
            if (!is_blocked) found.insert(task.path().filename());
        }
    }
    return found;
}

TEST(Close, OfAQuietManagerIsDrained)
{
    doors at;
    at.begin_work().commit();

    auto const left = at.tm->close(soon());

    EXPECT_TRUE(left.is_drained) << ::testing::PrintToString(left.notes);
    EXPECT_TRUE(left.unfinished.empty());
    EXPECT_FALSE(at.tm->state().is_accepting);
    EXPECT_EQ(code_of([&] { at.tm->begin(); }), errc::closed);
    EXPECT_TRUE(at.bank.sessions().empty()) << "pooled, managing and guarding ones are closed";
}

TEST(Close, TwiceIsHarmlessAlsoFromTwoThreads)
{
    doors at;
    at.begin_work().commit();

    std::vector<std::thread> closers;
    closers.reserve(4);
    for (int i = 0; i < 4; ++i)
        closers.emplace_back([&] { EXPECT_TRUE(at.tm->close(soon()).is_drained); });
    for (auto& each : closers)
        each.join();

    EXPECT_TRUE(at.tm->close(soon()).is_drained) << "and it says the same again";
}

TEST(Close, KeepsItsDeadlineBesideADatabaseThatDoesNotAnswer)
{
    std::atomic<bool> is_in_a_call{false};
    assent::testing::memory_options chosen;
    chosen.time.now = [] { return std::chrono::steady_clock::now(); };
    chosen.time.wait_until = [&](assent::deadline) {
        is_in_a_call = true;
        std::this_thread::sleep_for(1ms);
    };
    memory_database vault{chosen};
    vault.freeze();
    doors at;
    at.tm->add(memory_resource_manager{"vault", vault});
    ASSERT_TRUE(becomes_true([&] { return is_in_a_call.load(); }));
    auto const before = std::chrono::steady_clock::now();

    auto const left = at.tm->close(before + 100ms);

    EXPECT_LT(std::chrono::steady_clock::now() - before, 1500ms);
    EXPECT_THAT(left.notes, ::testing::Contains(::testing::HasSubstr("not answered yet")));
    EXPECT_EQ(code_of([&] { at.tm->begin(); }), errc::closed);
    vault.thaw();
    EXPECT_THAT(at.tm->close(soon()).notes,
                ::testing::Not(::testing::Contains(::testing::HasSubstr("not answered yet"))));
    at.tm.reset();
    at.open();  // the log is free
}

TEST(Close, KeepsItsDeadlineBesideAnotherOne)
{
    doors at;
    auto tx = at.begin_work();
    at.bank
        .freeze();  // nobody can end the session of what is active: there is something to wait for
    auto first = std::async(std::launch::async, [&] { return at.tm->close(soon()); });
    ASSERT_TRUE(becomes_true([&] { return !at.tm->state().is_accepting; }));
    auto const before = std::chrono::steady_clock::now();

    auto const left = at.tm->close(before + 50ms);

    EXPECT_LT(std::chrono::steady_clock::now() - before, 2s) << "the first one has five";
    EXPECT_FALSE(left.is_drained);
    EXPECT_THAT(left.notes, ::testing::Contains(::testing::HasSubstr("another close()")));
    at.bank.thaw();
    first.get();
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
}

/// An application that waits for a signal in one thread blocks it there, after it made the manager.
TEST(Signals, AreTakenByNoThreadOfTheLibrary)
{
    std::set<std::string> const before = threads_that_take(SIGTERM);
    doors at;
    at.begin_work().commit();
    EXPECT_EQ(threads_that_take(SIGTERM), before);
}

TEST(Close, RollsBackWhatIsActiveInAnotherThread)
{
    doors at;
    std::promise<void> has_worked;
    std::promise<void> is_closed;
    std::thread owner{[&] {
        auto tx = at.begin_work();
        has_worked.set_value();
        is_closed.get_future().wait();
        auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });
        EXPECT_FALSE(e.is_retryable());
        EXPECT_THAT(e.what(), ::testing::HasSubstr("closed"));
    }};
    has_worked.get_future().wait();
    auto const before = std::chrono::steady_clock::now();

    auto const left = at.tm->close(soon());

    EXPECT_LT(std::chrono::steady_clock::now() - before, 4s) << "it does not wait for the owner";
    EXPECT_EQ(left.unfinished.size(), 1u);
    auto const other = at.bank.connect();
    EXPECT_NO_THROW(other->set("row", 2)) << "its locks are gone";
    is_closed.set_value();
    owner.join();
    EXPECT_EQ(at.shop.value("row"), std::nullopt);
    EXPECT_EQ(count(at.bank, verb::prepare), 0);
}

TEST(Close, WaitsForACommitThatIsUnderWay)
{
    doors at;
    auto tx = at.begin_work();
    at.bank.script().on(verb::prepare).delay(100ms);
    std::promise<void> is_entered;
    tx.register_synchronization({[&] { is_entered.set_value(); }, {}});
    auto committing = std::async(std::launch::async, [&] { return tx.commit(); });
    is_entered.get_future().wait();
    ASSERT_TRUE(becomes_true([&] { return count(at.bank, verb::prepare) == 1; }));

    auto const left = at.tm->close(soon());

    EXPECT_EQ(committing.get(), outcome::committed);
    EXPECT_TRUE(left.unfinished.empty());
    at.expect_rows(1);
    at.expect_clean();
}

/// What one thread was told of each of its transactions, until its manager was closed.
struct told
{
    std::vector<std::string> committed;
    std::vector<std::string> rolled_back;
    std::vector<std::string> in_doubt;
};

told work_until_closed(doors& at, int thread, bool is_by_row)
{
    told all;
    assent::begin_options how;
    if (is_by_row) how.commit_row(*at.orders);
    for (int i = 0;; ++i) {
        auto const key = std::to_string(thread) + '.' + std::to_string(i);
        try {
            auto tx = at.tm->begin(how);
            tx.lease(*at.accounts)->set(key, 1);
            tx.lease(*at.orders)->set(key, 1);
            tx.commit();
            all.committed.push_back(key);
        } catch (assent::in_doubt_error const&) {
            all.in_doubt.push_back(key);
        } catch (assent::error const& e) {
            all.rolled_back.push_back(key);
            if (e.code() == errc::closed) return all;
        } catch (std::exception const&) {
            all.rolled_back.push_back(key);  // a session was ended at its server
        }
    }
}

TEST(Close, BesideThreadsThatBeginAndCommitLeavesEveryAnswerTrue)
{
    for (bool const is_by_row : {false, true}) {
        doors at;
        at.begin_work("first").commit();
        std::vector<std::future<told>> threads;
        threads.reserve(4);
        for (int i = 0; i < 4; ++i) {
            threads.push_back(std::async(std::launch::async, [&at, i, is_by_row] {
                return work_until_closed(at, i, is_by_row);
            }));
        }
        ASSERT_TRUE(becomes_true([&] { return count(at.bank, verb::prepare) > 20; }));

        at.tm->close(std::chrono::steady_clock::now());  // waits for nobody

        std::vector<told> answers;
        answers.reserve(threads.size());
        for (auto& each : threads)
            answers.push_back(each.get());
        at.open();
        ASSERT_TRUE(becomes_true([&] {
            auto const now = at.tm->state().resource_managers;
            return std::all_of(now.begin(), now.end(),
                               [](auto const& rm) { return rm.is_drained; });
        })) << at.tm->state().resource_managers[0].undrained;
        for (told const& each : answers) {
            for (auto const& key : each.committed)
                at.expect_rows(1, key);
            for (auto const& key : each.rolled_back)
                at.expect_rows(std::nullopt, key);
            for (auto const& key : each.in_doubt)
                EXPECT_EQ(at.bank.value(key), at.shop.value(key));
        }
        EXPECT_TRUE(at.bank.prepared().empty() && at.shop.prepared().empty());
    }
}

TEST(Close, ReportsWhatItCouldNotFinishAndReopeningFinishesIt)
{
    doors at;
    auto tx = at.begin_work();
    at.bank.script().on(verb::commit).times(1000).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    auto const left = at.tm->close(std::chrono::steady_clock::now() + 100ms);
    EXPECT_FALSE(left.is_drained);
    EXPECT_EQ(left.unfinished, std::vector<assent::gtrid>{tx.id()});
    at.bank.script().clear();
    at.open();

    EXPECT_TRUE(becomes_true([&] { return at.bank.value("row") == 1; }));
    EXPECT_EQ(at.tm->outcome(tx.id()), known_outcome::committed);
}

TEST(Zombie, ATransactionObjectThatOutlivesItsManagerEndsQuietly)
{
    doors at;
    auto tx = at.begin_work();
    auto lease = tx.lease(*at.accounts);
    std::vector<status> told;
    tx.register_synchronization({{}, [&](status now) { told.push_back(now); }});

    at.tm.reset();

    EXPECT_EQ(tx.status(), status::marked_rollback);
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    EXPECT_EQ(code_of([&] { lease.get(); }), errc::lease_ended);
    EXPECT_EQ(told, std::vector<status>{status::rolled_back});
    at.expect_rows(std::nullopt);
    EXPECT_THAT(at.bank.violations(), ::testing::IsEmpty());
}

TEST(Zombie, DoesNotKeepTheLogFromItsNextOwner)
{
    doors at;
    auto tx = at.begin_work();
    at.tm.reset();

    at.open();

    EXPECT_EQ(at.begin_work("next").commit(), outcome::committed);
    EXPECT_EQ(at.tm->outcome(tx.id()), known_outcome::unknown);
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    at.expect_rows(std::nullopt);
}

TEST(Zombie, ABoundOneIsNotSeenByTheNextManager)
{
    doors at;
    assent::user_transaction{*at.tm}.begin();
    at.tm.reset();

    at.open();

    EXPECT_EQ(at.tm->current(), nullptr);
    assent::user_transaction ut{*at.tm};
    EXPECT_NO_THROW(ut.begin());
    ut.rollback();
}

TEST(Destruction, WorksInEveryOrder)
{
    // Manager, resource manager, an active transaction, its lease, the database's handle.
    std::vector<int> order{0, 1, 2, 3, 4};
    temporary_directory log;
    do {
        auto bank = std::make_unique<memory_database>();
        auto limits = quick();
        limits.close = 20ms;
        auto tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                                    .log_directory(log.path())
                                                                    .node_label("api")
                                                                    .limits(limits)
                                                                    .allow_file_system("tmpfs"));
        auto const name = std::string{"bank"};
        auto rm = std::make_unique<memory_resource_manager>(
            tm->add(memory_resource_manager{name + std::to_string(tm->state().epoch), *bank}));
        auto active = std::make_unique<assent::transaction>(tm->begin());
        auto lease = std::make_unique<assent::any_lease>(active->lease_any(*rm));
        auto finished = tm->begin();
        auto const borrowed = bank->connect();
        finished.enlist(*rm, borrowed.get());
        borrowed->set("done", 1);
        finished.commit();
        auto const look = *bank;
        static_cast<memory_connection*>(lease->handle())->set("row", 1);

        for (int const next : order) {
            switch (next) {
                case 0:
                    tm.reset();
                    break;
                case 1:
                    rm.reset();
                    break;
                case 2:
                    active.reset();
                    break;
                case 3:
                    lease.reset();
                    break;
                default:
                    bank.reset();
            }
        }

        ASSERT_EQ(look.value("row"), std::nullopt) << ::testing::PrintToString(order);
        ASSERT_EQ(look.value("done"), 1);
        ASSERT_EQ(look.sessions(), std::vector{borrowed->id()}) << ::testing::PrintToString(order);
        ASSERT_THAT(look.violations(), ::testing::IsEmpty());
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Outcome, IsNotKnownForAStranger)
{
    doors at;
    auto parts = at.tm->begin().id().parts();
    parts.sequence += 1000;

    EXPECT_EQ(at.tm->outcome(assent::gtrid::make(parts)), known_outcome::unknown);
    EXPECT_EQ(at.tm->outcome({}), known_outcome::unknown);
}

}  // namespace
