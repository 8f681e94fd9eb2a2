// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reason_test.cpp -- each reason of the table: how it comes about, what scan predicts for its sake,
// and that a recovery of the same log and databases then does just that.

#include "recovery/cli/reason.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <assent/testing.hpp>

#include "recovery/cli/json.hpp"
#include "recovery/cli/recover.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"
#include "tests/contract/forwarding_driver.hpp"
#include "tests/unit/cli/acting.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using namespace std::chrono_literals;
using assent::decision_place;
using assent::testing::branch_fate;
using assent::testing::driver_call;
using assent::testing::memory_database;
using assent::testing::memory_options;
using assent::testing::memory_resource_manager;
using assent::testing::personality;

constexpr int very_often = 1'000'000;

/// Says of listed branches that another account prepared them, or refuses to connect.
struct contrary_driver final : assent::contract::forwarding_driver
{
    using forwarding_driver::forwarding_driver;

    std::unique_ptr<assent::driver_session> connect(assent::session_purpose purpose,
                                                    assent::deadline until) override
    {
        if (!sqlstate.empty()) throw assent::driver_error{"the server says no", sqlstate};
        return under().connect(purpose, until);
    }
    assent::scan_result scan(assent::driver_session& manage, assent::deadline until) override
    {
        auto seen = under().scan(manage, until);
        for (auto const& id : seen.ours) {
            if (!account.empty()) seen.of_strangers.push_back({id, account});
        }
        return seen;
    }

    std::string sqlstate;
    std::string account;
};

/// A log, and two databases that it has bound: accounts is 1, orders is 2.
struct scene
{
    explicit scene(memory_options const& as = {}) : accounts(as), orders(as)
    {
        auto const log = desk.open_log();
        log->bind("accounts", "memory", accounts.identity());
        log->bind("orders", "memory", orders.identity());
        node = log->node();
        nonce = log->current().nonce;
        driver = std::make_shared<contrary_driver>(
            memory_resource_manager{"accounts", accounts}.driver());
    }

    std::vector<assent::resource_manager> all() const
    {
        std::vector<assent::resource_manager> both{assent::resource_manager{driver},
                                                   memory_resource_manager{"orders", orders}};
        both.resize(desk.from.databases.size(), both.front());
        return both;
    }
    assent::gtrid id(decision_place place = decision_place::log, std::uint16_t at = 0) const
    {
        return assent::gtrid::make({place, at, node, 1, nonce, 1});
    }
    static assent::xid branch(assent::gtrid const& of, std::uint16_t manager)
    {
        return {of, assent::bqual::make({manager, 1, 0})};
    }
    /// In accounts, of a transaction of this node.
    void prepare(assent::gtrid const& of, std::uint16_t manager = 1)
    {
        which = branch(of, manager);
        accounts.prepare_branch(which, "row", 7);
    }
    void decide(std::vector<std::uint16_t> const& managers)
    {
        assent::ports::decision what{id(), {}};
        for (auto const each : managers)
            what.branches.push_back(branch(id(), each).branch);
        auto const log = reopened();
        log->force(what, std::chrono::steady_clock::now() + 5s);
    }
    std::unique_ptr<assent::log::file_log> reopened() const { return desk.open_log(); }
    /// In orders.
    void put_row(assent::gtrid const& name, assent::row_kind kind, std::string const& content)
    {
        auto const rm = memory_resource_manager{"orders", orders};
        auto& of = *rm.driver();
        auto const until = std::chrono::steady_clock::now() + 5s;
        auto const session = of.connect(assent::session_purpose::manage, until);
        of.decisions()->ensure(*session, until);
        of.decisions()->prune(*session, {name, kind, content}, {}, until);
    }

    acting_desk desk;
    memory_database accounts;
    memory_database orders;
    std::shared_ptr<contrary_driver> driver;
    std::uint64_t node = 0;
    std::uint64_t nonce = 0;
    assent::xid which;
    std::shared_ptr<void> held{};  ///< what must live until the end
    std::size_t of_database = 0;   ///< which one's reason it is, where it is a database's
};

