// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// at_bank.hpp -- what tests on the two real servers share: one bank per program, connections of
// the application's own, a network that can be spoiled, and waiting that has an end.

#ifndef ASSENT_TESTS_INTEGRATION_AT_BANK_HPP
#define ASSENT_TESTS_INTEGRATION_AT_BANK_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "tests/integration/bank.hpp"
#include "tests/servers/proxy.hpp"
#include "tests/thrown_by.hpp"

namespace assent::testing {

using std::chrono::steady_clock;

/// The time a slow, busy machine may take for what should take `expected`.
inline std::chrono::milliseconds tenfold(std::chrono::milliseconds expected)
{
    return 10 * expected;
}

/// Looks again and again until `is_so`, for at most `longest`.
inline bool becomes_true(std::function<bool()> const& is_so, std::chrono::milliseconds longest)
{
    auto const end = steady_clock::now() + longest;
    while (!is_so()) {
        if (steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

/// Connections that the application opened and closes itself.
std::unique_ptr<PGconn, void (*)(PGconn*)> own_accounts(bank const& from, int port = 0);
std::unique_ptr<std::remove_pointer_t<mysql::handle_type>, void (*)(mysql::handle_type)> own_orders(
    bank& from, int port = 0);

enum class how_often : std::uint8_t { once, always };

/// Acts when the manager says that something happened, on the thread that did it.
class on_event final : public observer
{
public:
    on_event(std::string name, std::function<void()> act, how_often acts = how_often::once)
        : name_(std::move(name)), act_(std::move(act)), acts_(acts)
    {
    }
    void on(event const& what) override
    {
        if (what.name != name_) return;
        if (!has_acted_.exchange(true) || acts_ == how_often::always) act_();
    }

private:
    std::string const name_;
    std::function<void()> const act_;
    how_often const acts_;
    std::atomic<bool> has_acted_{false};  // events come from many threads
};

/// Both databases behind a proxy.
struct network
{
    explicit network(bank& through)
        : accounts(wire.add(wire_protocol::postgresql, through.postgresql().port(),
                            through.accounts_certificates())),
          orders(wire.add(wire_protocol::mysql, through.mariadb().port(),
                          through.orders_certificates()))
    {
    }

    proxy wire;
    std::size_t accounts;
    std::size_t orders;
};

/// A manager that reaches both databases through a network.
struct wired
{
    wired(bank& at, options const& how)
        : net(at),
          tm(how),
          accounts(tm.add(at.accounts_manager(net.wire.port(net.accounts)))),
          orders(tm.add(at.orders_manager(net.wire.port(net.orders))))
    {
    }

    network net;
    transaction_manager tm;
    postgresql::resource_manager accounts;
    mysql::resource_manager orders;
};

/// For tests of what fails: no wait is long.
options hasty(std::string const& log_directory);

/// What docs/guide/adopting.md says of words that a program may send inside a branch: those that
/// would commit it are refused, and it lives on.
void expect_words_that_commit_are_refused(mysql::handle_type branch);

/// Requests to the two databases that must be under way at the same time: neither is delivered
/// before both were sent, so a client that waits for the one before it sends the other waits in
/// vain.
class meeting
{
public:
    /// Of the next requests that contain these parts.
    meeting(network& of, std::string to_accounts, std::string to_orders)
        : of_(of), to_accounts_(std::move(to_accounts)), to_orders_(std::move(to_orders))
    {
        of_.wire.hold(of_.accounts, to_accounts_);
        of_.wire.hold(of_.orders, to_orders_);
    }

    /// Waits until both were sent, and lets them go on in any case.  @return whether they were.
    bool takes_place() const
    {
        bool const has_met = becomes_true(
            [&] { return is_sent(of_.accounts, to_accounts_) && is_sent(of_.orders, to_orders_); },
            tenfold(std::chrono::seconds{1}));
        of_.wire.let_go(of_.accounts);
        of_.wire.let_go(of_.orders);
        return has_met;
    }

private:
    bool is_sent(std::size_t database, std::string const& part) const
    {
        auto const all = of_.wire.sql(database);
        return std::any_of(all.begin(), all.end(), [&](auto const& each) {
            return each.text.find(part) != std::string::npos;
        });
    }

    network& of_;
    std::string const to_accounts_;
    std::string const to_orders_;
};

class AtBank : public ::testing::Test
{
protected:
    static void SetUpTestSuite()
    {
        if (bank_ == nullptr && bank::why_missing().empty()) keep(new bank);
    }
    void SetUp() override
    {
        if (bank_ == nullptr) GTEST_SKIP() << bank::why_missing();
    }
    /// For all suites of the program.
    static void keep(bank* made)
    {
        bank_ = made;
        ::testing::AddGlobalTestEnvironment(new bank_end);
    }

    /// No branch anywhere, no money made or lost, each transfer in both ledgers or in neither.
    static void expect_whole()
    {
        EXPECT_EQ(bank_->prepared_in_accounts(), 0);
        EXPECT_EQ(bank_->prepared_in_orders(), 0);
        EXPECT_EQ(bank_->money(), 2 * bank::accounts * bank::first_balance);
        EXPECT_EQ(bank_->transfers_in_accounts(), bank_->transfers_in_orders());
    }
    static bool is_transferred(std::string const& id)
    {
        return bank_->transfers_in_accounts().count(id) != 0;
    }
    static void expect_in_both(std::string const& id)
    {
        EXPECT_EQ(bank_->transfers_in_accounts().count(id), 1u);
        EXPECT_EQ(bank_->transfers_in_orders().count(id), 1u);
        expect_whole();
    }
    static bool has_no_branches()
    {
        return bank_->prepared_in_accounts() == 0 && bank_->prepared_in_orders() == 0;
    }

    static inline bank* bank_ = nullptr;

private:
    /// After the last suite: servers take seconds to start.
    class bank_end final : public ::testing::Environment
    {
        void TearDown() override
        {
            delete bank_;
            bank_ = nullptr;
        }
    };
};

/// ... and a manager over both databases, new for each test.
class AtManagedBank : public AtBank
{
protected:
    transaction_manager tm{test_options(bank_->new_log_directory())};
    postgresql::resource_manager accounts = tm.add(bank_->accounts_manager());
    mysql::resource_manager orders = tm.add(bank_->orders_manager());
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_INTEGRATION_AT_BANK_HPP
