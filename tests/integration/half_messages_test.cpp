// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// half_messages_test.cpp -- a broker that asks back where a commit row of a real PostgreSQL
// decides, and the row is still on its way.

#include <libpq-fe.h>

#include <string>

#include <assent/half_message.hpp>

#include "tests/integration/at_bank.hpp"
#include "tests/unit/half/fake_broker.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::gtrid;
using assent::known_outcome;
using assent::outcome;
using assent::xid;
namespace half = assent::half;

assent::deadline soon()
{
    return steady_clock::now() + 20s;
}

class HalfMessages : public AtBank
{
protected:
    void SetUp() override
    {
        AtBank::SetUp();
        if (IsSkipped()) return;
        log_ = bank_->new_log_directory();
        open();
    }
    void TearDown() override
    {
        tm_.reset();
        if (bank_ == nullptr) return;
        execute(bank_->look_accounts(), "delete from public.assent_decision");
        bank_->stop_looking();
    }

    void open()
    {
        tm_ = std::make_unique<assent::transaction_manager>(test_options(log_));
        accounts_.emplace(tm_->add(bank_->accounts_manager()));
        orders_.emplace(tm_->add(bank_->orders_manager()));
        news_.emplace(tm_->add(half::resource_manager{
            "news", broker_, half::options{}.unguarded().halves_arrive_within(0ms)}));
    }

    /// A transfer and the news of it, decided in a row of the accounts.
    assent::transaction begin_work(std::string const& id)
    {
        auto tx = tm_->begin(assent::begin_options{}.commit_row(*accounts_));
        transfer(tx.lease(*accounts_), tx.lease(*orders_), id, 7, 1);
        half::send(tx, *news_, {"transfers", id});
        return tx;
    }

    /// A half of the next run's past: of a transaction that no record names, whose commit may
    /// still be under way.
    xid leave_one_on_its_way(std::string const& id)
    {
        auto tx = begin_work(id);
        auto name = *xid::parse(broker_->halves().at(0));
        EXPECT_EQ(tx.commit(), outcome::committed);
        auto parts = name.global.parts();
        parts.sequence += 1000;
        name.global = gtrid::make(parts);
        broker_->go_down();
        tm_.reset();
        broker_->store(name.text(), "news of " + id);
        open();
        return name;
    }
    static std::string insert_of(xid const& half)
    {
        return "insert into public.assent_decision (gtrid, kind, content) values ('" +
               std::string{half.global.text()} + "', 'c', '" + std::string{half.branch.text()} +
               "')";
    }
    /// @param kind  a pattern.
    static std::int64_t rows_of(xid const& half, std::string const& kind = "%")
    {
        return number(bank_->look_accounts(),
                      "select count(*) from public.assent_decision where gtrid = '" +
                          std::string{half.global.text()} + "' and kind like '" + kind + "'");
    }
    bool becomes_settled() const
    {
        return becomes_true([this] { return broker_->halves().empty(); }, tenfold(3s));
    }

    std::string log_;
    std::shared_ptr<half_test::fake_broker> broker_ = std::make_shared<half_test::fake_broker>();
    std::optional<assent::postgresql::resource_manager> accounts_;
    std::optional<assent::mysql::resource_manager> orders_;
    std::optional<half::resource_manager> news_;
    std::unique_ptr<assent::transaction_manager> tm_;
};

TEST_F(HalfMessages, AreShownWithATransferThatARowDecides)
{
    auto tx = begin_work("told");
    auto const name = broker_->halves().at(0);
    EXPECT_EQ(tm_->ask(name, soon()), known_outcome::pending);
    EXPECT_EQ(rows_of(*xid::parse(name)), 0) << "nothing is fenced";
    EXPECT_EQ(tx.commit(), outcome::committed);
    // Or not known, once the next list has shown that it is finished.
    EXPECT_NE(tm_->ask(name, soon()), known_outcome::rolled_back);
    EXPECT_EQ(rows_of(*xid::parse(name), "a"), 0) << "nothing is fenced";
    EXPECT_EQ(broker_->shown_of("told"), 1);
    expect_in_both("told");
}

/// A COMMIT that waits for a standby has its row locked and unseen: no answer is made of that.
TEST_F(HalfMessages, WhileTheRowsCommitIsUnderWayAnAskIsPendingAndThenTheTruth)
{
    auto const half = leave_one_on_its_way("under way");
    auto const late = own_accounts(*bank_);
    execute(late.get(), "begin");
    execute(late.get(), insert_of(half));
    auto const began = steady_clock::now();
    EXPECT_EQ(tm_->ask(half, began + 500ms), known_outcome::pending);
    EXPECT_LT(steady_clock::now() - began, tenfold(1s));

    execute(late.get(), "commit");
    EXPECT_TRUE(becomes_true([&] { return tm_->ask(half, soon()) == known_outcome::committed; },
                             tenfold(3s)));
    broker_->come_up();
    EXPECT_TRUE(becomes_settled());
    EXPECT_EQ(broker_->shown_of("news of under way"), 1);
}

TEST_F(HalfMessages, AnAskThatSaysRolledBackKeepsTheRowOutForEver)
{
    auto const half = leave_one_on_its_way("too late");
    ASSERT_EQ(rows_of(half), 0);
    EXPECT_EQ(tm_->ask(half, soon()), known_outcome::rolled_back);
    EXPECT_EQ(rows_of(half), 1);
    auto const late = own_accounts(*bank_);
    EXPECT_THROW(execute(late.get(), insert_of(half)), std::exception) << "a duplicate key";
    broker_->come_up();
    EXPECT_TRUE(becomes_settled());
    EXPECT_EQ(broker_->shown_of("news of too late"), 0);
}

}  // namespace
