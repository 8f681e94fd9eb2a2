// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// properties_test.cpp -- what must hold for every sequence of replies.
//
//   two branches: every sequence; three and four: sampled by seed (ASSENT_SEED repeats a run)
//
// The truth is kept beside the coordinator, from the verbs that it sent and the replies that it
// was given, by what XA says that a reply proves; the table is not asked.

#include <cstdlib>
#include <random>
#include <set>

#include "tests/unit/protocol/driven.hpp"

namespace protocol_test {

namespace {

using c = reply_class;

constexpr int reply_count = 16;  // those that a verb can get: before scans and witnesses, and one

bool is_reply_that_scans_give(c what)
{
    return static_cast<int>(what) >= reply_count - 1 && what != c::still_open;
}

/// The branch's work is proved undone, for ever.
bool is_proved_undone(driven::branch const& b)
{
    switch (b.last_verb) {
        case verb::start:
            return false;
        case verb::prepare:
            return b.last == c::rolled_back || b.last == c::rdonly;
        case verb::commit_one_phase:
            // It wrote nothing, and votes by its end where it is alone.
            if (b.role == branch_role::reader && !b.is_voted_read && b.last == c::ok) return true;
            return b.last == c::rolled_back ||
                   (!b.has_row && b.role != branch_role::reader && b.last == c::rmerr);
        case verb::rollback:
            return b.last == c::ok || b.last == c::rolled_back || b.last == c::heuristic_rollback ||
                   b.last == c::read_only_left;
        default:
            return false;
    }
}

/// The branch's work is proved permanent, or it proved to have none.
bool is_proved_done(driven::branch const& b)
{
    if (b.is_voted_read) return b.last_verb == verb::commit_one_phase && b.last != c::left_behind;
    switch (b.last_verb) {
        case verb::prepare:
            return b.last == c::rdonly;
        case verb::commit_one_phase:
        case verb::commit:
            if (b.last == c::read_only_left) return b.is_repeat;
            return b.last == c::ok ||
                   (b.last == c::heuristic_commit &&
                    (b.last_verb == verb::commit || b.role != branch_role::reader));
        default:
            return false;
    }
}

void check(driven const& tx, bool was_decided)
{
    verdict const told = tx.outcome();
    int decided_alone = 0;
    for (std::size_t i = 0; i < tx.size(); ++i) {
        auto const& b = tx.seen(i);
        if (told == verdict::rolled_back) {
            ASSERT_TRUE(is_proved_undone(b)) << "branch " << i << ": " << name_of(b.last);
            ASSERT_TRUE(tx.state(i) == branch_state::rolled_back ||
                        tx.state(i) == branch_state::read_only ||
                        tx.state(i) == branch_state::heuristic_rollback);
        }
        if (told == verdict::rolled_back_unconfirmed) {
            ASSERT_TRUE(!b.had_commit || is_proved_undone(b)) << "branch " << i;
            ASSERT_FALSE(b.last == c::left_behind);
        }
        if (told == verdict::committed) {
            ASSERT_TRUE(is_proved_done(b)) << "branch " << i << ": " << name_of(b.last);
            ASSERT_NE(tx.state(i), branch_state::rolled_back);
        }
        if (told == verdict::committed_pending) {
            ASSERT_TRUE(was_decided);
            ASSERT_TRUE(b.last_verb == verb::commit || is_proved_done(b));
        }
        if (b.last == c::left_behind && b.last_verb != verb::commit) {
            ASSERT_EQ(told, verdict::heuristic);
        }
        decided_alone += b.last_verb == verb::commit_one_phase && !b.is_voted_read &&
                         b.role != branch_role::reader;
    }
    ASSERT_NE(told, verdict::open);
    ASSERT_LE(decided_alone, 1) << "two branches decided on their own";
    if (told == verdict::in_doubt) {
        ASSERT_EQ(decided_alone, 1);
    }
}

/// What a run is given: each verb's reply, and what becomes of the decision.
struct plan
{
    std::vector<branch_role> roles;
    std::vector<c> first;   // to prepare, and to the ends of reads
    std::vector<c> second;  // to all that comes later
    bool is_vetoed = false;
    bool is_first_commit = true;
};

void run(plan const& p)
{
    driven tx = driven::with(p.roles);
    bool was_decided = false;
    tx.commit();
    for (int rounds = 0; tx.now() != stage::ended && tx.now() != stage::undecided; ++rounds) {
        ASSERT_LT(rounds, 8) << "the coordinator does not come to an end";
        if (tx.now() == stage::deciding) {
            if (p.is_vetoed) {
                tx.veto();
            } else {
                auto const last = tx.last_resource();
                if (last) {
                    tx.send_all();
                    tx.answer(*last, p.second[*last]);
                }
                tx.decide();
                was_decided = tx.now() == stage::committing;
                ASSERT_EQ(was_decided, !last || p.second[*last] == c::ok)
                    << "a last resource that was not heard to commit decided";
                if (tx.now() == stage::undecided) break;
            }
        }
        tx.send_all(p.is_first_commit);
        for (std::size_t i = 0; i < tx.size(); ++i) {
            if (!tx.outstanding(i)) continue;
            bool const is_first = tx.outstanding(i) == verb::prepare ||
                                  (p.roles[i] == branch_role::reader && p.roles.size() == 1) ||
                                  tx.now() == stage::one_phase;
            tx.answer(i,
                      is_first && tx.outstanding(i) != verb::rollback ? p.first[i] : p.second[i]);
        }
    }
    ASSERT_NO_FATAL_FAILURE(check(tx, was_decided));
}

unsigned seed_of_this_run()
{
    char const* const given = std::getenv("ASSENT_SEED");
    return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                            : std::random_device{}();
}

c reply_number(int i)
{
    return i == reply_count - 1 ? c::still_open : static_cast<c>(i);
}

}  // namespace

TEST(Properties, HoldForEverySequenceOfTwoBranches)
{
    // One plan for each pair of first replies and, where there is a second phase, of second ones.
    for (int readers = 0; readers < 3; ++readers) {
        for (int ab = 0; ab < reply_count * reply_count; ++ab) {
            c const a = reply_number(ab / reply_count);
            c const b = reply_number(ab % reply_count);
            for (int second = 0; second < reply_count * reply_count; ++second) {
                plan p;
                p.roles = {readers > 0 ? branch_role::reader : branch_role::voter,
                           readers > 1 ? branch_role::reader : branch_role::voter};
                p.first = {a, b};
                p.second = {reply_number(second / reply_count), reply_number(second % reply_count)};
                ASSERT_NO_FATAL_FAILURE(run(p)) << name_of(a) << ", " << name_of(b);
                bool const is_unanimous = a == c::ok && b == c::ok && readers == 0;
                if (!is_unanimous) continue;
                p.is_vetoed = true;
                ASSERT_NO_FATAL_FAILURE(run(p));
                p.is_vetoed = false;
                p.is_first_commit = false;
                ASSERT_NO_FATAL_FAILURE(run(p));
            }
            if (::testing::Test::HasNonfatalFailure()) return;
        }
    }
}

TEST(Properties, HoldForEverySequenceOfAVoterAndALastResource)
{
    for (int vote = 0; vote < reply_count; ++vote) {
        for (int row = 0; row < reply_count; ++row) {
            for (int second = 0; second < reply_count; ++second) {
                for (bool const is_vetoed : {false, true}) {
                    plan p;
                    p.roles = {branch_role::voter, branch_role::last};
                    p.first = {reply_number(vote), reply_number(row)};
                    p.second = {reply_number(second), reply_number(row)};
                    p.is_vetoed = is_vetoed;
                    ASSERT_NO_FATAL_FAILURE(run(p))
                        << name_of(p.first[0]) << ", " << name_of(p.first[1]);
                    if (::testing::Test::HasNonfatalFailure()) return;
                }
            }
        }
    }
}

TEST(Properties, HoldForASingleBranch)
{
    for (int i = 0; i < reply_count; ++i) {
        for (bool const is_reader : {false, true}) {
            plan p;
            p.roles = {is_reader ? branch_role::reader : branch_role::voter};
            p.first = {reply_number(i)};
            p.second = {c::ok};
            ASSERT_NO_FATAL_FAILURE(run(p)) << name_of(reply_number(i));
        }
    }
}

TEST(Properties, HoldForSampledSequencesOfThreeAndFour)
{
    unsigned const seed = seed_of_this_run();
    SCOPED_TRACE("ASSENT_SEED=" + std::to_string(seed));
    std::mt19937 random(seed);
    auto const below = [&random](int n) { return static_cast<int>(random() % unsigned(n)); };
    // Yes is drawn often, or hardly a sample would get past the vote.
    auto const draw = [&](int yes_in_ten) {
        return below(10) < yes_in_ten ? c::ok : reply_number(below(reply_count));
    };

    for (int sample = 0; sample < 20'000; ++sample) {
        plan p;
        int const count = 3 + below(2);
        for (int i = 0; i < count; ++i) {
            p.roles.push_back(below(4) == 0 ? branch_role::reader : branch_role::voter);
            p.first.push_back(draw(8));
            p.second.push_back(draw(3));
        }
        if (below(3) == 0) p.roles[static_cast<std::size_t>(below(count))] = branch_role::last;
        p.is_vetoed = below(8) == 0;
        p.is_first_commit = below(4) != 0;
        ASSERT_NO_FATAL_FAILURE(run(p)) << "sample " << sample;
        if (::testing::Test::HasNonfatalFailure()) return;
    }
}

TEST(Properties, CoverEveryReplyThatAVerbCanGet)
{
    EXPECT_FALSE(is_reply_that_scans_give(c::unknown));
    EXPECT_TRUE(is_reply_that_scans_give(c::listed));
    EXPECT_EQ(assent::protocol::reply_class_count - reply_count, 7);
}

}  // namespace protocol_test
