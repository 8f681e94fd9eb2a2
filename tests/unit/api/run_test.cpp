// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// run_test.cpp -- run(): again where nothing of the last attempt can ever remain, and only there.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;
using assent::run_options;

struct passing_trouble : std::runtime_error
{
    passing_trouble() : std::runtime_error{"may pass"} {}
};

TEST(Run, CommitsAndSaysSo)
{
    doors at;

    auto const how = at.tm->run([&](assent::transaction& tx) {
        EXPECT_EQ(at.tm->current(), &tx);
        tx.lease(*at.accounts)->set("row", 1);
        tx.lease(*at.orders)->set("row", 1);
    });

    EXPECT_EQ(how, outcome::committed);
    EXPECT_EQ(at.tm->current(), nullptr);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Run, RepeatsWhatAskedForItAndStopsAtTheLastAttempt)
{
    for (int const attempts : {1, 2, 5}) {
        doors at;
        int calls = 0;

        EXPECT_THROW(at.tm->run(run_options{}.attempts_max(attempts),
                                [&](assent::transaction& tx) {
                                    ++calls;
                                    tx.lease(*at.accounts)->set("row", calls);
                                    throw assent::retry_requested{};
                                }),
                     assent::retry_requested);

        EXPECT_EQ(calls, attempts);
        EXPECT_EQ(at.bank.value("row"), std::nullopt);
        EXPECT_EQ(at.tm->current(), nullptr);
        at.expect_clean();
    }
}

/// A transaction may move: whoever moved it out has it, and the thread has none.
TEST(Run, WorkThatMovesItsTransactionOutIsToldSo)
{
    doors at;
    std::optional<assent::transaction> kept;

    auto const e = thrown_by<assent::error>([&] {
        at.tm->run([&](assent::transaction& tx) {
            tx.lease(*at.accounts)->set("row", 1);
            kept.emplace(std::move(tx));
        });
    });

    EXPECT_EQ(e.code(), assent::errc::invalid_state);
    EXPECT_EQ(at.tm->current(), nullptr);
    EXPECT_EQ(kept->commit(), outcome::committed);

    assent::user_transaction here{*at.tm};
    here.begin();
    auto mine = std::move(*at.tm->current());
    EXPECT_EQ(at.tm->current(), nullptr);
    EXPECT_EQ(mine.commit(), outcome::committed);
}

TEST(Run, EveryAttemptIsATransactionOfItsOwn)
{
    doors at;
    std::vector<assent::gtrid> ids;

    at.tm->run([&](assent::transaction& tx) {
        ids.push_back(tx.id());
        if (ids.size() < 3) throw assent::retry_requested{};
    });

    ASSERT_EQ(ids.size(), 3u);
    EXPECT_NE(ids[0], ids[1]);
    EXPECT_NE(ids[1], ids[2]);
    EXPECT_EQ(at.tm->outcome(ids[0]), known_outcome::rolled_back);
    EXPECT_EQ(at.tm->outcome(ids[2]), known_outcome::committed);
}

TEST(Run, TheLastAttemptsReasonReachesTheCaller)
{
    doors at;
    int calls = 0;
    auto const words_of = [&](auto const& thrown) {
        try {
            at.tm->run(run_options{}.attempts_max(2), [&](assent::transaction&) {
                ++calls;
                throw thrown;
            });
        } catch (assent::retry_requested const& e) {
            return std::string{e.what()};
        }
        return std::string{};
    };

    EXPECT_EQ(words_of(assent::retry_requested{"40P01: deadlock detected"}),
              "40P01: deadlock detected");
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(words_of(assent::retry_requested{}), "the work asked to be run again");
}

TEST(Run, RepeatsTheUsersOwnExceptionsOnlyWhereHeSaysSo)
{
    doors at;
    int calls = 0;
    auto const work = [&](assent::transaction&) {
        ++calls;
        throw passing_trouble{};
    };

    EXPECT_THROW(at.tm->run(work), passing_trouble);
    EXPECT_EQ(calls, 1);
    calls = 0;
    auto const is_ours = [](std::exception const& e) {
        return dynamic_cast<passing_trouble const*>(&e) != nullptr;
    };
    EXPECT_THROW(at.tm->run(run_options{}.attempts_max(3).retry_if(is_ours), work),
                 passing_trouble);

    EXPECT_EQ(calls, 3);
}

