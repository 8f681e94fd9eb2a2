// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transition_table_test.cpp -- every row, reached by a story with an end of its own.
//
// A story drives a coordinator with a companion branch that always does as it is told, up to one
// reply to branch 0.  What must come of it is stated here from XA's text and from what databases
// were seen to do, not from the table: the state, what has to follow, the verb that the next stage
// sends it, and what the caller is told when everything else goes well.

#include <map>
#include <set>

#include "tests/unit/protocol/driven.hpp"
#include "tests/unit/protocol/table_view.hpp"

namespace protocol_test {

namespace {

using s = branch_state;
using c = reply_class;
using f = follow_up;
using v = verdict;

/// How branch 0 got to the point where the reply comes.
enum class way {
    voting,             // two writers prepare
    ending_read,        // declared read-only, alone
    ending_voted_read,  // declared read-only, voted, and the only writer has committed
    one_phase,          // alone
    doubting,           // ... and its reply was lost
    deciding_by_row,    // the last resource: its commit carries the decision
    doubting_the_row,   // ... and its reply was lost
    awaiting_the_row,   // voted yes, beside a last resource whose reply was lost
    committing,         // two yes, decided
    recommitting,       // ... and an earlier commit may have been carried out
    rolling_back,       // rollback(), never asked to prepare
    undoing_a_yes,      // it voted yes, the companion no
    verifying_commit,   // a repeated commit was answered NOTA
    verifying_hazard,   // the very first commit was answered NOTA
    verifying_rollback  // a rollback was answered NOTA
};

constexpr char const* names[] = {"voting",
                                 "ending a read",
                                 "ending a read that voted",
                                 "one-phase",
                                 "doubting",
                                 "deciding by row",
                                 "doubting the row",
                                 "awaiting the row",
                                 "committing",
                                 "recommitting",
                                 "rolling back",
                                 "undoing a yes",
                                 "verifying a commit",
                                 "verifying a hazard",
                                 "verifying a rollback"};

/// No verb is due for the branch in the stage that follows.
constexpr verb none = verb::start;

struct story
{
    way how;
    c reply;
    s becomes;
    f then;
    verb next;
    v told;
};

// clang-format off
story const stories[] = {
    // A yes is committed; read-only is left alone; RB* is gone; whatever may hide a prepared
    // branch is rolled back as one.
    {way::voting, c::ok,          s::prepared,    f::none,   verb::commit,   v::committed},
    {way::voting, c::rdonly,      s::read_only,   f::none,   none,           v::committed},
    {way::voting, c::still_open,  s::reads_voted, f::none,   verb::commit_one_phase, v::committed},
    {way::voting, c::rolled_back, s::rolled_back, f::none,   none,           v::rolled_back},
    {way::voting, c::rmerr,       s::asked,       f::again,  verb::rollback, v::rolled_back},
    {way::voting, c::rmfail,      s::asked,       f::again,  verb::rollback, v::rolled_back},
    {way::voting, c::nota,        s::asked,       f::again,  verb::rollback, v::rolled_back},
    {way::voting, c::silent,      s::asked,       f::again,  verb::rollback, v::rolled_back},
    {way::voting, c::left_behind, s::left_behind, f::record, none,           v::heuristic},
    {way::voting, c::unknown,     s::asked,       f::again,  verb::rollback, v::rolled_back},

    // The end of a lonely read is its vote.
    {way::ending_read, c::ok,          s::read_only,       f::none,   none, v::committed},
    {way::ending_read, c::rolled_back, s::rolled_back,     f::none,   none, v::rolled_back},
    {way::ending_read, c::left_behind, s::left_behind,     f::record, none, v::heuristic},
    {way::ending_read, c::unknown,     s::rollback_verify, f::verify, none, v::rolled_back_unconfirmed},

    // The whole has committed: only work behind our back is news.
    {way::ending_voted_read, c::left_behind, s::left_behind, f::record, none, v::heuristic},
    {way::ending_voted_read, c::unknown,     s::read_only,   f::none,   none, v::committed},

    // One phase: no log and no scan will tell, so what was not heard is in doubt.
    {way::one_phase, c::ok,                 s::committed,          f::none,        none, v::committed},
    {way::one_phase, c::rolled_back,        s::rolled_back,        f::none,        none, v::rolled_back},
    {way::one_phase, c::rmerr,              s::rolled_back,        f::none,        none, v::rolled_back},
    {way::one_phase, c::rmfail,             s::in_doubt,           f::ask_witness, none, v::in_doubt},
    {way::one_phase, c::silent,             s::in_doubt,           f::ask_witness, none, v::in_doubt},
    {way::one_phase, c::heuristic_commit,   s::heuristic_commit,   f::record,      none, v::committed},
    {way::one_phase, c::heuristic_rollback, s::heuristic_rollback, f::record,      none, v::heuristic},
    {way::one_phase, c::heuristic_mixed,    s::heuristic_mixed,    f::record,      none, v::heuristic},
    {way::one_phase, c::heuristic_hazard,   s::heuristic_hazard,   f::record,      none, v::heuristic},
    {way::one_phase, c::left_behind,        s::left_behind,        f::record,      none, v::heuristic},
    {way::one_phase, c::unknown,            s::in_doubt,           f::ask_witness, none, v::in_doubt},
    {way::doubting, c::witness_committed,   s::committed,          f::none,        none, v::committed},
    {way::doubting, c::witness_rolled_back, s::rolled_back,        f::none,        none, v::rolled_back},
    {way::doubting, c::unknown,             s::in_doubt,           f::none,        none, v::in_doubt},

    // The last resource: only "rolled back" undoes the others; what was not heard, the row knows.
    {way::deciding_by_row,  c::ok,          s::committed,       f::none,    none, v::committed},
    {way::deciding_by_row,  c::rolled_back, s::rolled_back,     f::none,    none, v::rolled_back},
    {way::deciding_by_row,  c::left_behind, s::left_behind,     f::record,  none, v::heuristic},
    {way::deciding_by_row,  c::unknown,     s::row_in_doubt,    f::ask_row, none, v::in_doubt},
    {way::doubting_the_row, c::row_commits, s::committed,       f::none,    none, v::committed},
    {way::doubting_the_row, c::row_aborts,  s::rollback_verify, f::verify,  none, v::rolled_back_unconfirmed},
    {way::doubting_the_row, c::unknown,     s::row_in_doubt,    f::ask_row, none, v::in_doubt},
    {way::awaiting_the_row, c::row_commits, s::commit_due,      f::again,   none, v::in_doubt},
    {way::awaiting_the_row, c::row_aborts,  s::rollback_due,    f::again,   none, v::in_doubt},
    {way::awaiting_the_row, c::unknown,     s::row_awaited,     f::ask_row, none, v::in_doubt},

    // The decision is durable: what did not answer is pending; what went its own way is heuristic.
    {way::committing, c::ok,                 s::committed,          f::none,   none, v::committed},
    {way::committing, c::retry,              s::commit_due,         f::again,  none, v::committed_pending},
    {way::committing, c::rmfail,             s::commit_due,         f::again,  none, v::committed_pending},
    {way::committing, c::silent,             s::commit_due,         f::again,  none, v::committed_pending},
    {way::committing, c::nota,               s::hazard_verify,      f::verify, none, v::committed_pending},
    {way::committing, c::rolled_back,        s::heuristic_rollback, f::record, none, v::heuristic},
    {way::committing, c::rmerr,              s::heuristic_rollback, f::record, none, v::heuristic},
    {way::committing, c::heuristic_commit,   s::heuristic_commit,   f::record, none, v::committed},
    {way::committing, c::heuristic_rollback, s::heuristic_rollback, f::record, none, v::heuristic},
    {way::committing, c::heuristic_mixed,    s::heuristic_mixed,    f::record, none, v::heuristic},
    {way::committing, c::heuristic_hazard,   s::heuristic_hazard,   f::record, none, v::heuristic},
    {way::committing, c::read_only_left,     s::heuristic_hazard,   f::record, none, v::heuristic},
    {way::committing, c::unknown,            s::commit_due,         f::again,  none, v::committed_pending},

    // Repeated: NOTA may be the echo of a success, and MariaDB's 1402 of a branch without writes.
    {way::recommitting, c::ok,                 s::committed,          f::none,   none, v::committed},
    {way::recommitting, c::retry,              s::commit_due,         f::again,  none, v::committed_pending},
    {way::recommitting, c::rmfail,             s::commit_due,         f::again,  none, v::committed_pending},
    {way::recommitting, c::silent,             s::commit_due,         f::again,  none, v::committed_pending},
    {way::recommitting, c::nota,               s::commit_verify,      f::verify, none, v::committed_pending},
    {way::recommitting, c::rolled_back,        s::heuristic_rollback, f::record, none, v::heuristic},
    {way::recommitting, c::rmerr,              s::heuristic_rollback, f::record, none, v::heuristic},
    {way::recommitting, c::heuristic_commit,   s::heuristic_commit,   f::record, none, v::committed},
    {way::recommitting, c::heuristic_rollback, s::heuristic_rollback, f::record, none, v::heuristic},
    {way::recommitting, c::heuristic_mixed,    s::heuristic_mixed,    f::record, none, v::heuristic},
    {way::recommitting, c::heuristic_hazard,   s::heuristic_hazard,   f::record, none, v::heuristic},
    {way::recommitting, c::read_only_left,     s::read_only,          f::none,   none, v::committed},
    {way::recommitting, c::unknown,            s::commit_due,         f::again,  none, v::committed_pending},

    // Never asked to prepare: it can never commit, but only the server's word confirms it.
    {way::rolling_back, c::ok,                 s::rolled_back,        f::none,   none, v::rolled_back},
    {way::rolling_back, c::rolled_back,        s::rolled_back,        f::none,   none, v::rolled_back},
    {way::rolling_back, c::rmerr,              s::rollback_verify,    f::verify, none, v::rolled_back_unconfirmed},
    {way::rolling_back, c::rmfail,             s::rollback_verify,    f::verify, none, v::rolled_back_unconfirmed},
    {way::rolling_back, c::silent,             s::rollback_verify,    f::verify, none, v::rolled_back_unconfirmed},
    {way::rolling_back, c::nota,               s::rollback_verify,    f::verify, none, v::rolled_back_unconfirmed},
    {way::rolling_back, c::heuristic_commit,   s::heuristic_commit,   f::record, none, v::heuristic},
    {way::rolling_back, c::heuristic_rollback, s::heuristic_rollback, f::record, none, v::rolled_back},
    {way::rolling_back, c::heuristic_mixed,    s::heuristic_mixed,    f::record, none, v::heuristic},
    {way::rolling_back, c::heuristic_hazard,   s::heuristic_hazard,   f::record, none, v::heuristic},
    {way::rolling_back, c::left_behind,        s::left_behind,        f::record, none, v::heuristic},
    {way::rolling_back, c::unknown,            s::rollback_verify,    f::verify, none, v::rolled_back_unconfirmed},

    // Prepared: it stays until a rollback is confirmed, so what did not answer is asked again.
    {way::undoing_a_yes, c::ok,                 s::rolled_back,        f::none,   none, v::rolled_back},
    {way::undoing_a_yes, c::rolled_back,        s::rolled_back,        f::none,   none, v::rolled_back},
    {way::undoing_a_yes, c::read_only_left,     s::rolled_back,        f::none,   none, v::rolled_back},
    {way::undoing_a_yes, c::retry,              s::rollback_due,       f::again,  none, v::rolled_back_unconfirmed},
    {way::undoing_a_yes, c::rmfail,             s::rollback_due,       f::again,  none, v::rolled_back_unconfirmed},
    {way::undoing_a_yes, c::silent,             s::rollback_due,       f::again,  none, v::rolled_back_unconfirmed},
    {way::undoing_a_yes, c::rmerr,              s::rollback_verify,    f::verify, none, v::rolled_back_unconfirmed},
    {way::undoing_a_yes, c::nota,               s::rollback_verify,    f::verify, none, v::rolled_back_unconfirmed},
    {way::undoing_a_yes, c::heuristic_commit,   s::heuristic_commit,   f::record, none, v::heuristic},
    {way::undoing_a_yes, c::heuristic_rollback, s::heuristic_rollback, f::record, none, v::rolled_back},
    {way::undoing_a_yes, c::heuristic_mixed,    s::heuristic_mixed,    f::record, none, v::heuristic},
    {way::undoing_a_yes, c::heuristic_hazard,   s::heuristic_hazard,   f::record, none, v::heuristic},
    {way::undoing_a_yes, c::left_behind,        s::left_behind,        f::record, none, v::heuristic},
    {way::undoing_a_yes, c::unknown,            s::rollback_due,       f::again,  none, v::rolled_back_unconfirmed},

    // A later scan: listed, it is asked again; absent, an earlier commit was carried out, or, when
    // there was none, somebody else settled it; a scan that does not count changes nothing.
    {way::verifying_commit, c::listed,    s::commit_due,       f::again,  none, v::committed_pending},
    {way::verifying_commit, c::absent,    s::committed,        f::none,   none, v::committed},
    {way::verifying_commit, c::vanished,  s::heuristic_hazard, f::record, none, v::heuristic},
    {way::verifying_commit, c::unknown,   s::commit_verify,    f::verify, none, v::committed_pending},
    {way::verifying_hazard, c::listed,    s::commit_due,       f::again,  none, v::committed_pending},
    {way::verifying_hazard, c::absent,    s::heuristic_hazard, f::record, none, v::heuristic},
    {way::verifying_hazard, c::unknown,   s::hazard_verify,    f::verify, none, v::committed_pending},
    {way::verifying_rollback, c::listed,  s::rollback_due,     f::again,  none, v::rolled_back_unconfirmed},
    {way::verifying_rollback, c::absent,  s::rolled_back,      f::none,   none, v::rolled_back},
    {way::verifying_rollback, c::unknown, s::rollback_verify,  f::verify, none, v::rolled_back_unconfirmed},
};
// clang-format on

using row_key = std::pair<branch_state, reply_class>;

/// What came of a story.
struct ending
{
    s from;
    s becomes;
    f then;
    verb next;
    v told;
};

/// Drives up to the reply.  Verbs of branch 0 are out; the companion has answered well.
driven up_to(way how)
{
    switch (how) {
        case way::voting: {
            driven tx({false, false});
            tx.commit();
            tx.send_all();
            tx.answer(1, c::ok);
            return tx;
        }
        case way::ending_read: {
            driven tx(std::vector{true});
            tx.commit();
            tx.send_all();
            return tx;
        }
        case way::ending_voted_read: {
            driven tx({true, false});
            tx.commit();
            tx.send_all();
            tx.answer(0, c::still_open);
            tx.send_all();
            tx.answer(1, c::ok);
            tx.send_all();
            return tx;
        }
        case way::one_phase: {
            driven tx({false});
            tx.commit();
            tx.send_all();
            return tx;
        }
        case way::doubting: {
            driven tx = up_to(way::one_phase);
            tx.answer(0, c::rmfail);
            return tx;
        }
        case way::deciding_by_row:
        case way::doubting_the_row: {
            driven tx({branch_role::last, branch_role::voter});
            tx.commit();
            tx.send_all();
            tx.answer(1, c::ok);
            tx.send_all();
            if (how == way::doubting_the_row) tx.answer(0, c::rmfail);
            return tx;
        }
        case way::awaiting_the_row: {
            driven tx({branch_role::voter, branch_role::last});
            tx.commit();
            tx.send_all();
            tx.answer(0, c::ok);
            tx.send_all();
            tx.answer(1, c::rmfail);
            tx.decide();
            return tx;
        }
        case way::committing:
        case way::recommitting: {
            driven tx = up_to(way::voting);
            tx.answer(0, c::ok);
            tx.decide();
            tx.send_all(how == way::committing);
            tx.answer(1, c::ok);
            return tx;
        }
        case way::rolling_back: {
            driven tx({false, false});
            tx.rollback();
            tx.send_all();
            tx.answer(1, c::ok);
            return tx;
        }
        case way::undoing_a_yes: {
            driven tx({false, false});
            tx.commit();
            tx.send_all();
            tx.answer(0, c::ok);
            tx.answer(1, c::rolled_back);
            tx.send_all();
            return tx;
        }
        case way::verifying_commit:
        case way::verifying_hazard: {
            driven tx = up_to(how == way::verifying_commit ? way::recommitting : way::committing);
            tx.answer(0, c::nota);
            return tx;
        }
        case way::verifying_rollback: {
            driven tx = up_to(way::rolling_back);
            tx.answer(0, c::nota);
            return tx;
        }
    }
    throw std::logic_error("no such way");
}

ending tell(way how, c reply)
{
    driven tx = up_to(how);
    ending e{tx.state(0), s::active, f::none, none, v::open};
    if (tx.outstanding(0)) {
        e.then = tx.answer(0, reply);
    } else {
        e.then = tx.hear(0, reply);
    }
    e.becomes = tx.state(0);
    tx.run_to_end([&e](std::size_t i, verb what) {
        if (i == 0) e.next = what;
        return c::ok;
    });
    e.told = tx.outcome();
    return e;
}

std::string title(way how, c reply)
{
    return std::string(names[static_cast<int>(how)]) + ", " + std::string(name_of(reply));
}

TEST(TransitionTable, EveryStoryEndsAsXaSays)
{
    for (auto const& it : stories) {
        SCOPED_TRACE(title(it.how, it.reply));

        ending const e = tell(it.how, it.reply);

        EXPECT_EQ(e.becomes, it.becomes);
        EXPECT_EQ(e.then, it.then);
        EXPECT_EQ(e.next, it.next);
        EXPECT_EQ(e.told, it.told);
    }
}

TEST(TransitionTable, EveryRowIsReachedByAStory)
{
    std::set<row_key> reached;
    for (auto const& it : stories) {
        s const from = up_to(it.how).state(0);
        auto const row = row_for(from, it.reply);
        EXPECT_EQ(row.on, it.reply) << "no row of its own: " << title(it.how, it.reply);
        reached.emplace(row.from, row.on);
    }

    for (auto const& row : all_rows()) {
        EXPECT_EQ(reached.count({row.from, row.on}), 1u)
            << "no story reaches " << name_of(row.from) << ", " << name_of(row.on);
    }
    EXPECT_EQ(reached.size(), all_rows().size());
    EXPECT_EQ(reached.size(), std::size(stories));
}

TEST(TransitionTable, APairThatXaForbidsCountsAsUnknown)
{
    std::set<std::pair<way, c>> told;
    std::set<way> ways;
    for (auto const& it : stories) {
        told.emplace(it.how, it.reply);
        ways.insert(it.how);
    }

    int forbidden = 0;
    for (way const how : ways) {
        ending const unknown = tell(how, c::unknown);
        for (int i = 0; i < assent::protocol::reply_class_count; ++i) {
            c const reply = static_cast<c>(i);
            if (told.count({how, reply}) != 0) continue;
            SCOPED_TRACE(title(how, reply));

            ending const e = tell(how, reply);

            EXPECT_EQ(e.becomes, unknown.becomes);
            EXPECT_EQ(e.then, unknown.then);
            EXPECT_EQ(e.told, unknown.told);
            ++forbidden;
        }
    }
    EXPECT_EQ(forbidden + static_cast<int>(told.size()),
              static_cast<int>(ways.size()) * assent::protocol::reply_class_count);
}

TEST(TransitionTable, OnlyTheStatesThatWaitHaveRows)
{
    std::set<s> waiting;
    for (auto const& it : stories)
        waiting.insert(up_to(it.how).state(0));

    for (int i = 0; i < assent::protocol::branch_state_count; ++i) {
        s const state = static_cast<s>(i);
        if (waiting.count(state) == 0) {
            EXPECT_THROW(row_for(state, c::ok), std::logic_error) << name_of(state);
        }
    }
}

TEST(TransitionTable, EveryStateAndReplyHasANameOfItsOwn)
{
    std::set<std::string_view> seen;
    for (int i = 0; i < assent::protocol::branch_state_count; ++i)
        seen.insert(name_of(static_cast<s>(i)));
    EXPECT_EQ(seen.size(), std::size_t{assent::protocol::branch_state_count});
    EXPECT_EQ(seen.count(""), 0u);

    seen.clear();
    for (int i = 0; i < assent::protocol::reply_class_count; ++i)
        seen.insert(name_of(static_cast<c>(i)));
    EXPECT_EQ(seen.size(), std::size_t{assent::protocol::reply_class_count});
    EXPECT_EQ(seen.count(""), 0u);
}

}  // namespace

}  // namespace protocol_test
