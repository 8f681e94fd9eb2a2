// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// early_return_test.cpp -- commit() that returns when the decision is durable, on real servers and
// over networks that are spoiled behind its back.

#include <algorithm>
#include <vector>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;

assent::begin_options early()
{
    return assent::begin_options{}.commit_return(assent::commit_return::decision_logged);
}

bool becomes_finished(assent::transaction_manager const& tm, std::chrono::milliseconds expected)
{
    return becomes_true(
        [&tm] {
            auto const now = tm.state();
            return now.live_transactions == 0 &&
                   std::all_of(now.resource_managers.begin(), now.resource_managers.end(),
                               [](auto const& each) { return each.sessions_leased == 0; });
        },
        tenfold(expected));
}

class EarlyReturn : public AtBank
{
protected:
    /// How many messages to a database contain `part`.
    static auto count(network const& net, std::size_t database, std::string const& part)
    {
        auto const all = net.wire.sql(database);
        return std::count_if(all.begin(), all.end(), [&part](auto const& each) {
            return each.text.find(part) != std::string::npos;
        });
    }
    static void commit_early(wired& at, std::string const& id)
    {
        auto tx = at.tm.begin(early());
        transfer(tx.lease(at.accounts), tx.lease(at.orders), id, 1, 0);
        EXPECT_EQ(tx.commit(), assent::outcome::committed_pending);
    }
};

/// Had it waited, it would have cut both sessions after limits::phase2_wait, and other sessions
/// would have sent COMMIT again.
TEST_F(EarlyReturn, CommitReturnsWhileBothDatabasesAreStillToHearOfIt)
{
    wired at{*bank_, test_options(bank_->new_log_directory())};
    {
        meeting const second_phase{at.net, "COMMIT PREPARED", "XA COMMIT"};
        commit_early(at, "early");
        EXPECT_EQ(bank_->prepared_in_accounts(), 1);
        EXPECT_EQ(bank_->prepared_in_orders(), 1);
        EXPECT_TRUE(second_phase.takes_place());
    }

    EXPECT_TRUE(becomes_finished(at.tm, 1s));

    EXPECT_EQ(count(at.net, at.net.accounts, "COMMIT PREPARED"), 1);
    EXPECT_EQ(count(at.net, at.net.orders, "XA COMMIT"), 1);
    expect_in_both("early");
}

TEST_F(EarlyReturn, IsFinishedWhateverTheNetworkDoesBehindTheCaller)
{
    wired at{*bank_, hasty(bank_->new_log_directory())};
    int number = 0;
    for (auto const what :
         {fault::lose_request, fault::lose_reply, fault::silence_before, fault::silence_after}) {
        for (bool const is_in_accounts : {true, false}) {
            std::string const id = "early under fault " + std::to_string(++number);
            SCOPED_TRACE(id);
            at.net.wire.on_request(is_in_accounts ? at.net.accounts : at.net.orders,
                                   is_in_accounts ? "COMMIT PREPARED" : "XA COMMIT", what);

            commit_early(at, id);

            EXPECT_TRUE(becomes_finished(at.tm, 10s));
            expect_in_both(id);
        }
    }
}

TEST_F(EarlyReturn, ManyAtOnceLoseNothing)
{
    constexpr int threads = 8;
    assent::transaction_manager tm{test_options(bank_->new_log_directory())};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());
    std::vector<std::thread> all;
    all.reserve(threads);
    for (int t = 0; t < threads; ++t) {
        all.emplace_back([&, t] {
            for (int n = 0; n < 10; ++n) {
                auto tx = tm.begin(early());
                transfer(tx.lease(accounts), tx.lease(orders),
                         "early of many " + std::to_string(t) + '.' + std::to_string(n), 1, t);
                EXPECT_EQ(tx.commit(), assent::outcome::committed_pending);
            }
        });
    }
    for (auto& each : all)
        each.join();

    auto const left = tm.close(steady_clock::now() + tenfold(10s));

    EXPECT_TRUE(left.unfinished.empty());
    EXPECT_TRUE(is_transferred("early of many 7.9"));
    expect_whole();
}

TEST_F(EarlyReturn, AManagerThatIsDestroyedMeanwhileLeavesTheRestToTheNext)
{
    auto const directory = bank_->new_log_directory();
    {
        wired at{*bank_, hasty(directory)};
        at.net.wire.hold(at.net.accounts, "COMMIT PREPARED");
        at.net.wire.hold(at.net.orders, "XA COMMIT");
        commit_early(at, "early and destroyed");
    }

    wired at{*bank_, hasty(directory)};

    EXPECT_TRUE(becomes_true([] { return has_no_branches(); }, tenfold(10s)));
    expect_in_both("early and destroyed");
}

}  // namespace
