// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outcomes_test.cpp -- docs/reference/outcomes.md, row by row: each row is made to happen, and the
// page must say what was answered.  A row without a scenario, or the reverse, is a failure.

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>

#include "tests/unit/engine/engine_fixture.hpp"

namespace {

using namespace engine_test;
using assent::testing::disk_fault;

constexpr std::uint64_t next_force = 2;

/// What the user was told, in the words of the page.
struct told
{
    std::string answer;
    bool is_retryable = false;
    std::string known;
    std::string after;
};

template <class End>
std::string in_words(End&& end, bool& is_retryable)
{
    try {
        switch (end()) {
            case outcome::committed:
                return "returns `committed`";
            case outcome::committed_pending:
                return "returns `committed_pending`";
            default:
                return "returns `rolled_back`";
        }
    } catch (assent::rolled_back_error const& e) {
        is_retryable = e.is_retryable();
        return is_retryable ? "`rolled_back_error`" : "`rolled_back_error`, not retryable";
    } catch (assent::heuristic_error const& e) {
        is_retryable = e.is_retryable();
        return "`heuristic_error`";
    } catch (assent::in_doubt_error const& e) {
        is_retryable = e.is_retryable();
        static char const* const names[] = {"?", "recovery", "database", "nobody"};
        return std::string{"`in_doubt_error`, `resolver::"} +
               names[static_cast<int>(e.resolved_by())] + '`';
    }
}

std::string in_words(known_outcome what)
{
    static char const* const names[] = {"unknown", "pending", "committed", "rolled back"};
    return names[static_cast<int>(what)];
}

std::string in_words(status what)
{
    if (what == status::committed) return "committed";
    return what == status::rolled_back ? "rolled back" : "unknown";
}

enum class end_by { commit, rollback };

struct scenario
{
    std::string row;  // the first cell of the page's table
    told expected;
    personality acts_as;
    std::function<transaction(world&)> work;  // ready for its end, and the fault is set
    end_by how = end_by::commit;
};

transaction with_fault(world& at, verb what, xa_code code)
{
    auto tx = at.begin_work();
    at.accounts.db.script().on(what).reply(code);
    return tx;
}

transaction one_phase(world& at)
{
    auto tx = at.begin();
    tx.on(at.accounts)->set("row", 1);
    return tx;
}

/// Over both databases, decided by a row in accounts.
transaction by_row(world& at)
{
    auto const how = assent::begin_options{}.commit_row(at.accounts.rm);
    at.begin(how).rollback();
    at.step();  // makes the table
    return at.begin_work("row", how);
}

std::vector<scenario> scenarios_of_rows()
{
    using p = personality;
    told const committed{"returns `committed`", false, "committed", "committed"};
    return {
        {"a commit row decided", committed, p::plain, by_row},
        {"the commit with the row was refused; every rollback confirmed",
         {"`rolled_back_error`", true, "rolled back", "rolled back"},
         p::plain,
         [](world& at) {
             auto tx = by_row(at);
             at.accounts.db.script().on(verb::commit_one_phase).reply(xa_code::rbdeadlock);
             return tx;
         }},
        {"the commit with the row was refused; every rollback confirmed",
         {"`rolled_back_error`, not retryable", false, "rolled back", "rolled back"},
         p::plain,
         [](world& at) {
             auto tx = by_row(at);
             at.accounts.db.script().on(verb::commit_one_phase).reply(xa_code::rbintegrity);
             return tx;
         }},
        {"the reply to the commit with the row was lost, and the row says commit", committed,
         p::plain,
         [](world& at) {
             auto tx = by_row(at);
             at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
             return tx;
         }},
        {"... and the row was not there: an abort row was inserted first",
         {"`rolled_back_error`, not retryable", false, "rolled back", "rolled back"},
         p::plain,
         [](world& at) {
             auto tx = by_row(at);
             at.accounts.db.script().on(verb::commit_one_phase).lose_before_effect();
             return tx;
         }},
        {"... and the row could not be asked in time",
         {"`in_doubt_error`, `resolver::recovery`", false, "pending", "unknown"},
         p::plain,
         [](world& at) {
             auto tx = by_row(at);
             at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
             at.accounts.db.script().on(driver_call::fence_decision).times(1000).fail();
             return tx;
         }},
    };
}

std::vector<scenario> scenarios_of_commit()
{
    using p = personality;
    told const committed{"returns `committed`", false, "committed", "committed"};
    told const undone{"`rolled_back_error`, not retryable", false, "rolled back", "rolled back"};
    told const retryable{"`rolled_back_error`", true, "rolled back", "rolled back"};
    return {
        {"every branch committed", committed, p::plain, [](world& at) { return at.begin_work(); }},
        {"decided; nobody wants to wait (`commit_return::decision_logged`)",
         {"returns `committed_pending`", false, "committed", "committed"},
         p::plain,
         [](world& at) {
             auto how = assent::begin_options{};
             how.commit_return(assent::commit_return::decision_logged);
             return at.begin_work("row", how);
         }},
        {"decided; a branch has yet to confirm",
         {"returns `committed_pending`", false, "committed", "committed"},
         p::plain,
         [](world& at) {
             auto tx = at.begin_work();
             at.accounts.db.script().on(verb::commit).lose_before_effect();
             return tx;
         }},
        {"no branch at all, or only read-only ones", committed, p::plain,
         [](world& at) { return at.begin(); }},
        {"no branch at all, or only read-only ones", committed, p::plain,
         [](world& at) {
             auto tx = at.begin();
             at.engine->lease(*tx.tx, at.accounts.rm, assent::access::read_only);
             at.engine->lease(*tx.tx, at.orders.rm, assent::access::read_only);
             return tx;
         }},
        {"a branch voted no; every rollback confirmed", retryable, p::plain,
         [](world& at) { return with_fault(at, verb::prepare, xa_code::rbdeadlock); }},
        {"a branch voted no; every rollback confirmed", undone, p::plain,
         [](world& at) { return with_fault(at, verb::prepare, xa_code::rbintegrity); }},
        {"a branch voted no; a rollback not confirmed", undone, p::plain,
         [](world& at) {
             auto tx = with_fault(at, verb::prepare, xa_code::rbdeadlock);
             at.orders.db.script().on(verb::rollback).lose_before_effect();
             return tx;
         }},
        {"rollback-only, by `set_rollback_only()` or a callback", undone, p::plain,
         [](world& at) {
             auto tx = at.begin_work();
             tx.tx->mark_rollback_only({"set_rollback_only()", false});
             return tx;
         }},
        {"rollback-only, by `set_rollback_only()` or a callback", undone, p::plain,
         [](world& at) {
             auto tx = at.begin_work();
             tx.tx->synchronizations.push_back({[] { throw std::runtime_error{"no"}; }, {}});
             return tx;
         }},
        {"the deadline passed before the decision was handed to the log", undone, p::plain,
         [](world& at) {
             auto tx = at.begin_work("row", assent::begin_options{}.timeout(1s));
             at.orders.db.script().on(verb::prepare).delay(999ms);
             at.clock->pass(at.clock->now() + 1ms);
             return tx;
         }},
        {"a guardian lost its lock before the decision", undone, p::plain,
         [](world& at) {
             auto tx = at.begin_work();
             at.accounts.db.script().on(driver_call::heartbeat).fail();
             at.accounts.db.script().on(driver_call::guard).times(1000).fail("held by a copy");
             at.run_for(3s);
             return tx;
         }},
        {"nothing of the decision reached the log", undone, p::plain,
         [](world& at) {
             auto first = at.begin_work("first");
             auto tx = at.begin_work();
             at.disk->fail_call(next_force, {EIO, disk_fault::effect::none});
             EXPECT_THROW(first.commit(), assent::in_doubt_error) << "it poisons the log";
             return tx;
         }},
        {"the force failed, or did not end in time",
         {"`in_doubt_error`, `resolver::recovery`", false, "pending", "unknown"},
         p::plain,
         [](world& at) {
             auto tx = at.begin_work();
             at.disk->fail_call(next_force, {EIO, disk_fault::effect::none});
             return tx;
         }},
        {"one phase, reply lost, the server still knows", committed, p::postgresql,
         [](world& at) {
             auto tx = one_phase(at);
             at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
             return tx;
         }},
        {"one phase, reply lost, the server still knows", retryable, p::postgresql,
         [](world& at) {
             auto tx = one_phase(at);
             at.accounts.db.script().on(verb::commit_one_phase).lose_before_effect();
             return tx;
         }},
        {"one phase, reply lost, the server cannot be reached",
         {"`in_doubt_error`, `resolver::database`", false, "unknown", "unknown"},
         p::postgresql,
         [](world& at) {
             auto tx = one_phase(at);
             at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
             at.accounts.db.script().on(driver_call::ask_witness).times(1000).fail();
             return tx;
         }},
        {"one phase, reply lost, the server cannot know",
         {"`in_doubt_error`, `resolver::nobody`", false, "unknown", "unknown"},
         p::plain,
         [](world& at) {
             auto tx = one_phase(at);
             at.accounts.db.script().on(verb::commit_one_phase).lose_after_effect();
             return tx;
         }},
        {"one phase, reply lost, the server cannot know",  // it was asked, and has no idea
         {"`in_doubt_error`, `resolver::nobody`", false, "unknown", "unknown"},
         p::postgresql,
         [](world& at) {
             auto tx = one_phase(at);
             assent::reply lost;
             lost.code = xa_code::rmfail;
             lost.detail = assent::reply_detail::reply_lost;
             lost.witness = "of an earlier life of the server";
             at.accounts.db.script().on(verb::commit_one_phase).reply_after_effect(lost);
             return tx;
         }},
        {"a branch left behind our back (the user's own COMMIT, a silent reconnect)",
         {"`heuristic_error`", false, "unknown", "unknown"},
         p::plain,
         [](world& at) {
             auto tx = at.begin_work();
             tx.on(at.accounts)->commit();
             return tx;
         }},
        {"a database decided against the decision (XA_HEUR*, RMERR on commit)",
         {"`heuristic_error`", false, "committed", "unknown"},
         p::plain,
         [](world& at) { return with_fault(at, verb::commit, xa_code::heurrb); }},
        {"a database decided against the decision (XA_HEUR*, RMERR on commit)",
         {"`heuristic_error`", false, "committed", "unknown"},
         p::plain,
         [](world& at) { return with_fault(at, verb::commit, xa_code::rmerr); }},
    };
}

std::vector<scenario> scenarios_of_rollback()
{
    told const undone{"returns `rolled_back`", false, "rolled back", "rolled back"};
    told const damage{"`heuristic_error`", false, "unknown", "unknown"};
    auto const p = personality::plain;
    return {
        {"every branch rolled back", undone, p, [](world& at) { return at.begin_work(); },
         end_by::rollback},
        {"a branch has yet to confirm; it can never commit", undone, p,
         [](world& at) {
             auto tx = at.begin_work();
             at.accounts.db.script().on(verb::rollback).lose_before_effect();
             return tx;
         },
         end_by::rollback},
        {"a branch was committed, or left behind our back", damage, p,
         [](world& at) { return with_fault(at, verb::rollback, xa_code::heurcom); },
         end_by::rollback},
        {"a branch was committed, or left behind our back", damage, p,
         [](world& at) {
             auto tx = at.begin_work();
             tx.on(at.accounts)->commit();
             return tx;
         },
         end_by::rollback},
    };
}

std::vector<scenario> scenarios()
{
    auto all = scenarios_of_commit();
    for (auto const& more : {scenarios_of_rows(), scenarios_of_rollback()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

told play(scenario const& each)
{
    world at{each.acts_as};
    auto tx = each.work(at);
    told heard;
    tx.tx->synchronizations.push_back(
        {{}, [&heard](status what) { heard.after = in_words(what); }});
    heard.answer =
        in_words([&] { return each.how == end_by::commit ? tx.commit() : tx.rollback(); },
                 heard.is_retryable);
    heard.known = in_words(at.engine->outcome(tx.id()));
    return heard;
}

/// The rows of both tables of the page, by their first cell.
std::map<std::string, std::vector<std::string>> rows_of_the_page()
{
    std::ifstream in{ASSENT_ROOT "/docs/reference/outcomes.md"};
    std::map<std::string, std::vector<std::string>> rows;
    std::regex const blanks{"^ +| +$"};
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("| ", 0) != 0 || line.rfind("| what happened", 0) == 0) continue;
        std::vector<std::string> cells;
        for (std::size_t at = 1; at < line.size();) {
            auto const end = std::min(line.find('|', at), line.size());
            cells.push_back(std::regex_replace(line.substr(at, end - at), blanks, ""));
            at = end + 1;
        }
        rows.emplace(cells.front(), cells);
    }
    return rows;
}

TEST(Outcomes, EveryRowOfThePageIsPlayedAndNoOther)
{
    std::set<std::string> played;
    for (auto const& each : scenarios())
        played.insert(each.row);
    std::set<std::string> written;
    for (auto const& [name, cells] : rows_of_the_page())
        written.insert(name);

    EXPECT_EQ(played, written);
}

TEST(Outcomes, AreAnsweredAsExpected)
{
    for (auto const& each : scenarios()) {
        SCOPED_TRACE(each.row);

        auto const heard = play(each);

        EXPECT_EQ(heard.answer, each.expected.answer);
        EXPECT_EQ(heard.is_retryable, each.expected.is_retryable);
        EXPECT_EQ(heard.known, each.expected.known);
        EXPECT_EQ(heard.after, each.expected.after);
    }
}

TEST(Outcomes, ArePrintedAsTheyAreAnswered)
{
    auto const page = rows_of_the_page();
    for (auto const& each : scenarios()) {
        SCOPED_TRACE(each.row);
        auto const at = page.find(each.row);
        if (at == page.end()) continue;  // told above
        auto const& cells = at->second;
        if (cells.at(1) == "as the server says") continue;

        // A row for several causes names the class alone, and says when it is retryable.
        bool const may_be_retryable =
            cells.size() > 2 && cells[2].rfind("if `is_retryable()`", 0) == 0;
        EXPECT_EQ(
            cells[1].rfind(may_be_retryable ? "`rolled_back_error`" : each.expected.answer, 0), 0u)
            << cells[1];
        EXPECT_TRUE(may_be_retryable || !each.expected.is_retryable);
        if (each.how == end_by::rollback) continue;
        ASSERT_EQ(cells.size(), 5u);
        EXPECT_NE(cells[3].find(each.expected.known), std::string::npos) << cells[3];
        EXPECT_EQ(cells[4], each.expected.after);
    }
}

}  // namespace
