// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// simulation_test.cpp -- seeded histories of transactions, faults, crashes and power losses.
//
//   ASSENT_SEEDS=2000 ASSENT_FIRST_SEED=1 ASSENT_TRANSACTIONS=60 simulation_test
//
// A failure names its seed; the same program with ASSENT_FIRST_SEED=<seed> ASSENT_SEEDS=1 replays
// it.  What must hold at the end of each history, after the faults have stopped:
//   - every transaction is in all of its databases, or in none;
//   - `committed` was answered: in all; `rolled back` was answered: in none;
//   - no branch of this node is prepared anywhere; a stranger's still is;
//   - the manager kept to XA's tables.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "tests/simulation/world.hpp"

namespace {

using namespace assent::testing;
using assent::protocol::verdict;

std::uint64_t setting(char const* name, std::uint64_t otherwise)
{
    char const* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

enum class answer { none, committed, rolled_back, unknown };

struct history
{
    std::map<std::string, std::set<std::size_t>> writes;  // by row: the databases it went to
    std::map<std::string, answer> answers;
    std::map<answer, int> count;
    std::map<assent::gtrid, std::string> rows_by_name;
    std::map<assent::row_kind, int> decisions;  // rows of assent_decision, at the end
};

/// One transaction over some of the databases, writing a row of its own into each; some decide by a
/// commit row in one of them, and that one may be left out of the work.
struct open_transaction
{
    std::string row;
    std::shared_ptr<assent::engine::global_transaction> tx;
};

/// How many databases can prepare; the one behind them is only ever a place for commit rows.
constexpr std::size_t voters = 3;

std::optional<open_transaction> work(world& w, history& h, int number)
{
    open_transaction opened{"t" + std::to_string(number), nullptr};
    auto& engine = *w.current().engine;
    h.answers[opened.row] = answer::none;
    std::optional<std::size_t> place;
    try {
        assent::begin_options how;
        if (w.chance(10)) how.deadline(std::chrono::milliseconds{1 + w.roll(200)});
        if (w.chance(40)) place = w.roll(voters + 1);
        if (place) how.commit_row(w.current().databases[*place]);
        opened.tx = engine.begin(how);
    } catch (assent::error const&) {
        return std::nullopt;  // poisoned: the log is opened again by the caller
    }
    try {
        std::size_t const first = w.roll(voters);
        std::size_t const count = 1 + w.roll(voters);
        std::vector<std::size_t> where;
        for (std::size_t i = 0; i < count; ++i)
            where.push_back((first + i) % voters);
        if (place == voters && w.chance(80)) where.push_back(voters);
        for (std::size_t const at : where) {
            auto const lease = engine.lease(*opened.tx, w.current().databases[at]);
            static_cast<memory_connection*>(lease.handle())->set(opened.row, number);
            h.writes[opened.row].insert(at);
            if (w.chance(5)) w.pass_time(std::chrono::milliseconds{w.roll(500)});
        }
    } catch (assent::error const&) {
        // The database does not serve, or the deadline struck: it ends as far as it came.
        opened.tx->mark_rollback_only({"the work failed", true});
    } catch (assent::driver_error const&) {
        opened.tx->mark_rollback_only({"the work failed", true});
    }
    h.rows_by_name[opened.tx->id] = opened.row;
    return opened;
}

answer end(world& w, open_transaction& opened)
{
    auto const intent =
        w.chance(90) ? assent::engine::intent::commit : assent::engine::intent::rollback;
    auto const told = w.current().engine->end(*opened.tx, intent);
    if (w.is_dead()) return answer::unknown;  // nobody heard it
    switch (told.verdict) {
        case verdict::committed:
        case verdict::committed_pending:
            return answer::committed;
        case verdict::rolled_back:
        case verdict::rolled_back_unconfirmed:
            return answer::rolled_back;
        default:
            return answer::unknown;
    }
}

void check(world& w, history& h, std::uint64_t seed)
{
    for (auto const& [row, where] : h.writes) {
        std::size_t present = 0;
        for (std::size_t const at : where)
            present += w.databases()[at].value(row).has_value();
        EXPECT_TRUE(present == 0 || present == where.size())
            << "seed " << seed << ": " << row << " is in " << present << " of " << where.size();
        auto const said = h.answers.at(row);
        if (said == answer::committed) {
            EXPECT_EQ(present, where.size())
                << "seed " << seed << ": " << row << " was answered committed";
        }
        if (said == answer::rolled_back) {
            EXPECT_EQ(present, 0u) << "seed " << seed << ": " << row << " was answered rolled back";
        }
    }
    for (auto& database : w.databases()) {
        for (auto const& each : database.decisions()) {
            ++h.decisions[each.kind];
            auto const named = h.rows_by_name.find(each.name);
            if (named == h.rows_by_name.end()) continue;
            bool const is_there =
                w.databases()[*h.writes[named->second].begin()].value(named->second).has_value();
            EXPECT_EQ(is_there, each.kind == assent::row_kind::commit)
                << "seed " << seed << ": " << named->second << " went against its row";
        }
        EXPECT_TRUE(database.prepared().empty()) << "seed " << seed;
        for (auto const& wrong : database.violations()) {
            ADD_FAILURE() << "seed " << seed << ": against XA: " << wrong;
        }
    }
}

history run(std::uint64_t seed, int transactions, std::uint64_t* trace = nullptr)
{
    world w{seed};
    history h;
    w.databases()[0].prepare_foreign("somebody else's", "foreign", 1);
    std::vector<open_transaction> open;  // several at once, ended in any order
    for (int number = 0; number < transactions; ++number) {
        if (w.chance(25)) w.spoil(false);
        if (w.chance(8)) w.kill_at_event(1 + w.roll(30));
        if (w.chance(2)) w.disk().fail_call(1 + w.roll(4), {EIO, disk_fault::effect::part});
        for (auto& database : w.databases()) {
            if (!database.is_up() && w.chance(50)) database.restart();
            if (w.chance(2)) database.linger_sessions();  // a host is lost, and nobody says so
            if (w.chance(20)) database.reap_sessions();
        }
        if (auto opened = work(w, h, number)) open.push_back(std::move(*opened));
        while (!open.empty() && !w.is_dead() && (open.size() > 3 || w.chance(60))) {
            std::swap(open[w.roll(open.size())], open.back());
            auto const said = end(w, open.back());
            h.answers[open.back().row] = said;
            ++h.count[said];
            open.pop_back();
        }
        if (w.chance(30)) w.pass_time(std::chrono::milliseconds{w.roll(2'000)});
        if (w.is_dead() || !w.current().engine->state().is_accepting) {
            open.clear();  // died with their process, unanswered
            w.disk().heal();
            w.start();
        }
    }
    open.clear();
    // What a failed force left in doubt is resolved by opening the log again.
    w.disk().heal();
    w.start();
    EXPECT_TRUE(w.settle(std::chrono::seconds{300}))
        << "seed " << seed << ": something is left though all is mended";
    check(w, h, seed);
    w.databases()[0].commit_foreign("somebody else's");  // throws when it is gone
    if (trace != nullptr) *trace = w.trace();
    return h;
}

TEST(Simulation, EveryHistoryIsAtomicAndEveryAnswerTrue)
{
    auto const first = setting("ASSENT_FIRST_SEED", 1);
    auto const seeds = setting("ASSENT_SEEDS", 200);
    auto const transactions = static_cast<int>(setting("ASSENT_TRANSACTIONS", 40));
    std::map<answer, int> count;
    std::map<assent::row_kind, int> decisions;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        auto const played = run(seed, transactions);
        for (auto const& [said, times] : played.count)
            count[said] += times;
        for (auto const& [kind, times] : played.decisions)
            decisions[kind] += times;
        if (HasFailure()) {
            FAIL() << "replay with ASSENT_FIRST_SEED=" << seed << " ASSENT_SEEDS=1";
        }
    }
    std::cout << seeds << " seeds x " << transactions
              << " transactions: " << count[answer::committed] << " committed, "
              << count[answer::rolled_back] << " rolled back, " << count[answer::unknown]
              << " killed or in doubt; rows left: " << decisions[assent::row_kind::commit]
              << " commit, " << decisions[assent::row_kind::abort] << " abort, "
              << decisions[assent::row_kind::horizon] << " horizon\n";
    // A simulation in which everything fails, or nothing does, shows nothing.
    EXPECT_GT(count[answer::committed], 0);
    EXPECT_GT(count[answer::rolled_back], 0);
    EXPECT_GT(count[answer::unknown], 0);
    EXPECT_GT(decisions[assent::row_kind::commit], 0);
    EXPECT_GT(decisions[assent::row_kind::abort], 0);
    EXPECT_GT(decisions[assent::row_kind::horizon], 0);
}

TEST(Simulation, TheSameSeedGivesTheSameHistory)
{
    std::uint64_t once = 0;
    std::uint64_t again = 0;

    run(42, 40, &once);
    run(42, 40, &again);

    EXPECT_EQ(once, again);
}

}  // namespace
