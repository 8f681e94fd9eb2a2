// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// answers_test.cpp -- the tables that turn outcomes into TX's return codes; and TX's numbers.

#include "tx/answers.hpp"

#include <initializer_list>

#include "protocol/transition_table.hpp"
#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;
using assent::protocol::branch_state;
using assent::tx::answer_to;
using assent::tx::branch_end;
using assent::tx::ending;

/// The words of a report are the state machine's: a new or renamed one is noticed here.
TEST(Answers, EveryStateOfABranchIsKnownForWhatItSays)
{
    for (int i = 0; i < assent::protocol::branch_state_count; ++i) {
        auto const state = static_cast<branch_state>(i);
        auto expected = branch_end::unknown;
        switch (state) {
            case branch_state::read_only:
                expected = branch_end::none;
                break;
            case branch_state::committed:
            case branch_state::heuristic_commit:
                expected = branch_end::committed;
                break;
            case branch_state::rolled_back:
            case branch_state::heuristic_rollback:
                expected = branch_end::rolled_back;
                break;
            case branch_state::heuristic_mixed:
                expected = branch_end::mixed;
                break;
            default:
                break;
        }
        EXPECT_EQ(assent::tx::end_of(name_of(state)), expected) << name_of(state);
    }
    EXPECT_EQ(assent::tx::end_of("a word of a later version"), branch_end::unknown);
}

int answer_to_all(std::initializer_list<char const*> states, ending how)
{
    std::vector<assent::branch_report> all;
    for (char const* each : states) {
        all.emplace_back();
        all.back().state = each;
    }
    return answer_to(all, how);
}

TEST(Answers, WhatItsBranchesSayTogether)
{
    struct row
    {
        std::initializer_list<char const*> states;
        int commit;
        int rollback;
    };
    row const table[] = {
        {{"committed", "heuristic commit"}, TX_OK, TX_COMMITTED},
        {{"rolled back", "heuristic rollback"}, TX_ROLLBACK, TX_OK},
        {{"committed", "heuristic rollback"}, TX_MIXED, TX_MIXED},
        {{"heuristic mixed"}, TX_MIXED, TX_MIXED},
        {{"heuristic mixed", "left behind"}, TX_MIXED, TX_MIXED},
        {{"committed", "rolled back", "heuristic hazard"}, TX_MIXED, TX_MIXED},
        {{"committed", "heuristic hazard"}, TX_HAZARD, TX_HAZARD},
        {{"rolled back", "left behind"}, TX_HAZARD, TX_HAZARD},
        {{"heuristic commit", "commit due"}, TX_HAZARD, TX_HAZARD},
        {{"heuristic rollback", "rollback due"}, TX_HAZARD, TX_HAZARD},
        {{"read-only", "heuristic commit"}, TX_OK, TX_COMMITTED},
        {{"read-only", "heuristic rollback"}, TX_ROLLBACK, TX_OK},
        {{"read-only"}, TX_HAZARD, TX_HAZARD},
        {{}, TX_HAZARD, TX_HAZARD},
    };
    for (auto const& each : table) {
        EXPECT_EQ(answer_to_all(each.states, ending::commit), each.commit);
        EXPECT_EQ(answer_to_all(each.states, ending::rollback), each.rollback);
    }
}

TEST(Answers, ADecisionThatIsNotConfirmedIsAHazardToWhoWaitsForCompletion)
{
    EXPECT_EQ(answer_to(outcome::committed_pending, TX_COMMIT_COMPLETED), TX_HAZARD);
    EXPECT_EQ(answer_to(outcome::committed_pending, TX_COMMIT_DECISION_LOGGED), TX_OK);
    for (long const when : {TX_COMMIT_COMPLETED, TX_COMMIT_DECISION_LOGGED}) {
        EXPECT_EQ(answer_to(outcome::committed, when), TX_OK);
        EXPECT_EQ(answer_to(outcome::rolled_back, when), TX_OK);
        EXPECT_EQ(answer_to(outcome::unknown, when), TX_HAZARD);
    }
}

TEST(Answers, TheNumbersAreThoseOfTheStandard)
{
    EXPECT_EQ(TX_NOT_SUPPORTED, 1);
    EXPECT_EQ(TX_OK, 0);
    EXPECT_EQ(TX_OUTSIDE, -1);
    EXPECT_EQ(TX_ROLLBACK, -2);
    EXPECT_EQ(TX_MIXED, -3);
    EXPECT_EQ(TX_HAZARD, -4);
    EXPECT_EQ(TX_PROTOCOL_ERROR, -5);
    EXPECT_EQ(TX_ERROR, -6);
    EXPECT_EQ(TX_FAIL, -7);
    EXPECT_EQ(TX_EINVAL, -8);
    EXPECT_EQ(TX_COMMITTED, -9);
    EXPECT_EQ(TX_NO_BEGIN, -100);
    EXPECT_EQ(TX_ROLLBACK_NO_BEGIN, -102);
    EXPECT_EQ(TX_MIXED_NO_BEGIN, -103);
    EXPECT_EQ(TX_HAZARD_NO_BEGIN, -104);
    EXPECT_EQ(TX_COMMITTED_NO_BEGIN, -109);
    EXPECT_EQ(TX_COMMIT_COMPLETED, 0);
    EXPECT_EQ(TX_COMMIT_DECISION_LOGGED, 1);
    EXPECT_EQ(TX_UNCHAINED, 0);
    EXPECT_EQ(TX_CHAINED, 1);
    EXPECT_EQ(TX_ACTIVE, 0);
    EXPECT_EQ(TX_TIMEOUT_ROLLBACK_ONLY, 1);
    EXPECT_EQ(TX_ROLLBACK_ONLY, 2);
}

}  // namespace
