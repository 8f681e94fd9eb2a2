// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rules_test.cpp -- every combination of what can be known of a listed branch.

#include <string>

#include <gtest/gtest.h>

#include "recovery/rules.hpp"

namespace protocol_test {

using assent::recovery::judge;
using assent::recovery::listed_action;
using assent::recovery::listed_facts;

namespace {

/// One letter a fact, capital when it holds: Ours, Known opening, Bound, at or below the Horizon,
/// Live, has a Decision, named in it (N) and not finished (U), the place of the decision was read
/// (T), may Presume abort, a heuristic outcome on record keeps
/// its handlers from running (A).
std::string spell(listed_facts const& f)
{
    std::string text;
    text += f.is_ours ? 'O' : 'o';
    text += f.is_known_opening ? 'K' : 'k';
    text += f.is_bound ? 'B' : 'b';
    text += f.is_at_or_below_horizon ? 'H' : 'h';
    text += f.is_live ? 'L' : 'l';
    text += f.has_decision ? 'D' : 'd';
    text += f.is_in_decision ? 'N' : 'n';
    text += f.is_due ? 'U' : 'u';
    text += f.is_place_read ? 'T' : 't';
    text += f.may_presume_abort ? 'P' : 'p';
    text += f.is_parked ? 'A' : 'a';
    return text;
}

bool has(std::string const& facts, char fact)
{
    return facts.find(fact) != std::string::npos;
}

/// The rules again, each by what makes its action right rather than by its place in a list.
listed_action expected(std::string const& facts)
{
    bool const is_named = has(facts, 'O') && has(facts, 'K') && has(facts, 'B');
    // What is due was decided, and then forgotten by nobody: no horizon says that it is finished.
    bool const has_reappeared = has(facts, 'H') && has(facts, 'u');
    if (is_named && has(facts, 'A') && has(facts, 'l')) return listed_action::park;
    if (is_named && !has_reappeared && has(facts, 'l')) {
        if (has(facts, 'N')) return listed_action::commit;
        if (has(facts, 'D')) return listed_action::quarantine_unvoted;
        return has(facts, 'T') && has(facts, 'P') ? listed_action::rollback : listed_action::wait;
    }
    if (has(facts, 'O') && has(facts, 'k')) return listed_action::quarantine_twin;
    if (has(facts, 'O') && has(facts, 'b')) return listed_action::quarantine_unbound;
    if (has(facts, 'O') && has_reappeared) return listed_action::quarantine_reappeared;
    return listed_action::leave;
}

constexpr unsigned combinations = 2048;

listed_facts facts_of(unsigned bits)
{
    listed_facts f;
    f.is_ours = bits & 1;
    f.is_known_opening = bits & 2;
    f.is_at_or_below_horizon = bits & 4;
    f.is_live = bits & 8;
    f.has_decision = bits & 16;
    f.is_in_decision = bits & 32;
    f.is_place_read = bits & 64;
    f.may_presume_abort = bits & 128;
    f.is_bound = bits & 256;
    f.is_due = bits & 512;
    f.is_parked = bits & 1024;
    return f;
}

}  // namespace

TEST(RecoveryRules, JudgeEveryCombinationOfFacts)
{
    int seen[10] = {};
    for (unsigned bits = 0; bits < combinations; ++bits) {
        std::string const facts = spell(facts_of(bits));

        listed_action const action = judge(facts_of(bits));

        EXPECT_EQ(name_of(action), name_of(expected(facts))) << facts;
        ++seen[static_cast<int>(action)];
    }
    for (int i = 1; i < 10; ++i)
        EXPECT_GT(seen[i], 0) << "no combination leads to " << i;
}

TEST(RecoveryRules, NothingIsRolledBackThatAnyFactSpeaksFor)
{
    for (unsigned bits = 0; bits < combinations; ++bits) {
        listed_facts const f = facts_of(bits);
        // Whatever is due is named by a decision.
        if (judge(f) != listed_action::rollback || (f.is_due && !f.is_in_decision)) continue;

        EXPECT_TRUE(f.is_ours && f.is_known_opening && f.is_place_read && f.may_presume_abort);
        EXPECT_TRUE(f.is_bound);
        EXPECT_FALSE(f.is_live || f.has_decision || f.is_in_decision || f.is_at_or_below_horizon);
    }
}

TEST(RecoveryRules, ALoggedDecisionNeedsNoLockAndNeverWaits)
{
    listed_facts f;
    f.is_ours = f.is_known_opening = f.has_decision = f.is_in_decision = true;
    for (bool const may_presume : {false, true}) {
        f.may_presume_abort = may_presume;
        EXPECT_EQ(judge(f), listed_action::commit);
    }
}

TEST(RecoveryRules, ADecisionThatIsDueIsCarriedOutBelowAnyHorizon)
{
    listed_facts f;
    f.is_ours = f.is_known_opening = f.has_decision = f.is_in_decision = true;
    f.is_at_or_below_horizon = true;
    EXPECT_EQ(judge(f), listed_action::quarantine_reappeared);

    f.is_due = true;
    EXPECT_EQ(judge(f), listed_action::commit);
}

TEST(RecoveryRules, FactsThatWereNotGatheredTouchNothing)
{
    EXPECT_EQ(judge({}), listed_action::leave);
}

}  // namespace protocol_test