TEST(Run, AnExceptionOfNoKnownTypeIsNotRepeated)
{
    doors at;
    int calls = 0;

    EXPECT_THROW(at.tm->run(run_options{}.retry_if([](auto const&) { return true; }),
                            [&](assent::transaction& tx) {
                                ++calls;
                                tx.lease(*at.accounts)->set("row", 1);
                                throw 42;
                            }),
                 int);

    EXPECT_EQ(calls, 1);
    EXPECT_EQ(at.bank.value("row"), std::nullopt);
}

TEST(Run, RepeatsACommitThatLostAgainstOthersAndNoOther)
{
    struct
    {
        xa_code vote;
        int calls;
    } const rows[] = {{xa_code::rbdeadlock, 2},  {xa_code::rbtimeout, 2},
                      {xa_code::rbtransient, 2}, {xa_code::rbcommfail, 2},
                      {xa_code::rbintegrity, 1}, {xa_code::rbrollback, 1},
                      {xa_code::rbproto, 1},     {xa_code::rbother, 1}};
    for (bool const is_one_phase : {false, true}) {
        for (auto const& row : rows) {
            doors at;
            at.bank.script()
                .on(is_one_phase ? verb::commit_one_phase : verb::prepare)
                .reply(row.vote);
            int calls = 0;
            auto const run = [&] {
                at.tm->run([&](assent::transaction& tx) {
                    ++calls;
                    tx.lease(*at.accounts)->set("row", 1);
                    if (!is_one_phase) tx.lease(*at.orders)->set("row", 1);
                });
            };

            if (row.calls == 2) {
                run();
            } else {
                EXPECT_THROW(run(), assent::rolled_back_error);
            }

            EXPECT_EQ(calls, row.calls) << static_cast<int>(row.vote) << is_one_phase;
            EXPECT_EQ(at.bank.value("row").has_value(), row.calls == 2);
            at.expect_clean();
        }
    }
}

TEST(Run, NothingIsRepeatedAfterAnUnconfirmedRollback)
{
    doors at;
    for (bool const is_thrown : {true, false}) {
        at.shop.script().on(verb::rollback).lose_before_effect();
        if (!is_thrown) at.bank.script().on(verb::prepare).reply(xa_code::rbdeadlock);
        int calls = 0;

        try {
            at.tm->run([&](assent::transaction& tx) {
                ++calls;
                tx.lease(*at.accounts)->set("row", 1);
                tx.lease(*at.orders)->set("row", 1);
                if (is_thrown) throw assent::retry_requested{};
            });
            ADD_FAILURE() << "nothing was thrown";
        } catch (assent::retry_requested const&) {
            EXPECT_TRUE(is_thrown);
        } catch (assent::rolled_back_error const& e) {
            EXPECT_FALSE(is_thrown);
            EXPECT_FALSE(e.is_retryable());
        }

        EXPECT_EQ(calls, 1);
        EXPECT_TRUE(becomes_true([&] { return at.tm->state().live_transactions == 0; }));
    }
    at.expect_clean();
}

TEST(Run, NothingIsRepeatedAfterPendingHeuristicOrInDoubt)
{
    doors at;
    int calls = 0;
    auto const run = [&](bool is_one_phase) {
        calls = 0;
        return at.tm->run(run_options{}.retry_if([](auto const&) { return true; }),
                          [&](assent::transaction& tx) {
                              ++calls;
                              tx.lease(*at.accounts)->set("row", 1);
                              if (!is_one_phase) tx.lease(*at.orders)->set("row", 1);
                          });
    };

    at.bank.script().on(verb::commit).lose_after_effect();
    EXPECT_EQ(run(false), outcome::committed_pending);
    EXPECT_EQ(calls, 1);
    ASSERT_TRUE(becomes_true([&] { return at.tm->state().live_transactions == 0; }));
    at.bank.script().on(verb::commit).reply(xa_code::heurrb);
    EXPECT_THROW(run(false), assent::heuristic_error);
    EXPECT_EQ(calls, 1);
    at.bank.script().on(verb::commit_one_phase).lose_after_effect();
    EXPECT_THROW(run(true), assent::in_doubt_error);
    EXPECT_EQ(calls, 1);
}

TEST(Run, AHeuristicRollbackOutranksWhatTheWorkThrew)
{
    doors at;
    at.bank.script().on(verb::rollback).reply(xa_code::heurcom);
    int calls = 0;

    EXPECT_THROW(at.tm->run([&](assent::transaction& tx) {
        ++calls;
        tx.lease(*at.accounts)->set("row", 1);
        throw assent::retry_requested{};
    }),
                 assent::heuristic_error);

    EXPECT_EQ(calls, 1);
}

