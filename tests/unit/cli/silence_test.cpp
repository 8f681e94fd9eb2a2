// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// silence_test.cpp -- nothing that an application put into a transaction is in what the program and
// the library say of it: no names or contents of rows, and no words of its exceptions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <assent/assent.hpp>
#include <assent/testing.hpp>

#include "recovery/cli/json.hpp"
#include "recovery/cli/metrics.hpp"
#include "recovery/cli/recover.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/show.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"
#include "tests/unit/cli/acting.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using namespace std::chrono_literals;
using assent::testing::memory_connection;
using assent::testing::memory_database;
using assent::testing::memory_resource_manager;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char const* secret = "mrs-smiths-account";
constexpr std::int64_t amount = 987'654'321;

class listener final : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        std::lock_guard const held{mutex_};
        for (auto const part : {what.name, what.resource_manager, what.id, what.text})
            heard_ += std::string{part} + "\n";
    }
    std::string heard() const
    {
        std::lock_guard const held{mutex_};
        return heard_;
    }

private:
    mutable std::mutex mutex_;
    std::string heard_;
};

class Silence : public ::testing::Test
{
protected:
    std::vector<assent::resource_manager> all() const
    {
        return {memory_resource_manager{"accounts", accounts_},
                memory_resource_manager{"orders", orders_}};
    }
    std::unique_ptr<assent::transaction_manager> open(bool is_impatient)
    {
        assent::limits bounds;
        bounds.presumed_abort_delay = 0ms;
        // Whatever must not be pending on a slow machine is no work for an impatient one.
        if (is_impatient) bounds.phase2_wait = bounds.close = 200ms;
        return std::make_unique<assent::transaction_manager>(
            assent::options{}
                .log_directory(desk_.from.log_directory)
                .node_label("shop")
                .observe(heard_)
                .limits(bounds));
    }
    static void work(assent::transaction& tx, memory_resource_manager const& a,
                     memory_resource_manager const& b)
    {
        for (auto const* const of : {&a, &b}) {
            memory_connection* const on = tx.lease(*of);
            on->set(secret, amount);
        }
    }

    acting_desk desk_;
    memory_database accounts_;
    memory_database orders_;
    std::shared_ptr<listener> heard_ = std::make_shared<listener>();
};

void expect_silent(std::string const& text)
{
    EXPECT_THAT(text, Not(HasSubstr(secret)));
    EXPECT_THAT(text, Not(HasSubstr(std::to_string(amount))));
}

/// A transaction that is pending, one that ended heuristically, one that its callback stopped, and
/// one whose work threw.
TEST_F(Silence, KeepsWhatAnApplicationWorksWith)
{
    memory_resource_manager const a{"accounts", accounts_};
    memory_resource_manager const b{"orders", orders_};
    {
        auto const tm = open(false);
        tm->add(a);
        tm->add(b);
        {
            auto tx = tm->begin();
            work(tx, a, b);
            tx.register_synchronization(
                {[] {}, [](assent::status) { throw std::runtime_error{secret}; }});
            orders_.script().on(assent::verb::commit).reply(assent::xa_code::heurmix);
            EXPECT_THROW(tx.commit(), assent::heuristic_error);
        }
        {
            auto tx = tm->begin();
            work(tx, a, b);
            tx.register_synchronization({[] { throw std::runtime_error{secret}; }, {}});
            EXPECT_THROW(tx.commit(), assent::rolled_back_error);
        }
        EXPECT_THROW(tm->run(assent::run_options{}.attempts_max(2),
                             [&](assent::transaction& tx) {
                                 work(tx, a, b);
                                 throw assent::retry_requested{secret};
                             }),
                     assent::retry_requested);
        expect_silent(assent::prometheus_text(tm->state()));
    }
    {
        auto const tm = open(true);
        tm->add(a);
        tm->add(b);
        {
            auto tx = tm->begin();
            work(tx, a, b);
            orders_.script().on(assent::verb::commit).lose_before_effect();
            orders_.script()
                .on(assent::testing::driver_call::connect)
                .times(1'000'000)
                .fail("is down");
            EXPECT_EQ(tx.commit(), assent::outcome::committed_pending);
        }
        expect_silent(assent::prometheus_text(tm->state()));
    }
    EXPECT_THAT(heard_->heard(), HasSubstr("after_completion.threw\n"));
    EXPECT_THAT(heard_->heard(), HasSubstr("std::runtime_error"));
    expect_silent(heard_->heard());

    auto const status = make_status(desk_.from, desk_.seen());
    ASSERT_EQ(status.heuristics.size(), 1U);
    ASSERT_EQ(status.unfinished.size(), 1U);
    for (int i = 0; i < 2; ++i) {
        auto const seen = scan(desk_.from, all());
        expect_silent(in_words(status, painter{false}) + in_json(status));
        expect_silent(in_words(seen.report, painter{false}) + in_json(seen.report));
        expect_silent(in_metrics(status, seen.report, 1));
        auto const shown = show(status.unfinished[0].id, seen);
        expect_silent(in_words(shown, painter{false}) + in_json(shown));
        recover_options how;
        how.timeout = i == 0 ? 500ms : 30s;
        auto const told = recover(desk_.from, how, all());
        expect_silent(in_words(told, painter{false}) + in_json(told));
        EXPECT_EQ(told.is_drained, i == 1) << in_words(told, painter{false});
        orders_.script().clear();
    }
}

}  // namespace