struct reason_case
{
    reason what;
    std::string action;  ///< empty: the reason is a database's
    std::function<void(scene&)> arrange;
    memory_options as{};
};

memory_options with_past()
{
    memory_options as;
    as.keeps_past = true;
    return as;
}

memory_options like_mariadb()
{
    memory_options as;
    as.acts_as = personality::mariadb;
    return as;
}

memory_options with_long_lease()
{
    memory_options as;
    as.guardian_lease = 600s;
    return as;
}

void in_row(scene& at, std::uint16_t place = 2)
{
    at.prepare(at.id(decision_place::commit_row, place));
}

/// Those that a scan of databases can find.
std::vector<reason_case> cases()
{
    return {
        {reason::decided, "commit",
         [](scene& at) {
             at.prepare(at.id());
             at.decide({1});
         }},
        {reason::decided_in_row, "commit",
         [](scene& at) {
             in_row(at);
             at.put_row(at.which.global, assent::row_kind::commit,
                        std::string{at.which.branch.text()});
         }},
        {reason::undecided, "roll back", [](scene& at) { at.prepare(at.id()); }},
        {reason::aborted_in_row, "roll back",
         [](scene& at) {
             in_row(at);
             at.put_row(at.which.global, assent::row_kind::abort, "");
         }},
        {reason::row_missing, "ask its row",
         [](scene& at) {
             auto parts = at.id(decision_place::commit_row, 2).parts();
             parts.sequence = 9;
             at.put_row(assent::gtrid::make(parts), assent::row_kind::abort, "");
             in_row(at);
         }},
        {reason::lost_with_past, "hazard",
         [](scene& at) {
             auto const before = at.accounts.backup();
             {
                 auto const log = at.reopened();
                 log->note_server_start(1, "1|history-0");
             }
             at.prepare(at.id());
             at.decide({1});
             at.accounts.restore(before);
         }},
        {reason::past_unknown, "wait",
         [](scene& at) {
             at.which = scene::branch(at.id(), 1);
             at.decide({1});
             at.accounts.script().on(driver_call::read_past).times(very_often).fail("locked");
         },
         with_past()},
        {reason::lock_elsewhere, "wait",
         [](scene& at) {
             at.prepare(at.id());
             auto const rm = memory_resource_manager{"accounts", at.accounts};
             auto& of = *rm.driver();
             auto const until = std::chrono::steady_clock::now() + 5s;
             std::shared_ptr<assent::driver_session> guardian =
                 of.connect(assent::session_purpose::guardian, until);
             ASSERT_TRUE(of.try_guard(*guardian, at.node, until));
             at.held = guardian;
         },
         with_long_lease()},
        {reason::twin_at_work, "wait",
         [](scene& at) {
             auto parts = at.id().parts();
             parts.nonce ^= 1;
             at.accounts.prepare_branch(scene::branch(assent::gtrid::make(parts), 1), "copy", 1);
             at.prepare(at.id());
         }},
        {reason::row_unread, "wait",
         [](scene& at) {
             in_row(at);
             at.orders.script().on(driver_call::list_decisions).times(very_often).fail("no right");
             at.orders.script().on(driver_call::fence_decision).times(very_often).fail("no right");
         }},
        {reason::row_unreadable, "wait",
         [](scene& at) {
             in_row(at);
             at.put_row(at.which.global, assent::row_kind::commit, "changed");
         }},
        {reason::row_given_up, "wait",
         [](scene& at) {
             in_row(at);
             auto const log = at.reopened();
             log->record(assent::log::retirement_record{2, 5'000, "ann", "it burnt"});
         }},
        {reason::row_unknown, "wait", [](scene& at) { in_row(at, 9); }},
        {reason::decided_elsewhere, "wait",
         [](scene& at) { at.prepare(at.id(decision_place::external)); }},
        {reason::of_other_account, "quarantine",
         [](scene& at) {
             at.driver->account = "eve";
             at.prepare(at.id());
             at.decide({1});
         }},
        {reason::session_stays, "commit",
         [](scene& at) {
             auto const rm = memory_resource_manager{"accounts", at.accounts};
             auto& of = *rm.driver();
             auto const until = std::chrono::steady_clock::now() + 5s;
             std::shared_ptr<assent::driver_session> session =
                 of.connect(assent::session_purpose::work, until);
             at.which = {at.id(), assent::bqual::make({1, 1, session->id()})};
             for (auto const what : {assent::verb::start, assent::verb::prepare}) {
                 session->submit(what, at.which);
                 ASSERT_TRUE(session->collect(until)->is_ok());
                 if (what != assent::verb::start) continue;
                 static_cast<assent::testing::memory_connection*>(session->native_handle())
                     ->set("row", 7);
             }
             auto const log = at.reopened();
             log->force({at.id(), {at.which.branch}}, until);
             at.held = session;
         },
         like_mariadb()},
        {reason::of_twin, "quarantine",
         [](scene& at) {
             auto parts = at.id().parts();
             parts.nonce ^= 1;
             at.prepare(assent::gtrid::make(parts));
         }},
        {reason::reappeared, "quarantine",
         [](scene& at) {
             at.prepare(at.id());
             at.reopened()->raise_horizon(1, {1, 5});
         }},
        {reason::not_voted, "quarantine",
         [](scene& at) {
             at.prepare(at.id());
             at.decide({2});
             at.orders.prepare_branch(scene::branch(at.id(), 2), "row", 7);
         }},
        {reason::unbound, "quarantine", [](scene& at) { at.prepare(at.id(), 9); }},
        {reason::misplaced, "quarantine", [](scene& at) { at.prepare(at.id(), 2); }},
        {reason::not_answering, "", [](scene& at) { at.accounts.crash_server(); }},
        {reason::login_refused, "", [](scene& at) { at.driver->sqlstate = "28P01"; }},
        {reason::right_missing, "", [](scene& at) { at.driver->sqlstate = "42501"; }},
        {reason::table_missing, "", [](scene& at) { at.driver->sqlstate = "42P01"; }},
        {reason::standby, "", [](scene& at) { at.accounts.set_writable(false); }},
        {reason::other_database, "", [](scene& at) { at.accounts.set_identity("another"); }},
        {reason::bound_twice, "",
         [](scene& at) {
             at.accounts.set_identity("another");
             at.orders.set_identity(at.desk.seen().image.bindings().at(1).identity);
             at.of_database = 1;
         }},
        {reason::not_configured, "",
         [](scene& at) {
             at.desk.from.databases.pop_back();
             at.of_database = 1;
         }},
    };
}

struct seen_reason
{
    explanation because;
    std::string action;
};

/// What was predicted of the branch, or said of the database.
std::optional<seen_reason> find(scene const& at, reason_case const& of, scan_report const& told)
{
    if (of.action.empty()) {
        auto const& problem = told.databases.at(at.of_database).problem;
        return seen_reason{problem, ""};
    }
    for (auto const* const list : {&told.databases[0].branches, &told.databases[0].missing}) {
        for (auto const& each : *list) {
            if (each.id == at.which) return seen_reason{each, each.action};
        }
    }
    return std::nullopt;
}

/// What a recovery has done with the branch, in the words of a prediction.
std::string done_with(scene const& at, recover_report const& told)
{
    auto const& hazards = told.status.heuristics;
    if (std::any_of(hazards.begin(), hazards.end(),
                    [&](auto const& each) { return each.branch == at.which; })) {
        return "hazard";
    }
    if (at.accounts.fate(at.which) == branch_fate::committed) return "commit";
    if (at.accounts.fate(at.which) == branch_fate::rolled_back) return "roll back";
    bool const is_named = std::any_of(
        told.quarantined.begin(), told.quarantined.end(),
        [&](auto const& each) { return each.find(at.which.text()) != std::string::npos; });
    // What names a database that another server has is seen once both are known.
    auto const& left = told.scan.databases[0].branches;
    bool const is_left = std::any_of(left.begin(), left.end(), [&](auto const& each) {
        return each.id == at.which && each.action == "quarantine";
    });
    return is_named || is_left ? "quarantine" : "wait";
}

recover_options hasty(std::string const& action)
{
    recover_options how;
    how.presumed_abort_delay = 0ms;
    bool const is_ended = action == "commit" || action == "roll back" || action == "ask its row" ||
                          action == "hazard";
    how.timeout = is_ended ? 30s : 2s;
    return how;
}

TEST(Reason, OfEachScanPredictsWhatARecoveryThenDoes)
{
    for (auto const& of : cases()) {
        SCOPED_TRACE(std::string{name_of(of.what)});
        scene at{of.as};
        of.arrange(at);

        auto const seen = scan(at.desk.from, at.all());
        auto const predicted = find(at, of, seen.report);

        ASSERT_TRUE(predicted.has_value()) << in_words(seen.report, painter{false});
        EXPECT_EQ(name_of(predicted->because.what), name_of(of.what));
        EXPECT_EQ(predicted->action, of.action);
        EXPECT_THAT(predicted->because.why, ::testing::Not(::testing::HasSubstr("{")));
        EXPECT_FALSE(predicted->because.by_itself.empty());
        EXPECT_FALSE(predicted->because.for_a_person.empty());
        EXPECT_NE(seen.report.code, exit_code::fine);
        auto const words = in_words(seen.report, painter{false});
        EXPECT_THAT(words, ::testing::HasSubstr(predicted->because.by_itself));
        EXPECT_THAT(words, ::testing::HasSubstr(predicted->because.for_a_person));
        EXPECT_THAT(in_json(seen.report), ::testing::HasSubstr(std::string{name_of(of.what)}));

        auto const told = recover(at.desk.from, hasty(of.action), at.all());

        if (of.action.empty()) {
            EXPECT_FALSE(told.scan.databases.at(at.of_database).is_conclusive);
            EXPECT_EQ(name_of(told.scan.databases.at(at.of_database).problem.what),
                      name_of(of.what));
        } else {
            // A row that nobody has written meanwhile is answered by the abort row.
            auto const expected = of.action == "ask its row" ? "roll back" : of.action;
            EXPECT_EQ(done_with(at, told), expected) << in_words(told, painter{false});
        }
        EXPECT_EQ(told.code == exit_code::fine,
                  of.action == "commit" || of.action == "roll back" || of.action == "ask its row")
            << in_words(told, painter{false});
    }
}

/// Those that only the log, or a recovery under way, can tell, and the tests that see them.
std::set<reason> const of_others{reason::none,
                                 reason::due,
                                 reason::of_live_process,
                                 reason::older_sessions,
                                 reason::salvaged,
                                 reason::server_refused,
                                 reason::not_confirmed,
                                 reason::heuristic,
                                 reason::binding_lost,
                                 reason::given_up,
                                 reason::only_application};

TEST(Reason, EachIsWalkedOrNamedAsOneThatAScanCannotFind)
{
    auto walked = of_others;
    for (auto const& of : cases())
        EXPECT_TRUE(walked.insert(of.what).second) << name_of(of.what);
    EXPECT_EQ(walked.size(), static_cast<std::size_t>(last_reason) + 1);
}

TEST(Reason, NamesAreUniqueAndSayNothingTwice)
{
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(last_reason); ++i)
        EXPECT_TRUE(names.insert(name_of(static_cast<reason>(i))).second);
}

TEST(Reason, ALiveProcessIsNamedAndNobodyIsAskedToStartOne)
{
    auto const owned = explain(reason::decided, "process 4711");
    auto const idle = explain(reason::decided, "");

    EXPECT_EQ(owned.by_itself, "process 4711 commits it");
    EXPECT_EQ(owned.for_a_person, "nothing");
    EXPECT_THAT(idle.by_itself, ::testing::HasSubstr("assent recover"));
    EXPECT_EQ(idle.for_a_person, "start the application, or run assent recover");
}

TEST(Reason, WhatWasSeenIsNotTakenForAPlace)
{
    auto const told = explain(reason::not_answering, "", "{recovery} {start} {}");

    EXPECT_EQ(told.why, "it could not be asked: {recovery} {start} {}");
}

}  // namespace
