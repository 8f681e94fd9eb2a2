// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// A reservation whose outcome is on record is left alone by who has its handlers.  Once that is
// forgotten they run: so it stays while the row is there, whoever is asked to forget it.

#include <gmock/gmock.h>

#include <assent/tcc.hpp>
#include <atomic>

#include "recovery/cli/ask_owner.hpp"
#include "recovery/cli/forget.hpp"
#include "recovery/forgetting.hpp"
#include "tests/unit/cli/acted_on.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using namespace std::chrono_literals;
using assent::testing::memory_resource_manager;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ForgetReservation : public acted_on
{
protected:
    /// One whose cancel failed in a process that is gone, and that a person was told of since.
    ForgetReservation()
    {
        desk_.from.databases = {{"wallets", database_kind::odbc, {}, false}};
        {
            open([](assent::tcc::call&) { throw std::runtime_error{"not in this process"}; });
            auto tx = tm_->begin();
            assent::tcc::attempt(tx, *wallets_, "30");
            EXPECT_EQ(tx.rollback(), assent::outcome::rolled_back);
            tm_.reset();
        }
        EXPECT_THAT(accounts_.reservations(), SizeIs(1));
        name_ = accounts_.reservations().at(0).name;
        desk_.open_log()->record(assent::ports::heuristic_record{
            name_, "wallets", assent::xa_code::heurhaz, "its handler left the transaction", 5'000});
    }

    void open(std::function<void(assent::tcc::call&)> const& cancel)
    {
        assent::limits bounds;
        bounds.presumed_abort_delay = 0ms;
        bounds.scan_interval = bounds.rollback_wait = 50ms;
        tm_.emplace(assent::options{}
                        .log_directory(desk_.from.log_directory)
                        .node_label("shop")
                        .limits(bounds));
        auto const nothing = [](assent::tcc::call&) {};
        wallets_ = tm_->add(assent::tcc::resource_manager{
            "wallets", memory_resource_manager{"bank", accounts_}, {nothing, nothing, cancel}});
    }
    void open_counting()
    {
        open([this](assent::tcc::call&) { ++cancels_; });
    }
    act_report act(std::chrono::milliseconds owner_wait = 60s) const
    {
        auto how = acting_desk::confirmed();
        how.owner_wait = owner_wait;
        return forget(desk_.from, {name_.text(), ""}, how, [this] {
            return std::vector<assent::resource_manager>{assent::tcc::resource_manager{
                "wallets", memory_resource_manager{"bank", accounts_}}};
        });
    }
    /// As a program that has not looked at the database itself.
    act_report ask() const
    {
        auto how = acting_desk::confirmed();
        how.owner_wait = 60s;
        assent::recovery::request what;
        what.deed = assent::recovery::request_deed::forget;
        what.transaction = name_.text();
        auto const all = desk_.seen().image.heuristics();
        what.seen = assent::recovery::marks_of({all.begin(), all.end()});
        act_report told;
        ask_owner(told, desk_.from, what, how, "the application");
        return told;
    }
    /// By hand, as SQL does it.
    void delete_row() const
    {
        memory_resource_manager const bank{"hand", accounts_};
        auto const until = std::chrono::steady_clock::now() + 10s;
        auto const hand = bank.driver()->connect(assent::session_purpose::work, until);
        hand->submit(assent::verb::start, branch(name_.global, 99));
        EXPECT_TRUE(hand->collect(until)->is_ok());
        EXPECT_TRUE(bank.driver()->branches()->take(*hand, name_, until));
        hand->submit(assent::verb::commit_one_phase, branch(name_.global, 99));
        EXPECT_TRUE(hand->collect(until)->is_ok());
        EXPECT_THAT(accounts_.reservations(), SizeIs(0));
    }
    void expect_kept() const { EXPECT_THAT(desk_.seen().image.heuristics(), SizeIs(1)); }

    std::optional<assent::transaction_manager> tm_;
    std::optional<assent::tcc::resource_manager> wallets_;
    std::atomic<int> cancels_{0};
    assent::xid name_;
};

TEST_F(ForgetReservation, IsRefusedWhileTheRowIsThereAndNoHandlerRuns)
{
    auto const why = refused([this] { act(); });
    EXPECT_EQ(why.code(), exit_code::attention);
    EXPECT_THAT(why.what(), HasSubstr("the row is still there"));
    EXPECT_THAT(why.what(), HasSubstr("delete the row first, then forget"));
    expect_kept();

    open_counting();
    std::this_thread::sleep_for(250ms);  // five lists
    tm_.reset();
    EXPECT_EQ(cancels_, 0);

    delete_row();
    EXPECT_TRUE(act().has_acted);
    EXPECT_THAT(desk_.seen().image.heuristics(), SizeIs(0));
}

TEST_F(ForgetReservation, IsRefusedWhileNobodyTellsWhetherTheRowIsThere)
{
    accounts_.crash_server();
    EXPECT_THAT(refused([this] { act(); }).what(), HasSubstr("nobody tells whether"));
    expect_kept();

    desk_.from.databases.clear();
    auto const why = refused([this] {
        forget(desk_.from, {name_.text(), ""}, acting_desk::confirmed(),
               [] { return std::vector<assent::resource_manager>{}; });
    });
    EXPECT_THAT(why.what(), HasSubstr("nobody tells whether"));
    expect_kept();
}

TEST_F(ForgetReservation, IsRefusedByTheApplicationToo)
{
    open_counting();
    {
        auto tx = tm_->begin();  // it serves
        assent::tcc::attempt(tx, *wallets_, "1");
        EXPECT_EQ(tx.commit(), assent::outcome::committed);
    }
    EXPECT_THAT(refused([this] { act(); }).what(), HasSubstr("the row is still there"));
    EXPECT_THAT(refused([this] { ask(); }).what(), HasSubstr("the row is still there"));
    expect_kept();
    accounts_.crash_server();
    EXPECT_THAT(refused([this] { ask(); }).what(), HasSubstr("nobody tells whether"));
    expect_kept();
    accounts_.restart();

    delete_row();
    auto const until = std::chrono::steady_clock::now() + 30s;
    while (desk_.seen().image.heuristics().size() == 1 &&
           std::chrono::steady_clock::now() < until) {
        try {
            ask();
        } catch (failure const& e) {
            EXPECT_THAT(e.what(), HasSubstr("nobody tells whether"));  // it is connected anew
        }
    }
    EXPECT_THAT(desk_.seen().image.heuristics(), SizeIs(0));
    EXPECT_EQ(cancels_, 0);
}

TEST_F(ForgetReservation, IsRefusedByAnApplicationThatDoesNotHaveThemAnyMore)
{
    tm_.emplace(assent::options{}.log_directory(desk_.from.log_directory).node_label("shop"));
    EXPECT_THAT(refused([this] { ask(); }).what(), HasSubstr("does not have \"wallets\" any more"));
    expect_kept();
}

}  // namespace
