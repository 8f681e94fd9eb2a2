// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// one_phase_test.cpp -- a server whose crash may undo what it acknowledged in one phase: MariaDB
// with a binary log.  Everything there votes.

#include <atomic>
#include <memory>
#include <string>

#include <assent/tcc.hpp>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::errc;
using assent::outcome;
using ::testing::HasSubstr;

class verbs_seen final : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        if (what.name == "branch.prepare") ++votes;
        if (what.name == "branch.one_phase") ++alone;
    }
    std::atomic<int> votes = 0, alone = 0;
};

class OnePhase : public ::testing::Test
{
protected:
    static void SetUpTestSuite()
    {
        if (bank::is_encrypted()) return;
        bank_ = std::make_unique<bank>(private_server::postgresql(),
                                       private_server::mariadb({"log_bin=binlog", "server_id=1"}));
    }
    static void TearDownTestSuite() { bank_.reset(); }

    struct opened
    {
        explicit opened(bank& at)
            : tm(test_options(at.new_log_directory()).observe(seen)),
              accounts(tm.add(at.accounts_manager())),
              orders(tm.add(at.orders_manager()))
        {
        }
        std::shared_ptr<verbs_seen> const seen = std::make_shared<verbs_seen>();
        assent::transaction_manager tm;
        assent::postgresql::resource_manager accounts;
        assent::mysql::resource_manager orders;
    };

    static void write(assent::mysql::handle_type to, std::string const& id)
    {
        execute(to, "insert into ledger values ('" + id + "', 1)");
    }

    static inline std::unique_ptr<bank> bank_;
};

TEST_F(OnePhase, ABranchThatIsAloneVotesWhereACrashMayUndoItsCommit)
{
    opened at{*bank_};
    auto tx = at.tm.begin();
    write(tx.lease(at.orders), "alone");
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(at.seen->votes, 1);
    EXPECT_EQ(at.seen->alone, 0);
    EXPECT_EQ(bank_->transfers_in_orders().count("alone"), 1u);

    auto other = at.tm.begin();
    execute(other.lease(at.accounts), "insert into ledger values ('alone', 1)");
    EXPECT_EQ(other.commit(), outcome::committed);
    EXPECT_EQ(at.seen->alone, 1) << "PostgreSQL goes on as before";
}

TEST_F(OnePhase, NoCommitRowLivesThere)
{
    opened at{*bank_};
    auto tx = at.tm.begin(assent::begin_options{}.commit_row(at.orders));
    auto const refused = thrown_by<assent::error>([&] { tx.lease(at.orders); });
    EXPECT_EQ(refused.why(), errc::unavailable);
    EXPECT_THAT(refused.what(), HasSubstr("binary log"));
    tx.rollback();

    auto beside = at.tm.begin(assent::begin_options{}.commit_row(at.accounts));
    write(beside.lease(at.orders), "beside a row");
    EXPECT_EQ(beside.commit(), outcome::committed) << "the row is PostgreSQL's";
    EXPECT_EQ(at.seen->alone, 0);
}

TEST_F(OnePhase, NoReservationLivesThere)
{
    opened at{*bank_};
    auto const nothing = [](assent::tcc::call&) {};
    auto const stock =
        at.tm.add(assent::tcc::resource_manager{"stock", at.orders, {nothing, nothing, nothing}});
    auto tx = at.tm.begin();
    auto const refused = thrown_by<assent::error>([&] { assent::tcc::attempt(tx, stock, "1"); });
    EXPECT_EQ(refused.why(), errc::unavailable);
    EXPECT_THAT(refused.what(), HasSubstr("binary log"));
}

}  // namespace
