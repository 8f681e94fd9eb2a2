// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// deadlock_test.cpp -- two threads that surely deadlock in a real server, through run(): the
// victim's work runs a second time, the other's once, and both transfers are whole.

#include <array>
#include <barrier>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;

std::string take(int account)
{
    return "update balance set amount = amount - 1 where id = " + std::to_string(account);
}
std::string give(int account)
{
    return "update balance set amount = amount + 1 where id = " + std::to_string(account);
}
std::string note(std::string const& transfer)
{
    return "insert into ledger values ('" + transfer + "', 1)";
}

class Deadlock : public AtManagedBank
{
protected:
    /// Two threads change two balances of `contested` in opposite orders, and each notes in both
    /// databases that it did: as `prefix` and its number.
    template <class Contested, class Other>
    void expect_that_only_the_victim_runs_again(Contested const& contested, Other const& other,
                                                std::string const& prefix)
    {
        std::array<int, 2> attempts{};
        std::barrier both_hold_one{2};
        auto const work = [&](int me) {
            auto const how = tm.run([&, me](assent::transaction& tx) {
                auto& attempt = attempts[static_cast<std::size_t>(me)];
                ++attempt;
                auto* const here = tx.lease(contested).get();
                execute(here, take(me));
                if (attempt == 1) both_hold_one.arrive_and_wait();
                execute(here, give(1 - me));
                auto const name = prefix + std::to_string(me);
                execute(here, note(name));
                execute(tx.lease(other).get(), note(name));
            });
            EXPECT_EQ(how, assent::outcome::committed);
        };

        std::thread rival{work, 1};
        work(0);
        rival.join();

        EXPECT_EQ(attempts[0] + attempts[1], 3);
        EXPECT_EQ(std::min(attempts[0], attempts[1]), 1);
        for (int const id : {0, 1}) {
            auto const balance = "select amount from balance where id = " + std::to_string(id);
            EXPECT_EQ(number(bank_->look_accounts(), balance), bank::first_balance);
            EXPECT_EQ(number(bank_->look_orders(), balance), bank::first_balance);
            EXPECT_TRUE(is_transferred(prefix + std::to_string(id)));
        }
        expect_whole();
    }
};

TEST_F(Deadlock, OnPostgresqlRunsTheVictimAgainAndNobodyElse)
{
    expect_that_only_the_victim_runs_again(accounts, orders, "pg-deadlock-");
}

TEST_F(Deadlock, OnMariadbRunsTheVictimAgainAndNobodyElse)
{
    expect_that_only_the_victim_runs_again(orders, accounts, "my-deadlock-");
}

TEST_F(Deadlock, ThatTheLastAttemptLosesIsToldToTheCaller)
{
    std::array<int, 2> attempts{};
    std::array<bool, 2> was_told{};
    std::barrier both_hold_one{2};
    auto const work = [&](int me) {
        auto const i = static_cast<std::size_t>(me);
        try {
            tm.run(assent::run_options{}.attempts_max(1), [&, me](assent::transaction& tx) {
                ++attempts[i];
                assent::mysql::handle_type const my = tx.lease(orders);
                execute(my, take(me));
                both_hold_one.arrive_and_wait();
                execute(my, give(1 - me));
            });
        } catch (assent::retry_requested const&) {
            was_told[i] = true;
        }
    };

    std::thread other{work, 1};
    work(0);
    other.join();

    EXPECT_EQ(attempts, (std::array<int, 2>{1, 1}));
    EXPECT_NE(was_told[0], was_told[1]) << "exactly one of the two is the victim";
    expect_whole();
}

}  // namespace
