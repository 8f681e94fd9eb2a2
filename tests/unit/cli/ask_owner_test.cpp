// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What a person decides while the application runs: it does that itself, and answers; and what lies
// in its way.

#include "recovery/cli/ask_owner.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "recovery/box_file.hpp"
#include "recovery/cli/forget.hpp"
#include "recovery/cli/resolve.hpp"
#include "recovery/cli/retire.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/forgetting.hpp"
#include "tests/unit/cli/acted_on.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using namespace std::chrono_literals;
using assent::recovery::box_directory;
using assent::recovery::box_kind;
using assent::testing::branch_fate;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class heard final : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        std::lock_guard const held{mutex_};
        all_.emplace_back(what.name);
        if (strike_ == what.name) throw_away_();
    }
    int count(std::string const& name) const
    {
        std::lock_guard const held{mutex_};
        return static_cast<int>(std::count(all_.begin(), all_.end(), name));
    }
    /// Calls that once it is told of `name`.
    void when(std::string name, std::function<void()> act)
    {
        std::lock_guard const held{mutex_};
        strike_ = std::move(name);
        throw_away_ = std::move(act);
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> all_;
    std::string strike_;
    std::function<void()> throw_away_;
};

/// A branch that only a person may decide, in orders: the log does not know the database of its id;
/// and a heuristic outcome in accounts.
class AskOwner : public acted_on
{
protected:
    AskOwner()
    {
        auto const log = desk_.open_log();
        log->bind("accounts", "memory", accounts_.identity());
        log->bind("orders", "memory", orders_.identity());
        id_ = assent::gtrid::make(
            {assent::decision_place::log, 0, log->node(), 1, log->current().nonce, 1});
        strange_ = branch(id_, 77);
        orders_.prepare_branch(strange_, "order", 7);
        hazard_ = branch(id_, 1);
        log->record(assent::ports::heuristic_record{hazard_, "accounts", assent::xa_code::heurhaz,
                                                    "it was missing", 5'000});
    }

    /// A manager that has no databases yet.
    void start(std::chrono::milliseconds presumed_abort_delay = 0ms)
    {
        assent::limits bounds;
        bounds.presumed_abort_delay = presumed_abort_delay;
        tm_.emplace(assent::options{}
                        .log_directory(desk_.from.log_directory)
                        .node_label("shop")
                        .observe(seen_)
                        .limits(bounds));
    }
    void add_all()
    {
        for (auto const& each : all())
            tm_->add_any(each);
    }
    void open(std::chrono::milliseconds presumed_abort_delay = 0ms)
    {
        start(presumed_abort_delay);
        add_all();
        auto const until = std::chrono::steady_clock::now() + 30s;
        while (tm_->state().quarantined.empty() && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(5ms);
        ASSERT_THAT(tm_->state().quarantined, SizeIs(1));
    }

    static act_options asking()
    {
        auto how = acting_desk::confirmed();
        how.owner_wait = 60s;
        return how;
    }
    act_report end(bool is_commit, act_options const& how = asking()) const
    {
        return resolve(desk_.from, {strange_.text(), "orders", is_commit}, how, all());
    }
    act_report forget_it(act_options const& how = asking()) const
    {
        return forget(desk_.from, {std::string{id_.text()}, ""}, how);
    }
    /// The files in the log's directory that belong to requests.
    std::set<std::string> left() const
    {
        std::set<std::string> names;
        for (auto const& each : std::filesystem::directory_iterator(desk_.from.log_directory)) {
            auto const name = each.path().filename().string();
            if (name.find("seg") == std::string::npos && name != "lock") names.insert(name);
        }
        return names;
    }
    std::string path(std::string const& name) const
    {
        return desk_.from.log_directory + "/" + name;
    }

    std::shared_ptr<heard> seen_ = std::make_shared<heard>();
    std::optional<assent::transaction_manager> tm_;
    assent::gtrid id_;
    assent::xid strange_;
    assent::xid hazard_;
};

TEST_F(AskOwner, TheApplicationEndsABranchAndForgetsWhatIsOnRecord)
{
    open();

    auto const ended = end(false);

    EXPECT_EQ(ended.code, exit_code::fine);
    EXPECT_TRUE(ended.has_acted);
    EXPECT_EQ(ended.epoch, tm_->state().epoch);
    EXPECT_THAT(ended.plan.front(), HasSubstr("owns the log: it is asked to do what follows"));
    EXPECT_THAT(ended.done, HasSubstr("of \"orders\" is rolled back"));
    EXPECT_EQ(orders_.fate(strange_), branch_fate::rolled_back);
    EXPECT_THAT(tm_->state().quarantined, IsEmpty());
    EXPECT_EQ(tm_->outcome(id_), assent::known_outcome::unknown);
    auto const view = desk_.seen();
    ASSERT_THAT(view.image.operator_records(), SizeIs(1));
    EXPECT_EQ(view.image.operator_records().front().who, "uid 1000 (ann)");
    EXPECT_THAT(view.image.heuristics(), SizeIs(3)) << "a hazard, and what it became";

    auto const forgotten = forget_it();

    EXPECT_EQ(forgotten.code, exit_code::fine);
    EXPECT_THAT(forgotten.done, HasSubstr("3 heuristic outcomes are forgotten"));
    EXPECT_THAT(desk_.seen().image.heuristics(), SizeIs(0));
    EXPECT_EQ(tm_->state().heuristics, 0u);
    EXPECT_EQ(seen_->count("request.carried_out"), 2);
    EXPECT_THAT(left(), IsEmpty());
    EXPECT_THAT(forget_it().done, HasSubstr("it was forgotten before, by uid 1000 (ann)"));
    EXPECT_EQ(refused([&] { end(true); }).code(), exit_code::misused);
}

TEST_F(AskOwner, TheRecordIsDurableBeforeAnythingIsSent)
{
    open();
    std::size_t records = 0;
    auto fate = branch_fate::never_seen;
    seen_->when("request.send", [&] {
        records = desk_.seen().image.operator_records().size();
        fate = orders_.fate(strange_);
    });

    EXPECT_EQ(end(true).code, exit_code::fine);

    EXPECT_EQ(records, 1u);
    EXPECT_EQ(fate, branch_fate::prepared);
    EXPECT_EQ(orders_.fate(strange_), branch_fate::committed);
}

TEST_F(AskOwner, ADryRunShowsThePlanAndAsksNobody)
{
    open();
    auto how = asking();
    how.is_dry_run = true;

    auto const dry = end(false, how);

    EXPECT_EQ(dry.code, exit_code::fine);
    EXPECT_THAT(dry.plan, SizeIs(5));
    EXPECT_FALSE(dry.has_acted);
    EXPECT_EQ(orders_.fate(strange_), branch_fate::prepared);
    EXPECT_EQ(seen_->count("request.taken"), 0);
    EXPECT_THAT(forget_it(how).plan, SizeIs(2));
    EXPECT_THAT(desk_.seen().image.operator_records(), SizeIs(0));
}

TEST_F(AskOwner, WhoeverTakesNoRequestsIsNotWaitedForAndNothingIsDone)
{
    auto const owner = desk_.open_log();
    auto how = asking();
    how.owner_wait = 100ms;

    auto const why = refused([&] { forget_it(how); });

    EXPECT_EQ(why.code(), exit_code::owned);
    EXPECT_THAT(why.what(), HasSubstr("it was withdrawn, and nothing was done"));
    EXPECT_THAT(left(), IsEmpty());
    EXPECT_THAT(owner->heuristics(), SizeIs(1));
}

TEST_F(AskOwner, WhoeverTookItAndDoesNotAnswerMayYetDoIt)
{
    auto const owner = desk_.open_log();
    auto how = asking();
    how.owner_wait = 200ms;
    box_directory box{desk_.from.log_directory};
    how.on_step = [&](std::string const& step) {
        if (step != "asked") return;
        for (auto const& id : box.ids(box_kind::request))
            box.rename(box_kind::request, box_kind::taken, id);
    };

    auto const why = refused([&] { forget_it(how); });

    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(why.what(), HasSubstr("may yet be"));
}

TEST_F(AskOwner, AnOwnerThatEndsIsNotWaitedFor)
{
    auto owner = desk_.open_log();
    auto how = asking();
    how.on_step = [&](std::string const& step) {
        if (step == "asked") owner.reset();
    };

    auto const why = refused([&] { forget_it(how); });

    EXPECT_EQ(why.code(), exit_code::failed);
    EXPECT_THAT(why.what(), HasSubstr("has ended; the request was withdrawn"));
    EXPECT_THAT(left(), IsEmpty());
}

TEST_F(AskOwner, AnInterruptWithdrawsIt)
{
    auto const owner = desk_.open_log();
    auto how = asking();
    how.is_interrupted = [] { return true; };
    EXPECT_EQ(refused([&] { forget_it(how); }).code(), exit_code::owned);
    EXPECT_THAT(left(), IsEmpty());
}

TEST_F(AskOwner, WhateverEndsTheWaitWithdrawsItOrSaysThatItMayBeDone)
{
    auto const owner = desk_.open_log();
    box_directory box{desk_.from.log_directory};
    for (bool const is_taken : {false, true}) {
        auto how = asking();
        how.on_step = [&](std::string const& step) {
            if (!is_taken || step != "asked") return;
            for (auto const& id : box.ids(box_kind::request))
                box.rename(box_kind::request, box_kind::taken, id);
        };
        how.is_interrupted = []() -> bool { throw std::runtime_error{"the disk failed"}; };

        auto const why = refused([&] { forget_it(how); });

        EXPECT_EQ(why.code(), is_taken ? exit_code::attention : exit_code::failed);
        EXPECT_THAT(why.what(), HasSubstr(is_taken ? "may have been done" : "nothing was done"));
        EXPECT_THAT(left(), SizeIs(is_taken ? 1 : 0));
    }
}

TEST_F(AskOwner, AnAnswerThatIsNoneIsNoSuccess)
{
    auto const owner = desk_.open_log();
    auto how = asking();
    box_directory box{desk_.from.log_directory};
    how.on_step = [&](std::string const& step) {
        if (step != "asked") return;
        for (auto const& id : box.ids(box_kind::request))
            box.write(box_kind::answer, id, "done, believe me");
    };
    EXPECT_EQ(refused([&] { forget_it(how); }).code(), exit_code::attention);
}

TEST_F(AskOwner, TwoAtOnceAreBothCarriedOut)
{
    open();
    act_report other;
    std::thread second{[&] { other = forget(desk_.from, {hazard_.text(), ""}, asking()); }};

    auto const one = end(false);
    second.join();

    EXPECT_TRUE(one.has_acted);
    EXPECT_TRUE(other.has_acted);
    EXPECT_EQ(orders_.fate(strange_), branch_fate::rolled_back);
}

TEST_F(AskOwner, WhatIsNoRequestIsAnsweredOrLeftAloneAndHoldsUpNobody)
{
    open();
    auto const number = [](int n) {
        auto text = std::to_string(n);
        return std::string(16 - text.size(), '0') + text;
    };
    // Ten thousand that nobody believes, and as many names that are none.
    for (int n = 0; n < 10'000; ++n) {
        auto const name = path("request." + number(n));
        if (n % 2 == 0) {
            ASSERT_EQ(::symlink("lock", name.c_str()), 0);
        } else {
            ASSERT_EQ(::mkdir(name.c_str(), 0700), 0);
        }
    }
    {
        box_directory box{desk_.from.log_directory};
        box.write(box_kind::request, "ffffffffffffffff", "garbage");
        box.write(box_kind::answer, "aaaaaaaaaaaaaaaa", "a stale answer");
    }

    EXPECT_TRUE(end(false).has_acted);

    EXPECT_EQ(orders_.fate(strange_), branch_fate::rolled_back);
    EXPECT_GT(seen_->count("request.ignored"), 0);
    EXPECT_LE(seen_->count("request.ignored"), 64);
}

TEST_F(AskOwner, GarbageIsAnsweredAndATransactionOfOthersRefused)
{
    open();
    box_directory box{desk_.from.log_directory};
    assent::recovery::request what;
    what.transaction = std::string{id_.text()};
    what.until_ms = unix_ms_now() + 600'000;
    auto const answered = [&](std::string const& text) {
        std::string const id = "00000000000000aa";
        box.write(box_kind::request, id, text);
        auto const until = std::chrono::steady_clock::now() + 30s;
        while (!box.read(box_kind::answer, id).is_there) {
            if (std::chrono::steady_clock::now() > until) return assent::recovery::answer{};
            std::this_thread::sleep_for(10ms);
        }
        auto const said = assent::recovery::parse_answer(box.read(box_kind::answer, id).text);
        while (box.read(box_kind::taken, id).is_there)
            std::this_thread::sleep_for(1ms);
        box.remove(box_kind::answer, id);
        return std::get<assent::recovery::answer>(said);
    };
    using assent::recovery::act_status;

    EXPECT_THAT(answered("garbage").text, HasSubstr("this is no request"));
    what.seen = "0000000000000000";
    auto const unread = answered(text_of(what));
    EXPECT_EQ(unread.status, act_status::attention);
    EXPECT_THAT(unread.text, HasSubstr("nobody has read that"));
    what.resource_manager = "ledger";
    EXPECT_EQ(answered(text_of(what)).status, act_status::misused);
    what.deed = assent::recovery::request_deed::resolve;
    // The application may yet add that one; nobody else waits for it.
    box.write(box_kind::request, "00000000000000a1", text_of(what));
    what.resource_manager = "orders";
    auto parts = id_.parts();
    parts.nonce ^= 1;
    what.transaction = std::string{assent::gtrid::make(parts).text()};
    EXPECT_THAT(answered(text_of(what)).text, HasSubstr("no opening of this log"));
    what.transaction = strange_.text();
    what.seen = "follows";
    EXPECT_THAT(answered(text_of(what)).text, HasSubstr("changed meanwhile"));
    what.until_ms = unix_ms_now() - 1;
    EXPECT_THAT(answered(text_of(what)).text, HasSubstr("its time was over"));
    EXPECT_TRUE(box.read(box_kind::request, "00000000000000a1").is_there);
    EXPECT_EQ(orders_.fate(strange_), branch_fate::prepared);
    EXPECT_THAT(desk_.seen().image.operator_records(), SizeIs(0));
    EXPECT_THAT(tm_->state().quarantined, SizeIs(1));
}

TEST_F(AskOwner, WhatTheApplicationItselfEndsIsRefused)
{
    open(1h);  // the branch is of no transaction that lives, and recovery would end it
    auto const orders = assent::testing::memory_resource_manager{"orders", orders_};
    auto const live =
        assent::gtrid::make({assent::decision_place::log, 0, desk_.seen().newest.writer.node,
                             tm_->state().epoch, desk_.seen().newest.writer.nonce, 9});
    orders_.prepare_branch(branch(live, 2), "theirs", 1);

    auto const why = refused([&] {
        resolve(desk_.from, {std::string{live.text()}, "orders", false}, asking(), all());
    });

    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(why.what(), HasSubstr("in its present run"));
    EXPECT_EQ(refused([&] { retire(desk_.from, "orders", asking(), all()); }).code(),
              exit_code::owned);
}

TEST_F(AskOwner, WhatAnOwnerTookBeforeItDiedTheNextOneAnswers)
{
    assent::recovery::request what;
    what.transaction = std::string{id_.text()};
    what.seen = assent::recovery::marks_of(desk_.open_log()->heuristics());
    what.until_ms = unix_ms_now() + 60'000;
    what.who = "uid 1000 (ann)";
    what.why = "compared";
    {
        box_directory box{desk_.from.log_directory};
        box.write(box_kind::taken, "00000000000000aa", text_of(what));
        // This one was answered, and only its own file was left.
        box.write(box_kind::taken, "00000000000000bb", text_of(what));
        box.write(box_kind::answer, "00000000000000bb", "of before");
    }
    open();
    box_directory box{desk_.from.log_directory};
    auto const until = std::chrono::steady_clock::now() + 30s;
    while (!box.ids(box_kind::taken).empty() && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(5ms);

    EXPECT_THAT(box.read(box_kind::answer, "00000000000000aa").text,
                HasSubstr("1 heuristic outcome is forgotten"));
    EXPECT_EQ(box.read(box_kind::answer, "00000000000000bb").text, "of before");
    EXPECT_EQ(seen_->count("request.carried_out"), 1);
    EXPECT_THAT(desk_.seen().image.heuristics(), SizeIs(0));
}

TEST_F(AskOwner, WhatAnOwnerTookBeforeItDiedIsNeverSaidToBeUndone)
{
    using assent::recovery::act_status;
    assent::recovery::request what;
    what.deed = assent::recovery::request_deed::resolve;
    what.transaction = strange_.text();
    what.resource_manager = "orders";
    what.seen = "undecided";
    what.until_ms = unix_ms_now() + 60'000;
    what.who = "uid 1000 (ann)";
    what.why = "compared";
    box_directory box{desk_.from.log_directory};
    box.write(box_kind::taken, "00000000000000aa", text_of(what));
    what.is_commit = true;  // it is not there any more, and nobody wanted that
    box.write(box_kind::taken, "00000000000000bb", text_of(what));
    what.until_ms = unix_ms_now() - 1;
    box.write(box_kind::taken, "00000000000000cc", text_of(what));
    what.transaction = "nonsense";
    what.until_ms = unix_ms_now() + 60'000;
    box.write(box_kind::taken, "00000000000000dd", text_of(what));

    start();
    std::this_thread::sleep_for(50ms);  // its first look, before it has any database
    EXPECT_FALSE(box.read(box_kind::answer, "00000000000000aa").is_there);
    add_all();
    auto const until = std::chrono::steady_clock::now() + 30s;
    while (!box.ids(box_kind::taken).empty() && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(5ms);

    auto const answered = [&](char const* id) {
        auto const said = assent::recovery::parse_answer(box.read(box_kind::answer, id).text);
        return std::get<assent::recovery::answer>(said);
    };
    auto const done = answered("00000000000000aa");
    EXPECT_EQ(done.status, act_status::done) << done.text;
    EXPECT_TRUE(done.has_acted);
    EXPECT_EQ(orders_.fate(strange_), branch_fate::rolled_back);
    for (char const* const id : {"00000000000000bb", "00000000000000cc", "00000000000000dd"}) {
        auto const refused = answered(id);
        EXPECT_EQ(refused.status, act_status::attention) << id;
        EXPECT_TRUE(refused.has_acted) << id;
        EXPECT_THAT(refused.text, HasSubstr("it may have been done")) << id;
    }
}

}  // namespace
