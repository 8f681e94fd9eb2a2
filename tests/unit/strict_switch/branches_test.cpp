// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branches_test.cpp -- table 6-4: each routine in each state of a branch, and each scripted answer.

#include "tests/unit/strict_switch/switch_fixture.hpp"

namespace switch_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

enum class in { none, active, idle, prepared, rollback_only, heuristic };

struct cell
{
    in state;
    int prepare, commit, one_phase, rollback, forget;
};

constexpr cell table_6_4[] = {
    {in::none, XAER_NOTA, XAER_NOTA, XAER_NOTA, XAER_NOTA, XAER_NOTA},
    {in::active, XAER_PROTO, XAER_PROTO, XAER_PROTO, XAER_PROTO, XAER_PROTO},
    {in::idle, XA_OK, XAER_PROTO, XA_OK, XA_OK, XAER_PROTO},
    {in::prepared, XAER_PROTO, XA_OK, XAER_PROTO, XA_OK, XAER_PROTO},
    {in::rollback_only, XAER_PROTO, XAER_PROTO, XAER_PROTO, XA_OK, XAER_PROTO},
    {in::heuristic, XAER_PROTO, XA_HEURMIX, XA_HEURMIX, XA_HEURMIX, XA_OK},
};

class branch_states : public opened, public ::testing::WithParamInterface<cell>
{
protected:
    /// A new branch in the state of the row.
    XID fresh()
    {
        auto const x = name("t" + std::to_string(++made_));
        switch (GetParam().state) {
            case in::none:
                break;
            case in::active:
                make_active(x);
                break;
            case in::idle:
                make_idle(x);
                break;
            case in::prepared:
                make_prepared(x);
                break;
            case in::rollback_only:
                make_rollback_only(x);
                break;
            case in::heuristic:
                make_heuristic(x, xa_code::heurmix);
                break;
        }
        return x;
    }
    /// Whatever its state, the thread is free again.
    void leave(XID x)
    {
        if (GetParam().state != in::active) return;
        ASSERT_EQ(end(x), XA_OK);
        ASSERT_EQ(rollback(x), XA_OK);
    }
    template <class Call>
    void expect(int wanted, Call const& call)
    {
        auto const before = count_of_violations();
        auto const x = fresh();
        EXPECT_EQ(call(x), wanted);
        EXPECT_EQ(count_of_violations() - before, wanted == XAER_PROTO ? 1u : 0u);
        leave(x);
    }

private:
    int made_ = 0;
};

TEST_P(branch_states, AnswerAsTheTableSays)
{
    auto const& row = GetParam();
    expect(row.prepare, [this](XID x) { return prepare(x); });
    expect(row.commit, [this](XID x) { return commit(x); });
    expect(row.one_phase, [this](XID x) { return commit(x, TMONEPHASE); });
    expect(row.rollback, [this](XID x) { return rollback(x); });
    expect(row.forget, [this](XID x) { return forget(x); });
}

INSTANTIATE_TEST_SUITE_P(each, branch_states, ::testing::ValuesIn(table_6_4));

TEST_F(opened, WhatWroteNothingIsReadOnly)
{
    ASSERT_EQ(start(name("a")), XA_OK);
    ASSERT_EQ(end(name("a")), XA_OK);
    EXPECT_EQ(prepare(name("a")), XA_RDONLY);
    EXPECT_EQ(commit(name("a")), XAER_NOTA);
}

TEST_F(opened, AnEndThatRollsBackLeavesOnlyThat)
{
    make_active(name("a"));
    bank().on(switch_call::end).answer(xa_code::rbtimeout);
    EXPECT_EQ(end(name("a")), XA_RBTIMEOUT);
    EXPECT_EQ(prepare(name("a")), XAER_PROTO);
    EXPECT_EQ(rollback(name("a")), XA_OK);
    EXPECT_EQ(bank().value("alice"), 0);
}

TEST_F(opened, AScriptedVoteHasItsEffect)
{
    make_idle(name("a"));
    bank().on(switch_call::prepare).answer(xa_code::rbintegrity);
    EXPECT_EQ(prepare(name("a")), XA_RBINTEGRITY);
    EXPECT_EQ(rollback(name("a")), XAER_NOTA);

    make_idle(name("b"));
    bank().on(switch_call::prepare).answer(xa_code::rmerr);
    EXPECT_EQ(prepare(name("b")), XAER_RMERR);
    EXPECT_EQ(rollback(name("b")), XA_OK);
    EXPECT_EQ(bank().value("alice"), 0);
}

