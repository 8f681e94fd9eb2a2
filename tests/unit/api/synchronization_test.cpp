// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// synchronization_test.cpp -- callbacks around the end of a transaction.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

/// Callbacks that write down that they ran.
struct diary
{
    assent::synchronization entry(std::string const& name)
    {
        return {[this, name] { lines.push_back("before " + name); },
                [this, name](status now) {
                    lines.push_back("after " + name + " " + std::to_string(static_cast<int>(now)));
                }};
    }
    std::vector<std::string> lines;
};

TEST(Synchronization, RunsInTheOrderOfRegistration)
{
    doors at;
    diary kept;
    auto tx = at.begin_work();
    tx.register_synchronization(kept.entry("a"));
    tx.register_synchronization(kept.entry("b"));

    tx.commit();

    EXPECT_THAT(kept.lines,
                ::testing::ElementsAre("before a", "before b", "after a 3", "after b 3"));
}

TEST(Synchronization, TheInterposedStandInsideOfAllOthers)
{
    doors at;
    diary kept;
    auto tx = at.begin_work();
    tx.register_interposed_synchronization(kept.entry("cache"));
    tx.register_synchronization(kept.entry("a"));
    tx.register_interposed_synchronization(kept.entry("session"));
    tx.register_synchronization(kept.entry("b"));

    tx.commit();

    EXPECT_THAT(kept.lines, ::testing::ElementsAre("before a", "before b", "before cache",
                                                   "before session", "after cache 3",
                                                   "after session 3", "after a 3", "after b 3"));
}

TEST(Synchronization, WhatAnInterposedOneRegistersIsCalledBeforeTheNextOfThem)
{
    doors at;
    diary kept;
    auto tx = at.begin_work();
    tx.register_interposed_synchronization({[&] {
                                                tx.register_interposed_synchronization(
                                                    kept.entry("later"));
                                                tx.register_synchronization(kept.entry("ordinary"));
                                            },
                                            {}});
    tx.register_interposed_synchronization(kept.entry("second"));

    tx.commit();

    EXPECT_THAT(kept.lines,
                ::testing::ElementsAre("before ordinary", "before second", "before later",
                                       "after second 3", "after later 3", "after ordinary 3"));
}

TEST(Synchronization, AnInterposedOneThatThrowsRollsBackToo)
{
    doors at;
    diary kept;
    auto tx = at.begin_work();
    tx.register_interposed_synchronization({[] { throw std::runtime_error{"cache"}; }, {}});
    tx.register_interposed_synchronization(kept.entry("rest"));

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    EXPECT_THAT(kept.lines, ::testing::ElementsAre("after rest 4"));
    at.expect_rows(std::nullopt);
}

TEST(Synchronization, NoneIsTakenWhereNoneWouldBeCalled)
{
    doors at;
    auto tx = at.tm->begin();
    tx.set_rollback_only();

    EXPECT_EQ(code_of([&] { tx.register_interposed_synchronization({}); }), errc::rollback_only);
    tx.rollback();
    EXPECT_EQ(code_of([&] { tx.register_interposed_synchronization({}); }), errc::invalid_state);
}

TEST(Synchronization, BeforeMayWorkEnlistAndRegisterMore)
{
    doors at;
    diary kept;
    auto tx = at.tm->begin();
    tx.lease(*at.accounts)->set("row", 1);
    tx.register_synchronization({[&] {
                                     EXPECT_EQ(tx.status(), status::active);
                                     tx.lease(*at.orders)->set("row", 1);
                                     tx.register_synchronization(kept.entry("late"));
                                 },
                                 {}});

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_THAT(kept.lines, ::testing::ElementsAre("before late", "after late 3"));
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Synchronization, AThrowingBeforeRollsBackAndSkipsTheRest)
{
    doors at;
    diary kept;
    auto tx = at.begin_work();
    tx.register_synchronization({[] { throw std::runtime_error{"the cart is empty"}; }, {}});
    tx.register_synchronization(kept.entry("rest"));

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_FALSE(e.is_retryable());
    EXPECT_THAT(e.what(), ::testing::HasSubstr("the cart is empty"));
    EXPECT_THAT(kept.lines, ::testing::ElementsAre("after rest 4"));
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Synchronization, ABeforeThatThrowsWhatIsNoExceptionRollsBackToo)
{
    doors at;
    diary kept;
    auto tx = at.begin_work();
    tx.register_synchronization({[] { throw 42; }, {}});
    tx.register_synchronization(kept.entry("rest"));

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_FALSE(e.is_retryable());
    EXPECT_THAT(e.what(), ::testing::HasSubstr("before_completion"));
    EXPECT_THAT(kept.lines, ::testing::ElementsAre("after rest 4"));
    at.expect_rows(std::nullopt);
    at.expect_clean();
}