TEST(Run, WorkThatEndedItsTransactionItselfKeepsItsOwnException)
{
    using end = std::function<void(assent::transaction&)>;
    end const ends[] = {[](auto& tx) { tx.commit(); }, [](auto& tx) { tx.rollback(); }};
    for (auto const& each : ends) {
        doors at;
        int calls = 0;

        EXPECT_THROW(at.tm->run(run_options{}.retry_if([](auto const&) { return true; }),
                                [&](assent::transaction& tx) {
                                    ++calls;
                                    each(tx);
                                    throw passing_trouble{};
                                }),
                     passing_trouble);

        EXPECT_EQ(calls, 1) << "run() does not know what remained of it";
        EXPECT_EQ(at.tm->current(), nullptr);
    }
}

TEST(Run, WaitsLongerBeforeEveryAttempt)
{
    doors at;
    std::vector<std::chrono::steady_clock::time_point> at_times;

    EXPECT_THROW(at.tm->run(run_options{}.attempts_max(4),
                            [&](assent::transaction&) {
                                at_times.push_back(std::chrono::steady_clock::now());
                                throw assent::retry_requested{};
                            }),
                 assent::retry_requested);

    ASSERT_EQ(at_times.size(), 4u);
    EXPECT_GE(at_times[1] - at_times[0], 5ms);
    EXPECT_GE(at_times[2] - at_times[1], 10ms);
    EXPECT_GE(at_times[3] - at_times[2], 20ms);
}

/// A database that this log has never met: it answers only when it is let.
struct stranger
{
    explicit stranger(doors& at) : vault(database(personality::plain))
    {
        vault.freeze();
        rm.emplace(at.tm->add(memory_resource_manager{"vault", vault}));
    }
    memory_database vault;
    std::optional<memory_resource_manager> rm;
};

TEST(Run, LeavesItsThreadFreeAlsoWhereACommitRowGivesTheTransactionAnotherName)
{
    using work = std::function<void()>;
    work const ends[] = {[] {}, [] { throw passing_trouble{}; }};
    for (auto const& each : ends) {
        doors at;
        stranger far{at};
        assent::gtrid first_name;

        try {
            at.tm->run(run_options{}.commit_row(*far.rm), [&](assent::transaction& tx) {
                first_name = tx.id();
                far.vault.thaw();
                tx.lease(*at.accounts)->set("row", 1);
                tx.lease(*far.rm)->set("row", 1);
                EXPECT_NE(tx.id(), first_name) << "the name was settled before";
                each();
            });
        } catch (passing_trouble const&) {
        }

        EXPECT_EQ(at.tm->current(), nullptr);
        EXPECT_EQ(at.tm->run([](assent::transaction&) {}), outcome::committed);
        at.expect_clean();
    }
}

TEST(Run, ATransactionEndedByHandLeavesItsThreadFreeWhereItIsNamedAsItEnds)
{
    doors at;
    stranger far{at};
    auto bound = at.tm->begin(assent::begin_options{}.commit_row(*far.rm));
    auto const first_name = bound.id();
    at.tm->resume(std::make_unique<assent::transaction>(std::move(bound)));
    assent::synchronization late;
    late.before_completion = [&] {
        far.vault.thaw();
        at.tm->current()->lease(*at.accounts)->set("row", 1);
        EXPECT_NE(at.tm->current()->id(), first_name);
    };
    at.tm->current()->register_synchronization(late);

    assent::user_transaction{*at.tm}.commit();

    EXPECT_EQ(at.tm->current(), nullptr);
    at.expect_clean();
}

TEST(Run, IsRefusedWhereItMakesNoSense)
{
    doors at;
    auto const nothing = [](assent::transaction&) {};
    EXPECT_EQ(code_of([&] { at.tm->run(run_options{}.attempts_max(0), nothing); }),
              errc::bad_argument);
    EXPECT_EQ(code_of([&] { at.tm->run([&](assent::transaction&) { at.tm->run(nothing); }); }),
              errc::invalid_state)
        << "one inside another";
    EXPECT_EQ(code_of([&] { at.tm->run([&](assent::transaction&) { at.tm->suspend(); }); }),
              errc::invalid_state);
    at.tm->close(std::chrono::steady_clock::now());
    EXPECT_EQ(code_of([&] { at.tm->run(nothing); }), errc::closed);

    EXPECT_EQ(at.tm->current(), nullptr);
}

}  // namespace