TEST_F(opened, AScriptedNotaTakesWhatIsNotPrepared)
{
    make_idle(name("a"));
    bank().on(switch_call::rollback).answer(xa_code::nota);
    EXPECT_EQ(rollback(name("a")), XAER_NOTA);
    make_heuristic(name("b"), xa_code::heurcom);
    bank().on(switch_call::forget).answer(xa_code::nota);
    EXPECT_EQ(forget(name("b")), XAER_NOTA);
    EXPECT_EQ(bank().unfinished(), 0u);

    make_prepared(name("c"));
    bank().on(switch_call::commit).answer(xa_code::nota);
    EXPECT_EQ(commit(name("c")), XAER_NOTA);
    EXPECT_EQ(commit(name("c")), XA_OK);
}

TEST_F(opened, AScriptedCommitHasItsEffect)
{
    make_prepared(name("a"));
    bank().on(switch_call::commit).times(2).answer(xa_code::retry);
    EXPECT_EQ(commit(name("a")), XA_RETRY);
    EXPECT_EQ(commit(name("a"), TMNOWAIT), XA_RETRY);
    EXPECT_EQ(commit(name("a")), XA_OK);
    EXPECT_EQ(bank().value("alice"), 1);

    make_prepared(name("b"));
    bank().on(switch_call::commit).answer(xa_code::rmerr);
    EXPECT_EQ(commit(name("b")), XAER_RMERR);
    EXPECT_EQ(commit(name("b")), XAER_NOTA);
    EXPECT_EQ(bank().value("alice"), 1);
}

TEST_F(opened, AHeuristicIsRememberedUntilItIsForgotten)
{
    struct
    {
        xa_code code;
        int adds;
    } const each[] = {
        {xa_code::heurcom, 1}, {xa_code::heurrb, 0}, {xa_code::heurmix, 1}, {xa_code::heurhaz, 0}};
    std::int64_t sum = 0;
    for (auto const& one : each) {
        auto const x = name("t" + std::to_string(static_cast<int>(one.code)));
        make_heuristic(x, one.code);
        sum += one.adds;
        EXPECT_EQ(bank().value("alice"), sum);
        EXPECT_EQ(rollback(x), static_cast<int>(one.code));
        EXPECT_EQ(bank().heuristics().size(), 1u);
        EXPECT_EQ(forget(x), XA_OK);
        EXPECT_EQ(forget(x), XAER_NOTA);
    }
    EXPECT_THAT(bank().violations(), IsEmpty());
}

TEST_F(opened, AFaultWaitsForItsTurn)
{
    bank().on(switch_call::prepare).nth(2).answer_without_effect(xa_code::rmerr);
    EXPECT_EQ(bank().pending(), 1u);
    make_prepared(name("a"));
    make_idle(name("b"));
    EXPECT_EQ(prepare(name("b")), XAER_RMERR);
    EXPECT_EQ(bank().pending(), 0u);
    EXPECT_EQ(prepare(name("b")), XA_OK);
    EXPECT_THROW(bank().on(switch_call::prepare).nth(0), assent::error);
    EXPECT_THROW(bank().on(switch_call::prepare).times(0), assent::error);
}

TEST_F(opened, CallbacksRunAroundACallWithNoLockHeld)
{
    make_prepared(name("a"));
    std::vector<std::size_t> prepared;
    bank().on(switch_call::commit).before([&] { prepared.push_back(bank().prepared().size()); });
    EXPECT_EQ(commit(name("a")), XA_OK);
    make_prepared(name("b"));
    bank().on(switch_call::commit).after([&] { prepared.push_back(bank().prepared().size()); });
    EXPECT_EQ(commit(name("b")), XA_OK);
    EXPECT_THAT(prepared, ElementsAre(1u, 0u));
}

TEST_F(opened, NamesAreWhole)
{
    auto x = name("a");
    x.data[40] = 'x';  // behind gtrid and bqual
    EXPECT_EQ(start(x), XAER_INVAL);
    x = name("a");
    x.formatID = -1;
    EXPECT_EQ(start(x), XAER_INVAL);
    x = name("a");
    x.bqual_length = 0;
    EXPECT_EQ(start(x), XAER_INVAL);
    EXPECT_EQ(bank().entries().xa_start_entry(nullptr, 9999, TMNOFLAGS), XAER_PROTO);
    x = name(std::string(64, 'g'), std::string(64, 'q'));
    EXPECT_EQ(start(x), XA_OK);
    EXPECT_EQ(end(x), XA_OK);
    EXPECT_EQ(count_of_violations(), 3u);
}

TEST_F(opened, FlagsAreThoseOfTheRoutine)
{
    make_prepared(name("a"));
    EXPECT_EQ(commit(name("a"), TMJOIN), XAER_INVAL);
    EXPECT_EQ(rollback(name("a"), TMNOWAIT), XAER_INVAL);
    EXPECT_EQ(forget(name("a"), TMSUCCESS), XAER_INVAL);
    EXPECT_EQ(prepare(name("a"), TMONEPHASE), XAER_INVAL);
    EXPECT_EQ(open(TMJOIN), XAER_INVAL);
    EXPECT_EQ(count_of_violations(), 5u);
}

}  // namespace
}  // namespace switch_test
