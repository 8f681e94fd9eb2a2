// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// timeouts_test.cpp -- why a branch that is prepared never ends by the time that has passed.
//
// A model of two branches and a coordinator whose messages may come late, or never: a partition is
// a message that did not come yet.  All that can happen is searched for a split, one branch
// committed and the other rolled back.  Each rule that ends a branch by a timeout has one: to
// commit then, to roll back then, and three-phase commit's, which rolls back before its second
// phase and commits after it.  Waiting has none; its price is the wait.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/unit/protocol/table_view.hpp"

namespace {

enum class rule : std::uint8_t { wait, commit, roll_back, three_phase };
enum class coordinator : std::uint8_t { voting, precommitting, committed, rolled_back };
enum class branch : std::uint8_t { prepared, precommitted, committed, rolled_back };

struct model
{
    coordinator decides = coordinator::voting;
    std::array<branch, 2> branches{branch::prepared, branch::prepared};

    auto parts() const { return std::tie(decides, branches); }
    bool operator<(model const& other) const { return parts() < other.parts(); }
    bool has_ended(std::size_t i) const { return branches[i] >= branch::committed; }
    bool is_split() const { return has_ended(0) && has_ended(1) && branches[0] != branches[1]; }
};

using step = std::pair<std::string, model>;

/// What time alone makes of a branch.
std::optional<branch> when_time_is_over(rule by, branch now)
{
    switch (by) {
        case rule::commit:
            return branch::committed;
        case rule::roll_back:
            return branch::rolled_back;
        case rule::three_phase:
            return now == branch::precommitted ? branch::committed : branch::rolled_back;
        default:
            return std::nullopt;
    }
}

/// The coordinator goes on; both have voted yes, and it may still roll back.
void add_steps_of_coordinator(rule by, model const& from, std::vector<step>& all)
{
    auto const decide = [&](char const* text, coordinator next) {
        all.push_back({text, {next, from.branches}});
    };
    if (from.decides == coordinator::voting) {
        decide("the coordinator rolls back", coordinator::rolled_back);
        if (by == rule::three_phase) {
            decide("the coordinator asks to precommit", coordinator::precommitting);
        } else {
            decide("the coordinator commits", coordinator::committed);
        }
    }
    bool const have_both_confirmed =
        from.branches[0] == branch::precommitted && from.branches[1] == branch::precommitted;
    if (from.decides == coordinator::precommitting && have_both_confirmed) {
        decide("the coordinator commits", coordinator::committed);
    }
}

/// What branch `i` is told, or does by itself.
void add_steps_of_branch(rule by, model const& from, std::size_t i, std::vector<step>& all)
{
    if (from.has_ended(i)) return;
    auto const become = [&](char const* why, branch next) {
        model to = from;
        to.branches[i] = next;
        all.push_back({std::string{i == 0 ? "A " : "B "} + why, to});
    };
    bool const is_asked = from.decides == coordinator::precommitting;
    if (is_asked && from.branches[i] == branch::prepared)
        become("precommits", branch::precommitted);
    if (from.decides == coordinator::committed) become("is told to commit", branch::committed);
    if (from.decides == coordinator::rolled_back) {
        become("is told to roll back", branch::rolled_back);
    }
    if (auto const ends = when_time_is_over(by, from.branches[i]))
        become("has waited enough", *ends);
}

struct findings
{
    std::vector<std::string> split;  // the shortest way to one; empty: there is none
    bool may_wait = false;           // a branch that only a message ends
    std::size_t states = 0;
};

/// All that can happen, the shortest ways first.
findings search(rule by)
{
    findings found;
    std::set<model> seen{{}};
    std::deque<std::pair<model, std::vector<std::string>>> next{{{}, {}}};
    for (; !next.empty(); next.pop_front()) {
        auto const [now, way] = next.front();
        if (now.is_split() && found.split.empty()) found.split = way;
        std::vector<step> steps;
        add_steps_of_coordinator(by, now, steps);
        for (std::size_t i = 0; i < now.branches.size(); ++i) {
            add_steps_of_branch(by, now, i, steps);
            bool const has_no_way_out = !when_time_is_over(by, now.branches[i]);
            found.may_wait = found.may_wait || (!now.has_ended(i) && has_no_way_out);
        }
        for (auto const& [text, to] : steps) {
            if (!seen.insert(to).second) continue;
            next.emplace_back(to, way);
            next.back().second.push_back(text);
        }
    }
    found.states = seen.size();
    return found;
}

using way = std::vector<std::string>;

TEST(Timeouts, ThreePhaseCommitSplitsInAPartition)
{
    auto const found = search(rule::three_phase);

    // The partition came between the two messages that ask to precommit.
    way const expected{"the coordinator asks to precommit", "A precommits", "A has waited enough",
                       "B has waited enough"};
    EXPECT_EQ(std::set(found.split.begin(), found.split.end()),
              std::set(expected.begin(), expected.end()));
    EXPECT_FALSE(found.may_wait) << "that is what it promises, and what it costs";
}

TEST(Timeouts, EveryOtherRuleByTimeSplitsToo)
{
    EXPECT_FALSE(search(rule::commit).split.empty()) << "one was told to roll back";
    EXPECT_FALSE(search(rule::roll_back).split.empty()) << "one was told to commit";
}

TEST(Timeouts, WaitingNeverSplits)
{
    auto const found = search(rule::wait);

    EXPECT_EQ(found.split, way{});
    EXPECT_TRUE(found.may_wait);
    EXPECT_GT(found.states, 8u) << "it was looked at";
}

/// The library waits: its table has no row by which silence ends a branch that may be prepared.
TEST(Timeouts, SilenceEndsNoBranchThatMayBePrepared)
{
    using assent::protocol::branch_state;
    using assent::protocol::reply_class;
    for (auto const from : {branch_state::preparing, branch_state::committing,
                            branch_state::recommitting, branch_state::rolling_back_prepared}) {
        auto const row = protocol_test::row_for(from, reply_class::silent);

        EXPECT_FALSE(assent::protocol::is_final(row.to)) << assent::protocol::name_of(from);
    }
}

}  // namespace
