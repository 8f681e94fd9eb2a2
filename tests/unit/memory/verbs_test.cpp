// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// verbs_test.cpp -- the verbs, the three personalities, and what counts as a violation.

#include "tests/unit/memory/memory_fixture.hpp"

namespace memory_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EveryPersonality : public ::testing::TestWithParam<personality>
{
protected:
    world w{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Memory, EveryPersonality,
                         ::testing::Values(personality::plain, personality::mariadb,
                                           personality::postgresql));

TEST_P(EveryPersonality, TwoPhasesMakeTheWritesPermanent)
{
    auto const session = w.prepare(name(1));

    EXPECT_EQ(w.db.value("a"), std::nullopt);
    EXPECT_THAT(w.db.prepared(), ElementsAre(name(1)));
    EXPECT_TRUE(w.run(*session, verb::commit, name(1)).is_ok());

    EXPECT_EQ(w.db.value("a"), 1);
    EXPECT_EQ(w.db.fate(name(1)), branch_fate::committed);
    EXPECT_TRUE(session->is_reusable());
    EXPECT_THAT(w.db.violations(), IsEmpty());
}

TEST_P(EveryPersonality, AReadIsRepeatableWhereItsBranchAskedForThat)
{
    for (auto const level : {assent::isolation::read_committed, assent::isolation::serializable}) {
        auto const number = static_cast<std::uint64_t>(level) * 10;
        auto const reader = w.open();
        reader->declare({level, {}});
        ASSERT_TRUE(w.run(*reader, verb::start, name(number)).is_ok());
        auto const before = w.connection(*reader).get("a");
        auto const writer = w.db.connect();

        bool is_written = true;
        try {
            writer->set("a", static_cast<std::int64_t>(number));
        } catch (assent::driver_error const& e) {
            EXPECT_EQ(e.sqlstate(), "40001");
            is_written = false;
        }

        bool const is_repeatable = level == assent::isolation::serializable;
        EXPECT_EQ(is_written, !is_repeatable);
        EXPECT_EQ(w.connection(*reader).get("a") == before, is_repeatable);
        EXPECT_TRUE(w.run(*reader, verb::commit_one_phase, name(number)).is_ok());
        EXPECT_NO_THROW(writer->set("a", 1)) << "what was read is free again";
    }
}

TEST_P(EveryPersonality, WriteSkewIsStoppedBetweenSerializableBranches)
{
    auto const one = w.open();
    auto const other = w.open();
    for (auto const& [session, number] : {std::pair{one.get(), 1}, std::pair{other.get(), 2}}) {
        session->declare({assent::isolation::serializable, {}});
        ASSERT_TRUE(w.run(*session, verb::start, name(static_cast<std::uint64_t>(number))).is_ok());
        w.connection(*session).get("a");
        w.connection(*session).get("b");
    }

    EXPECT_THROW(w.connection(*one).set("a", 0), assent::driver_error);
    EXPECT_THROW(w.connection(*other).set("b", 0), assent::driver_error);
}

TEST_P(EveryPersonality, RollbackLeavesNothing)
{
    auto const active = w.start(name(1), "a");
    auto const prepared = w.prepare(name(2), "b");

    EXPECT_TRUE(w.run(*active, verb::rollback, name(1)).is_ok());
    EXPECT_TRUE(w.run(*prepared, verb::rollback, name(2)).is_ok());

    EXPECT_THAT(w.db.rows(), IsEmpty());
    EXPECT_EQ(w.db.fate(name(1)), branch_fate::rolled_back);
    EXPECT_EQ(w.db.fate(name(2)), branch_fate::rolled_back);
    EXPECT_EQ(w.db.fate(name(3)), branch_fate::never_seen);
    EXPECT_THAT(w.db.violations(), IsEmpty());
}

TEST_P(EveryPersonality, OnePhaseCommits)
{
    auto const session = w.start(name(1));

    EXPECT_TRUE(w.run(*session, verb::commit_one_phase, name(1)).is_ok());

    EXPECT_EQ(w.db.value("a"), 1);
    EXPECT_TRUE(session->is_reusable());
}

TEST_P(EveryPersonality, AClosedSessionRollsItsActiveBranchBackAndKeepsThePreparedOne)
{
    w.start(name(1), "a");
    w.prepare(name(2), "b");

    EXPECT_EQ(w.db.fate(name(1)), branch_fate::rolled_back);
    EXPECT_THAT(w.db.prepared(), ElementsAre(name(2)));
    EXPECT_TRUE(w.run(*w.open(), verb::commit, name(2)).is_ok());
    EXPECT_EQ(w.db.value("b"), 1);
}

TEST_P(EveryPersonality, WritesAreLockedUntilTheEndAndNeverWaitedFor)
{
    auto const session = w.prepare(name(1));
    auto const other = w.db.connect();

    try {
        other->set("a", 5);
        FAIL() << "a locked row was written";
    } catch (assent::driver_error const& e) {
        EXPECT_EQ(e.sqlstate(), "40001");
    }
    EXPECT_TRUE(w.run(*session, verb::rollback, name(1)).is_ok());
    EXPECT_EQ(other->add("a", 5), 5);
}

TEST_P(EveryPersonality, TheApplicationsOwnTransactionIsAllOrNothing)
{
    auto const c = w.db.connect();
    c->begin();
    c->set("a", 1);
    EXPECT_EQ(c->get("a"), 1);
    EXPECT_EQ(w.db.value("a"), std::nullopt);
    c->commit();
    c->begin();
    c->set("a", 2);
    c->rollback();

    EXPECT_EQ(w.db.value("a"), 1);
}

TEST_P(EveryPersonality, AResetLeavesTheBranchAndEveryEndSaysSo)
{
    verb const ends[] = {verb::prepare, verb::commit_one_phase, verb::rollback};

    for (std::uint64_t i = 0; i < 3; ++i) {
        auto const session = w.start(name(i));
        w.connection(*session).reset();
        w.connection(*session).set("b" + std::to_string(i), 2);  // autocommits

        assent::reply const answer = w.run(*session, ends[i], name(i));

        EXPECT_EQ(answer.detail, reply_detail::left_behind);
        EXPECT_EQ(answer.code, xa_code::proto);
        EXPECT_EQ(w.db.value("b" + std::to_string(i)), 2);
        EXPECT_FALSE(session->is_reusable());
    }
}

TEST(PlainMemory, TheApplicationsOwnCommitInsideABranchIsPermanentAndLeavesIt)
{
    world w;
    auto const session = w.start(name(1));

    w.connection(*session).commit();

    EXPECT_EQ(w.db.value("a"), 1);
    EXPECT_EQ(w.run(*session, verb::rollback, name(1)).detail, reply_detail::left_behind);
}

TEST(PlainMemory, VotesReadOnlyForABranchThatWroteNothing)
{
    world w;
    auto const session = w.start(name(1), "");

    EXPECT_EQ(w.code(*session, verb::prepare, name(1)), xa_code::rdonly);
    EXPECT_THAT(w.db.prepared(), IsEmpty());
}

TEST(MariadbMemory, APreparedBranchStaysWithItsSession)
{
    world w{personality::mariadb};
    auto owner = w.prepare(name(1));
    auto const other = w.open();

    EXPECT_EQ(w.code(*other, verb::commit, name(1)), xa_code::nota);
    EXPECT_THAT(w.db.prepared(), ElementsAre(name(1)));
    EXPECT_FALSE(owner->is_reusable());
    EXPECT_TRUE(w.driver().capabilities().stays_attached_after_prepare);
    owner.reset();

    EXPECT_EQ(w.code(*other, verb::commit, name(1)), xa_code::ok);
    EXPECT_THAT(w.db.violations(), IsEmpty());
}

TEST(MariadbMemory, AReadOnlyPreparedBranchAnswersOnceWhenItsOwnerLeft)
{
    world w{personality::mariadb};
    w.prepare(name(1), "");
    auto const other = w.open();

    assent::reply const answer = w.run(*other, verb::commit, name(1));

    EXPECT_EQ(answer.detail, reply_detail::read_only_owner_left);
    EXPECT_EQ(answer.code, xa_code::rbrollback);
    EXPECT_THAT(w.db.prepared(), IsEmpty());
}

TEST(MariadbMemory, AReadOnlyPreparedBranchDoesNotSurviveACrash)
{
    world w{personality::mariadb};
    auto const reader = w.prepare(name(1), "");
    auto const writer = w.prepare(name(2), "b");

    w.db.restart();

    EXPECT_THAT(w.db.prepared(), ElementsAre(name(2)));
}

TEST(MariadbMemory, RefusesTheApplicationsCommitInsideABranch)
{
    world w{personality::mariadb};
    auto const session = w.start(name(1));

    EXPECT_THROW(w.connection(*session).commit(), assent::driver_error);
    EXPECT_THROW(w.connection(*session).rollback(), assent::driver_error);
    EXPECT_EQ(w.code(*session, verb::prepare, name(1)), xa_code::ok);
    EXPECT_THROW(w.connection(*session).set("b", 1), assent::driver_error);
}

TEST(PostgresqlMemory, AOnePhaseCommitHasAWitnessThatOutlivesTheConnection)
{
    world w{personality::postgresql};
    auto const lost_late = w.start(name(1), "a");
    auto const lost_early = w.start(name(2), "b");
    auto const wrote_nothing = w.start(name(3), "");
    w.db.script().on(verb::commit_one_phase, name(1)).lose_after_effect();
    w.db.script().on(verb::commit_one_phase, name(2)).lose_before_effect();

    assent::reply const late = w.run(*lost_late, verb::commit_one_phase, name(1));
    assent::reply const early = w.run(*lost_early, verb::commit_one_phase, name(2));
    assent::reply const nothing = w.run(*wrote_nothing, verb::commit_one_phase, name(3));

    EXPECT_EQ(late.detail, reply_detail::reply_lost);
    EXPECT_EQ(early.detail, reply_detail::reply_lost);
    EXPECT_EQ(nothing.witness, "");
    auto const manage = w.open();
    auto const ask = [&](std::string const& witness) {
        return w.driver().ask_witness(*manage, witness, w.in(1s));
    };
    EXPECT_EQ(ask(late.witness), assent::witness_state::committed);
    EXPECT_EQ(ask(early.witness), assent::witness_state::rolled_back);
    EXPECT_EQ(ask("77"), assent::witness_state::unknown);
}

TEST(PostgresqlMemory, AOnePhaseCommitOnADeadConnectionWasNeverSent)
{
    world w{personality::postgresql};
    auto const session = w.start(name(1));
    w.db.cut(session->id());

    EXPECT_EQ(w.code(*session, verb::commit_one_phase, name(1)), xa_code::rbother);
    EXPECT_EQ(w.db.fate(name(1)), branch_fate::rolled_back);
}

TEST(PostgresqlMemory, AFailedStatementSpoilsTheBranch)
{
    world w{personality::postgresql};
    auto const holder = w.start(name(1), "a");
    auto const session = w.start(name(2), "b");
    EXPECT_THROW(w.connection(*session).set("a", 1), assent::driver_error);
    EXPECT_THROW(w.connection(*session).set("c", 1), assent::driver_error);

    EXPECT_EQ(w.code(*session, verb::prepare, name(2)), xa_code::rbrollback);
    EXPECT_EQ(w.db.fate(name(2)), branch_fate::rolled_back);
}

TEST(PostgresqlMemory, ABranchThatAnotherSessionWorksOnIsBusy)
{
    world w{personality::postgresql};
    w.prepare(name(1));
    auto const one = w.open();
    auto const two = w.open();
    w.db.script().on(verb::commit).hang();
    one->submit(verb::commit, name(1));

    assent::reply const busy = w.run(*two, verb::commit, name(1));
    w.db.script().release();

    EXPECT_EQ(busy.detail, reply_detail::busy);
    EXPECT_EQ(busy.code, xa_code::retry);
    EXPECT_TRUE(one->collect(w.in(0s))->is_ok());
}

TEST(MemoryViolation, WhatXaForbidsIsRefusedAndKept)
{
    struct wrong
    {
        verb first, second;
        char const* why;
    };
    wrong const all[] = {
        {verb::prepare, verb::prepare, "asked to prepare before"},
        {verb::prepare, verb::commit_one_phase, "asked to prepare"},
        {verb::prepare, verb::start, "started before"},
        {verb::prepare, verb::forget, "did not end heuristically"},
        {verb::start, verb::commit, "did not vote yes"},
        {verb::rollback, verb::commit, "end was heard"},
        {verb::rollback, verb::rollback, "end was heard"},
        {verb::rollback, verb::prepare, "end was heard"},
        {verb::commit_one_phase, verb::rollback, "end was heard"},
    };

    for (auto const& it : all) {
        world w;
        auto const session = w.start(name(1));
        if (it.first != verb::start) {
            EXPECT_TRUE(w.run(*session, it.first, name(1)).is_ok());
        }

        EXPECT_FALSE(w.run(*session, it.second, name(1)).is_ok());

        EXPECT_THAT(w.db.violations(), ElementsAre(HasSubstr(it.why)));
    }
}

TEST(MemoryViolation, AContradictionIsOneEvenWhenItsFirstHalfWasNeverReceived)
{
    verb const decisions[] = {verb::commit, verb::rollback};

    for (verb const first : decisions) {
        world w;
        auto const session = w.prepare(name(1));
        w.db.script().on(first).lose_before_effect();
        w.run(*session, first, name(1));
        verb const second = first == verb::commit ? verb::rollback : verb::commit;

        w.run(*w.open(), second, name(1));

        EXPECT_THAT(w.db.violations(), ElementsAre(HasSubstr("contradicts")));
        EXPECT_THAT(w.db.prepared(), ElementsAre(name(1)));
    }
}

TEST(MemoryViolation, ACommitWithoutAYesThatWasHeardIsOne)
{
    world w;
    auto const session = w.start(name(1));
    w.db.script().on(verb::prepare).lose_after_effect();
    w.run(*session, verb::prepare, name(1));

    w.run(*w.open(), verb::commit, name(1));

    EXPECT_THAT(w.db.violations(), ElementsAre(HasSubstr("did not vote yes")));
}

TEST(MemoryViolation, SessionsServeOneBranchAndOneRequestAtATime)
{
    world w;
    auto const session = w.start(name(1));
    auto const other = w.start(name(2), "b");

    w.run(*session, verb::start, name(3));
    w.run(*other, verb::prepare, name(1));
    w.db.script().on(verb::prepare).hang();
    session->submit(verb::prepare, name(1));
    session->submit(verb::rollback, name(1));

    EXPECT_THAT(w.db.violations(),
                ElementsAre(HasSubstr("associated with a branch"),
                            HasSubstr("associated with another branch"), HasSubstr("outstanding")));
}

TEST(MemoryViolation, ABranchThatWasNeverStartedIsOne)
{
    world w;

    w.run(*w.open(), verb::rollback, name(1));

    EXPECT_THAT(w.db.violations(), ElementsAre(HasSubstr("never started")));
}

TEST(MemoryViolation, RepeatsOfWhatWasNotHeardAreNone)
{
    world w;
    auto session = w.prepare(name(1));
    w.db.script().on(verb::commit).lose_after_effect();
    w.run(*session, verb::commit, name(1));

    EXPECT_EQ(w.code(*w.open(), verb::commit, name(1)), xa_code::nota);

    EXPECT_THAT(w.db.violations(), IsEmpty());
}

TEST(MemoryViolation, WhatAProcessIsToldAfterItsDeathIsNotHeard)
{
    world w;
    auto const session = w.prepare(name(1));
    session->submit(verb::commit, name(1));
    w.manager.kill_process();
    EXPECT_TRUE(session->collect(w.in(1s))->is_ok());
    at::memory_resource_manager next{"accounts", w.db};
    auto const again = next.driver()->connect(assent::session_purpose::manage, w.in(1s));

    EXPECT_EQ(w.code(*again, verb::commit, name(1)), xa_code::nota);

    EXPECT_THAT(w.db.violations(), IsEmpty());
}

TEST(MemoryViolation, TheNextProcessMayRepeatWhatTheLastOneHeard)
{
    world w;
    auto const session = w.prepare(name(1));
    EXPECT_TRUE(w.run(*session, verb::commit, name(1)).is_ok());
    w.manager.kill_process();
    at::memory_resource_manager next{"accounts", w.db};
    auto const again = next.driver()->connect(assent::session_purpose::manage, w.in(1s));

    EXPECT_EQ(w.code(*again, verb::commit, name(1)), xa_code::nota);

    EXPECT_THAT(w.db.violations(), IsEmpty());
}

}  // namespace memory_test