TEST(Synchronization, ABeforeThatMarksRollbackOnlySkipsTheRest)
{
    doors at;
    diary kept;
    auto tx = at.begin_work();
    tx.register_synchronization({[&] { tx.set_rollback_only(); }, {}});
    tx.register_synchronization(kept.entry("rest"));

    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    EXPECT_THAT(kept.lines, ::testing::ElementsAre("after rest 4"));
}

TEST(Synchronization, BeforeIsNotRunByARollback)
{
    doors at;
    diary kept;
    {
        auto rolled_back = at.begin_work();
        rolled_back.register_synchronization(kept.entry("rollback"));
        rolled_back.rollback();
        auto marked = at.begin_work();
        marked.register_synchronization(kept.entry("marked"));
        marked.set_rollback_only();
        EXPECT_THROW(marked.commit(), assent::rolled_back_error);
        auto dropped = at.begin_work();
        dropped.register_synchronization(kept.entry("dropped"));
    }

    EXPECT_THAT(kept.lines,
                ::testing::ElementsAre("after rollback 4", "after marked 4", "after dropped 4"));
}

TEST(Synchronization, AfterIsToldUnknownWhereNothingElseIsTrue)
{
    doors at;
    diary kept;
    auto heuristic = at.begin_work();
    heuristic.register_synchronization(kept.entry("heuristic"));
    at.bank.script().on(verb::commit).reply(xa_code::heurrb);
    EXPECT_THROW(heuristic.commit(), assent::heuristic_error);
    auto in_doubt = at.tm->begin();
    in_doubt.lease(*at.accounts)->set("row", 2);
    in_doubt.register_synchronization(kept.entry("in doubt"));
    at.bank.script().on(verb::commit_one_phase).lose_after_effect();
    EXPECT_THROW(in_doubt.commit(), assent::in_doubt_error);

    EXPECT_THAT(kept.lines, ::testing::ElementsAre("before heuristic", "after heuristic 5",
                                                   "before in doubt", "after in doubt 5"));
}

TEST(Synchronization, WhatAfterThrowsChangesNothing)
{
    doors at;
    diary kept;
    auto tx = at.begin_work();
    tx.register_synchronization({{}, [](status) { throw std::runtime_error{"oops"}; }});
    tx.register_synchronization({{}, [](status) { throw 1; }});
    tx.register_synchronization(kept.entry("last"));

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.seen->count("after_completion.threw"), 2);
    EXPECT_THAT(kept.lines, ::testing::ElementsAre("before last", "after last 3"));
    at.expect_rows(1);
}

TEST(Synchronization, ABeforeThatEndsTheTransactionItselfIsRefused)
{
    using end = std::function<void(assent::transaction&)>;
    end const ends[] = {[](auto& tx) { tx.commit(); }, [](auto& tx) { tx.rollback(); }};
    for (auto const& each : ends) {
        doors at;
        auto tx = at.begin_work();
        int calls = 0;
        std::optional<errc> inner;
        tx.register_synchronization({[&] {
                                         ASSERT_LT(++calls, 3) << "commit() ran itself again";
                                         inner = code_of([&] { each(tx); });
                                     },
                                     {}});

        EXPECT_EQ(tx.commit(), outcome::committed);

        EXPECT_EQ(calls, 1);
        EXPECT_EQ(inner, errc::invalid_state);
        at.expect_rows(1);
    }
}

TEST(Synchronization, AnAfterSeesTheTransactionEnded)
{
    doors at;
    auto tx = at.begin_work();
    std::optional<errc> code;
    known_outcome known{};
    tx.register_synchronization({{}, [&](status) {
                                     code = code_of([&] { tx.lease(*at.accounts); });
                                     known = at.tm->outcome(tx.id());
                                 }});

    tx.commit();

    EXPECT_EQ(code, errc::invalid_state);
    EXPECT_EQ(known, known_outcome::committed);
}

}  // namespace
